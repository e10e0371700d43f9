//! Positions of the assigned partitions.
//!
//! Promises: a partition's position is found in O(1). Must not contact a broker.

use std::time::Instant;

use live_data_engine::record_position::PartitionKey;

use super::metadata_client::{TopicPartition, Watermarks};
use crate::topics::Topics;

/// Position of the reader in one partition, beside the partition's watermarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionPosition {
    pub partition: PartitionKey,
    /// Offset of the next record to be delivered.
    pub next_offset: i64,
    /// First offset that the broker retains.
    pub low_watermark: i64,
    /// Offset after the last record, as of `watermarks_at`.
    pub high_watermark: i64,
    /// Time of the request for the watermarks.
    pub watermarks_at: Instant,
    /// Records delivered since the assignment; records read again after a rewind count again.
    pub records: u64,
    /// Bytes of the values of these records.
    pub bytes: u64,
}

impl PartitionPosition {
    /// Consumer lag in records: `high_watermark - next_offset`, 0 where the watermark is older than the position.
    pub fn lag(&self) -> u64 {
        u64::try_from(self.high_watermark.saturating_sub(self.next_offset)).unwrap_or(0)
    }
}

/// State of reading one partition; see [`PartitionPosition`].
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadPosition {
    pub(super) next_offset: i64,
    pub(super) watermarks: Watermarks,
    pub(super) watermarks_at: Instant,
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// The broker refused the offset: reading continues at the watermarks of the next metadata update.
    pub(super) is_out_of_range: bool,
}

impl ReadPosition {
    pub(super) fn new(next_offset: i64, watermarks: Watermarks, watermarks_at: Instant) -> ReadPosition {
        ReadPosition {
            next_offset,
            watermarks,
            watermarks_at,
            records: 0,
            bytes: 0,
            is_out_of_range: false,
        }
    }
}

/// Positions by topic index, then by partition number; `None` for partitions that are not assigned.
#[derive(Debug)]
pub(super) struct ReadPositions(Vec<Vec<Option<ReadPosition>>>);

impl ReadPositions {
    pub(super) fn new(topics: usize) -> ReadPositions {
        ReadPositions(vec![Vec::new(); topics])
    }

    pub(super) fn get(&self, partition: TopicPartition) -> Option<&ReadPosition> {
        self.0
            .get(partition.topic)?
            .get(usize::try_from(partition.number).ok()?)?
            .as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, partition: TopicPartition) -> Option<&mut ReadPosition> {
        self.0
            .get_mut(partition.topic)?
            .get_mut(usize::try_from(partition.number).ok()?)?
            .as_mut()
    }

    pub(super) fn insert(&mut self, partition: TopicPartition, position: ReadPosition) {
        let (Ok(number), Some(topic)) = (usize::try_from(partition.number), self.0.get_mut(partition.topic)) else {
            return;
        };
        if topic.len() <= number {
            topic.resize(number + 1, None);
        }
        if let Some(slot) = topic.get_mut(number) {
            *slot = Some(position);
        }
    }

    /// Removes the positions of a topic and returns the partitions that had one.
    pub(super) fn remove_topic(&mut self, topic: usize) -> Vec<TopicPartition> {
        let Some(positions) = self.0.get_mut(topic) else {
            return Vec::new();
        };
        let numbered = (0_i32..).zip(positions.drain(..));
        numbered
            .filter_map(|(number, position)| position.map(|_| TopicPartition { topic, number }))
            .collect()
    }

    /// Assigned partitions, by topic, then by number.
    pub(super) fn partitions(&self) -> impl Iterator<Item = TopicPartition> + '_ {
        self.iter().map(|(partition, _)| partition)
    }

    /// Offset of the next record of each assigned partition.
    pub(super) fn next_offsets(&self) -> Vec<(TopicPartition, i64)> {
        self.iter()
            .map(|(partition, position)| (partition, position.next_offset))
            .collect()
    }

    pub(super) fn report(&self, topics: &Topics) -> Vec<PartitionPosition> {
        self.iter()
            .filter_map(|(partition, position)| {
                Some(PartitionPosition {
                    partition: topics.partition_key(partition.topic, partition.number)?,
                    next_offset: position.next_offset,
                    low_watermark: position.watermarks.low,
                    high_watermark: position.watermarks.high,
                    watermarks_at: position.watermarks_at,
                    records: position.records,
                    bytes: position.bytes,
                })
            })
            .collect()
    }

    fn iter(&self) -> impl Iterator<Item = (TopicPartition, &ReadPosition)> + '_ {
        self.0.iter().enumerate().flat_map(|(topic, positions)| {
            let numbered = (0_i32..).zip(positions);
            numbered.filter_map(move |(number, position)| Some((TopicPartition { topic, number }, position.as_ref()?)))
        })
    }
}
