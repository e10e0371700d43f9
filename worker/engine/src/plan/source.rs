//! Sources of a plan: chunks of the stream with selected pulses, or columns; and the map from event ids to slots.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::chunk::ChunkView;
use crate::columns::Columns;
use crate::dictionary::Dictionary;
use crate::fingerprint::{Digest, Fingerprint};
use crate::selection::Bitmap;

/// Entry of a map for an id without a slot, or a slot without a row.
pub const UNMAPPED: u32 = u32::MAX;

/// Identity of a view of the stream: a run, a period of it, a filter.
///
/// Plans of one view id differ only by events that arrived since and by late metadata, so that they share memos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ViewId(Fingerprint);

impl From<Fingerprint> for ViewId {
    fn from(fingerprint: Fingerprint) -> Self {
        Self(fingerprint)
    }
}

/// Chunk with the selection of its pulses that belong to a view.
#[derive(Debug, Clone)]
pub struct SourceChunk {
    pub chunk: ChunkView,
    /// Pulses whose events belong to the view.
    pub selected: Arc<Bitmap>,
    /// Pulses that have their metadata and rarely change: only they enter a memo. `None` if all are settled. Bits of
    /// pulses that are not selected have no effect.
    pub settled: Option<Arc<Bitmap>>,
}

/// Map from dense ids to slots, the spectra of a plan's source; clones share it.
#[derive(Debug, Clone)]
pub struct SlotMap {
    slots: usize,
    dense: Arc<[u32]>,
    fingerprint: Fingerprint,
}

impl SlotMap {
    /// Number of slots (spectra of the plan's source).
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Number of dense ids that the map covers; ids beyond have no slot.
    #[must_use]
    pub fn ids(&self) -> usize {
        self.dense.len()
    }

    /// Slot of a dense id; `None` if it has none.
    #[must_use]
    #[inline]
    pub fn slot(&self, dense: usize) -> Option<usize> {
        self.dense
            .get(dense)
            .filter(|slot| **slot != UNMAPPED)
            .map(|slot| *slot as usize)
    }

    /// Number of dense ids without a slot.
    #[must_use]
    pub fn outside(&self) -> usize {
        self.dense.iter().filter(|slot| **slot == UNMAPPED).count()
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

/// Map from event ids (spectrum numbers or detector ids) to slots; made once per run and instrument.
#[derive(Debug)]
pub struct SlotTable {
    slots: usize,
    by_id: HashMap<u32, u32>,
    fingerprint: Fingerprint,
    /// Dictionary version and map of the latest call: ids are added rarely.
    resolved: Mutex<Option<(usize, SlotMap)>>,
}

impl SlotTable {
    /// Map of `(id, slot)` pairs. A pair with `slot >= slots` is ignored; the last pair of an id counts.
    #[must_use]
    pub fn new(slots: usize, pairs: impl IntoIterator<Item = (u32, usize)>) -> Self {
        let slots = slots.min(UNMAPPED as usize);
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

    /// Number of slots; a slot of a pair lies below it.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Slot of an event id; `None` if it has none.
    #[must_use]
    pub fn slot(&self, id: u32) -> Option<usize> {
        self.by_id.get(&id).map(|slot| *slot as usize)
    }

    /// Map for the dense ids of a dictionary; O(1) if the dictionary has not grown since the latest call.
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
            .map(|id| self.by_id.get(&id).copied().unwrap_or(UNMAPPED))
            .collect();
        let map = SlotMap {
            slots: self.slots,
            dense,
            fingerprint: self.fingerprint,
        };
        *resolved = Some((dictionary.version(), map.clone()));
        map
    }

    /// Map for event ids that are listed in the order of their dense ids.
    #[must_use]
    pub fn resolve_ids(&self, ids: impl IntoIterator<Item = u32>) -> SlotMap {
        let dense = ids
            .into_iter()
            .map(|id| self.by_id.get(&id).copied().unwrap_or(UNMAPPED))
            .collect();
        SlotMap {
            slots: self.slots,
            dense,
            fingerprint: self.fingerprint,
        }
    }
}

/// Origin of a term's events.
#[derive(Debug, Clone)]
pub enum TermSource {
    /// View of the stream.
    Stream {
        parts: Arc<[SourceChunk]>,
        slots: SlotMap,
        view_id: ViewId,
    },
    /// Materialised events: a slot is a row of the columns, with values in the unit before the term's transform.
    Columns(Arc<Columns>),
}

impl TermSource {
    /// Number of slots: those of the slot map, or the rows of the columns.
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
