//! Position of a record in the stream (topic, partition, offset), and reading progress by partition.
//!
//! Promises: plain values that any source of records can fill in. It must not know topic names or a Kafka client.

use crate::time::PulseTime;

/// Content of a topic; decides how far its partitions must be read before a run is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TopicRole {
    /// Events, and possibly any other schema.
    Events,
    /// Run starts (pl72) and stops (6s4t).
    RunInfo,
    /// Sample logs (f144), alarms (al00) and units (un00).
    SampleEnv,
    /// Veto configurations (vc00).
    VetoConfig,
}

/// Identity of a partition of a Kafka topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionKey {
    pub role: TopicRole,
    /// Index of the topic among those that are read; chosen by the caller, constant for the life of the timeline.
    pub topic: u16,
    pub partition: i32,
}

/// Position of a record in the stream, and its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordPosition {
    pub partition: PartitionKey,
    pub offset: i64,
    /// Milliseconds since the Unix epoch; 0 or negative for a record without a timestamp.
    pub timestamp_ms: i64,
}

impl RecordPosition {
    /// Record timestamp with the resolution of 1 ms that Kafka has.
    #[must_use]
    pub const fn timestamp(&self) -> PulseTime {
        PulseTime::from_millis(self.timestamp_ms)
    }
}

/// Progress of reading in one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionProgress {
    pub partition: PartitionKey,
    /// Offset of the next record that the timeline will receive.
    pub next_offset: i64,
    /// End of the partition, fetched from the broker immediately before the call; `None` if the fetch failed.
    pub high_watermark: Option<i64>,
}
