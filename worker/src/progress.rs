//! Progress on the terminal, where one is there: rate, lag, run, events and the next execution.
//!
//! Elsewhere nothing is drawn. Lines of the log are written above the drawn one, never through it.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use live_data_crd::report::WorkerReport;
use tokio_util::sync::CancellationToken;

use crate::board::Board;

static DRAWN: OnceLock<MultiProgress> = OnceLock::new();

/// Draws until `stop`, where stderr is a terminal.
pub async fn draw(board: Arc<Board>, stop: CancellationToken) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let all = DRAWN.get_or_init(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(4)));
    let bar = all.add(ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    while tokio::time::timeout(Duration::from_millis(250), stop.cancelled())
        .await
        .is_err()
    {
        bar.set_message(line(&board.report()));
        bar.tick();
    }
    bar.finish_and_clear();
}

/// The report in one line.
pub fn line(report: &WorkerReport) -> String {
    let run = report.run.as_ref().map_or_else(
        || "no run".to_owned(),
        |run| {
            format!(
                "run {}  {} events  {} pulses",
                run.number,
                thousands(run.events),
                thousands(run.pulses)
            )
        },
    );
    let lag = report
        .lag_seconds
        .map_or_else(|| "lag unknown".to_owned(), |lag| format!("lag {lag:.1} s"));
    let script = match (&report.script.last_error, report.script.running, &report.script.next) {
        (_, true, _) => "script running".to_owned(),
        (Some(_), _, _) => "script failed".to_owned(),
        (None, _, Some(next)) => format!("next {}", next.get(11..19).unwrap_or(next)),
        _ => format!("{} executions", report.script.runs),
    };
    let state = if report.ready { "" } else { "  catching up" };
    format!(
        "{}  {run}  {}/s  {lag}  {script}{state}",
        report.instrument,
        thousands(report.rate.max(0.0) as u64)
    )
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A writer for lines of the log, which steps round what is drawn.
pub fn stderr() -> impl Write {
    LineWriter
}

struct LineWriter;

impl Write for LineWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match DRAWN.get() {
            Some(all) => all.suspend(|| std::io::stderr().write(bytes)),
            None => std::io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use live_data_crd::report::RunReport;

    #[test]
    fn the_line_tells_run_rate_and_lag() {
        let report = WorkerReport {
            instrument: "LET".into(),
            run: Some(RunReport {
                number: "7".into(),
                events: 1_234_567,
                pulses: 50,
                ..RunReport::default()
            }),
            rate: 999.6,
            lag_seconds: Some(0.25),
            ready: true,
            ..WorkerReport::default()
        };
        assert_eq!(
            line(&report),
            "LET  run 7  1,234,567 events  50 pulses  999/s  lag 0.2 s  0 executions"
        );
    }
}
