//! A run at one moment: chunks with their selected pulses, frames and logs.
//!
//! Promises: immutable and consistent at one moment. Neither making nor cloning a snapshot copies events. Its chunks
//! stay in memory, and in the counters, until it is dropped. It must not compute: plans do.

use std::sync::Arc;

use crate::chunk::ChunkView;
use crate::dictionary::Dictionary;
use crate::message::EventSchema;
use crate::pulse_table::PulseTable;
use crate::run::RunInfo;
use crate::run_logs::RunLogs;
use crate::selection::Bitmap;
use crate::time::PulseTime;

/// Chunk with the selection of its pulses that count for a run.
#[derive(Clone, Debug)]
pub struct SelectedChunk {
    pub chunk: ChunkView,
    /// Pulses that count for the run, of all periods; as long as the chunk's pulse times.
    pub selected: Arc<Bitmap>,
    /// Selections by period number, ascending; empty if all pulses of the chunk have period 0.
    pub(crate) periods: Vec<(u16, Arc<Bitmap>)>,
}

impl SelectedChunk {
    /// Pulses of one period (from 0) that count for the run; `None` without any.
    #[must_use]
    pub fn period(&self, period: u16) -> Option<Arc<Bitmap>> {
        if self.periods.is_empty() {
            return (period == 0).then(|| Arc::clone(&self.selected));
        }
        let found = self.periods.iter().find(|(number, _)| *number == period);
        found
            .map(|(_, pulses)| Arc::clone(pulses))
            .filter(|pulses| pulses.any())
    }
}

/// Run at one moment; clones share everything.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) run: Arc<RunInfo>,
    pub(crate) chunks: Arc<[SelectedChunk]>,
    pub(crate) pulses: PulseTable,
    pub(crate) logs: RunLogs,
    pub(crate) ids: Dictionary,
    pub(crate) settled_before: PulseTime,
    pub(crate) event_schema: Option<EventSchema>,
}

impl Snapshot {
    /// Identity, bounds, totals and detector map.
    #[must_use]
    pub fn run(&self) -> &Arc<RunInfo> {
        &self.run
    }

    /// Chunks with pulses of the run, by chunk id, which is the order of their beginnings.
    #[must_use]
    pub fn chunks(&self) -> &Arc<[SelectedChunk]> {
        &self.chunks
    }

    /// Frames of the run up to [`Self::end`].
    #[must_use]
    pub const fn pulses(&self) -> &PulseTable {
        &self.pulses
    }

    /// Logs of the run up to [`Self::end`].
    #[must_use]
    pub const fn logs(&self) -> &RunLogs {
        &self.logs
    }

    /// Dictionary from dense ids to the ids of the messages.
    #[must_use]
    pub const fn ids(&self) -> &Dictionary {
        &self.ids
    }

    /// Schema of the latest event message; `None` before the first.
    #[must_use]
    pub const fn event_schema(&self) -> Option<EventSchema> {
        self.event_schema
    }

    /// Pulse time before which pulses have their metadata or are older than
    /// [`settle`](crate::config::TimelineConfig::settle). Counts of settled pulses rarely change, so that memos keep
    /// them.
    #[must_use]
    pub const fn settled_before(&self) -> PulseTime {
        self.settled_before
    }

    /// First pulse time after the snapshot's data: the run's stop, or `kept_until` if the memory limit cut it.
    #[must_use]
    pub fn end(&self) -> PulseTime {
        let stop = self.run.stop.unwrap_or(PulseTime::MAX);
        self.run.kept_until.map_or(stop, |kept| kept.min(stop))
    }

    /// Chunks with pulses of one period (from 0), with those pulses selected.
    #[must_use]
    pub fn period_chunks(&self, period: u16) -> Vec<SelectedChunk> {
        self.chunks
            .iter()
            .filter_map(|chunk| {
                let selected = chunk.period(period)?;
                selected.any().then(|| SelectedChunk {
                    chunk: chunk.chunk.clone(),
                    selected,
                    periods: Vec::new(),
                })
            })
            .collect()
    }

    /// Calls `visit(id, time of flight in ns, pulse time)` for every event of the run, in any order; slow, for tests
    /// and tools.
    pub fn for_each_event(&self, mut visit: impl FnMut(u32, u32, PulseTime)) {
        for chunk in self.chunks.iter() {
            let times = chunk.chunk.pulse_times();
            chunk.chunk.for_each(|dense, time_of_flight, pulse| {
                let pulse = usize::from(pulse);
                if chunk.selected.get(pulse)
                    && let (Some(id), Some(&time)) = (self.ids.id(dense), times.get(pulse))
                {
                    visit(id, time_of_flight, time);
                }
            });
        }
    }
}
