//! Part of a worker's report that the status shows, with bounded lengths.

use live_data_crd::WorkerReport;
use live_data_crd::report::{Degradation, RunReport, ScriptReport};

/// Longest name, hash or time in bytes, above those of this project's workers.
const MAX_NAME_BYTES: usize = 256;
/// Longest error or degradation in bytes. Of an error the end is kept, which names the exception.
const MAX_TEXT_BYTES: usize = 4096;
/// Most degradations that are kept.
const MAX_DEGRADATIONS: usize = 8;

/// Part of a worker's report that the status shows; rounded, because each change is a write of the status.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportSummary {
    /// Engine that runs the script: `native` or `mantid`.
    pub engine: String,
    /// The worker holds the writer's lease.
    pub writer: bool,
    /// The worker has caught up with the stream.
    pub ready: bool,
    /// Newest run; `None` before the first.
    pub run: Option<RunSummary>,
    /// Events per second, to three significant digits.
    pub rate: i64,
    /// Seconds behind the stream, to a tenth.
    pub lag_seconds: Option<f64>,
    /// SHA-256 of the script, hexadecimal.
    pub script_hash: Option<String>,
    /// Start of the last execution, RFC 3339 in UTC.
    pub script_last_run: Option<String>,
    /// Duration of the last execution in seconds, to a millisecond.
    pub script_last_duration: Option<f64>,
    /// Error of the last execution; its end, if it is long.
    pub script_last_error: Option<String>,
    /// Degradations of the worker, at most eight.
    pub degraded: Vec<Degradation>,
}

/// Newest run of a worker's report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunSummary {
    /// Name of the run as the stream has it.
    pub number: String,
    /// First pulse time, RFC 3339 in UTC.
    pub start_time: Option<String>,
    /// Events in the run.
    pub events: i64,
}

impl From<WorkerReport> for ReportSummary {
    fn from(report: WorkerReport) -> Self {
        let script: ScriptReport = report.script;
        Self {
            engine: bounded_name(report.engine),
            writer: report.writer,
            ready: report.ready,
            run: report.run.filter(|run| !run.number.is_empty()).map(RunSummary::from),
            rate: three_digits(report.rate),
            lag_seconds: report
                .lag_seconds
                .filter(|lag| lag.is_finite())
                .map(|lag| (lag * 10.0).round() / 10.0),
            script_hash: script.hash.map(bounded_name),
            script_last_run: script.last_run.map(bounded_name),
            script_last_duration: script
                .last_duration
                .filter(|duration| duration.is_finite())
                .map(|duration| (duration * 1000.0).round() / 1000.0),
            script_last_error: script.last_error.map(|text| end_of(&text, MAX_TEXT_BYTES).to_owned()),
            degraded: report
                .degraded
                .into_iter()
                .take(MAX_DEGRADATIONS)
                .map(|degradation| Degradation {
                    reason: bounded_name(degradation.reason),
                    message: beginning_of(degradation.message, MAX_TEXT_BYTES),
                })
                .collect(),
        }
    }
}

impl From<RunReport> for RunSummary {
    fn from(run: RunReport) -> Self {
        Self {
            number: bounded_name(run.number),
            start_time: run.start_time.map(bounded_name),
            events: i64::try_from(run.events).unwrap_or(i64::MAX),
        }
    }
}

fn bounded_name(text: String) -> String {
    beginning_of(text, MAX_NAME_BYTES)
}

fn beginning_of(mut text: String, max_bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(max_bytes));
    text
}

/// Last `max_bytes` bytes of a text, or fewer to begin with a whole character.
pub fn end_of(text: &str, max_bytes: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(max_bytes))..]
}

/// Rate to three significant digits: the rest is noise, and each change is a write.
fn three_digits(rate: f64) -> i64 {
    if !rate.is_finite() || rate < 0.5 {
        return 0;
    }
    let unit = 10_f64.powf(rate.log10().floor() - 2.0).max(1.0);
    // The conversion saturates at i64::MAX.
    #[allow(clippy::cast_possible_truncation)]
    let rounded = ((rate / unit).round() * unit) as i64;
    rounded
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn rates_are_shown_to_three_digits() {
        assert_eq!(three_digits(1_234_567.0), 1_230_000);
        assert_eq!(three_digits(42.4), 42);
        assert_eq!(three_digits(0.2), 0);
        assert_eq!(three_digits(f64::NAN), 0);
        assert_eq!(three_digits(f64::MAX), i64::MAX);
    }

    #[test]
    fn a_report_that_is_out_of_bounds_is_cut_to_what_a_status_takes() {
        let mut report = WorkerReport {
            run: Some(RunReport {
                number: "é".repeat(1 << 20),
                ..Default::default()
            }),
            ..Default::default()
        };
        report.script.last_error = Some(format!("{}é the end", "é".repeat(1 << 20)));
        report.degraded = vec![
            Degradation {
                reason: "r".repeat(10_000),
                message: "é".repeat(10_000),
            };
            100
        ];
        let summary = ReportSummary::from(report);
        assert!(summary.run.unwrap().number.len() <= MAX_NAME_BYTES);
        let error = summary.script_last_error.unwrap();
        assert!(error.len() <= MAX_TEXT_BYTES && error.ends_with("the end"));
        let size: usize = summary
            .degraded
            .iter()
            .map(|degradation| degradation.message.len())
            .sum();
        assert!(summary.degraded.len() == 8 && size <= 8 * MAX_TEXT_BYTES);
    }
}
