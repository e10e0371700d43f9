//! Data of a run in the timeline, without its bounds.

use std::collections::HashMap;
use std::sync::Arc;

use crate::counters::Refusal;
use crate::frame_sums::FrameSums;
use crate::message::{DetectorSpectrumMap, RunStart};
use crate::record_position::PartitionKey;
use crate::run::{RunKey, RunWarning};
use crate::time::PulseTime;

/// Data of a run; the tracker has its bounds.
#[derive(Debug)]
pub(super) struct RunData {
    pub(super) key: RunKey,
    pub(super) start: RunStart,
    pub(super) map: Option<Arc<DetectorSpectrumMap>>,
    pub(super) nexus_structure: Option<Arc<str>>,
    pub(super) metadata: Option<Arc<str>>,
    pub(super) sum: FrameSums,
    /// Pulse time (ns) at which the memory limit cut the view; `i64::MAX` if it did not.
    pub(super) view_end: i64,
    pub(super) not_kept: u64,
    pub(super) late_events: u64,
    pub(super) complete: bool,
    /// Wall-clock time at which the run was found complete.
    pub(super) completed: Option<PulseTime>,
    /// True once its chunks may be freed.
    pub(super) released: bool,
    /// Wall-clock time at which its stop became known.
    pub(super) stop_read: Option<PulseTime>,
    /// High watermarks that must be read before the run is complete.
    pub(super) required_offsets: HashMap<PartitionKey, i64>,
    pub(super) warnings: Vec<RunWarning>,
}

impl RunData {
    /// Checks the detector map of a run start. Returns the refusal of the map, if it is malformed.
    pub(super) fn new(key: RunKey, mut start: RunStart) -> (Self, Option<Refusal>) {
        let mut warnings = Vec::new();
        let mut reason = None;
        let map = match start.map.take() {
            Some(map) if map.spectrum.len() != map.detector_id.len() => {
                reason = Some(Refusal::RunMap);
                warnings.push(RunWarning::MapRefused {
                    spectra: map.spectrum.len(),
                    detectors: map.detector_id.len(),
                });
                None
            }
            Some(map) if !map.spectrum.is_empty() => Some(Arc::new(map)),
            _ => {
                warnings.push(RunWarning::NoMap);
                None
            }
        };
        let data = Self {
            key,
            map,
            nexus_structure: start.nexus_structure.take().map(Arc::from),
            metadata: start.metadata.take().map(Arc::from),
            start,
            sum: FrameSums::default(),
            view_end: i64::MAX,
            not_kept: 0,
            late_events: 0,
            complete: false,
            completed: None,
            released: false,
            stop_read: None,
            required_offsets: HashMap::new(),
            warnings,
        };
        (data, reason)
    }
}
