//! Reading a topic backwards: which stretch to read next, and how far back everything is known.
//!
//! Promises: pure; each step reads a bounded number of offsets; what is said to be known is known of every
//! partition. Must not contact a broker.

use super::survey::{Ends, Partition};

/// Offsets of the first stretch of a partition; each next one is twice as long.
const FIRST: i64 = 16;

/// Offsets of the longest stretch.
const LONGEST: i64 = 4096;

/// A stretch to read: offsets from `from` up to, but without, `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) partition: Partition,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

#[derive(Debug, Clone)]
struct Progress {
    partition: Partition,
    low: i64,
    /// Everything from here to the end was read.
    read_from: i64,
    length: i64,
    /// The Kafka timestamp of the oldest record that was read.
    oldest_ms: Option<i64>,
}

/// How far back each partition was read.
#[derive(Debug, Clone)]
pub(crate) struct Backwards {
    partitions: Vec<Progress>,
}

impl Backwards {
    pub(crate) fn new(partitions: impl IntoIterator<Item = (Partition, Ends)>) -> Backwards {
        let partitions = partitions
            .into_iter()
            .map(|(partition, ends)| Progress {
                partition,
                low: ends.low,
                read_from: ends.high.max(ends.low),
                length: FIRST,
                oldest_ms: None,
            })
            .collect();
        Backwards { partitions }
    }

    /// The stretch to read next: of the partition that is known least far back. None when all was read.
    pub(crate) fn next(&self) -> Option<Window> {
        let least = self
            .partitions
            .iter()
            .filter(|one| one.read_from > one.low)
            .max_by_key(|one| one.oldest_ms.unwrap_or(i64::MAX))?;
        let from = least.read_from.saturating_sub(least.length).max(least.low);
        Some(Window {
            partition: least.partition,
            from,
            to: least.read_from,
        })
    }

    /// A stretch was read; `oldest_ms` is the smallest timestamp in it (None: it held no record).
    pub(crate) fn done(&mut self, window: Window, oldest_ms: Option<i64>) {
        let Some(one) = self.partitions.iter_mut().find(|one| one.partition == window.partition) else {
            return;
        };
        one.read_from = one.read_from.min(window.from);
        one.length = one.length.saturating_mul(2).min(LONGEST);
        one.oldest_ms = match (one.oldest_ms, oldest_ms) {
            (Some(before), Some(now)) => Some(before.min(now)),
            (before, now) => before.or(now),
        };
    }

    /// From which Kafka timestamp on everything is known; None while that cannot be said.
    pub(crate) fn known_since_ms(&self) -> Option<i64> {
        let open = self.partitions.iter().filter(|one| one.read_from > one.low);
        open.map(|one| one.oldest_ms).try_fold(i64::MIN, |since, oldest| {
            // A record without a timestamp says nothing about the order.
            oldest.filter(|&ms| ms >= 0).map(|ms| since.max(ms))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn partition(number: i32) -> Partition {
        Partition { topic: 1, number }
    }

    #[test]
    fn an_empty_topic_is_known_from_the_beginning() {
        let empty = Backwards::new([(partition(0), Ends { low: 5, high: 5 })]);
        assert_eq!(empty.next(), None);
        assert_eq!(empty.known_since_ms(), Some(i64::MIN));
    }

    #[test]
    fn stretches_grow_and_meet() {
        let mut backwards = Backwards::new([(partition(0), Ends { low: 3, high: 100_000 })]);
        let mut to = 100_000;
        let mut steps = 0;
        while let Some(window) = backwards.next() {
            assert_eq!(window.to, to);
            assert!(window.from < window.to && window.to - window.from <= LONGEST);
            to = window.from;
            backwards.done(window, Some(window.from));
            steps += 1;
        }
        assert_eq!(to, 3);
        assert!(steps < 40, "{steps} steps");
    }

    proptest! {
        /// With timestamps that grow with the offset within a partition, every record at or after
        /// `known_since_ms` was read.
        #[test]
        fn what_is_said_to_be_known_was_read(
            sizes in prop::collection::vec(0..2000_i64, 1..4), skews in prop::collection::vec(1..7_i64, 4), steps in 0..20,
        ) {
            let ends = sizes.iter().enumerate().map(|(n, &high)| (partition(n as i32), Ends { low: 0, high }));
            let mut backwards = Backwards::new(ends);
            let mut read_from = sizes.clone();
            let stamp = |number: usize, offset: i64| offset * skews[number] + number as i64;
            for _ in 0..steps {
                let Some(window) = backwards.next() else { break };
                let number = window.partition.number as usize;
                prop_assert_eq!(window.to, read_from[number]);
                read_from[number] = window.from;
                backwards.done(window, Some(stamp(number, window.from)));
            }
            if let Some(since) = backwards.known_since_ms() {
                for (number, &size) in sizes.iter().enumerate() {
                    for offset in (0..size).filter(|&offset| stamp(number, offset) >= since) {
                        prop_assert!(offset >= read_from[number]);
                    }
                }
            }
        }
    }
}
