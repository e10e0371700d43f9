//! Duplicates among event messages.
//!
//! Promises: a message counts as a duplicate only if an earlier one in memory has the same source, reference time,
//! pulses and events. Memory is bounded by a window of pulse time and a number of messages. It must not know topics.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use crate::checksum::{IdentityHasher, checksum};
use crate::message::{EventBatch, IdColumn, PulseColumns};

/// Parts of the window; it is forgotten part by part.
const WINDOW_PARTS: i64 = 4;
/// Largest number of remembered messages.
const MAX_MESSAGES: usize = 1 << 19;

/// Index of the partition and offset of a remembered message.
type Origin = (u32, i64);

/// Checksums of the event messages within a window of pulse time.
#[derive(Debug)]
pub(crate) struct DuplicateFilter {
    /// Nanoseconds of pulse time.
    window: i64,
    /// Messages by part of the window and checksum.
    parts: BTreeMap<i64, HashMap<u64, Origin, BuildHasherDefault<IdentityHasher>>>,
    count: usize,
}

impl DuplicateFilter {
    pub(crate) fn new(window: i64) -> Self {
        Self {
            window: window.max(WINDOW_PARTS),
            parts: BTreeMap::new(),
            count: 0,
        }
    }

    fn part(&self, time: i64) -> i64 {
        time.div_euclid(self.window / WINDOW_PARTS)
    }

    /// True if the message equals an earlier one for which `held` is true; otherwise remembers it.
    pub(crate) fn is_duplicate(&mut self, time: i64, key: u64, origin: Origin, held: impl Fn(Origin) -> bool) -> bool {
        let part = self.parts.entry(self.part(time)).or_default();
        let mut is_duplicate = false;
        part.entry(key)
            .and_modify(|first| {
                is_duplicate = *first != origin && held(*first);
                if !is_duplicate {
                    *first = origin;
                }
            })
            .or_insert_with(|| {
                self.count += 1;
                origin
            });
        if self.count > MAX_MESSAGES {
            self.forget_oldest_part();
        }
        is_duplicate
    }

    /// Forgets messages more than one window before `time` (ns).
    pub(crate) fn forget_before(&mut self, time: i64) {
        let oldest = self.part(time.saturating_sub(self.window));
        while self.parts.first_key_value().is_some_and(|(&part, _)| part < oldest) {
            self.forget_oldest_part();
        }
    }

    fn forget_oldest_part(&mut self) {
        if let Some((_, part)) = self.parts.pop_first() {
            self.count = self.count.saturating_sub(part.len());
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.count
    }
}

/// Checksum of a message's source, pulses and events, and checksum of its source alone.
pub(crate) fn checksums(batch: &EventBatch<'_>) -> (u64, u64) {
    let source = checksum(0, batch.source.as_bytes());
    let mut key = source;
    match batch.pulses {
        PulseColumns::Single(time) => key = checksum(key, &time.nanos().to_le_bytes()),
        PulseColumns::Multiple { times, first } => {
            key = checksum(key, times.bytes());
            // One pulse from event 0 on is the same message in both forms.
            if times.len() != 1 {
                key = checksum(key, first.bytes());
            }
        }
    }
    key = checksum(key, batch.time_of_flight.bytes());
    if let IdColumn::PerEvent(ids) = batch.ids {
        key = checksum(key, ids.bytes());
    }
    (key, source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{EventSchema, LeI32, LeI64, LeU32};
    use crate::time::PulseTime;

    #[test]
    fn a_repeat_is_one_only_while_the_first_is_held() {
        let mut duplicates = DuplicateFilter::new(60);
        assert!(!duplicates.is_duplicate(100, 7, (0, 1), |_| true));
        assert!(duplicates.is_duplicate(100, 7, (1, 9), |_| true));
        assert!(!duplicates.is_duplicate(100, 7, (0, 1), |_| true), "itself, read again");
        assert!(
            !duplicates.is_duplicate(100, 7, (1, 9), |_| false),
            "the first was freed"
        );
        assert!(duplicates.is_duplicate(100, 7, (0, 1), |_| true));
        assert!(!duplicates.is_duplicate(200, 7, (0, 2), |_| true), "another time");
    }

    #[test]
    fn the_window_and_the_count_bound_what_is_remembered() {
        let mut duplicates = DuplicateFilter::new(60);
        for time in 0..1000 {
            duplicates.is_duplicate(time, time as u64, (0, time), |_| true);
            duplicates.forget_before(time);
        }
        assert!((60..80).contains(&duplicates.len()), "{}", duplicates.len());
        for key in 0..2 * MAX_MESSAGES as u64 {
            duplicates.is_duplicate(5000, key, (0, 0), |_| true);
        }
        assert!(duplicates.len() <= MAX_MESSAGES);
    }

    #[test]
    fn one_pulse_written_two_ways_is_one_message() {
        let (time, first, events) = (5_i64.to_le_bytes(), 0_i32.to_le_bytes(), 9_u32.to_le_bytes());
        let mut batch = EventBatch {
            schema: EventSchema::Ev44,
            source: "bank",
            message_id: 1,
            pulses: PulseColumns::Single(PulseTime::from_nanos(5)),
            time_of_flight: LeU32::new(&events),
            ids: IdColumn::Implicit,
            frame: None,
        };
        let one = checksums(&batch);
        batch.pulses = PulseColumns::Multiple {
            times: LeI64::new(&time),
            first: LeI32::new(&first),
        };
        assert_eq!(checksums(&batch), one);
        batch.source = "other";
        assert_ne!(checksums(&batch), one);
    }
}
