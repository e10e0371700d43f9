//! Ranges of selected pulses, and the search for their events in a bucket without a pass over all of it.
//!
//! Promises: finds exactly the events of the selected pulses in a chunk whose buckets are in pulse order. The search
//! starts at the position that a constant rate would give and widens exponentially (galloping search). In a steady
//! stream it reads one or two cache lines, which can be prefetched.

use std::ops::Range;

use crate::chunk::{BUCKETS, Event};
use crate::kernel::Pass;
use crate::kernel::prefetch::{LINE, prefetch};

/// Ranges of selected pulse indices, ascending and disjoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PulseRanges {
    ranges: Vec<Range<u16>>,
    /// Number of pulses of the chunk.
    pulses: usize,
}

impl PulseRanges {
    /// Ranges of a pass; `None` if it selects so many pulses that a pass over every event is cheaper.
    pub(crate) fn of(pass: &Pass) -> Option<Self> {
        // The search for one pulse costs about as much as a pass over 48 events.
        let most = pass.chunk.events().len() / BUCKETS / 48;
        if pass.pulses.is_full() || !pass.chunk.ascending || pass.pulses.count() > most {
            return None;
        }
        let mut ranges: Vec<Range<u16>> = Vec::new();
        for pulse in pass.pulses.iter() {
            let pulse = u16::try_from(pulse).ok()?;
            match ranges.last_mut() {
                Some(last) if last.end == pulse => last.end = pulse.saturating_add(1),
                _ => ranges.push(pulse..pulse.saturating_add(1)),
            }
        }
        Some(Self {
            ranges,
            pulses: pass.pulses.len(),
        })
    }

    /// Index of a pulse's first event in a bucket, as if all pulses had equally many.
    fn guess(&self, events: &[Event], pulse: u16) -> usize {
        events.len() * usize::from(pulse) / self.pulses.max(1)
    }

    /// Prefetches the probable positions of the ranges in a bucket.
    pub(crate) fn prefetch(&self, events: &[Event]) {
        for range in &self.ranges {
            let at = self.guess(events, range.start);
            prefetch(events, at.saturating_sub(LINE));
            prefetch(events, at);
            prefetch(events, at + LINE);
        }
    }

    /// Calls `visit` with the events of each range in a bucket.
    pub(crate) fn each<'e>(&self, events: &'e [Event], mut visit: impl FnMut(&'e [Event])) {
        for range in &self.ranges {
            let from = first_of(events, range.start, self.guess(events, range.start));
            let rest = events.get(from..).unwrap_or_default();
            let to = first_of(rest, range.end, self.guess(events, range.end - range.start));
            visit(rest.get(..to).unwrap_or_default());
        }
    }
}

/// Index of the first event whose pulse is not below `pulse`; the search starts at `near`.
fn first_of(events: &[Event], pulse: u16, near: usize) -> usize {
    let before = |at: usize| events.get(at).is_some_and(|event| event.pulse() < pulse);
    let mut step = LINE;
    // Events before `low` have pulses below `pulse`; events from `high` on have not.
    let (mut low, mut high) = (0, events.len());
    if before(near) {
        low = near + 1;
        while low + step < high {
            if !before(low + step) {
                high = low + step;
                break;
            }
            low += step + 1;
            step *= 2;
        }
    } else {
        high = near.min(high);
        while high > step {
            if before(high - step) {
                low = high - step + 1;
                break;
            }
            high -= step;
            step *= 2;
        }
    }
    low + events
        .get(low..high)
        .unwrap_or_default()
        .partition_point(|event| event.pulse() < pulse)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::kernel::testing::sealed;
    use crate::selection::Bitmap;

    proptest! {
        #[test]
        fn a_pulse_is_found_wherever_the_search_begins(
            pulses in prop::collection::vec(0_u16..60, 0..400), pulse in 0_u16..70, near in 0_usize..500,
        ) {
            let mut pulses = pulses;
            pulses.sort_unstable();
            let events: Vec<Event> = pulses.iter().map(|pulse| Event::new(7, *pulse, 1)).collect();
            prop_assert_eq!(first_of(&events, pulse, near), pulses.partition_point(|other| *other < pulse));
        }
    }

    #[test]
    fn few_pulses_are_ranges_many_are_not() {
        let raw: Vec<_> = (0..300_000_u32).map(|at| (at, (at / 1000) as u16, at % 700)).collect();
        let chunk = sealed(&raw, &vec![0; 300]);
        let of = |pulses: Bitmap| {
            PulseRanges::of(&Pass {
                chunk: Arc::clone(&chunk),
                pulses: Arc::new(pulses),
                subtract: false,
            })
        };
        let few = of(Bitmap::from_fn(300, |pulse| [0, 7, 8, 9, 299].contains(&pulse))).unwrap();
        assert_eq!(few.ranges, [0..1, 7..10, 299..300]);
        assert_eq!(of(Bitmap::from_fn(300, |pulse| pulse % 2 == 0)), None);
        assert_eq!(of(Bitmap::all(300)), None);
        let mut found = 0;
        for bucket in 0..BUCKETS {
            few.prefetch(chunk.bucket(bucket));
            few.each(chunk.bucket(bucket), |events| found += events.len());
        }
        assert_eq!(found, 5000);
    }
}
