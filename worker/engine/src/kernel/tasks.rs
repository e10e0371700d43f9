//! Tasks of a binning: groups of buckets that share no row with other groups.
//!
//! Promises: two tasks never write one row. Tasks are ordered heaviest first, so that a crowded bucket starts early.

use crate::chunk::{BUCKETS, Chunk};
use crate::kernel::Pass;
use crate::kernel::table::IdTable;
use crate::plan::UNMAPPED;

/// Groups of buckets, at the width of the widest chunk, that share rows.
#[derive(Debug)]
pub(crate) struct Tasks {
    /// A bucket has `1 << shift` dense ids.
    pub(crate) shift: u32,
    /// Buckets by task, heaviest task first.
    pub(crate) groups: Vec<Vec<usize>>,
    /// Events by task, descending.
    pub(crate) events: Vec<u64>,
}

impl Tasks {
    pub(crate) fn new(passes: &[Pass], table: &IdTable) -> Self {
        let shift = passes.iter().map(|pass| pass.chunk.shift()).max().unwrap_or(0).min(24);
        let mut weight = vec![0_u64; BUCKETS];
        for pass in passes {
            let narrower = shift - pass.chunk.shift();
            let starts = pass.chunk.bucket_starts();
            for (bucket, pair) in starts.windows(2).enumerate() {
                weight[bucket >> narrower] += u64::from(pair[1].saturating_sub(pair[0]));
            }
        }
        // Union-find of buckets that share a row.
        let mut parent: Vec<usize> = (0..BUCKETS).collect();
        let rows = table
            .rows
            .iter()
            .filter(|row| **row != UNMAPPED)
            .max()
            .map_or(0, |row| *row as usize + 1);
        let mut owner = vec![u16::MAX; rows];
        let mut used = vec![false; BUCKETS];
        for (dense, row) in table.rows.iter().enumerate() {
            let bucket = dense >> shift;
            if *row == UNMAPPED || bucket >= BUCKETS || weight[bucket] == 0 {
                continue;
            }
            used[bucket] = true;
            match owner[*row as usize] {
                u16::MAX => owner[*row as usize] = bucket as u16,
                first if usize::from(first) != bucket => {
                    let (a, b) = (root(&mut parent, usize::from(first)), root(&mut parent, bucket));
                    parent[a.max(b)] = a.min(b);
                }
                _ => {}
            }
        }
        let mut members: Vec<(u64, Vec<usize>)> = vec![(0, Vec::new()); BUCKETS];
        for bucket in (0..BUCKETS).filter(|bucket| used[*bucket]) {
            let group = &mut members[root(&mut parent, bucket)];
            group.0 += weight[bucket];
            group.1.push(bucket);
        }
        members.retain(|(_, buckets)| !buckets.is_empty());
        members.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        let (events, groups) = members.into_iter().unzip();
        Self { shift, groups, events }
    }

    /// True if the largest task has more than 1.5 times an even share of the events.
    pub(crate) fn is_lopsided(&self, threads: usize) -> bool {
        let total: u64 = self.events.iter().sum();
        let largest = self.events.first().copied().unwrap_or(0);
        threads > 1 && largest > 100_000 && largest * threads as u64 > total + total / 2
    }
}

/// Buckets of a chunk that make up bucket `bucket` at the width `shift`.
pub(crate) fn buckets_of(chunk: &Chunk, bucket: usize, shift: u32) -> std::ops::Range<usize> {
    let narrower = shift.saturating_sub(chunk.shift());
    (bucket << narrower).min(BUCKETS)..((bucket + 1) << narrower).min(BUCKETS)
}

fn root(parent: &mut [usize], mut node: usize) -> usize {
    while parent[node] != node {
        parent[node] = parent[parent[node]];
        node = parent[node];
    }
    node
}
