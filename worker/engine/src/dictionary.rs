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
