//! How far each partition has been read.
//!
//! Promises: the place of a record's partition is found without searching. Must not contact a broker.

use std::time::Instant;

use super::survey::{Ends, Partition};
use crate::topics::{Role, Topics};

/// How far a partition has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What its topic carries.
    pub role: Role,
    /// Its topic, by index.
    pub topic: usize,
    /// Its number.
    pub partition: i32,
    /// The offset of the next record to come.
    pub next_offset: i64,
    /// The first offset that the broker still has.
    pub low_watermark: i64,
    /// The offset after the last record, when that was last asked.
    pub high_watermark: i64,
    /// When that was asked.
    pub asked: Instant,
    /// Records read.
    pub records: u64,
    /// Bytes read.
    pub bytes: u64,
}

impl Progress {
    /// Records that are there and not read.
    pub fn lag(&self) -> u64 {
        u64::try_from(self.high_watermark.saturating_sub(self.next_offset)).unwrap_or(0)
    }
}

/// One partition that is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) next: i64,
    pub(super) ends: Ends,
    pub(super) asked: Instant,
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// Waits for an answer about its ends, to go on where there are records.
    pub(super) out_of_range: bool,
}

impl Position {
    pub(super) fn at(next: i64, ends: Ends, asked: Instant) -> Position {
        Position {
            next,
            ends,
            asked,
            records: 0,
            bytes: 0,
            out_of_range: false,
        }
    }
}

/// All of them: by topic, then by number.
#[derive(Debug)]
pub(super) struct Positions(Vec<Vec<Option<Position>>>);

impl Positions {
    pub(super) fn new(topics: usize) -> Positions {
        Positions(vec![Vec::new(); topics])
    }

    pub(super) fn get(&self, partition: Partition) -> Option<&Position> {
        self.0
            .get(partition.topic)?
            .get(usize::try_from(partition.number).ok()?)?
            .as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, partition: Partition) -> Option<&mut Position> {
        self.0
            .get_mut(partition.topic)?
            .get_mut(usize::try_from(partition.number).ok()?)?
            .as_mut()
    }

    pub(super) fn set(&mut self, partition: Partition, position: Position) {
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

    /// Forgets a topic's partitions; which they were.
    pub(super) fn forget_topic(&mut self, topic: usize) -> Vec<i32> {
        let Some(positions) = self.0.get_mut(topic) else {
            return Vec::new();
        };
        let known = (0_i32..).zip(positions.drain(..));
        known
            .filter_map(|(number, position)| position.map(|_| number))
            .collect()
    }

    pub(super) fn progress(&self, topics: &Topics) -> Vec<Progress> {
        let known = self.0.iter().zip(topics.as_slice()).enumerate();
        known
            .flat_map(|(topic, (positions, named))| {
                let positions = (0_i32..).zip(positions);
                positions.filter_map(move |(partition, position)| {
                    let position = (*position)?;
                    Some(Progress {
                        role: named.role,
                        topic,
                        partition,
                        next_offset: position.next,
                        low_watermark: position.ends.low,
                        high_watermark: position.ends.high,
                        asked: position.asked,
                        records: position.records,
                        bytes: position.bytes,
                    })
                })
            })
            .collect()
    }
}
