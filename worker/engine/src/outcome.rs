//! Results of the timeline: the outcome of each record, and signals about runs.
//!
//! Promises: every record has exactly one outcome, and every signal is returned once. It must not act on them: seeking,
//! executing and reporting belong to the caller.

use crate::counters::Refusal;
use crate::run::RunKey;
use crate::snapshot::Snapshot;
use crate::time::PulseTime;

/// Outcome of one record, counted by schema in [`Counters`](crate::counters::Counters).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngestOutcome {
    /// The record held events.
    Events {
        stored: u64,
        /// Events that were counted only: time of flight out of range, late, expired, or beyond the memory limit.
        dropped: u64,
    },
    /// Metadata, a log value, a run start or a run stop changed the timeline.
    Recorded,
    /// The content equals that of an earlier record at another offset.
    Duplicate,
    /// The same offset was read before and its content is still in memory, as after a replay.
    AlreadyHeld,
    /// Nothing of the record was used.
    Refused(Refusal),
    /// Part of the record was used, part refused; the caller logs it at a bounded rate.
    PartlyRefused(Refusal),
}

/// Change of a run or of the memory limit that the caller must react to.
#[derive(Clone, Debug)]
pub enum Signal {
    /// The first run start of this key was read.
    RunOpened(RunKey),
    /// Bounds of a run changed: by its stop, the start of the next run, or a late message.
    RunChanged(RunKey),
    /// Every partition was read past the end of the run: its final execution is due. The snapshot keeps the chunks in
    /// memory until it is dropped; the timeline frees its own soon after.
    RunComplete { key: RunKey, snapshot: Box<Snapshot> },
    /// A run begins before the data in memory: every partition must be sought back to this pulse time. The caller
    /// subtracts a margin for the difference between pulse times and record timestamps, and moves no partition forward.
    ReplayFrom(PulseTime),
    /// The memory limit was reached: no events from this pulse time on are stored.
    MemoryLimit(PulseTime),
    /// Events are stored again: memory fell below 90 % of the limit.
    MemoryFreed,
    /// True: a run is open and every pulse of the last 10 s lies outside all runs. False: no longer so.
    EveryPulseOutside(bool),
}
