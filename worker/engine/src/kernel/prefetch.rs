//! Asking memory for events before they are looked at: the processor's own guess ends with each page of 512 of them.
//!
//! Promises: nothing changes but what is in the caches. Elsewhere than on x86-64 it does nothing.

use crate::chunk::Event;

/// How many events ahead of those that are looked at memory is asked for the next ones.
pub(crate) const AHEAD: usize = 256;
/// Events in a line of the cache.
pub(crate) const LINE: usize = 8;

/// Asks for the line of one event, if there is one.
#[inline(always)]
pub(crate) fn ask(events: &[Event], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(event) = events.get(at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 processor has the instruction; it changes nothing that a program can see.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(event).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (events, at);
}

/// Asks for the first events.
pub(crate) fn ask_first(events: &[Event]) {
    for at in (0..AHEAD.min(events.len())).step_by(LINE) {
        ask(events, at);
    }
}
