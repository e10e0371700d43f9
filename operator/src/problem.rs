//! Problems that the resource's owner or the site must solve.

use live_data_crd::reason::ConditionReason;

/// Problem of one resource, shown by its condition Degraded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Reason of the condition; its description has the flags that code branches on.
    pub reason: ConditionReason,
    /// Cause and next step, with the names and values concerned.
    pub message: String,
}

impl Problem {
    /// Problem whose message has the form "cause: next step".
    pub fn new(reason: ConditionReason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}
