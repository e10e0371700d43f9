//! The worker's own log: text on a terminal, one JSON object a line elsewhere.
//!
//! Written to stderr. Progress bars and lines share the terminal through [`crate::progress`].

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;
use crate::progress;

/// The filter cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "LOG_LEVEL is {value:?}: {reason}. Use error, warn, info, debug, trace, or a filter such as live_data_worker=debug"
)]
pub struct SetUpLoggingError {
    value: String,
    reason: String,
}

/// Starts logging; once in a process.
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
    let done = if text {
        builder.with_ansi(progress::is_terminal()).with_target(false).try_init()
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init()
    };
    done.map_err(|e| SetUpLoggingError {
        value: level.to_owned(),
        reason: e.to_string(),
    })
}
