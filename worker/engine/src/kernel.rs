//! The passes over events: id → row → conversion → bin, fused, on the compute pool.
//!
//! Promises: a pass reads each event once; rows are owned by one task at a time, so that results do not depend on
//! scheduling; the cancel flag is polled between buckets. What is computed here is exact counts; weights come in
//! when the counts are read, or, where the spectra of one row weigh differently, in [`weigh`].
//!
//! # Layout
//! [`table`] (what is known of each id) → [`tasks`] (who owns which rows) → [`block`] (selected events, converted) →
//! [`scatter`] (bins; [`vector`] does eight events at a time, [`stretch`] finds those of few pulses, [`prefetch`] has them in
//! time) through a [`sink`] into [`grid`], or few of them by [`listing`] into a [`tally`]; [`gather`] takes events out instead, [`weigh`]
//! bins weights.

pub(crate) mod block;
pub(crate) mod gather;
pub(crate) mod grid;
mod listing;
pub(crate) mod prefetch;
pub(crate) mod scatter;
pub(crate) mod sink;
pub(crate) mod stretch;
pub(crate) mod table;
pub(crate) mod tally;
pub(crate) mod tasks;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod vector;
pub(crate) mod weigh;

use std::sync::Arc;

use crate::chunk::{Chunk, Tail};
use crate::selection::Bitmap;

/// One sealed chunk and the pulses of it that a pass adds or takes away.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    pub(crate) chunk: Arc<Chunk>,
    pub(crate) pulses: Arc<Bitmap>,
    pub(crate) subtract: bool,
}

/// A tail and its selected pulses.
#[derive(Debug, Clone)]
pub(crate) struct TailPass {
    pub(crate) tail: Arc<Tail>,
    pub(crate) pulses: Arc<Bitmap>,
}
