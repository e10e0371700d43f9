//! Runs as readers see them: identity, bounds, totals and warnings.
//!
//! Promises: plain values of one moment. It must not decide anything: the tracker sets the bounds, the frames give the
//! totals.

use std::fmt;
use std::sync::Arc;

use crate::message::DetectorSpectrumMap;
use crate::time::PulseTime;

/// Identity of a run: its job id, or `name@milliseconds` of its start if the job id is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey(Arc<str>);

impl RunKey {
    /// Key of the run with this job id, name and start.
    #[must_use]
    pub fn new(job_id: &str, run_name: &str, start: PulseTime) -> Self {
        if job_id.is_empty() {
            Self(format!("{run_name}@{}", start.millis()).into())
        } else {
            Self(job_id.into())
        }
    }

    /// Text of the key, as in `/status` and file names.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Progress of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// No stop is known.
    Open,
    /// The stop is known; events of the run may still arrive.
    Stopped,
    /// Every partition was read past the end; later events are counted but not stored.
    Complete,
}

/// Defect of a run's messages that affects the data; `Display` gives text with the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunWarning {
    /// The detector map has columns of different lengths and is not used.
    MapRefused {
        /// Length of the column of spectrum numbers.
        spectra: usize,
        /// Length of the column of detector ids.
        detectors: usize,
    },
    /// The run start has no detector map.
    NoMap,
    /// Frames have veto bits, but no veto configuration (vc00) was read.
    NoVetoConfig,
    /// The run's stop, of this time, lies before its start and is not used.
    StopBeforeStart(PulseTime),
}

impl fmt::Display for RunWarning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MapRefused { spectra, detectors } => write!(
                formatter,
                "the run start's detector map has {spectra} spectrum numbers for {detectors} detector ids and is not \
                 used: check the instrument's wiring tables"
            ),
            Self::NoMap => {
                formatter.write_str("the run start has no detector map: event ids are taken as detector ids")
            }
            Self::NoVetoConfig => formatter.write_str(
                "frames carry veto bits, but no veto configuration (vc00) says which are in force: none is applied",
            ),
            Self::StopBeforeStart(stop) => write!(
                formatter,
                "the run's stop at {stop} lies before its start and is not used: compare the clocks of the control \
                 computer and of the pulses"
            ),
        }
    }
}

/// Sums over the frames of a run, exact and independent of the order of arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunTotals {
    /// Events of good frames.
    pub events: u64,
    /// Events of vetoed frames, and of SETUP frames where those are excluded.
    pub excluded_events: u64,
    /// Frames with events or metadata.
    pub raw_frames: u64,
    /// Frames that are neither vetoed nor excluded as SETUP.
    pub good_frames: u64,
    /// Frames with a veto bit in force.
    pub vetoed_frames: u64,
    /// Frames of run state SETUP.
    pub setup_frames: u64,
    /// Good frames with a known proton charge.
    pub charged_frames: u64,
    /// Proton charge of the good frames, µA·h; `None` if no good frame has a known charge.
    pub proton_charge: Option<f64>,
}

/// Bounds, totals and warnings of a run at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct RunInfo {
    pub key: RunKey,
    /// Name of the run start, such as `MERLIN71617`.
    pub run_name: String,
    /// Digits at the end of the name; may be empty.
    pub run_number: String,
    /// Instrument name of the run start.
    pub instrument: String,
    /// May be empty.
    pub job_id: String,
    /// First moment of the run, by the clock of the pulses.
    pub start: PulseTime,
    /// First moment after the run, by the clock of the pulses; `None` while it is open.
    pub stop: Option<PulseTime>,
    pub state: RunState,
    /// Larger of the announced number of periods and the highest period number + 1; at least 1.
    pub n_periods: u32,
    /// `None` if missing, refused, or freed with the run's chunks.
    pub map: Option<Arc<DetectorSpectrumMap>>,
    /// JSON of the NeXus file's structure; `None` if missing or freed with the run's chunks.
    pub nexus_structure: Option<Arc<str>>,
    /// JSON of further metadata; `None` if missing or freed with the run's chunks.
    pub metadata: Option<Arc<str>>,
    pub totals: RunTotals,
    /// Earliest pulse of the run.
    pub first_pulse: Option<PulseTime>,
    /// Latest pulse of the run.
    pub last_pulse: Option<PulseTime>,
    /// Pulse time at which the memory limit cut the run's data; `None` if nothing was cut.
    pub kept_until: Option<PulseTime>,
    /// Events that were not stored because the memory limit was reached.
    pub not_kept_events: u64,
    /// Events that arrived after the run was complete.
    pub late_events: u64,
    /// Seconds from the run's start to its first pulse, if the topic no longer has that part of the run; else 0.
    pub missing_seconds: f64,
    /// Pulses outside all runs within `near_bounds` (5 s) before the start, a sign of differing clocks.
    pub pulses_before_start: u64,
    /// Pulses outside all runs within `near_bounds` (5 s) after the stop.
    pub pulses_after_stop: u64,
    pub warnings: Vec<RunWarning>,
}

/// Digits at the end of a run name.
///
/// ```
/// assert_eq!(live_data_engine::run::run_number("MERLIN71617"), "71617");
/// ```
#[must_use]
pub fn run_number(run_name: &str) -> &str {
    let digits = run_name.bytes().rev().take_while(u8::is_ascii_digit).count();
    &run_name[run_name.len() - digits..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_the_digits() {
        assert_eq!(run_number("MERLIN71617"), "71617");
        assert_eq!(run_number("71617"), "71617");
        assert_eq!(run_number("test_run"), "");
        assert_eq!(run_number(""), "");
        assert_eq!(run_number("länge12"), "12");
    }

    #[test]
    fn the_key_is_the_job_id_or_name_and_start() {
        let start = PulseTime::from_millis(5);
        assert_eq!(RunKey::new("job", "7", start).as_str(), "job");
        assert_eq!(RunKey::new("", "7", start).as_str(), "7@5");
    }
}
