//! Persistent list in time order that grows mostly at its end and is shared with snapshots.
//!
//! Promises: a clone copies two words. A change copies the leaf that it touches while a clone holds it, and once after
//! each clone the list of leaves. Entries are in time order, those of one time in the order of insertion. It must not
//! interpret its entries.

use std::sync::Arc;

/// Largest number of entries of a leaf: few enough to shift on an insertion, and enough to have few leaves.
const LEAF_ENTRIES: usize = 512;

/// Entry of a [`TimedList`].
pub(crate) trait Timed: Clone {
    /// Nanoseconds since the Unix epoch.
    fn time(&self) -> i64;
}

/// Consecutive entries of a list, never empty.
#[derive(Clone, Debug)]
struct Leaf<T> {
    first: i64,
    last: i64,
    entries: Arc<Vec<T>>,
}

impl<T: Timed> Leaf<T> {
    fn new(entries: Vec<T>) -> Option<Self> {
        let (first, last) = (entries.first()?.time(), entries.last()?.time());
        Some(Self {
            first,
            last,
            entries: Arc::new(entries),
        })
    }
}

/// List of entries in time order; clones share the leaves.
#[derive(Clone, Debug)]
pub(crate) struct TimedList<T> {
    leaves: Arc<Vec<Leaf<T>>>,
    len: usize,
}

impl<T> Default for TimedList<T> {
    fn default() -> Self {
        Self {
            leaves: Arc::new(Vec::new()),
            len: 0,
        }
    }
}

impl<T: Timed> TimedList<T> {
    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of entries and leaves; heap of the entries themselves not included.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.leaves.len() * size_of::<Leaf<T>>()
            + self
                .leaves
                .iter()
                .map(|leaf| leaf.entries.capacity() * size_of::<T>())
                .sum::<usize>()
    }

    /// Last leaf that starts at or before `time`, or the first one; `hint` is the result of the previous look-up.
    fn locate(&self, time: i64, hint: usize) -> usize {
        if let Some(leaf) = self.leaves.get(hint)
            && leaf.first <= time
            && self.leaves.get(hint + 1).is_none_or(|next| time < next.first)
        {
            return hint;
        }
        self.leaves.partition_point(|leaf| leaf.first <= time).saturating_sub(1)
    }

    /// The entry of `time` in a list of one entry per time, inserted if missing, and true if it was inserted. `hint`
    /// makes look-ups of ascending times O(1).
    pub(crate) fn get_or_insert_with(
        &mut self,
        time: i64,
        hint: &mut usize,
        make: impl FnOnce() -> T,
    ) -> (Option<&mut T>, bool) {
        let index = self.locate(time, *hint);
        let mut made = false;
        let position = match self.leaves.get(index) {
            None => None,
            Some(leaf) if leaf.last < time => Some(Err(leaf.entries.len())),
            Some(leaf) => Some(leaf.entries.binary_search_by_key(&time, Timed::time)),
        };
        let (leaf, position) = match position {
            Some(Ok(position)) => (index, position),
            Some(Err(position)) => {
                made = true;
                self.insert_at(index, position, make())
            }
            None => {
                made = true;
                self.insert_at(0, 0, make())
            }
        };
        *hint = leaf;
        let entry = Arc::make_mut(&mut self.leaves)
            .get_mut(leaf)
            .and_then(|leaf| Arc::make_mut(&mut leaf.entries).get_mut(position));
        (entry, made)
    }

    /// Inserts an entry after those of the same time or earlier.
    pub(crate) fn insert(&mut self, entry: T) {
        let time = entry.time();
        let index = self.locate(time, self.leaves.len().saturating_sub(1));
        let position = match self.leaves.get(index) {
            None => 0,
            Some(leaf) if leaf.last <= time => leaf.entries.len(),
            Some(leaf) => leaf.entries.partition_point(|other| other.time() <= time),
        };
        self.insert_at(index, position, entry);
    }

    /// Inserts an entry at a position of a leaf; a full leaf is split, or followed by a new one. Returns leaf and
    /// position of the entry.
    fn insert_at(&mut self, index: usize, position: usize, entry: T) -> (usize, usize) {
        let time = entry.time();
        self.len += 1;
        let leaves = Arc::make_mut(&mut self.leaves);
        let count = leaves.len();
        let Some(leaf) = leaves.get_mut(index) else {
            leaves.extend(Leaf::new(vec![entry]));
            return (leaves.len() - 1, 0);
        };
        let full = leaf.entries.len() >= LEAF_ENTRIES;
        if full && position == leaf.entries.len() && index + 1 == count {
            leaves.extend(Leaf::new(vec![entry]));
            return (index + 1, 0);
        }
        let entries = Arc::make_mut(&mut leaf.entries);
        if full {
            let half = entries.len() / 2;
            let upper = entries.split_off(half);
            entries.shrink_to_fit();
            leaf.last = entries.last().map_or(leaf.last, Timed::time);
            if let Some(upper) = Leaf::new(upper) {
                leaves.insert(index + 1, upper);
            }
            self.len -= 1;
            let (index, position) = if position > half {
                (index + 1, position - half)
            } else {
                (index, position)
            };
            return self.insert_at(index, position, entry);
        }
        let position = position.min(entries.len());
        entries.insert(position, entry);
        leaf.first = leaf.first.min(time);
        leaf.last = leaf.last.max(time);
        (index, position)
    }

    /// Entries with a time in `[from, to)`, in order.
    pub(crate) fn range(&self, from: i64, to: i64) -> impl Iterator<Item = &T> + '_ {
        self.slices(from, to).flat_map(|(entries, _)| entries)
    }

    /// Entries with a time in `[from, to)` in slices, one per leaf. A leaf that lies in the range as a whole comes with
    /// its shared owner.
    pub(crate) fn slices(&self, from: i64, to: i64) -> impl Iterator<Item = (&[T], Option<&Arc<Vec<T>>>)> + '_ {
        let start = self.leaves.partition_point(|leaf| leaf.last < from);
        self.leaves
            .get(start..)
            .unwrap_or(&[])
            .iter()
            .take_while(move |leaf| leaf.first < to)
            .map(move |leaf| {
                let entries = leaf.entries.as_slice();
                let low = if leaf.first >= from {
                    0
                } else {
                    entries.partition_point(|entry| entry.time() < from)
                };
                let high = if leaf.last < to {
                    entries.len()
                } else {
                    entries.partition_point(|entry| entry.time() < to)
                };
                let whole = low == 0 && high == entries.len();
                (entries.get(low..high).unwrap_or(&[]), whole.then_some(&leaf.entries))
            })
    }

    /// Entries in order.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> + '_ {
        self.leaves.iter().flat_map(|leaf| leaf.entries.iter())
    }

    /// Entry of `time`; the first inserted of several.
    pub(crate) fn get(&self, time: i64, hint: &mut usize) -> Option<&T> {
        let mut index = self.locate(time, *hint);
        while index > 0 && self.leaves.get(index - 1).is_some_and(|leaf| leaf.last >= time) {
            index -= 1;
        }
        *hint = index;
        let entries = self.leaves.get(index)?.entries.as_slice();
        let position = entries.partition_point(|entry| entry.time() < time);
        entries.get(position).filter(|entry| entry.time() == time)
    }

    /// Last entry earlier than `time`.
    pub(crate) fn last_before(&self, time: i64) -> Option<&T> {
        let index = self.leaves.partition_point(|leaf| leaf.first < time).checked_sub(1)?;
        let entries = self.leaves.get(index)?.entries.as_slice();
        entries
            .partition_point(|entry| entry.time() < time)
            .checked_sub(1)
            .and_then(|position| entries.get(position))
    }

    /// The first entry.
    pub(crate) fn first(&self) -> Option<&T> {
        self.leaves.first().and_then(|leaf| leaf.entries.first())
    }

    /// Removes the leaves whose entries are all earlier than `time`, calling `forget` for each entry.
    pub(crate) fn forget_leaves_before(&mut self, time: i64, mut forget: impl FnMut(&T)) {
        let count = self.leaves.partition_point(|leaf| leaf.last < time);
        if count == 0 {
            return;
        }
        for leaf in Arc::make_mut(&mut self.leaves).drain(..count) {
            self.len -= leaf.entries.len();
            leaf.entries.iter().for_each(&mut forget);
        }
    }

    /// Removes all entries earlier than `time`, calling `forget` for each.
    pub(crate) fn forget_before(&mut self, time: i64, mut forget: impl FnMut(&T)) {
        self.forget_leaves_before(time, &mut forget);
        if self.leaves.first().is_none_or(|leaf| leaf.first >= time) {
            return;
        }
        if let Some(leaf) = Arc::make_mut(&mut self.leaves).first_mut() {
            let entries = Arc::make_mut(&mut leaf.entries);
            let count = entries.partition_point(|entry| entry.time() < time);
            entries.drain(..count).for_each(|entry| forget(&entry));
            self.len -= count;
            leaf.first = entries.first().map_or(leaf.last, Timed::time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug, PartialEq)]
    struct TestEntry(i64, usize);

    impl Timed for TestEntry {
        fn time(&self) -> i64 {
            self.0
        }
    }

    proptest! {
        #[test]
        fn any_order_comes_out_sorted_and_stable(times in prop::collection::vec(0_i64..900, 0..3000),
                                                 low in 0_i64..900, span in 0_i64..900, gone in 0_i64..900) {
            let mut list = TimedList::default();
            for (index, &time) in times.iter().enumerate() {
                list.insert(TestEntry(time, index));
            }
            let mut expected: Vec<TestEntry> = times.iter().enumerate().map(|(i, &t)| TestEntry(t, i)).collect();
            expected.sort_by_key(|entry| entry.0);
            prop_assert_eq!(list.len(), expected.len());
            prop_assert_eq!(list.iter().cloned().collect::<Vec<_>>(), expected.clone());
            let range: Vec<_> = list.range(low, low + span).cloned().collect();
            let within: Vec<_> = expected.iter().filter(|e| (low..low + span).contains(&e.0)).cloned().collect();
            prop_assert_eq!(range, within);
            prop_assert_eq!(list.last_before(low), expected.iter().rfind(|e| e.0 < low));
            prop_assert_eq!(list.get(low, &mut 0), expected.iter().find(|e| e.0 == low));
            let clone = list.clone();
            let mut forgotten = 0;
            list.forget_before(gone, |_| forgotten += 1);
            let rest: Vec<_> = expected.iter().filter(|e| e.0 >= gone).cloned().collect();
            prop_assert_eq!(forgotten, expected.len() - rest.len());
            prop_assert_eq!(list.len(), rest.len());
            prop_assert_eq!(list.iter().cloned().collect::<Vec<_>>(), rest);
            prop_assert_eq!(clone.iter().cloned().collect::<Vec<_>>(), expected);
        }

        #[test]
        fn a_key_has_one_entry(times in prop::collection::vec(0_i64..2000, 0..3000)) {
            let mut list = TimedList::default();
            let mut hint = 0;
            for &time in &times {
                let known = list.get(time, &mut 0).is_some();
                let (entry, made) = list.get_or_insert_with(time, &mut hint, || TestEntry(time, 0));
                prop_assert_eq!(made, !known);
                if let Some(entry) = entry {
                    prop_assert_eq!(entry.0, time);
                    entry.1 += 1;
                }
            }
            let mut expected = std::collections::BTreeMap::new();
            for time in times {
                *expected.entry(time).or_insert(0) += 1;
            }
            let found: Vec<_> = list.iter().map(|entry| (entry.0, entry.1)).collect();
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
