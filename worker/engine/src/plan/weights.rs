//! Factors of event weights, with their errors.

use std::sync::Arc;

/// Factor with an error, for the events of a slot.
///
/// Weight `w` becomes `w·f` and its variance `σ²` becomes `σ²·f² + w²·σf²`, with `f` the value and `σf²` the variance
/// of the factor. This is first-order error propagation of a product of independent quantities (Mantid, algorithm
/// Multiply).
///
/// ```
/// use live_data_engine::plan::Factor;
///
/// let factor = Factor { value: 2.0, error_squared: 0.25 };
/// assert_eq!(factor.apply(3.0, 1.0), (6.0, 1.0 * 4.0 + 9.0 * 0.25));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor {
    pub value: f64,
    /// Squared error (variance) of `value`.
    pub error_squared: f64,
}

impl Factor {
    /// Factor 1 without error.
    pub const ONE: Self = Self {
        value: 1.0,
        error_squared: 0.0,
    };
    /// Factor 0 without error.
    pub const ZERO: Self = Self {
        value: 0.0,
        error_squared: 0.0,
    };

    /// Product of this factor and the next, with propagated error.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self {
            value: self.value * next.value,
            error_squared: self.error_squared * next.value * next.value + self.value * self.value * next.error_squared,
        }
    }

    /// Weight and squared error of an event after the factor.
    #[must_use]
    #[inline]
    pub fn apply(self, weight: f64, error_squared: f64) -> (f64, f64) {
        (
            weight * self.value,
            error_squared * self.value * self.value + weight * weight * self.error_squared,
        )
    }
}

/// Factors of a term's events, by slot.
#[derive(Debug, Clone)]
pub enum Weights {
    /// Factor 1: events of the stream have weight 1, columns their own weights.
    Plain,
    /// Same factor for all slots.
    Uniform(Factor),
    /// Factors by slot.
    PerSlot(Arc<[Factor]>),
}

impl Weights {
    /// Factor of a slot; [`Factor::ZERO`] beyond the last.
    #[must_use]
    #[inline]
    pub fn at(&self, slot: usize) -> Factor {
        match self {
            Self::Plain => Factor::ONE,
            Self::Uniform(factor) => *factor,
            Self::PerSlot(factors) => factors.get(slot).copied().unwrap_or(Factor::ZERO),
        }
    }

    /// True for [`Weights::Plain`], which leaves weights unchanged.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }
}
