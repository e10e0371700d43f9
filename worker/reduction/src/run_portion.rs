//! Portion of a run: the pulses, frames and log values of one live chunk. Promises: plain values. Must not: select
//! anything; the live session does.

use std::collections::HashMap;
use std::sync::Arc;

use live_data_engine::chunk::ChunkView;
use live_data_engine::selection::Bitmap;
use live_data_engine::time::PulseTime;

/// Frames of one period and their proton charge.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PeriodFrames {
    /// Charge of the good frames, µA·h; `None` when no message has carried one.
    pub charge: Option<f64>,
    /// Times of the frames with a known charge, in step with `charges`.
    pub times: Vec<PulseTime>,
    /// Charge of each of these frames, µA·h.
    pub charges: Vec<f64>,
    /// Number of frames; negative in a portion that withdraws frames.
    pub raw_frames: i64,
    /// Number of frames that no veto excludes; negative like `raw_frames`.
    pub good_frames: i64,
}

/// Pulses and frames of one period.
#[derive(Debug, Clone, Default)]
pub struct PeriodPortion {
    /// Chunks of events, each with the pulses that belong to the portion.
    pub parts: Vec<(ChunkView, Arc<Bitmap>)>,
    pub frames: PeriodFrames,
}

/// Interval of log values, with one start for each log and a common end.
#[derive(Debug, Clone, Default)]
pub struct LogPortion {
    /// Time of the first value by process variable; logs without an entry start with their first value.
    pub from: HashMap<Arc<str>, PulseTime>,
    /// End of the interval, excluded.
    pub until: PulseTime,
}

/// Portion of a run that one live chunk holds.
#[derive(Debug, Clone)]
pub struct RunPortion {
    /// Pulses by period from 0; at least one period.
    pub periods: Vec<PeriodPortion>,
    pub logs: LogPortion,
    /// Identity of the portion's events for memos: unique in the process.
    pub view_id: u64,
}
