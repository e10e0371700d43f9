//! Progress line on a terminal: run, events, rate, lag and next execution.
//!
//! Promises: nothing is drawn without a terminal, and log lines are written above the progress line, never through it. Both
//! go to the standard error that the process was started with, which scripts do not reach once their output is captured.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use live_data_crd::report::WorkerReport;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::status_registry::StatusRegistry;

/// Carriage return and ANSI sequence that clears the line.
const CLEAR_LINE: &[u8] = b"\r\x1b[2K";

static TERMINAL: OnceLock<Terminal> = OnceLock::new();

struct Terminal {
    stdout: File,
    stderr: File,
    /// Progress line that is on the terminal; empty without one.
    drawn: Mutex<String>,
}

/// Sets the process's original standard output and error. Only the first call in a process counts.
pub fn set_outputs(stdout: File, stderr: File) {
    let _ = TERMINAL.set(Terminal {
        stdout,
        stderr,
        drawn: Mutex::default(),
    });
}

/// Writes a line to the original standard output, and the progress line below it anew.
pub fn print_line(text: &str) {
    let Some(terminal) = TERMINAL.get() else {
        println!("{text}");
        return;
    };
    let drawn = terminal.drawn.lock();
    // A closed pipe must not stop the worker.
    if !drawn.is_empty() {
        let _ = (&terminal.stderr).write_all(CLEAR_LINE);
    }
    let _ = (&terminal.stdout).write_all(format!("{text}\n").as_bytes());
    if !drawn.is_empty() {
        let _ = (&terminal.stderr).write_all(drawn.as_bytes());
    }
}

/// True if the original standard error is a terminal.
pub fn is_terminal() -> bool {
    TERMINAL.get().map_or_else(
        || std::io::stderr().is_terminal(),
        |terminal| terminal.stderr.is_terminal(),
    )
}

/// Draws the progress line on a terminal every 250 ms until `stop`.
pub async fn draw(status: Arc<StatusRegistry>, stop: CancellationToken) {
    let Some(terminal) = TERMINAL.get().filter(|_| is_terminal()) else {
        return;
    };
    while tokio::time::timeout(Duration::from_millis(250), stop.cancelled())
        .await
        .is_err()
    {
        let text = progress_line(&status.report());
        let mut drawn = terminal.drawn.lock();
        // A closed terminal must not stop the worker.
        let _ = (&terminal.stderr).write_all(&[CLEAR_LINE, text.as_bytes()].concat());
        *drawn = text;
    }
    let mut drawn = terminal.drawn.lock();
    let _ = (&terminal.stderr).write_all(CLEAR_LINE);
    drawn.clear();
}

/// Progress line of a report.
pub fn progress_line(report: &WorkerReport) -> String {
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

/// Writer of log lines to the original standard error, which draws the progress line anew after each.
pub fn stderr() -> impl Write {
    LineWriter
}

struct LineWriter;

impl Write for LineWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let Some(terminal) = TERMINAL.get() else {
            return std::io::stderr().write(bytes);
        };
        let drawn = terminal.drawn.lock();
        if drawn.is_empty() {
            (&terminal.stderr).write_all(bytes)?;
        } else {
            (&terminal.stderr).write_all(&[CLEAR_LINE, bytes, drawn.as_bytes()].concat())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use live_data_crd::report::RunReport;

    #[test]
    fn the_line_has_run_rate_and_lag() {
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
            progress_line(&report),
            "LET  run 7  1,234,567 events  50 pulses  999/s  lag 0.2 s  0 executions"
        );
    }
}
