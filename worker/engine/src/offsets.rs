//! Sets of record offsets as intervals, for the records of a partition whose content is in memory.
//!
//! Promises: reading forward costs one comparison per record; any order of insertions and removals gives the same set.
//! It must not know Kafka.

/// Set of offsets as disjoint, ascending, half-open intervals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offsets {
    intervals: Vec<(i64, i64)>,
}

impl Offsets {
    /// True for the empty set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    /// True if `offset` is in the set; O(1) for offsets in or after the last interval, O(log n) otherwise.
    #[must_use]
    pub fn contains(&self, offset: i64) -> bool {
        match self.intervals.last() {
            None => false,
            Some(&(_, end)) if offset >= end => false,
            Some(&(start, _)) if offset >= start => true,
            Some(_) => {
                let after = self.intervals.partition_point(|&(start, _)| start <= offset);
                after
                    .checked_sub(1)
                    .and_then(|index| self.intervals.get(index))
                    .is_some_and(|&(_, end)| offset < end)
            }
        }
    }

    /// Inserts one offset. Returns true if it was new. `i64::MAX` is never inserted.
    pub fn insert(&mut self, offset: i64) -> bool {
        if let Some((start, end)) = self.intervals.last_mut()
            && offset >= *start
        {
            if offset < *end {
                return false;
            }
            if offset == *end && offset < i64::MAX {
                *end += 1;
                return true;
            }
        }
        if self.contains(offset) || offset == i64::MAX {
            return false;
        }
        self.insert_range(offset, offset + 1);
        true
    }

    /// Inserts the offsets in `[from, to)`.
    pub fn insert_range(&mut self, from: i64, to: i64) {
        if from >= to {
            return;
        }
        let first = self.intervals.partition_point(|&(_, end)| end < from);
        let last = self.intervals.partition_point(|&(start, _)| start <= to);
        let touched = self.intervals.get(first..last).unwrap_or(&[]);
        let merged = (
            touched.first().map_or(from, |&(start, _)| start.min(from)),
            touched.last().map_or(to, |&(_, end)| end.max(to)),
        );
        self.intervals.splice(first..last.max(first), [merged]);
    }

    /// Removes the offsets in `[from, to)`.
    pub fn remove_range(&mut self, from: i64, to: i64) {
        if from >= to {
            return;
        }
        let first = self.intervals.partition_point(|&(_, end)| end <= from);
        let last = self.intervals.partition_point(|&(start, _)| start < to);
        let rest: Vec<_> = self
            .intervals
            .get(first..last)
            .unwrap_or(&[])
            .iter()
            .flat_map(|&(start, end)| [(start, end.min(from)), (start.max(to), end)])
            .filter(|&(start, end)| start < end)
            .collect();
        self.intervals.splice(first..last.max(first), rest);
    }

    /// Removes the offsets of `other`; those that are missing have no effect.
    pub fn remove(&mut self, other: &Self) {
        for &(start, end) in &other.intervals {
            self.remove_range(start, end);
        }
    }

    /// Intervals `[first, second)`, ascending, disjoint and not adjacent.
    #[must_use]
    pub fn intervals(&self) -> &[(i64, i64)] {
        &self.intervals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_set(changes in prop::collection::vec((any::<bool>(), 0_i64..200, 0_i64..9), 0..200)) {
            let (mut offsets, mut expected) = (Offsets::default(), BTreeSet::new());
            for (add, from, count) in changes {
                if !add {
                    offsets.remove_range(from, from + count);
                    expected.retain(|offset| !(from..from + count).contains(offset));
                } else if count == 1 {
                    prop_assert_eq!(offsets.insert(from), expected.insert(from));
                } else {
                    offsets.insert_range(from, from + count);
                    expected.extend(from..from + count);
                }
            }
            for offset in -1..220 {
                prop_assert_eq!(offsets.contains(offset), expected.contains(&offset));
            }
            for pair in offsets.intervals().windows(2) {
                prop_assert!(pair[0].1 < pair[1].0);
            }
        }
    }

    #[test]
    fn reading_forward_keeps_one_interval() {
        let mut offsets = Offsets::default();
        for offset in 100..1000 {
            assert!(offsets.insert(offset));
        }
        assert_eq!(offsets.intervals(), [(100, 1000)]);
        assert!(!offsets.insert(i64::MAX));
    }
}
