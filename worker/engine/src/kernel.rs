//! Kernels: fused passes over events (id → row → conversion → bin) on the compute pool.
//!
//! Promises: a pass reads each event once. One task at a time writes a row, so that results do not depend on
//! scheduling. The cancel flag is polled between buckets. Kernels compute exact counts. Weights are applied on reading,
//! or in [`weigh`] if the spectra of one row have different weights.
//!
//! # Layout
//! [`table`] (row and constants by dense id) → [`tasks`] (rows by task) → [`block`] (selected events, converted) →
//! [`scatter`] (bins) → [`sink`] → [`grid`]. Binning uses [`vector`] for eight events at a time, [`pulse_ranges`] for
//! few pulses, and [`prefetch`]. Few events go through [`listing`] into a [`tally`]. [`gather`] reads events, [`weigh`]
//! bins weights.

pub(crate) mod block;
pub(crate) mod gather;
pub(crate) mod grid;
mod listing;
pub(crate) mod prefetch;
pub(crate) mod pulse_ranges;
pub(crate) mod scatter;
pub(crate) mod sink;
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

/// Sealed chunk and the pulses that a pass adds or subtracts.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    pub(crate) chunk: Arc<Chunk>,
    pub(crate) pulses: Arc<Bitmap>,
    pub(crate) subtract: bool,
}

/// Tail and its selected pulses.
#[derive(Debug, Clone)]
pub(crate) struct TailPass {
    pub(crate) tail: Arc<Tail>,
    pub(crate) pulses: Arc<Bitmap>,
}
