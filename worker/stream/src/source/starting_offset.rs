//! Offset at which the reading of a partition starts.
//!
//! Promises: pure; never starts after a record at or after the wanted time, for any answer of the broker.

use live_data_engine::record_position::TopicRole;

use super::metadata_client::{OffsetLookup, Watermarks};

/// Start of reading a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartingOffset {
    /// Low watermark: everything that the broker retains.
    Earliest,
    /// High watermark: only records produced from now on.
    Latest,
    /// First record whose Kafka timestamp is at or after this time, in ms since the Unix epoch.
    AtTimestampMs(i64),
}

/// Starting offsets by the role of the topic; they hold for partitions created later, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartingOffsets {
    pub events: StartingOffset,
    pub run_info: StartingOffset,
    pub sample_env: StartingOffset,
    pub veto_config: StartingOffset,
}

impl StartingOffsets {
    pub(super) fn of_role(&self, role: TopicRole) -> StartingOffset {
        match role {
            TopicRole::Events => self.events,
            TopicRole::RunInfo => self.run_info,
            TopicRole::SampleEnv => self.sample_env,
            TopicRole::VetoConfig => self.veto_config,
        }
    }
}

/// Offset that a starting offset stands for in a partition. Without a time index, "no later record" is no answer, and
/// the partition is read from its low watermark.
pub(crate) fn resolve(
    starting_offset: StartingOffset,
    lookup: OffsetLookup,
    watermarks: Watermarks,
    has_time_index: bool,
) -> i64 {
    match starting_offset {
        StartingOffset::Earliest => watermarks.low,
        StartingOffset::Latest => watermarks.high,
        StartingOffset::AtTimestampMs(_) => match lookup {
            OffsetLookup::Offset(offset) => offset.max(watermarks.low),
            OffsetLookup::NoLaterRecord if has_time_index => watermarks.high,
            OffsetLookup::NoLaterRecord | OffsetLookup::Failed => watermarks.low,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_the_broker_cannot_look_up_means_everything() {
        let watermarks = Watermarks { low: 10, high: 500 };
        let since = StartingOffset::AtTimestampMs(1_700_000_000_000);
        assert_eq!(resolve(since, OffsetLookup::Offset(77), watermarks, true), 77);
        assert_eq!(
            resolve(since, OffsetLookup::Offset(7), watermarks, true),
            10,
            "retention removed it meanwhile"
        );
        assert_eq!(
            resolve(since, OffsetLookup::NoLaterRecord, watermarks, true),
            500,
            "nothing so young: only what comes"
        );
        assert_eq!(resolve(since, OffsetLookup::NoLaterRecord, watermarks, false), 10);
        assert_eq!(resolve(since, OffsetLookup::Failed, watermarks, true), 10);
        assert_eq!(
            resolve(StartingOffset::Earliest, OffsetLookup::Offset(77), watermarks, true),
            10
        );
        assert_eq!(
            resolve(StartingOffset::Latest, OffsetLookup::Offset(77), watermarks, true),
            500
        );
    }
}
