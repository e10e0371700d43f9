//! Who carries live data requests out: algorithms hand them to it, and know nothing else of it.
//!
//! Promises: without one, the algorithms say in words why they cannot work. Must not know what a stream is.

use std::sync::{Arc, OnceLock};

use live_data_engine::cancel::Cancel;

use crate::date_and_time::DateAndTime;
use crate::error::{Result, failed};
use crate::live::Request;

/// Loads chunks of a live stream and goes on doing so.
pub trait LiveData: Send + Sync {
    /// The first chunk now, and the next ones in the background, where the request asks for more than one. The same
    /// request as one that is under way changes nothing. Returns the newest pulse time that was loaded.
    ///
    /// # Errors
    /// When the request cannot be carried out, or the first chunk cannot be processed.
    fn start(&self, request: &Request, cancel: &Cancel) -> Result<Option<DateAndTime>>;

    /// The same, and waits until it has ended: by the end of the run, or by being cancelled.
    ///
    /// # Errors
    /// As [`LiveData::start`].
    fn monitor(&self, request: &Request, cancel: &Cancel) -> Result<Option<DateAndTime>>;

    /// One chunk: what has come since the last one of the same request.
    ///
    /// # Errors
    /// As [`LiveData::start`].
    fn load(&self, request: &Request, cancel: &Cancel) -> Result<Option<DateAndTime>>;

    /// The monitors that are under way.
    fn monitors(&self) -> Vec<MonitorState>;

    /// Ends a monitor after the chunk that it works on. Says whether there is such a monitor.
    fn cancel(&self, monitor: u64) -> bool;
}

/// A monitor that is under way.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorState {
    /// A number that no other monitor has.
    pub id: u64,
    /// What it was asked to do.
    pub request: Request,
    /// The newest pulse time that it has loaded.
    pub last_time_stamp: Option<DateAndTime>,
}

/// The place for who carries live data requests out; set once, by a program that has a stream.
#[derive(Clone, Default)]
pub struct LiveSlot(Arc<OnceLock<Arc<dyn LiveData>>>);

impl LiveSlot {
    /// Names who carries requests out. Later calls change nothing.
    pub fn set(&self, live: Arc<dyn LiveData>) {
        let _ = self.0.set(live);
    }

    /// Who carries requests out.
    ///
    /// # Errors
    /// When nobody does: there is no live stream.
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
