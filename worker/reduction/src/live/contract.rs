//! Interface between the live data algorithms and the program that reads a stream.
//!
//! Promises: without an implementation the algorithms fail with an explanation. Must not know streams.

use std::sync::{Arc, OnceLock};

use live_data_engine::cancel::Cancel;

use crate::date_and_time::DateAndTime;
use crate::error::{Result, failed};
use crate::live::request::LiveRequest;

/// Live data processing of a program that reads a stream.
pub trait LiveData: Send + Sync {
    /// Processes the first chunk, and later ones in the background if UpdateEvery is above 0.
    ///
    /// A running monitor with an equal request goes on unchanged. Returns the time of the newest processed pulse.
    ///
    /// # Errors
    /// `Execution` for another instrument or a workspace in use; errors of the first chunk; `Cancelled`.
    fn start(&self, request: &LiveRequest, cancel: &Cancel) -> Result<Option<DateAndTime>>;

    /// As [`LiveData::start`], and waits until the end of a run or [`LiveData::cancel`] ends it.
    ///
    /// # Errors
    /// As [`LiveData::start`].
    fn monitor(&self, request: &LiveRequest, cancel: &Cancel) -> Result<Option<DateAndTime>>;

    /// Processes one chunk: the data since the last call with an equal request.
    ///
    /// # Errors
    /// As [`LiveData::start`].
    fn load(&self, request: &LiveRequest, cancel: &Cancel) -> Result<Option<DateAndTime>>;

    /// Running monitors, in order of their start.
    fn monitors(&self) -> Vec<MonitorInfo>;

    /// Ends a monitor after its present chunk; false if no running monitor has the id.
    fn cancel(&self, monitor: u64) -> bool;
}

/// Running monitor: its request and progress.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorInfo {
    /// Unique in the process.
    pub id: u64,
    pub request: LiveRequest,
    /// Time of the newest processed pulse.
    pub last_time_stamp: Option<DateAndTime>,
}

/// Implementation of [`LiveData`] in this process, set at most once. Clones share it.
#[derive(Clone, Default)]
pub struct LiveDataRegistration(Arc<OnceLock<Arc<dyn LiveData>>>);

impl LiveDataRegistration {
    /// Registers the implementation; later calls have no effect.
    pub fn set(&self, live: Arc<dyn LiveData>) {
        let _ = self.0.set(live);
    }

    /// Implementation that [`Self::set`] registered.
    ///
    /// # Errors
    /// `Execution` if the program reads no stream.
    pub fn get(&self) -> Result<&Arc<dyn LiveData>> {
        match self.0.get() {
            Some(live) => Ok(live),
            None => failed(
                "there is no live stream here: live data can be loaded by a script of a running worker \
                 (live-data-worker run), not by a program of its own",
            ),
        }
    }
}
