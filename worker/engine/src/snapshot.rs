//! A run at one moment: its chunks with their selected pulses, its pulse table, its logs.
//!
//! Promises: immutable and consistent: everything in it was true at the same moment; taking and cloning it copies
//! no events. Chunks that a snapshot holds stay in memory and in the figures until it is dropped. It must not
//! compute: plans do.

use std::sync::Arc;

use crate::chunk::ChunkView;
use crate::dictionary::Dictionary;
use crate::ledger::PulseTable;
use crate::logs::RunLogs;
use crate::message::EventSchema;
use crate::run::RunInfo;
use crate::selection::Bitmap;
use crate::time::PulseTime;

/// A chunk and which of its pulses belong to the run.
#[derive(Clone, Debug)]
pub struct Part {
    /// The events.
    pub chunk: ChunkView,
    /// The pulses of the chunk that count for the run, of all periods; as long as the chunk's pulses.
    pub selected: Arc<Bitmap>,
    /// The same period by period, ascending; empty when all of the chunk's pulses are of period 0.
    pub(crate) periods: Vec<(u16, Arc<Bitmap>)>,
}

impl Part {
    /// The pulses of one period that count for the run, from 0; `None` when there are none.
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

/// A run at one moment. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) run: Arc<RunInfo>,
    pub(crate) parts: Arc<[Part]>,
    pub(crate) pulses: PulseTable,
    pub(crate) logs: RunLogs,
    pub(crate) ids: Dictionary,
    pub(crate) settled_before: PulseTime,
    pub(crate) event_schema: Option<EventSchema>,
}

impl Snapshot {
    /// The run: identity, bounds, totals, map.
    #[must_use]
    pub fn run(&self) -> &Arc<RunInfo> {
        &self.run
    }

    /// The chunks that hold pulses of the run, in the order in which they were begun.
    #[must_use]
    pub fn parts(&self) -> &Arc<[Part]> {
        &self.parts
    }

    /// The frames of the run; they end where the view does, at `kept_until` if the memory limit was reached.
    #[must_use]
    pub const fn pulses(&self) -> &PulseTable {
        &self.pulses
    }

    /// The logs of the run.
    #[must_use]
    pub const fn logs(&self) -> &RunLogs {
        &self.logs
    }

    /// Dense ids and what they stand for.
    #[must_use]
    pub const fn ids(&self) -> &Dictionary {
        &self.ids
    }

    /// The schema that the stream's events come in; `None` while none came.
    #[must_use]
    pub const fn event_schema(&self) -> Option<EventSchema> {
        self.event_schema
    }

    /// Pulses earlier than this have their metadata, or are so old that they are taken without: what is computed
    /// from them rarely changes any more.
    #[must_use]
    pub const fn settled_before(&self) -> PulseTime {
        self.settled_before
    }

    /// The end of the view: the run's stop, or where the memory limit cut it.
    #[must_use]
    pub fn end(&self) -> PulseTime {
        let stop = self.run.stop.unwrap_or(PulseTime::MAX);
        self.run.kept_until.map_or(stop, |kept| kept.min(stop))
    }

    /// The chunks that hold pulses of one period, from 0, with those pulses selected.
    #[must_use]
    pub fn period(&self, period: u16) -> Vec<Part> {
        self.parts
            .iter()
            .filter_map(|part| {
                let selected = part.period(period)?;
                selected.any().then(|| Part {
                    chunk: part.chunk.clone(),
                    selected,
                    periods: Vec::new(),
                })
            })
            .collect()
    }

    /// Calls `visit(id, time of flight in ns, pulse time)` for every event that counts, in no promised order: the
    /// plain way to read a run, for tests and tools.
    pub fn for_each_event(&self, mut visit: impl FnMut(u32, u32, PulseTime)) {
        for part in self.parts.iter() {
            let times = part.chunk.pulse_times();
            part.chunk.for_each(|dense, time_of_flight, pulse| {
                let pulse = usize::from(pulse);
                if part.selected.get(pulse)
                    && let (Some(id), Some(&time)) = (self.ids.id(dense), times.get(pulse))
                {
                    visit(id, time_of_flight, time);
                }
            });
        }
    }
}
