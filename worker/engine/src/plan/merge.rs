//! Merging of terms that read different events of the stream in the same way.
//!
//! Promises: same events, values and weights in fewer terms. A workspace of chunks added one by one is then read as
//! fast as one of all chunks at once. Terms with a pulse in common are not merged.

use std::collections::HashMap;
use std::sync::Arc;

use super::EventPlan;
use super::source::{SourceChunk, TermSource, ViewId};
use super::term::Term;
use super::weights::Weights;

impl EventPlan {
    /// Plan with the terms of the stream merged that have the same conversion, rows and weights. `view_id` becomes the
    /// identity of the merged views.
    #[must_use]
    pub fn merge_terms(&self, view_id: ViewId) -> Self {
        let mut terms: Vec<Term> = Vec::with_capacity(self.terms.len());
        for term in self.terms.iter() {
            let index = terms.iter().position(|known| joined(known, term, view_id).is_some());
            match index.and_then(|index| terms.get_mut(index)) {
                Some(known) => {
                    if let Some(both) = joined(known, term, view_id) {
                        *known = both;
                    }
                }
                None => terms.push(term.clone()),
            }
        }
        Self {
            rows: self.rows,
            terms: terms.into(),
        }
    }
}

/// Both terms as one; `None` if they differ or have a pulse in common.
fn joined(left: &Term, right: &Term, view_id: ViewId) -> Option<Term> {
    let (
        TermSource::Stream {
            parts: left_parts,
            slots: left_slots,
            ..
        },
        TermSource::Stream {
            parts: right_parts,
            slots: right_slots,
            ..
        },
    ) = (&left.source, &right.source)
    else {
        return None;
    };
    let same_way = left.key(left_slots, view_id).finish() == right.key(right_slots, view_id).finish();
    if !same_way || !same_weights(&left.weights, &right.weights) {
        return None;
    }
    let parts = union(left_parts, right_parts)?;
    // The dictionary only grows: the longer map has the ids of both.
    let slots = if left_slots.ids() > right_slots.ids() {
        left_slots
    } else {
        right_slots
    };
    Some(Term {
        source: TermSource::Stream {
            parts,
            slots: slots.clone(),
            view_id,
        },
        ..right.clone()
    })
}

fn same_weights(left: &Weights, right: &Weights) -> bool {
    match (left, right) {
        (Weights::Plain, Weights::Plain) => true,
        (Weights::Uniform(a), Weights::Uniform(b)) => a == b,
        (Weights::PerSlot(a), Weights::PerSlot(b)) => a == b,
        _ => false,
    }
}

/// Union of chunks and of their selected pulses; `None` if a pulse is selected in both.
fn union(left: &[SourceChunk], right: &[SourceChunk]) -> Option<Arc<[SourceChunk]>> {
    let mut parts = left.to_vec();
    let places: HashMap<u64, usize> = parts
        .iter()
        .enumerate()
        .map(|(at, part)| (part.chunk.id(), at))
        .collect();
    if places.len() != parts.len() {
        return None;
    }
    for part in right {
        let Some(known) = places.get(&part.chunk.id()).and_then(|at| parts.get_mut(*at)) else {
            parts.push(part.clone());
            continue;
        };
        if known.selected.and(&part.selected).any() {
            return None;
        }
        let settled = |part: &SourceChunk| match &part.settled {
            None => Arc::clone(&part.selected),
            Some(settled) => Arc::new(part.selected.and(settled)),
        };
        let (before, after) = (settled(known), settled(part));
        let all = known.settled.is_none() && part.settled.is_none();
        // The chunk view with more pulses is the later one: a sealed chunk, or a longer tail.
        if part.chunk.pulse_times().len() >= known.chunk.pulse_times().len() {
            known.chunk = part.chunk.clone();
        }
        known.settled = (!all).then(|| Arc::new(before.or(&after)));
        known.selected = Arc::new(known.selected.or(&part.selected));
        if let Some(settled) = &mut known.settled {
            Arc::make_mut(settled).grow(known.selected.len());
        }
    }
    Some(parts.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::cancel::Cancel;
    use crate::chunk::{ChunkView, Tail};
    use crate::edges::{Binning, Edges};
    use crate::fingerprint::Digest;
    use crate::kernel::testing::{Raw, sealed, tail};
    use crate::memo::Memos;
    use crate::plan::{Factor, SlotTable};
    use crate::selection::Bitmap;
    use crate::transform::{Coefficient, ConversionStep};

    fn events(pulses: u16) -> Vec<Raw> {
        (0..u32::from(pulses) * 10)
            .map(|n| (n * 37 % 20_000, (n / 10) as u16, n % 8))
            .collect()
    }

    fn part(chunk: &ChunkView, keep: impl FnMut(usize) -> bool) -> SourceChunk {
        SourceChunk {
            chunk: chunk.clone(),
            selected: Arc::new(Bitmap::from_fn(chunk.pulse_times().len(), keep)),
            settled: None,
        }
    }

    fn view_id(name: &str) -> ViewId {
        Digest::new(name).finish().into()
    }

    fn plan(parts: Vec<SourceChunk>, ids: u32, name: &str) -> EventPlan {
        let table = SlotTable::new(8, (0..8).map(|id| (id, id as usize)));
        let plan = EventPlan::stream(parts.into(), table.resolve_ids(0..ids), view_id(name));
        let constants = Coefficient::per_slot((0..8).map(f64::from).collect::<Vec<_>>());
        let step = ConversionStep::linear(constants, Coefficient::Uniform(1.0));
        plan.convert(&step).unwrap().scale(Factor {
            value: 2.0,
            error_squared: 0.5,
        })
    }

    fn read(plan: &EventPlan) -> Vec<Vec<f64>> {
        let edges = Edges::new((0..40).map(|n| f64::from(n) * 5.0).collect::<Vec<_>>()).unwrap();
        let counts = plan
            .histogram(&Binning::Common(edges), &Cancel::new(), &Memos::new(1 << 20))
            .unwrap();
        (0..8)
            .map(|row| {
                let mut out = vec![0.0; 39];
                counts.row_y(row, &mut out);
                out
            })
            .collect()
    }

    #[test]
    fn chunks_of_a_run_become_one_term_that_reads_the_same() {
        let times: Vec<i64> = (0..9).collect();
        let (one, two) = (
            ChunkView::Sealed(sealed(&events(9), &times)),
            ChunkView::Tail(tail(&events(4), &times[..4])),
        );
        let first = plan(vec![part(&one, |pulse| pulse % 3 == 0)], 8, "a");
        let second = plan(
            vec![part(&one, |pulse| pulse % 3 == 1), part(&two, |pulse| pulse < 2)],
            9,
            "b",
        );
        let both = first.plus(&second).unwrap();
        let gathered = both.merge_terms(view_id("all"));
        assert_eq!((both.terms().len(), gathered.terms().len()), (2, 1));
        assert_eq!(read(&gathered), read(&both));
        assert!(read(&gathered).iter().flatten().sum::<f64>() > 0.0);
    }

    #[test]
    fn a_tail_that_grew_is_read_in_its_later_form() {
        let times: Vec<i64> = (0..9).collect();
        let short = tail(&events(4), &times[..4]);
        let long = tail(&events(9), &times);
        let long = ChunkView::Tail(Arc::new(Tail {
            id: short.id,
            blocks: long.blocks.clone(),
            times: long.times.clone(),
            events: long.events,
        }));
        let short = ChunkView::Tail(short);
        let both = plan(vec![part(&short, |_| true)], 8, "a")
            .plus(&plan(vec![part(&long, |pulse| pulse >= 4)], 8, "b"))
            .unwrap();
        let gathered = both.merge_terms(view_id("all"));
        assert_eq!(gathered.terms().len(), 1);
        assert_eq!(read(&gathered), read(&both));
        assert_eq!(read(&gathered), read(&plan(vec![part(&long, |_| true)], 8, "c")));
    }

    #[test]
    fn what_is_read_twice_or_otherwise_stays_apart() {
        let times: Vec<i64> = (0..9).collect();
        let one = ChunkView::Sealed(sealed(&events(9), &times));
        let first = plan(vec![part(&one, |_| true)], 8, "a");
        let twice = first.plus(&first).unwrap().merge_terms(view_id("all"));
        assert_eq!(twice.terms().len(), 2);
        assert_eq!(
            read(&twice),
            read(&first.scale(Factor {
                value: 2.0,
                error_squared: 0.0
            }))
        );
        let scaled = first.scale(Factor {
            value: 3.0,
            error_squared: 0.0,
        });
        let empty = plan(vec![part(&one, |_| false)], 8, "b");
        assert_eq!(
            scaled.plus(&empty).unwrap().merge_terms(view_id("all")).terms().len(),
            2
        );
        assert_eq!(
            first.minus(&empty).unwrap().merge_terms(view_id("all")).terms().len(),
            2
        );
    }
}
