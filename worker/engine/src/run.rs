//! A run as the outside sees it: identity, bounds, totals, and what is odd about it.
//!
//! Promises: plain values, complete at the moment they were taken. It must not decide anything: the tracker sets
//! bounds, the ledger gives totals.

use std::fmt;
use std::sync::Arc;

use crate::message::DetectorSpectrumMap;
use crate::time::PulseTime;

/// Identity of a run: its job id, or where it has none its name and start (`name@milliseconds`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey(Arc<str>);

impl RunKey {
    /// The key of a run.
    #[must_use]
    pub fn new(job_id: &str, run_name: &str, start: PulseTime) -> Self {
        if job_id.is_empty() {
            Self(format!("{run_name}@{}", start.millis()).into())
        } else {
            Self(job_id.into())
        }
    }

    /// The key as text.
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

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// No stop is known.
    Open,
    /// The stop is known; events of the run may still come.
    Stopped,
    /// Everything was read: later events are counted only.
    Complete,
}

/// Something odd about a run that a scientist should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunWarning {
    /// The start message's map had columns of different lengths and is not used.
    MapRefused {
        /// Entries in the column of spectrum numbers.
        spectra: usize,
        /// Entries in the column of detector ids.
        detectors: usize,
    },
    /// The start message had no map.
    NoMap,
    /// Frames have veto bits, but no veto configuration says which are in force.
    NoVetoConfig,
    /// The run's stop lies before its start and is not used.
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

/// Counts over the frames of a run, exact and independent of the order in which they arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunTotals {
    /// Events of good frames.
    pub events: u64,
    /// Events of vetoed frames, and of SETUP frames where those are excluded.
    pub excluded_events: u64,
    /// All frames that were seen, by events or by metadata.
    pub raw_frames: u64,
    /// Frames that count: neither vetoed nor excluded as SETUP.
    pub good_frames: u64,
    /// Frames with a veto in force.
    pub vetoed_frames: u64,
    /// Frames of run state SETUP.
    pub setup_frames: u64,
    /// Good frames whose proton charge is known.
    pub charged_frames: u64,
    /// Proton charge of the good frames in µA·h; `None` when no good frame's charge is known.
    pub proton_charge: Option<f64>,
}

/// A run at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct RunInfo {
    /// Its identity.
    pub key: RunKey,
    /// Its name as the stream gives it, such as `MERLIN71617`.
    pub run_name: String,
    /// The digits at the end of the name; empty when there are none.
    pub run_number: String,
    /// The instrument as the start message names it.
    pub instrument: String,
    /// Its job id; may be empty.
    pub job_id: String,
    /// First moment of the run, by the pulses' clock.
    pub start: PulseTime,
    /// First moment after the run, by the pulses' clock; `None` while it goes on.
    pub stop: Option<PulseTime>,
    /// How far it is.
    pub state: RunState,
    /// Number of periods: the announced number or the highest seen + 1, at least 1.
    pub n_periods: u32,
    /// Its detector map.
    pub map: Option<Arc<DetectorSpectrumMap>>,
    /// The instrument and the file's structure as JSON.
    pub nexus_structure: Option<Arc<str>>,
    /// Further metadata as JSON.
    pub metadata: Option<Arc<str>>,
    /// Totals of the whole run.
    pub totals: RunTotals,
    /// First pulse of the run that was seen.
    pub first_pulse: Option<PulseTime>,
    /// Last pulse of the run that was seen.
    pub last_pulse: Option<PulseTime>,
    /// The view ends here, earlier than the run, because the memory limit was reached.
    pub kept_until: Option<PulseTime>,
    /// Events of the run that were not kept because the memory limit was reached.
    pub not_kept_events: u64,
    /// Events that came after the run was complete.
    pub late_events: u64,
    /// Seconds at the start of the run for which the stream has no pulse any more.
    pub missing_seconds: f64,
    /// Pulses outside all runs within 5 s before the start: a sign of clocks that differ.
    pub pulses_before_start: u64,
    /// Pulses outside all runs within 5 s after the stop.
    pub pulses_after_stop: u64,
    /// What is odd about it.
    pub warnings: Vec<RunWarning>,
}

/// The digits at the end of a run's name: `71617` for `MERLIN71617`.
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
