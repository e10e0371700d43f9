//! Sorted cells with their counts, from lists of single cells.
//!
//! Promises: the result does not depend on the distribution of cells over lists.

use rayon::prelude::*;

use crate::pool;

/// Parts that are sorted separately, so that each fits the first-level cache.
const PARTS: usize = 1 << 10;

/// `(cell, count)` of all listed cells, sorted; all cells are below `cells`.
pub(crate) fn tally(lists: &[Vec<u32>], cells: usize) -> Vec<(u32, u32)> {
    let total: usize = lists.iter().map(Vec::len).sum();
    if total < PARTS {
        let mut all = lists.concat();
        all.sort_unstable();
        return counted(&all);
    }
    // Counting sort by the upper bits of the cells.
    let bits = usize::BITS - cells.saturating_sub(1).leading_zeros();
    let shift = bits.saturating_sub(PARTS.trailing_zeros());
    let part = |cell: u32| ((cell >> shift) as usize).min(PARTS - 1);
    let mut ends = vec![0_usize; PARTS];
    for cell in lists.iter().flatten() {
        ends[part(*cell)] += 1;
    }
    let mut before = 0;
    for end in &mut ends {
        before += std::mem::replace(end, before);
    }
    let mut all = vec![0_u32; total];
    for cell in lists.iter().flatten() {
        let position = &mut ends[part(*cell)];
        all[*position] = *cell;
        *position += 1;
    }
    let mut parts = Vec::with_capacity(PARTS);
    let (mut rest, mut start) = (&mut all[..], 0);
    for end in ends {
        let (this, after) = rest.split_at_mut(end - start);
        parts.push(this);
        (rest, start) = (after, end);
    }
    let tallies: Vec<Vec<(u32, u32)>> = pool::install(|| {
        parts
            .into_par_iter()
            .map(|part| {
                part.sort_unstable();
                counted(part)
            })
            .collect()
    });
    tallies.concat()
}

fn counted(sorted: &[u32]) -> Vec<(u32, u32)> {
    let runs = sorted.chunk_by(|a, b| a == b);
    runs.filter_map(|run| Some((*run.first()?, run.len() as u32))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_cell_is_tallied_as_often_as_it_was_listed(
            cells in 1_u32..5000, seeds in prop::collection::vec(any::<u32>(), 0..3000), cut in 0_usize..3000,
        ) {
            let all: Vec<u32> = seeds.iter().map(|seed| seed % cells).collect();
            let (first, second) = all.split_at(cut.min(all.len()));
            let mut wanted = BTreeMap::new();
            for cell in &all {
                *wanted.entry(*cell).or_insert(0) += 1;
            }
            let tallied = tally(&[first.to_vec(), Vec::new(), second.to_vec()], cells as usize);
            prop_assert_eq!(tallied, wanted.into_iter().collect::<Vec<_>>());
        }
    }
}
