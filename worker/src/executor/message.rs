//! Messages that wake the executor.

use live_data_engine::run::RunKey;
use live_data_engine::snapshot::Snapshot;

/// Message to the executor's thread.
#[derive(Debug)]
pub enum ExecutorMessage {
    /// Text of a script that differs from the one fetched before.
    ScriptFetched(String),
    /// No script could be fetched: the last one that was loaded is used instead, if it was kept.
    ScriptUnavailable,
    /// Runs of the stream are known; `finished` need no execution.
    RunsKnown { finished: Vec<RunKey> },
    /// View of a run of which everything was read.
    RunComplete(Box<Snapshot>),
    /// A run or the readiness changed.
    StateChanged,
    /// Stop without another execution.
    Stop,
}
