//! Append-only dictionary of event ids: id ↔ dense id (Arrow's dictionary encoding, in blocks of 64).
//!
//! Promises: a dense id never changes. 64 neighbouring ids get 64 neighbouring dense ids: a look-up is one read of a
//! small table, and buckets hold neighbours. Memory is bounded for any ids. It must not know instruments: the spectrum
//! of an id is decided at reduction.

use std::collections::HashMap;
use std::sync::Arc;

use crate::chunk::MAX_DENSE_IDS;
use crate::wire::LeU32;

/// Ids per block.
const BLOCK: u32 = 64;
/// Ids below this are looked up in a table, others in a hash map.
const DIRECT_IDS: u32 = 1 << 26;
/// Flag of a table entry: the block has no dense ids.
const UNKNOWN: u32 = 1 << 31;
/// Flag of a table entry: not all 64 ids of the block are in the run's map.
const PARTIAL: u32 = 1 << 30;
/// Mask of the first dense id in a table entry.
const BASE: u32 = MAX_DENSE_IDS - 1;

/// Dictionary at one moment, as snapshots hold it.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    /// First id of every block of 64 dense ids.
    firsts: Arc<Vec<u32>>,
}

impl Dictionary {
    /// Number of dense ids, a multiple of 64; many of them may have no event.
    #[must_use]
    pub fn len(&self) -> usize {
        self.firsts.len() * BLOCK as usize
    }

    /// True before the first event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.firsts.is_empty()
    }

    /// Id (spectrum number or detector id, as on the wire) of a dense id.
    #[must_use]
    pub fn id(&self, dense: u32) -> Option<u32> {
        self.firsts
            .get((dense / BLOCK) as usize)
            .map(|first| first + dense % BLOCK)
    }

    /// Ids in the order of their dense ids.
    pub fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.firsts
            .iter()
            .flat_map(|&first| (0..BLOCK).map(move |low| first + low))
    }

    /// Version number; changes exactly when dense ids are added.
    #[must_use]
    pub fn version(&self) -> usize {
        self.firsts.len()
    }
}

/// Dictionary of the timeline, with the table for its look-ups.
#[derive(Debug, Default)]
pub(crate) struct IdDictionary {
    snapshot: Dictionary,
    table: Vec<u32>,
    hashed_blocks: HashMap<u32, u32>,
    /// Ids of the run's map, sorted; empty without a map to check against.
    map: Vec<u32>,
    /// Bits of the ids that are in the map, by block of dense ids.
    masks: Vec<u64>,
}

/// Result of looking up a column of ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MappedIds {
    /// Number of ids that the full dictionary could not hold; their dense id is [`NO_DENSE_ID`].
    pub(crate) unmapped: u64,
    /// Number of ids outside the run's map; 0 without a map.
    pub(crate) outside: u64,
    /// Last of the ids outside the map.
    pub(crate) example: Option<u32>,
}

/// Dense id of an id that the full dictionary could not hold.
pub(crate) const NO_DENSE_ID: u32 = u32::MAX;

impl IdDictionary {
    /// Dictionary for a snapshot.
    pub(crate) fn snapshot(&self) -> &Dictionary {
        &self.snapshot
    }

    /// Bits of a dense id within its bucket, in `[6, 16]`, such that 256 buckets hold all dense ids.
    pub(crate) fn shift(&self) -> u32 {
        let mut shift = BLOCK.trailing_zeros();
        while shift < 16 && self.snapshot.len() > crate::chunk::BUCKETS << shift {
            shift += 1;
        }
        shift
    }

    /// Sets the expected ids of events; an empty list stops the check.
    pub(crate) fn set_map(&mut self, mut ids: Vec<u32>) {
        ids.sort_unstable();
        ids.dedup();
        self.map = ids;
        self.masks = self
            .snapshot
            .firsts
            .iter()
            .map(|&first| mask(&self.map, first))
            .collect();
        for (dense, (&first, &mask)) in self.snapshot.firsts.iter().zip(&self.masks).enumerate() {
            if let Some(entry) = self.table.get_mut((first / BLOCK) as usize) {
                *entry = table_entry(dense, mask);
            }
        }
    }

    /// Appends the dense id of each id to `dense`; new ids enter the dictionary.
    pub(crate) fn append_dense(&mut self, ids: LeU32<'_>, dense: &mut Vec<u32>) -> MappedIds {
        let start = dense.len();
        let (table, mut flags) = (self.table.as_slice(), 0);
        dense.extend(ids.iter().map(|id| {
            let entry = table.get((id / BLOCK) as usize).copied().unwrap_or(UNKNOWN);
            flags |= entry;
            (entry & (BASE | UNKNOWN)) + id % BLOCK
        }));
        let mut mapped = MappedIds::default();
        if flags & UNKNOWN != 0 {
            for (index, id) in ids.iter().enumerate() {
                if let Some(dense) = dense.get_mut(start + index)
                    && *dense & UNKNOWN != 0
                {
                    *dense = self.dense(id);
                    mapped.unmapped += u64::from(*dense == NO_DENSE_ID);
                }
            }
        }
        if !self.map.is_empty() && flags & (PARTIAL | UNKNOWN) != 0 {
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

    /// Dense id of one id, which enters the dictionary if it is new.
    fn dense(&mut self, id: u32) -> u32 {
        let block = id / BLOCK;
        let known = if id < DIRECT_IDS {
            self.table
                .get(block as usize)
                .filter(|&&entry| entry & UNKNOWN == 0)
                .map(|entry| entry & BASE)
        } else {
            self.hashed_blocks.get(&block).copied()
        };
        let base = match known {
            Some(base) => base,
            None if self.snapshot.len() >= MAX_DENSE_IDS as usize => return NO_DENSE_ID,
            None => self.append(block),
        };
        base + id % BLOCK
    }

    #[allow(clippy::cast_possible_truncation)]
    fn append(&mut self, block: u32) -> u32 {
        let first = block * BLOCK;
        let index = self.snapshot.firsts.len();
        let base = index as u32 * BLOCK;
        Arc::make_mut(&mut self.snapshot.firsts).push(first);
        let mask = mask(&self.map, first);
        self.masks.push(mask);
        if first < DIRECT_IDS {
            let slot = block as usize;
            if self.table.len() <= slot {
                self.table.resize(slot + 1, UNKNOWN);
            }
            if let Some(entry) = self.table.get_mut(slot) {
                *entry = table_entry(index, mask);
            }
        } else {
            self.hashed_blocks.insert(block, base);
        }
        base
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.table.capacity() * 4
            + self.hashed_blocks.capacity() * 9
            + self.snapshot.len() / BLOCK as usize * 12
            + self.map.len() * 4
    }
}

#[allow(clippy::cast_possible_truncation)]
const fn table_entry(index: usize, mask: u64) -> u32 {
    let base = (index as u32 * BLOCK) & BASE;
    if mask == u64::MAX { base } else { base | PARTIAL }
}

/// Bits of the 64 ids from `first` on that are in the sorted `map`; all bits without a map.
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
            let mut dictionary = IdDictionary::default();
            let mut first = Vec::new();
            let bytes = column(&ids);
            prop_assert_eq!(dictionary.append_dense(LeU32::new(&bytes), &mut first), MappedIds::default());
            let mut again = Vec::new();
            dictionary.append_dense(LeU32::new(&bytes), &mut again);
            prop_assert_eq!(&first, &again);
            let snapshot = dictionary.snapshot();
            for (&dense, &id) in first.iter().zip(&ids) {
                prop_assert_eq!(snapshot.id(dense), Some(id));
            }
            prop_assert!(snapshot.len() <= crate::chunk::BUCKETS << dictionary.shift());
        }
    }

    #[test]
    fn neighbours_stay_neighbours() {
        let mut dictionary = IdDictionary::default();
        let mut dense = Vec::new();
        dictionary.append_dense(LeU32::new(&column(&[1_000_005, 70, 71, 1_000_006])), &mut dense);
        assert_eq!(dense[3], dense[0] + 1);
        assert_eq!(dense[2], dense[1] + 1);
        assert_eq!(dictionary.snapshot().ids().count(), dictionary.snapshot().len());
    }

    #[test]
    fn ids_outside_the_map_are_counted_before_and_after_they_are_known() {
        let mut dictionary = IdDictionary::default();
        let mut dense = Vec::new();
        let ids = column(&[0, 1, 5000, u32::MAX]);
        assert_eq!(dictionary.append_dense(LeU32::new(&ids), &mut dense).outside, 0);
        dictionary.set_map((1..=200).collect());
        let outside = dictionary.append_dense(LeU32::new(&ids), &mut dense);
        assert_eq!((outside.outside, outside.example), (3, Some(u32::MAX)));
        let fresh = dictionary.append_dense(LeU32::new(&column(&[150, 151, 9_000_000])), &mut dense);
        assert_eq!((fresh.outside, fresh.example), (1, Some(9_000_000)));
        dictionary.set_map(Vec::new());
        assert_eq!(dictionary.append_dense(LeU32::new(&ids), &mut dense).outside, 0);
    }

    #[test]
    fn memory_is_bounded_whatever_ids_arrive() {
        let mut dictionary = IdDictionary::default();
        let mut dense = Vec::new();
        let ids: Vec<u32> = (0..300_000_u32).map(|index| index.wrapping_mul(64 * 229)).collect();
        let mapped = dictionary.append_dense(LeU32::new(&column(&ids)), &mut dense);
        assert_eq!(dictionary.snapshot().len(), MAX_DENSE_IDS as usize);
        assert_eq!(mapped.unmapped, 300_000 - u64::from(MAX_DENSE_IDS / BLOCK));
        assert!(dictionary.heap_bytes() < 64 << 20);
        assert_eq!(dictionary.shift(), 16);
    }
}
