//! Backward scan of a topic's partitions: the next range of offsets to read, and the time since which all is read.
//!
//! Promises: pure; a range has a bounded number of offsets; [`BackwardScan::complete_since_ms`] holds for every
//! partition. Must not contact a broker.

use super::metadata_client::{TopicPartition, Watermarks};

/// Offsets in the first range of a partition; each next range is twice as long.
const FIRST_RANGE: i64 = 16;

/// Offsets in the longest range.
const LONGEST_RANGE: i64 = 4096;

/// Offsets `[from, to)` of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetRange {
    pub(crate) partition: TopicPartition,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

#[derive(Debug, Clone)]
struct PartitionScan {
    partition: TopicPartition,
    low_watermark: i64,
    /// The offsets from here up to the high watermark are read.
    read_from: i64,
    /// Number of offsets in the next range.
    length: i64,
    /// Kafka timestamp of the oldest record that is read, ms since the Unix epoch.
    oldest_ms: Option<i64>,
}

/// Scan of several partitions, from their high watermarks down.
#[derive(Debug, Clone)]
pub(crate) struct BackwardScan {
    partitions: Vec<PartitionScan>,
}

impl BackwardScan {
    pub(crate) fn new(partitions: impl IntoIterator<Item = (TopicPartition, Watermarks)>) -> BackwardScan {
        let partitions = partitions
            .into_iter()
            .map(|(partition, watermarks)| PartitionScan {
                partition,
                low_watermark: watermarks.low,
                read_from: watermarks.high.max(watermarks.low),
                length: FIRST_RANGE,
                oldest_ms: None,
            })
            .collect();
        BackwardScan { partitions }
    }

    /// Range to read next, of the partition whose oldest record is newest; `None` when everything is read.
    pub(crate) fn next_range(&self) -> Option<OffsetRange> {
        let least = self
            .partitions
            .iter()
            .filter(|scan| scan.read_from > scan.low_watermark)
            .max_by_key(|scan| scan.oldest_ms.unwrap_or(i64::MAX))?;
        let from = least.read_from.saturating_sub(least.length).max(least.low_watermark);
        Some(OffsetRange {
            partition: least.partition,
            from,
            to: least.read_from,
        })
    }

    /// Records that a range is read; `oldest_ms` is its smallest timestamp, `None` for a range without records.
    pub(crate) fn record_range(&mut self, range: OffsetRange, oldest_ms: Option<i64>) {
        let Some(scan) = self
            .partitions
            .iter_mut()
            .find(|scan| scan.partition == range.partition)
        else {
            return;
        };
        scan.read_from = scan.read_from.min(range.from);
        scan.length = scan.length.saturating_mul(2).min(LONGEST_RANGE);
        scan.oldest_ms = match (scan.oldest_ms, oldest_ms) {
            (Some(before), Some(now)) => Some(before.min(now)),
            (before, now) => before.or(now),
        };
    }

    /// Kafka timestamp (ms since the Unix epoch) from which on every record of every partition is read; `None` while
    /// that is unknown. Assumes that timestamps ascend with offsets within a partition.
    pub(crate) fn complete_since_ms(&self) -> Option<i64> {
        let open = self
            .partitions
            .iter()
            .filter(|scan| scan.read_from > scan.low_watermark);
        open.map(|scan| scan.oldest_ms).try_fold(i64::MIN, |since, oldest| {
            // Kafka gives -1 to records without a timestamp.
            oldest.filter(|&ms| ms >= 0).map(|ms| since.max(ms))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn partition(number: i32) -> TopicPartition {
        TopicPartition { topic: 1, number }
    }

    #[test]
    fn an_empty_topic_is_known_from_the_beginning() {
        let empty = BackwardScan::new([(partition(0), Watermarks { low: 5, high: 5 })]);
        assert_eq!(empty.next_range(), None);
        assert_eq!(empty.complete_since_ms(), Some(i64::MIN));
    }

    #[test]
    fn ranges_grow_and_meet() {
        let mut scan = BackwardScan::new([(partition(0), Watermarks { low: 3, high: 100_000 })]);
        let mut to = 100_000;
        let mut steps = 0;
        while let Some(range) = scan.next_range() {
            assert_eq!(range.to, to);
            assert!(range.from < range.to && range.to - range.from <= LONGEST_RANGE);
            to = range.from;
            scan.record_range(range, Some(range.from));
            steps += 1;
        }
        assert_eq!(to, 3);
        assert!(steps < 40, "{steps} steps");
    }

    proptest! {
        /// With timestamps that grow with the offset within a partition, every record at or after
        /// `complete_since_ms` was read.
        #[test]
        fn every_record_since_complete_since_ms_was_read(
            sizes in prop::collection::vec(0..2000_i64, 1..4), skews in prop::collection::vec(1..7_i64, 4), steps in 0..20,
        ) {
            let partitions = sizes.iter().enumerate().map(|(n, &high)| (partition(n as i32), Watermarks { low: 0, high }));
            let mut scan = BackwardScan::new(partitions);
            let mut read_from = sizes.clone();
            let stamp = |number: usize, offset: i64| offset * skews[number] + number as i64;
            for _ in 0..steps {
                let Some(range) = scan.next_range() else { break };
                let number = range.partition.number as usize;
                prop_assert_eq!(range.to, read_from[number]);
                read_from[number] = range.from;
                scan.record_range(range, Some(stamp(number, range.from)));
            }
            if let Some(since) = scan.complete_since_ms() {
                for (number, &size) in sizes.iter().enumerate() {
                    for offset in (0..size).filter(|&offset| stamp(number, offset) >= since) {
                        prop_assert!(offset >= read_from[number]);
                    }
                }
            }
        }
    }
}
