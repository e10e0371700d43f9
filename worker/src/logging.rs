//! Log of the program on standard error: text on a terminal, one JSON object a line elsewhere.
//!
//! Progress and log lines share the terminal through [`crate::progress`].

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;
use crate::progress;

/// LOG_LEVEL is no filter, or logging was set up before.
#[derive(Debug, thiserror::Error)]
#[error(
    "LOG_LEVEL is {value:?}: {reason}. Use error, warn, info, debug, trace, or a filter such as live_data_worker=debug"
)]
pub struct SetUpLoggingError {
    value: String,
    reason: String,
}

/// Starts logging with the filter `level`; once in a process.
///
/// # Errors
/// [`SetUpLoggingError`] with the filter's text.
pub fn set_up(level: &str, format: LogFormat) -> Result<(), SetUpLoggingError> {
    let filter = EnvFilter::try_new(level).map_err(|e| SetUpLoggingError {
        value: level.to_owned(),
        reason: e.to_string(),
    })?;
    let text = match format {
        LogFormat::Auto => progress::is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(progress::stderr);
    let started = if text {
        builder.with_ansi(progress::is_terminal()).with_target(false).try_init()
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init()
    };
    started.map_err(|e| SetUpLoggingError {
        value: level.to_owned(),
        reason: e.to_string(),
    })
}
