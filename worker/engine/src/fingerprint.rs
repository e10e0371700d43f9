//! A 128-bit digest of content, by which two plans are known to count the same events the same way.
//!
//! Promises: equal content gives equal digests within one process, and the digest of a large table is computed once,
//! where the table is made. It is no cryptographic digest and is never stored.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A digest of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(u128);

/// Collects content for a [`Fingerprint`].
#[derive(Debug, Clone)]
pub struct Digest {
    low: DefaultHasher,
    high: DefaultHasher,
}

impl Digest {
    /// An empty digest, told apart from others by what it is for.
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

    /// Adds a value.
    pub fn add(&mut self, value: impl Hash) {
        value.hash(&mut self.low);
        value.hash(&mut self.high);
    }

    /// Adds a number by its bits.
    pub fn add_f64(&mut self, value: f64) {
        self.add(value.to_bits());
    }

    /// Adds many numbers by their bits.
    pub fn add_f64s(&mut self, values: &[f64]) {
        self.add(values.len());
        for value in values {
            self.low.write_u64(value.to_bits());
            self.high.write_u64(value.to_bits());
        }
    }

    /// The digest of what was added.
    #[must_use]
    pub fn finish(&self) -> Fingerprint {
        Fingerprint(u128::from(self.low.finish()) | (u128::from(self.high.finish()) << 64))
    }
}
