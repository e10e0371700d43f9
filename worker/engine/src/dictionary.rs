//! The append-only dictionary of event ids: id ↔ dense id.
//!
//! Promises: a dense id, once given, never changes; 64 neighbouring ids get 64 neighbouring dense ids, so that a
//! look-up is one read of a small table and buckets hold neighbours; memory is bounded whatever ids arrive. It must
//! not know instruments: which spectrum an id belongs to is decided at reduction.

use std::collections::HashMap;
use std::sync::Arc;

use crate::chunk::MAX_DENSE_IDS;
use crate::wire::LeU32;

/// Ids are taken in blocks of 64.
const BLOCK: u32 = 64;
/// Ids below this are looked up in a table, those above in a hash map.
const DIRECT: u32 = 1 << 26;
/// Set in a table entry while the block has no dense ids.
const UNKNOWN: u32 = 1 << 31;
/// Set in a table entry when not all 64 ids of the block are in the run's map.
const PARTIAL: u32 = 1 << 30;
/// The dense base in a table entry.
const BASE: u32 = MAX_DENSE_IDS - 1;

/// The dictionary as a snapshot sees it.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    /// First id of every block of 64 dense ids.
    firsts: Arc<Vec<u32>>,
}

impl Dictionary {
    /// Number of dense ids, a multiple of 64; many of them may never have had an event.
    #[must_use]
    pub fn len(&self) -> usize {
        self.firsts.len() * BLOCK as usize
    }

    /// True before the first event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.firsts.is_empty()
    }

    /// The id (spectrum number or detector id, as on the wire) of a dense id.
    #[must_use]
    pub fn id(&self, dense: u32) -> Option<u32> {
        self.firsts
            .get((dense / BLOCK) as usize)
            .map(|first| first + dense % BLOCK)
    }

    /// All ids in the order of their dense ids.
    pub fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.firsts
            .iter()
            .flat_map(|&first| (0..BLOCK).map(move |low| first + low))
    }

    /// A number that changes exactly when dense ids are added.
    #[must_use]
    pub fn version(&self) -> usize {
        self.firsts.len()
    }
}

/// The dictionary as the timeline writes it.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    shared: Dictionary,
    table: Vec<u32>,
    above: HashMap<u32, u32>,
    /// The map's ids, sorted; empty when there is no map to check against.
    map: Vec<u32>,
    /// For each block of dense ids, which of its ids are in the map.
    masks: Vec<u64>,
}

/// What became of a column of ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mapped {
    /// Ids for which there was no room: their dense id is [`NO_ROOM`].
    pub(crate) no_room: u64,
    /// Ids outside the map, when there is one.
    pub(crate) outside: u64,
    /// One of those.
    pub(crate) example: Option<u32>,
}

/// The dense id of an id for which there was no room.
pub(crate) const NO_ROOM: u32 = u32::MAX;

impl Ids {
    /// The dictionary for a snapshot.
    pub(crate) fn shared(&self) -> &Dictionary {
        &self.shared
    }

    /// Number of bits of a dense id within its bucket, such that 256 buckets hold all dense ids.
    pub(crate) fn shift(&self) -> u32 {
        let mut shift = BLOCK.trailing_zeros();
        while shift < 16 && self.shared.len() > crate::chunk::BUCKETS << shift {
            shift += 1;
        }
        shift
    }

    /// Sets the ids that events are expected to have; none to stop checking.
    pub(crate) fn set_map(&mut self, mut ids: Vec<u32>) {
        ids.sort_unstable();
        ids.dedup();
        self.map = ids;
        self.masks = self.shared.firsts.iter().map(|&first| mask(&self.map, first)).collect();
        for (dense, (&first, &mask)) in self.shared.firsts.iter().zip(&self.masks).enumerate() {
            if let Some(entry) = self.table.get_mut((first / BLOCK) as usize) {
                *entry = table_entry(dense, mask);
            }
        }
    }

    /// Appends the dense ids of a column to `dense`.
    pub(crate) fn map(&mut self, ids: LeU32<'_>, dense: &mut Vec<u32>) -> Mapped {
        let start = dense.len();
        let (table, mut seen) = (self.table.as_slice(), 0);
        dense.extend(ids.iter().map(|id| {
            let entry = table.get((id / BLOCK) as usize).copied().unwrap_or(UNKNOWN);
            seen |= entry;
            (entry & (BASE | UNKNOWN)) + id % BLOCK
        }));
        let mut mapped = Mapped::default();
        if seen & UNKNOWN != 0 {
            for (index, id) in ids.iter().enumerate() {
                if let Some(dense) = dense.get_mut(start + index)
                    && *dense & UNKNOWN != 0
                {
                    *dense = self.dense(id);
                    mapped.no_room += u64::from(*dense == NO_ROOM);
                }
            }
        }
        if !self.map.is_empty() && seen & (PARTIAL | UNKNOWN) != 0 {
            for (&dense, id) in dense.iter().skip(start).zip(ids.iter()) {
                let mask = self.masks.get((dense / BLOCK) as usize).copied().unwrap_or(0);
                if mask >> (dense % BLOCK) & 1 == 0 {
                    mapped.outside += 1;
                    mapped.example = Some(id);
                }
            }
        }
        mapped
    }

    /// The dense id of one id, given now if it had none.
    fn dense(&mut self, id: u32) -> u32 {
        let block = id / BLOCK;
        let known = if id < DIRECT {
            self.table
                .get(block as usize)
                .filter(|&&entry| entry & UNKNOWN == 0)
                .map(|entry| entry & BASE)
        } else {
            self.above.get(&block).copied()
        };
        let base = match known {
            Some(base) => base,
            None if self.shared.len() >= MAX_DENSE_IDS as usize => return NO_ROOM,
            None => self.append(block),
        };
        base + id % BLOCK
    }

    #[allow(clippy::cast_possible_truncation)]
    fn append(&mut self, block: u32) -> u32 {
        let first = block * BLOCK;
        let index = self.shared.firsts.len();
        let base = index as u32 * BLOCK;
        Arc::make_mut(&mut self.shared.firsts).push(first);
        let mask = mask(&self.map, first);
        self.masks.push(mask);
        if first < DIRECT {
            let slot = block as usize;
            if self.table.len() <= slot {
                self.table.resize(slot + 1, UNKNOWN);
            }
            if let Some(entry) = self.table.get_mut(slot) {
                *entry = table_entry(index, mask);
            }
        } else {
            self.above.insert(block, base);
        }
        base
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.table.capacity() * 4
            + self.above.capacity() * 9
            + self.shared.len() / BLOCK as usize * 12
            + self.map.len() * 4
    }
}

#[allow(clippy::cast_possible_truncation)]
const fn table_entry(index: usize, mask: u64) -> u32 {
    let base = (index as u32 * BLOCK) & BASE;
    if mask == u64::MAX { base } else { base | PARTIAL }
}

/// Which of the 64 ids from `first` on are in the sorted `map`; all where there is no map.
fn mask(map: &[u32], first: u32) -> u64 {
    if map.is_empty() {
        return u64::MAX;
    }
    let from = map.partition_point(|&id| id < first);
    map.iter()
        .skip(from)
        .take_while(|&&id| id - first < BLOCK)
        .fold(0, |mask, &id| mask | 1 << (id - first))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn column(ids: &[u32]) -> Vec<u8> {
        ids.iter().flat_map(|id| id.to_le_bytes()).collect()
    }

    proptest! {
        #[test]
        fn every_id_comes_back(ids in prop::collection::vec(prop_oneof![0_u32..500, 0_u32..5_000_000, any::<u32>()], 0..400)) {
            let mut dictionary = Ids::default();
            let mut first = Vec::new();
            let bytes = column(&ids);
            prop_assert_eq!(dictionary.map(LeU32::new(&bytes), &mut first), Mapped::default());
            let mut again = Vec::new();
            dictionary.map(LeU32::new(&bytes), &mut again);
            prop_assert_eq!(&first, &again);
            let shared = dictionary.shared();
            for (&dense, &id) in first.iter().zip(&ids) {
                prop_assert_eq!(shared.id(dense), Some(id));
            }
            prop_assert!(shared.len() <= crate::chunk::BUCKETS << dictionary.shift());
        }
    }

    #[test]
    fn neighbours_stay_neighbours() {
        let mut dictionary = Ids::default();
        let mut dense = Vec::new();
        dictionary.map(LeU32::new(&column(&[1_000_005, 70, 71, 1_000_006])), &mut dense);
        assert_eq!(dense[3], dense[0] + 1);
        assert_eq!(dense[2], dense[1] + 1);
        assert_eq!(dictionary.shared().ids().count(), dictionary.shared().len());
    }

    #[test]
    fn ids_outside_the_map_are_counted_before_and_after_they_are_known() {
        let mut dictionary = Ids::default();
        let mut dense = Vec::new();
        let ids = column(&[0, 1, 5000, u32::MAX]);
        assert_eq!(dictionary.map(LeU32::new(&ids), &mut dense).outside, 0);
        dictionary.set_map((1..=200).collect());
        let outside = dictionary.map(LeU32::new(&ids), &mut dense);
        assert_eq!((outside.outside, outside.example), (3, Some(u32::MAX)));
        let fresh = dictionary.map(LeU32::new(&column(&[150, 151, 9_000_000])), &mut dense);
        assert_eq!((fresh.outside, fresh.example), (1, Some(9_000_000)));
        dictionary.set_map(Vec::new());
        assert_eq!(dictionary.map(LeU32::new(&ids), &mut dense).outside, 0);
    }

    #[test]
    fn memory_is_bounded_whatever_ids_arrive() {
        let mut dictionary = Ids::default();
        let mut dense = Vec::new();
        let ids: Vec<u32> = (0..300_000_u32).map(|index| index.wrapping_mul(64 * 229)).collect();
        let mapped = dictionary.map(LeU32::new(&column(&ids)), &mut dense);
        assert_eq!(dictionary.shared().len(), MAX_DENSE_IDS as usize);
        assert_eq!(mapped.no_room, 300_000 - u64::from(MAX_DENSE_IDS / BLOCK));
        assert!(dictionary.heap_bytes() < 64 << 20);
        assert_eq!(dictionary.shift(), 16);
    }
}
