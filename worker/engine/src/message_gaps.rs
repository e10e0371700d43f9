//! Gaps in the message ids of producers that count.
//!
//! Promises: any order of arrival gives the same number; memory is bounded by a window of ids and a number of
//! producers. A producer with constant ids has no gaps.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::checksum::IdentityHasher;

/// Ids behind the newest one for which arrival is recorded.
const SEQUENCE_WINDOW: i64 = 1 << 16;
/// Largest step forward that counts as a gap; a larger one is a restart of the producer.
const MAX_STEP: i64 = 1 << 20;
/// Consecutive ids from behind the window after which the producer counts as restarted.
const RESTART_AFTER: u32 = 256;
/// Largest number of producers that are followed.
const MAX_PRODUCERS: usize = 256;

/// Message ids of one producer since its last restart.
#[derive(Debug)]
struct ProducerSequence {
    first: i64,
    newest: i64,
    seen: u64,
    /// True once two ids differed: the producer counts.
    counts: bool,
    behind_in_a_row: u32,
    /// One bit per id of the window: arrived.
    ring: Vec<u64>,
}

impl ProducerSequence {
    fn new(id: i64) -> Self {
        let mut sequence = Self {
            first: id,
            newest: id,
            seen: 1,
            counts: false,
            behind_in_a_row: 0,
            ring: vec![0; SEQUENCE_WINDOW as usize / 64],
        };
        sequence.mark(id, true);
        sequence
    }

    /// Sets the bit of an id in the ring. Returns true if it changed.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn mark(&mut self, id: i64, seen: bool) -> bool {
        let slot = id.rem_euclid(SEQUENCE_WINDOW) as usize;
        let Some(word) = self.ring.get_mut(slot / 64) else {
            return false;
        };
        let bit = 1 << (slot % 64);
        let before = *word & bit != 0;
        *word = if seen { *word | bit } else { *word & !bit };
        before != seen
    }

    fn record(&mut self, id: i64) {
        if id == self.newest {
            return;
        }
        self.counts = true;
        let step = id.saturating_sub(self.newest);
        if step > MAX_STEP {
            *self = Self::new(id);
        } else if step > 0 {
            for between in 1..step.min(SEQUENCE_WINDOW) {
                self.mark(self.newest.saturating_add(between), false);
            }
            self.mark(id, false);
            self.mark(id, true);
            self.newest = id;
            self.seen += 1;
            self.behind_in_a_row = 0;
        } else if step > -SEQUENCE_WINDOW {
            self.first = self.first.min(id);
            self.seen += u64::from(self.mark(id, true));
            self.behind_in_a_row = 0;
        } else {
            self.behind_in_a_row += 1;
            if id >= self.first && self.missing() > 0 {
                self.seen += 1;
            }
            if self.behind_in_a_row >= RESTART_AFTER {
                *self = Self::new(id);
            }
        }
    }

    fn missing(&self) -> u64 {
        if !self.counts {
            return 0;
        }
        let expected = self.newest.saturating_sub(self.first).saturating_add(1);
        u64::try_from(expected).unwrap_or(0).saturating_sub(self.seen)
    }
}

/// Gaps in the message ids of all producers, across all partitions.
#[derive(Debug, Default)]
pub(crate) struct MessageGaps {
    sequences: HashMap<u64, ProducerSequence, BuildHasherDefault<IdentityHasher>>,
}

impl MessageGaps {
    /// Records the id of a message; `source` is the checksum of its producer's name.
    pub(crate) fn record(&mut self, source: u64, id: i64) {
        if let Some(sequence) = self.sequences.get_mut(&source) {
            sequence.record(id);
        } else if self.sequences.len() < MAX_PRODUCERS {
            self.sequences.insert(source, ProducerSequence::new(id));
        }
    }

    /// Number of ids between the first and the newest of each producer that have not arrived (yet).
    pub(crate) fn missing(&self) -> u64 {
        self.sequences.values().map(ProducerSequence::missing).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::mix;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn gaps_are_what_is_missing_in_any_order(
            present in prop::collection::vec(any::<bool>(), 2..300), seed in any::<u64>(), repeats in 0_usize..20,
        ) {
            let ids: Vec<i64> = (0..present.len()).filter(|&i| present[i]).map(|i| i as i64).collect();
            prop_assume!(ids.len() >= 2);
            let mut order = ids.clone();
            order.extend(ids.iter().take(repeats));
            order.sort_by_key(|&id| mix(seed ^ id as u64));
            let mut gaps = MessageGaps::default();
            order.iter().for_each(|&id| gaps.record(1, id));
            let expected = ids[ids.len() - 1] - ids[0] + 1 - ids.len() as i64;
            prop_assert_eq!(gaps.missing(), expected as u64);
        }
    }

    #[test]
    fn a_producer_that_does_not_count_has_no_gaps() {
        let mut gaps = MessageGaps::default();
        (0..100).for_each(|_| gaps.record(1, 0));
        assert_eq!(gaps.missing(), 0);
        (0..100).for_each(|index| gaps.record(2, 1000 + index));
        assert_eq!(gaps.missing(), 0);
        (0..300).for_each(|index| gaps.record(2, -1_000_000 + index));
        assert_eq!(gaps.missing(), 0, "a producer that began anew");
        gaps.record(2, i64::MAX);
        gaps.record(2, i64::MIN);
        assert_eq!(gaps.missing(), 0);
    }
}
