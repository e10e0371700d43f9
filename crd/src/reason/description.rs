//! Rows of the tables of reasons.
//!
//! Promises: rows are constants: a reason without a row does not compile.

use strum::{Display, IntoStaticStr};

/// Consequence of a reason for the results, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Display, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// Results are complete and up to date, or nobody asked for any.
    Normal,
    /// Results exist, but part of the data or of the service is missing.
    Warning,
    /// No results until somebody acts.
    Error,
}

/// Condition under which a degradation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// The worker withdraws the degradation as soon as its cause is gone.
    WithCause,
    /// The degradation stays until the worker restarts, for the reason given.
    Latched(&'static str),
    /// The worker withdraws the degradation when the next run starts.
    AtNextRun,
}

/// Row of the table of worker reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerReasonDescription {
    /// Consequence for the results.
    pub severity: Severity,
    /// State of the worker, as half a sentence without a full stop.
    pub meaning: &'static str,
    /// Action that ends the state, as an imperative without a full stop.
    pub next_step: &'static str,
    /// End of the degradation.
    pub recovery: Recovery,
    /// No script is executed while the degradation lasts.
    pub stops_executions: bool,
}

impl WorkerReasonDescription {
    pub(super) const fn new(severity: Severity, meaning: &'static str, next_step: &'static str) -> Self {
        Self {
            severity,
            meaning,
            next_step,
            recovery: Recovery::WithCause,
            stops_executions: false,
        }
    }

    pub(super) const fn latched(self, why: &'static str) -> Self {
        Self {
            recovery: Recovery::Latched(why),
            ..self
        }
    }

    pub(super) const fn until_next_run(self) -> Self {
        Self {
            recovery: Recovery::AtNextRun,
            ..self
        }
    }

    pub(super) const fn stops_executions(self) -> Self {
        Self {
            stops_executions: true,
            ..self
        }
    }
}

/// Row of the table of condition reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConditionReasonDescription {
    /// Consequence for the results.
    pub severity: Severity,
    /// State of the resource, as half a sentence without a full stop.
    pub meaning: &'static str,
    /// Action that ends the state, as an imperative without a full stop; empty if none is needed.
    pub next_step: &'static str,
    /// Nothing is made for the resource while the reason holds.
    pub blocks_plan: bool,
    /// An object of the same name belongs to somebody else; objects that need it are not applied.
    pub blocks_apply: bool,
    /// The reason concerns a volume or a claim, and becomes the reason of StorageReady too.
    pub concerns_storage: bool,
    /// The reason follows from the worker's report: it stays until the worker has been polled again.
    pub reported_by_worker: bool,
    /// No watch shows the end of the cause: the operator looks again about every 20 s.
    pub rechecked: bool,
}

impl ConditionReasonDescription {
    pub(super) const fn new(severity: Severity, meaning: &'static str, next_step: &'static str) -> Self {
        Self {
            severity,
            meaning,
            next_step,
            blocks_plan: false,
            blocks_apply: false,
            concerns_storage: false,
            reported_by_worker: false,
            rechecked: false,
        }
    }

    pub(super) const fn blocks_plan(self) -> Self {
        Self {
            blocks_plan: true,
            ..self
        }
    }

    pub(super) const fn blocks_apply(self) -> Self {
        Self {
            blocks_apply: true,
            ..self
        }
    }

    pub(super) const fn concerns_storage(self) -> Self {
        Self {
            concerns_storage: true,
            ..self
        }
    }

    pub(super) const fn rechecked(self) -> Self {
        Self {
            rechecked: true,
            ..self
        }
    }

    pub(super) const fn reported_by_worker(self) -> Self {
        Self {
            reported_by_worker: true,
            ..self
        }
    }
}
