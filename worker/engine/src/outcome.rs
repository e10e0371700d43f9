//! What the timeline answers: the outcome of one record, and signals about runs.
//!
//! Promises: every record has exactly one outcome, and every signal is given once. It must not act on them: seeking,
//! executing and reporting are the caller's.

use crate::figures::Reason;
use crate::run::RunKey;
use crate::snapshot::Snapshot;
use crate::time::PulseTime;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingested {
    /// Events were taken in.
    Events {
        /// How many were stored.
        stored: u64,
        /// How many were counted but not stored: times of flight out of range, late, expired, or beyond the limit.
        dropped: u64,
    },
    /// Metadata, a log, a run start or stop was taken in.
    Noted,
    /// The record says what an earlier one said.
    Repeat,
    /// The record was read before and is held: read again after a replay.
    Held,
    /// The record was refused.
    Rejected(Reason),
    /// The record was taken in, but something in it was not: logged at a bounded rate by the caller.
    Partly(Reason),
}

/// What happened to the runs, or must be done about the stream.
#[derive(Clone, Debug)]
pub enum Signal {
    /// A run start was read.
    RunOpened(RunKey),
    /// Bounds or map of a run changed: by its stop, the next run's start, a late message.
    RunChanged(RunKey),
    /// Everything of a run was read: the moment of its final execution. The snapshot keeps its chunks in memory for
    /// as long as it is held; the timeline itself lets go of them soon after.
    RunComplete {
        /// The run.
        key: RunKey,
        /// Its view.
        snapshot: Box<Snapshot>,
    },
    /// A run begins before what was read or is still held: every partition is to be sought back to this pulse time
    /// (less a margin for the difference to record timestamps), and never forward.
    ReplayFrom(PulseTime),
    /// The memory limit was reached: from this pulse time on no events are added to the view.
    MemoryLimit(PulseTime),
    /// Events are kept again.
    MemoryFreed,
    /// A run is open and every pulse of the last ten seconds lies outside all runs (true), or no longer (false).
    EveryPulseOutside(bool),
}
