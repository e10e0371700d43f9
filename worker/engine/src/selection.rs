//! Selections of pulses: one bit per pulse of a chunk.
//!
//! Promises: the number of selected pulses is stored; equal selections compare equal; bits beyond the length are never
//! set. It must not know what a pulse is: run bounds, vetoes, periods and filters all become bitmaps.

/// Selected pulses of a chunk, one bit each; shared as `Arc<Bitmap>` and copied on a change while shared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bitmap {
    words: Vec<u64>,
    len: usize,
    ones: usize,
}

impl Bitmap {
    /// Bitmap of `len` pulses without a selected one.
    #[must_use]
    pub fn none(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(64)],
            len,
            ones: 0,
        }
    }

    /// Bitmap of `len` selected pulses.
    #[must_use]
    pub fn all(len: usize) -> Self {
        let mut words = vec![u64::MAX; len.div_ceil(64)];
        if let (Some(last), 1..) = (words.last_mut(), len % 64) {
            *last = (1 << (len % 64)) - 1;
        }
        Self { words, len, ones: len }
    }

    /// Bitmap of `len` pulses; pulse `i` is selected if `choose(i)`.
    #[must_use]
    pub fn from_fn(len: usize, mut choose: impl FnMut(usize) -> bool) -> Self {
        let mut words = Vec::with_capacity(len.div_ceil(64));
        let mut ones = 0;
        for start in (0..len).step_by(64) {
            let mut word = 0_u64;
            for bit in 0..(len - start).min(64) {
                word |= u64::from(choose(start + bit)) << bit;
            }
            ones += word.count_ones() as usize;
            words.push(word);
        }
        Self { words, len, ones }
    }

    /// Number of pulses, selected or not.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True for a length of zero.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of selected pulses, O(1).
    #[must_use]
    pub const fn count(&self) -> usize {
        self.ones
    }

    /// True if every pulse is selected; kernels then skip the test.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.ones == self.len
    }

    /// True if at least one pulse is selected.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.ones > 0
    }

    /// True if pulse `index` is selected; false beyond the length.
    #[must_use]
    pub fn get(&self, index: usize) -> bool {
        self.words
            .get(index / 64)
            .is_some_and(|word| word >> (index % 64) & 1 != 0)
    }

    /// Words of 64 pulses; pulse 0 is the lowest bit of word 0 (Arrow's bit order).
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Sets the bit of pulse `index`, growing the bitmap to it. Returns true if the bit changed.
    pub fn set(&mut self, index: usize, selected: bool) -> bool {
        if index >= self.len {
            self.grow(index + 1);
        }
        let Some(word) = self.words.get_mut(index / 64) else {
            return false;
        };
        let bit = 1_u64 << (index % 64);
        if (*word & bit != 0) == selected {
            return false;
        }
        *word ^= bit;
        if selected {
            self.ones += 1;
        } else {
            self.ones -= 1;
        }
        true
    }

    /// Extends the bitmap to at least `len` pulses; new ones are not selected.
    pub fn grow(&mut self, len: usize) {
        if len > self.len {
            self.len = len;
            self.words.resize(len.div_ceil(64), 0);
        }
    }

    /// Intersection, with the length of the shorter.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.combined(other, self.len.min(other.len), |a, b| a & b)
    }

    /// Pulses of this bitmap that `other` does not select, with the length of this one.
    #[must_use]
    pub fn and_not(&self, other: &Self) -> Self {
        self.combined(other, self.len, |a, b| a & !b)
    }

    /// Union, with the length of the longer.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.combined(other, self.len.max(other.len), |a, b| a | b)
    }

    fn combined(&self, other: &Self, len: usize, combine: impl Fn(u64, u64) -> u64) -> Self {
        let word = |bitmap: &Self, index: usize| bitmap.words.get(index).copied().unwrap_or(0);
        let words: Vec<u64> = (0..len.div_ceil(64))
            .map(|index| combine(word(self, index), word(other, index)))
            .collect();
        let ones = words.iter().map(|word| word.count_ones() as usize).sum();
        Self { words, len, ones }
    }

    /// Indices of the selected pulses, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as usize;
                (rest != 0).then(|| {
                    rest &= rest - 1;
                    index * 64 + bit
                })
            })
        })
    }

    /// Bytes of the words on the heap, capacity included.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.words.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_and_none_know_their_counts() {
        for len in [0, 1, 63, 64, 65, 128, 1000] {
            assert_eq!(Bitmap::all(len), Bitmap::from_fn(len, |_| true), "{len}");
            assert_eq!(Bitmap::none(len), Bitmap::from_fn(len, |_| false), "{len}");
            assert!(Bitmap::all(len).is_full());
            assert_eq!(Bitmap::all(len).iter().count(), len);
        }
    }

    #[test]
    fn setting_grows_and_returns_a_change() {
        let mut bitmap = Bitmap::default();
        assert!(bitmap.set(70, true));
        assert!(!bitmap.set(70, true));
        assert_eq!((bitmap.len(), bitmap.count()), (71, 1));
        assert!(bitmap.set(70, false));
        assert!(!bitmap.any());
        assert!(!bitmap.get(1000));
    }

    proptest! {
        #[test]
        fn it_is_a_set_of_pulses(a in prop::collection::vec(any::<bool>(), 0..200),
                                 b in prop::collection::vec(any::<bool>(), 0..200)) {
            let (x, y) = (Bitmap::from_fn(a.len(), |i| a[i]), Bitmap::from_fn(b.len(), |i| b[i]));
            let at = |bits: &[bool], index: usize| bits.get(index).copied().unwrap_or(false);
            prop_assert_eq!(x.iter().collect::<Vec<_>>(),
                (0..a.len()).filter(|&i| a[i]).collect::<Vec<_>>());
            let (and, or, without) = (x.and(&y), x.or(&y), x.and_not(&y));
            for index in 0..220 {
                prop_assert_eq!(and.get(index), at(&a, index) && at(&b, index));
                prop_assert_eq!(or.get(index), at(&a, index) || at(&b, index));
                prop_assert_eq!(without.get(index), at(&a, index) && !at(&b, index));
            }
            for bitmap in [and, or, without] {
                prop_assert_eq!(bitmap.count(), bitmap.iter().count());
            }
        }
    }
}
