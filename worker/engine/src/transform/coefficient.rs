//! Constants of unit conversions, uniform or by slot.

use std::sync::Arc;

use crate::fingerprint::{Digest, Fingerprint};

/// Constant of a conversion step: one for all slots, or one per slot (spectrum of the plan's source).
#[derive(Debug, Clone)]
pub enum Coefficient {
    /// Same constant for all slots.
    Uniform(f64),
    /// Values by slot, and the digest of their content.
    PerSlot(Arc<[f64]>, Fingerprint),
}

impl Coefficient {
    /// Constants by slot; their digest costs a pass over them.
    #[must_use]
    pub fn per_slot(values: impl Into<Arc<[f64]>>) -> Self {
        let values = values.into();
        let mut digest = Digest::new("coefficient");
        digest.add_f64s(&values);
        Self::PerSlot(values, digest.finish())
    }

    /// Constant of a slot; NaN, which falls in no bin, beyond the last slot.
    #[must_use]
    #[inline]
    pub fn at(&self, slot: usize) -> f64 {
        match self {
            Self::Uniform(value) => *value,
            Self::PerSlot(values, _) => values.get(slot).copied().unwrap_or(f64::NAN),
        }
    }

    /// Constants of reordered slots: slot `i` of the result is slot `from[i]` here.
    pub(super) fn gather(&self, from: &[u32]) -> Self {
        match self {
            Self::Uniform(value) => Self::Uniform(*value),
            Self::PerSlot(..) => Self::per_slot(from.iter().map(|row| self.at(*row as usize)).collect::<Vec<_>>()),
        }
    }

    /// Appends the constants to a digest.
    pub(super) fn digest(&self, digest: &mut Digest) {
        match self {
            Self::Uniform(value) => digest.add_f64(*value),
            Self::PerSlot(_, fingerprint) => digest.add(fingerprint),
        }
    }

    /// `Some(true)` if all constants are positive, `Some(false)` if all are negative, `None` otherwise; NaN are
    /// ignored.
    pub(super) fn sign(&self) -> Option<bool> {
        match self {
            Self::Uniform(value) => (*value != 0.0 && !value.is_nan()).then_some(*value > 0.0),
            Self::PerSlot(values, _) => {
                let mut known = values.iter().filter(|value| !value.is_nan());
                let first = known.next()?;
                (*first != 0.0 && known.all(|value| *value != 0.0 && (*value > 0.0) == (*first > 0.0)))
                    .then_some(*first > 0.0)
            }
        }
    }

    /// Constants with the opposite sign.
    pub(super) fn negated(&self) -> Self {
        match self {
            Self::Uniform(value) => Self::Uniform(-value),
            Self::PerSlot(values, _) => Self::per_slot(values.iter().map(|value| -value).collect::<Vec<_>>()),
        }
    }
}
