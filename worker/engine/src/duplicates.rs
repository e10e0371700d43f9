//! Repeats and gaps among event messages.
//!
//! Promises: a message is a repeat only if an earlier one of the same source and reference time had the very same
//! pulses and events, and is still held; memory is bounded by a window of pulse time and by a count. Gaps are told
//! only for producers that count, across all partitions. It must not know where messages come from.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use crate::message::{EventBatch, Ids, Pulses};

/// The window is kept in this many pieces and forgotten piece by piece.
const PIECES: i64 = 4;
/// Most messages that are remembered.
const MOST: usize = 1 << 19;

/// Takes a hash as it is.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = checksum(self.0, bytes);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Where a remembered message came from: index of the partition and offset.
type Origin = (u32, i64);

/// The messages of the last stretch of pulse time.
#[derive(Debug)]
pub(crate) struct Duplicates {
    window: i64,
    pieces: BTreeMap<i64, HashMap<u64, Origin, BuildHasherDefault<AsIs>>>,
    count: usize,
}

impl Duplicates {
    pub(crate) fn new(window: i64) -> Self {
        Self {
            window: window.max(PIECES),
            pieces: BTreeMap::new(),
            count: 0,
        }
    }

    fn piece(&self, time: i64) -> i64 {
        time.div_euclid(self.window / PIECES)
    }

    /// Whether a message repeats an earlier one that `held` says is still there; else remembers it.
    pub(crate) fn is_repeat(&mut self, time: i64, print: u64, origin: Origin, held: impl Fn(Origin) -> bool) -> bool {
        let piece = self.pieces.entry(self.piece(time)).or_default();
        let mut repeat = false;
        piece
            .entry(print)
            .and_modify(|first| {
                repeat = *first != origin && held(*first);
                if !repeat {
                    *first = origin;
                }
            })
            .or_insert_with(|| {
                self.count += 1;
                origin
            });
        if self.count > MOST {
            self.forget_first();
        }
        repeat
    }

    /// Forgets what lies a window before `time`.
    pub(crate) fn forget_before(&mut self, time: i64) {
        let oldest = self.piece(time.saturating_sub(self.window));
        while self.pieces.first_key_value().is_some_and(|(&piece, _)| piece < oldest) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, piece)) = self.pieces.pop_first() {
            self.count = self.count.saturating_sub(piece.len());
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.count
    }
}

/// A 64-bit digest of a message's source, pulses and events, and the digest of its source alone.
pub(crate) fn fingerprint(batch: &EventBatch<'_>) -> (u64, u64) {
    let source = checksum(0, batch.source.as_bytes());
    let mut print = source;
    match batch.pulses {
        Pulses::One(time) => print = checksum(print, &time.nanos().to_le_bytes()),
        Pulses::Many { times, first } => {
            print = checksum(print, times.bytes());
            // One pulse from event 0 on is the same message whichever way it is written.
            if times.len() != 1 {
                print = checksum(print, first.bytes());
            }
        }
    }
    print = checksum(print, batch.time_of_flight.bytes());
    if let Ids::Given(ids) = batch.ids {
        print = checksum(print, ids.bytes());
    }
    (print, source)
}

const PRIMES: [u64; 8] = [
    0x9e37_79b1_85eb_ca87,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
    0xff51_afd7_ed55_8ccd,
    0xc4ce_b9fe_1a85_ec53,
    0xd6e8_feb8_6659_fd93,
];

/// A digest of bytes at the speed of memory: eight lanes of multiply and rotate, mixed at the end.
fn checksum(seed: u64, bytes: &[u8]) -> u64 {
    let mut lanes = PRIMES;
    let (blocks, rest) = bytes.as_chunks::<64>();
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for ((lane, word), prime) in lanes.iter_mut().zip(words).zip(PRIMES) {
            *lane = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(prime).rotate_left(29);
        }
    }
    let (words, last) = rest.as_chunks::<8>();
    let mut hash = mix(seed ^ bytes.len() as u64);
    for word in words {
        hash = mix(hash ^ u64::from_le_bytes(*word));
    }
    let mut tail = [0; 8];
    for (to, from) in tail.iter_mut().zip(last) {
        *to = *from;
    }
    hash = mix(hash ^ u64::from_le_bytes(tail));
    if blocks.is_empty() {
        hash
    } else {
        lanes.iter().fold(hash, |hash, lane| mix(hash ^ lane))
    }
}

const fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 32).wrapping_mul(PRIMES[7]);
    let value = (value ^ value >> 32).wrapping_mul(PRIMES[7]);
    value ^ value >> 32
}

/// Ids behind the newest that are told apart.
const WINDOW: i64 = 1 << 16;
/// A step forward beyond this is a new count, not a gap.
const LEAP: i64 = 1 << 20;
/// So many ids in a row from behind the window are a new count.
const STRIKES: u32 = 256;
/// Most producers that are followed.
const SOURCES: usize = 256;

/// The message ids of one producer.
#[derive(Debug)]
struct Counter {
    first: i64,
    newest: i64,
    seen: u64,
    counts: bool,
    strikes: u32,
    ring: Vec<u64>,
}

impl Counter {
    fn new(id: i64) -> Self {
        let mut counter = Self {
            first: id,
            newest: id,
            seen: 1,
            counts: false,
            strikes: 0,
            ring: vec![0; WINDOW as usize / 64],
        };
        counter.mark(id, true);
        counter
    }

    /// Sets the bit of an id; says whether it was the other way before.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn mark(&mut self, id: i64, seen: bool) -> bool {
        let place = id.rem_euclid(WINDOW) as usize;
        let Some(word) = self.ring.get_mut(place / 64) else {
            return false;
        };
        let bit = 1 << (place % 64);
        let before = *word & bit != 0;
        *word = if seen { *word | bit } else { *word & !bit };
        before != seen
    }

    fn note(&mut self, id: i64) {
        if id == self.newest {
            return;
        }
        self.counts = true;
        let step = id.saturating_sub(self.newest);
        if step > LEAP {
            *self = Self::new(id);
        } else if step > 0 {
            for between in 1..step.min(WINDOW) {
                self.mark(self.newest.saturating_add(between), false);
            }
            self.mark(id, false);
            self.mark(id, true);
            self.newest = id;
            self.seen += 1;
            self.strikes = 0;
        } else if step > -WINDOW {
            self.first = self.first.min(id);
            self.seen += u64::from(self.mark(id, true));
            self.strikes = 0;
        } else {
            self.strikes += 1;
            if id >= self.first && self.missing() > 0 {
                self.seen += 1;
            }
            if self.strikes >= STRIKES {
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

/// The message ids of all producers that count.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    counters: HashMap<u64, Counter, BuildHasherDefault<AsIs>>,
}

impl Gaps {
    /// Notes the id of a message; `source` is the digest of its producer's name.
    pub(crate) fn note(&mut self, source: u64, id: i64) {
        if let Some(counter) = self.counters.get_mut(&source) {
            counter.note(id);
        } else if self.counters.len() < SOURCES {
            self.counters.insert(source, Counter::new(id));
        }
    }

    /// Messages between the first and the newest of each producer that did not come, or not yet.
    pub(crate) fn missing(&self) -> u64 {
        self.counters.values().map(Counter::missing).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{EventSchema, LeI32, LeI64, LeU32};
    use crate::time::PulseTime;
    use proptest::prelude::*;

    #[test]
    fn a_repeat_is_one_only_while_the_first_is_held() {
        let mut duplicates = Duplicates::new(60);
        assert!(!duplicates.is_repeat(100, 7, (0, 1), |_| true));
        assert!(duplicates.is_repeat(100, 7, (1, 9), |_| true));
        assert!(!duplicates.is_repeat(100, 7, (0, 1), |_| true), "itself, read again");
        assert!(!duplicates.is_repeat(100, 7, (1, 9), |_| false), "the first was freed");
        assert!(duplicates.is_repeat(100, 7, (0, 1), |_| true));
        assert!(!duplicates.is_repeat(200, 7, (0, 2), |_| true), "another time");
    }

    #[test]
    fn the_window_and_the_count_bound_what_is_remembered() {
        let mut duplicates = Duplicates::new(60);
        for time in 0..1000 {
            duplicates.is_repeat(time, time as u64, (0, time), |_| true);
            duplicates.forget_before(time);
        }
        assert!((60..80).contains(&duplicates.len()), "{}", duplicates.len());
        for print in 0..2 * MOST as u64 {
            duplicates.is_repeat(5000, print, (0, 0), |_| true);
        }
        assert!(duplicates.len() <= MOST);
    }

    #[test]
    fn every_byte_counts() {
        let bytes: Vec<u8> = (0..1000_u32).map(|value| (value * 7) as u8).collect();
        for length in [0, 1, 7, 8, 63, 64, 65, 200, 1000] {
            let whole = checksum(3, &bytes[..length]);
            for place in 0..length {
                let mut other = bytes[..length].to_vec();
                other[place] ^= 1;
                assert_ne!(whole, checksum(3, &other), "{length} {place}");
            }
            assert_ne!(whole, checksum(4, &bytes[..length]));
        }
    }

    #[test]
    fn one_pulse_written_two_ways_is_one_message() {
        let (time, first, events) = (5_i64.to_le_bytes(), 0_i32.to_le_bytes(), 9_u32.to_le_bytes());
        let mut batch = EventBatch {
            schema: EventSchema::Ev44,
            source: "bank",
            message_id: 1,
            pulses: Pulses::One(PulseTime::from_nanos(5)),
            time_of_flight: LeU32::new(&events),
            ids: Ids::Implicit,
            frame: None,
        };
        let one = fingerprint(&batch);
        batch.pulses = Pulses::Many {
            times: LeI64::new(&time),
            first: LeI32::new(&first),
        };
        assert_eq!(fingerprint(&batch), one);
        batch.source = "other";
        assert_ne!(fingerprint(&batch), one);
    }

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
            let mut gaps = Gaps::default();
            order.iter().for_each(|&id| gaps.note(1, id));
            let expected = ids[ids.len() - 1] - ids[0] + 1 - ids.len() as i64;
            prop_assert_eq!(gaps.missing(), expected as u64);
        }
    }

    #[test]
    fn a_producer_that_does_not_count_has_no_gaps() {
        let mut gaps = Gaps::default();
        (0..100).for_each(|_| gaps.note(1, 0));
        assert_eq!(gaps.missing(), 0);
        (0..100).for_each(|index| gaps.note(2, 1000 + index));
        assert_eq!(gaps.missing(), 0);
        (0..300).for_each(|index| gaps.note(2, -1_000_000 + index));
        assert_eq!(gaps.missing(), 0, "a producer that began anew");
        gaps.note(2, i64::MAX);
        gaps.note(2, i64::MIN);
        assert_eq!(gaps.missing(), 0);
    }
}
