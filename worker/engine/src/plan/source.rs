//! What a plan reads: chunks of the stream with the pulses that are selected of each, or columns; and the map from
//! the stream's ids to the plan's slots.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::chunk::ChunkView;
use crate::columns::Columns;
use crate::dictionary::Dictionary;
use crate::fingerprint::{Digest, Fingerprint};
use crate::selection::Bitmap;

/// No slot, no row: an id outside the map, a spectrum left out.
pub const NONE: u32 = u32::MAX;

/// One chunk and which of its pulses count.
#[derive(Debug, Clone)]
pub struct ChunkPart {
    /// The events.
    pub chunk: ChunkView,
    /// The pulses whose events are in the view.
    pub selected: Arc<Bitmap>,
    /// The pulses that nothing will change in the normal course of things: only they enter a memo. `None` when all
    /// are settled. The bits of pulses that are not selected don't matter.
    pub settled: Option<Arc<Bitmap>>,
}

/// From dense ids to slots, the spectra of a plan's source.
#[derive(Debug, Clone)]
pub struct SlotMap {
    slots: usize,
    dense: Arc<[u32]>,
    fingerprint: Fingerprint,
}

impl SlotMap {
    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// How many dense ids the map covers; those beyond are outside the map.
    #[must_use]
    pub fn ids(&self) -> usize {
        self.dense.len()
    }

    /// The slot of a dense id.
    #[must_use]
    #[inline]
    pub fn slot(&self, dense: usize) -> Option<usize> {
        self.dense
            .get(dense)
            .filter(|slot| **slot != NONE)
            .map(|slot| *slot as usize)
    }

    /// How many dense ids of the stream have no slot.
    #[must_use]
    pub fn outside(&self) -> usize {
        self.dense.iter().filter(|slot| **slot == NONE).count()
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

/// From the stream's ids (spectrum numbers or detector ids) to slots: made once for a run and an instrument.
#[derive(Debug)]
pub struct SlotTable {
    slots: usize,
    by_id: HashMap<u32, u32>,
    fingerprint: Fingerprint,
    /// The map for the dictionary's version that was asked for last: ids are added rarely.
    resolved: Mutex<Option<(usize, SlotMap)>>,
}

impl SlotTable {
    /// Takes (id, slot) pairs; a pair whose slot is not below `slots` is left out, the last pair of an id counts.
    #[must_use]
    pub fn new(slots: usize, pairs: impl IntoIterator<Item = (u32, usize)>) -> Self {
        let slots = slots.min(NONE as usize);
        let mut digest = Digest::new("slots");
        digest.add(slots);
        let mut by_id = HashMap::new();
        for (id, slot) in pairs {
            if slot < slots {
                by_id.insert(id, slot as u32);
                digest.add((id, slot));
            }
        }
        Self {
            slots,
            by_id,
            fingerprint: digest.finish(),
            resolved: Mutex::new(None),
        }
    }

    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// The slot of an id.
    #[must_use]
    pub fn slot(&self, id: u32) -> Option<usize> {
        self.by_id.get(&id).map(|slot| *slot as usize)
    }

    /// The map for the dense ids that a dictionary has by now.
    #[must_use]
    pub fn resolve(&self, dictionary: &Dictionary) -> SlotMap {
        let mut resolved = self.resolved.lock();
        if let Some((version, map)) = &*resolved
            && *version == dictionary.version()
        {
            return map.clone();
        }
        let dense = dictionary
            .ids()
            .map(|id| self.by_id.get(&id).copied().unwrap_or(NONE))
            .collect();
        let map = SlotMap {
            slots: self.slots,
            dense,
            fingerprint: self.fingerprint,
        };
        *resolved = Some((dictionary.version(), map.clone()));
        map
    }

    /// The map for dense ids listed in order.
    #[must_use]
    pub fn resolve_ids(&self, ids: impl IntoIterator<Item = u32>) -> SlotMap {
        let dense = ids
            .into_iter()
            .map(|id| self.by_id.get(&id).copied().unwrap_or(NONE))
            .collect();
        SlotMap {
            slots: self.slots,
            dense,
            fingerprint: self.fingerprint,
        }
    }
}

/// Where a term's events come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A view of the stream.
    Stream {
        /// The chunks with their pulses.
        parts: Arc<[ChunkPart]>,
        /// From dense ids to slots.
        slots: SlotMap,
        /// Which view this is: a run, a period, a filter. Views of one lane differ by what arrived and by late
        /// metadata only, so that they share a memo.
        lane: Fingerprint,
    },
    /// Materialised events; a slot is a row of the columns, and values are in the unit that the term's transform
    /// starts from.
    Columns(Arc<Columns>),
}

impl Source {
    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        match self {
            Self::Stream { slots, .. } => slots.slots(),
            Self::Columns(columns) => columns.rows(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn ids_outside_the_table_have_no_slot() {
        let table = SlotTable::new(2, [(10, 0), (11, 1), (12, 1), (13, 2)]);
        let map = table.resolve_ids([13, 12, 11, 99]);
        assert_eq!(
            (0..5).map(|dense| map.slot(dense)).collect::<Vec<_>>(),
            [None, Some(1), Some(1), None, None]
        );
        assert_eq!((map.slots(), map.ids(), map.outside()), (2, 4, 2));
    }

    #[test]
    fn a_table_is_known_by_its_content_not_by_the_ids_seen() {
        let table = SlotTable::new(2, [(10, 0), (11, 1)]);
        assert_eq!(
            table.resolve_ids([10]).fingerprint(),
            table.resolve_ids([10, 11]).fingerprint()
        );
        assert_ne!(table.fingerprint, SlotTable::new(2, [(10, 1), (11, 0)]).fingerprint);
    }
}
