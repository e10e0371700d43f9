//! Prefetch of events: the processor's own prefetcher stops at the end of each page (512 events).
//!
//! Promises: changes only the caches; does nothing except on x86-64.

use crate::chunk::Event;

/// Distance of a prefetch ahead of the current event, in events.
pub(crate) const AHEAD: usize = 256;
/// Events per cache line (64 bytes).
pub(crate) const LINE: usize = 8;

/// Prefetches the cache line of event `at`; does nothing beyond the end.
#[inline(always)]
pub(crate) fn prefetch(events: &[Event], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(event) = events.get(at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 processor has the instruction; it changes nothing that a program can see.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(event).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (events, at);
}

/// Prefetches the first [`AHEAD`] events.
pub(crate) fn prefetch_first(events: &[Event]) {
    for at in (0..AHEAD.min(events.len())).step_by(LINE) {
        prefetch(events, at);
    }
}
