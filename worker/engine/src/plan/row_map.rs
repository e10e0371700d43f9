//! Map from a plan's slots to its rows.

use std::sync::Arc;

use crate::fingerprint::{Digest, Fingerprint};

use super::source::UNMAPPED;

/// Map from slots to rows; clones share it.
#[derive(Debug, Clone)]
pub struct RowMap {
    /// `None` for the identity.
    pub(super) map: Option<Arc<[u32]>>,
    pub(super) fingerprint: Fingerprint,
}

impl RowMap {
    /// Map of slot `i` to row `i`, for any number of slots.
    #[must_use]
    pub fn identity() -> Self {
        Self {
            map: None,
            fingerprint: Digest::new("rows").finish(),
        }
    }

    /// Map of slot `i` to row `map[i]`, or to no row if that is [`UNMAPPED`]; its digest costs a pass over it.
    #[must_use]
    pub fn new(map: Vec<u32>) -> Self {
        let mut digest = Digest::new("rows");
        digest.add(&map);
        Self {
            map: Some(map.into()),
            fingerprint: digest.finish(),
        }
    }

    /// Row of a slot; `None` if the slot has none.
    #[must_use]
    #[inline]
    pub fn row(&self, slot: usize) -> Option<usize> {
        match &self.map {
            None => Some(slot),
            Some(map) => map.get(slot).filter(|row| **row != UNMAPPED).map(|row| *row as usize),
        }
    }
}
