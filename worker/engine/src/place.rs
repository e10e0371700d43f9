//! Where a record came from, and how far each partition has been read.
//!
//! Promises: plain values that any source of records can fill in. It must not know topics by name or a client.

use crate::time::PulseTime;

/// What a topic carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TopicRole {
    /// Events (and possibly anything else).
    Events,
    /// Starts and stops of runs.
    RunInfo,
    /// Sample logs, alarms, units.
    SampleEnv,
    /// Veto configurations.
    VetoConfig,
}

/// A partition of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionKey {
    /// What its topic carries.
    pub role: TopicRole,
    /// Number of the topic among those that are read; the caller's choice, but always the same.
    pub topic: u16,
    /// Number of the partition.
    pub partition: i32,
}

/// A record's place in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its partition.
    pub partition: PartitionKey,
    /// Its offset.
    pub offset: i64,
    /// Its timestamp in ms since the Unix epoch; 0 or negative where it has none.
    pub timestamp_ms: i64,
}

impl Place {
    /// The record's timestamp.
    #[must_use]
    pub const fn timestamp(&self) -> PulseTime {
        PulseTime::from_millis(self.timestamp_ms)
    }
}

/// How far a partition has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionProgress {
    /// The partition.
    pub partition: PartitionKey,
    /// Offset of the next record to be handed to the timeline.
    pub next_offset: i64,
    /// End of the partition, fetched from the broker just before the call and not remembered from earlier;
    /// `None` where it could not be fetched.
    pub high_watermark: Option<i64>,
}
