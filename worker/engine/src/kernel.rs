//! The passes over events: id → row → conversion → bin, fused, on the compute pool.
//!
//! Promises: a pass reads each event once; rows are owned by one task at a time, so that results do not depend on
//! scheduling; the cancel flag is polled between buckets. What is computed here is exact counts; weights come in
//! when the counts are read, or, where the spectra of one row weigh differently, in [`weigh`].
//!
//! # Layout
//! [`table`] (what is known of each id) → [`tasks`] (who owns which rows) → [`block`] (selected events, converted) →
//! [`scatter`] (bins; [`vector`] does eight events at a time) through a [`sink`] into [`grid`]; [`gather`] takes events out instead,
//! [`weigh`] bins weights.

pub(crate) mod block;
pub(crate) mod gather;
pub(crate) mod grid;
pub(crate) mod scatter;
pub(crate) mod sink;
pub(crate) mod table;
pub(crate) mod tasks;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod vector;
pub(crate) mod weigh;

use std::ops::Range;
use std::sync::Arc;

use crate::chunk::{BUCKETS, Chunk, Tail};
use crate::selection::Bitmap;

/// One sealed chunk and the pulses of it that a pass adds or takes away.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    pub(crate) chunk: Arc<Chunk>,
    pub(crate) pulses: Arc<Bitmap>,
    pub(crate) subtract: bool,
}

impl Pass {
    /// The stretches of selected pulses, where there are so few of them that looking for their events in a bucket is
    /// cheaper than looking at every event.
    pub(crate) fn stretches(&self) -> Option<Vec<Range<u16>>> {
        // A look at an event costs about as much as a step of a search; the margin is for stretches that are long.
        let bucket = self.chunk.events().len() / BUCKETS;
        let most = bucket / 48;
        if self.pulses.is_full() || !self.chunk.ascending || self.pulses.count() > most {
            return None;
        }
        let mut stretches: Vec<Range<u16>> = Vec::new();
        for pulse in self.pulses.iter() {
            let pulse = u16::try_from(pulse).ok()?;
            match stretches.last_mut() {
                Some(last) if last.end == pulse => last.end = pulse.saturating_add(1),
                _ => stretches.push(pulse..pulse.saturating_add(1)),
            }
        }
        Some(stretches)
    }
}

/// A tail and its selected pulses.
#[derive(Debug, Clone)]
pub(crate) struct TailPass {
    pub(crate) tail: Arc<Tail>,
    pub(crate) pulses: Arc<Bitmap>,
}
