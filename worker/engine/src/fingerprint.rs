//! 128-bit digest of content; plans with equal digests count the same events in the same way.
//!
//! Promises: equal content gives equal digests within one process. The digest of a large table is computed once, when
//! the table is made. It is not cryptographic and must not be stored.

use std::hash::{DefaultHasher, Hash, Hasher};

/// 128-bit digest of content; comparable within one process only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(u128);

/// Builder of a [`Fingerprint`] from values in order.
#[derive(Debug, Clone)]
pub struct Digest {
    low: DefaultHasher,
    high: DefaultHasher,
}

impl Digest {
    /// Empty digest; digests of different purposes differ.
    #[must_use]
    pub fn new(purpose: &str) -> Self {
        let mut digest = Self {
            low: DefaultHasher::new(),
            high: DefaultHasher::new(),
        };
        digest.high.write_u64(0x9e37_79b9_7f4a_7c15);
        digest.add(purpose);
        digest
    }

    /// Appends a value by its `Hash`.
    pub fn add(&mut self, value: impl Hash) {
        value.hash(&mut self.low);
        value.hash(&mut self.high);
    }

    /// Appends a number by its bits: `0.0` and `-0.0` differ.
    pub fn add_f64(&mut self, value: f64) {
        self.add(value.to_bits());
    }

    /// Appends numbers by their bits, and their count.
    pub fn add_f64s(&mut self, values: &[f64]) {
        self.add(values.len());
        for value in values {
            self.low.write_u64(value.to_bits());
            self.high.write_u64(value.to_bits());
        }
    }

    /// Digest of everything that was appended so far.
    #[must_use]
    pub fn finish(&self) -> Fingerprint {
        Fingerprint(u128::from(self.low.finish()) | (u128::from(self.high.finish()) << 64))
    }
}
