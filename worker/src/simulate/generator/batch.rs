//! Events of a message of the simulated stream that has not been sent yet.

/// Events of the next message in columns, as ev42 and ev44 have them.
#[derive(Default)]
pub(super) struct EventBatch {
    /// Pulse times, ns since the Unix epoch.
    pub(super) times: Vec<i64>,
    /// Index of each pulse's first event.
    pub(super) first: Vec<i32>,
    /// Times of flight, ns.
    pub(super) time_of_flight: Vec<u32>,
    pub(super) ids: Vec<u32>,
}
