//! From a time of flight to the quantity that is binned: steps of unit conversion and ranges between them.
//!
//! Promises: one value gives the same result, bit for bit, whether it is converted alone ([`Transform::apply`]) or
//! in a block by a kernel, because both evaluate the same expressions in the same order. Constants are given by the
//! caller; nothing here knows of instruments. Input is the time of flight in microseconds.

use std::sync::Arc;

use crate::fingerprint::{Digest, Fingerprint};

/// A constant of a step: one for all, or one for each slot (a spectrum of the plan's source).
#[derive(Debug, Clone)]
pub enum Coefficient {
    /// The same for every slot.
    Uniform(f64),
    /// One for each slot, with the digest of their content.
    PerSlot(Arc<[f64]>, Fingerprint),
}

impl Coefficient {
    /// Constants of their own for each slot.
    #[must_use]
    pub fn per_slot(values: impl Into<Arc<[f64]>>) -> Self {
        let values = values.into();
        let mut digest = Digest::new("coefficient");
        digest.add_f64s(&values);
        Self::PerSlot(values, digest.finish())
    }

    /// The constant of a slot; a NaN, which falls in no bin, for a slot that has none.
    #[must_use]
    #[inline]
    pub fn at(&self, slot: usize) -> f64 {
        match self {
            Self::Uniform(value) => *value,
            Self::PerSlot(values, _) => values.get(slot).copied().unwrap_or(f64::NAN),
        }
    }

    /// The constants in slots other than those they were given for: slot `i` of the result is `from[i]` here.
    pub(crate) fn spread(&self, from: &[u32]) -> Self {
        match self {
            Self::Uniform(value) => Self::Uniform(*value),
            Self::PerSlot(..) => Self::per_slot(from.iter().map(|row| self.at(*row as usize)).collect::<Vec<_>>()),
        }
    }

    fn digest(&self, digest: &mut Digest) {
        match self {
            Self::Uniform(value) => digest.add_f64(*value),
            Self::PerSlot(_, fingerprint) => digest.add(fingerprint),
        }
    }

    /// `Some(true)` when all are above zero, `Some(false)` when all are below, `None` otherwise; NaNs don't count.
    fn sign(&self) -> Option<bool> {
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
}

/// How a step treats `u = scale·x + offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Formula {
    /// `u` (wavelength, d-spacing, and times of flight from them). `factor` and `shift` are not used.
    Linear,
    /// `factor / u + shift` (momentum transfer, wave number).
    Inverse,
    /// `factor / u² + shift` (energy; energy transfer with the offset as the time on the other flight path).
    InverseSquare,
    /// `factor / √u + shift` (times of flight and wavelengths from energies).
    InverseRoot,
    /// `factor · √u + shift`.
    Root,
    /// `factor · u² + shift`.
    Square,
}

/// One conversion.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is done with `u = scale·x + offset`.
    pub formula: Formula,
    /// Multiplies the value that comes in.
    pub scale: Coefficient,
    /// Added to it.
    pub offset: Coefficient,
    /// Multiplies the formula's value.
    pub factor: Coefficient,
    /// Added to that.
    pub shift: Coefficient,
    /// What `u <= 0` gives, for every formula but the linear one: the physically inaccessible region.
    pub beyond: f64,
}

impl Step {
    /// `scale·x + offset`.
    #[must_use]
    pub fn linear(scale: Coefficient, offset: Coefficient) -> Self {
        Self {
            formula: Formula::Linear,
            scale,
            offset,
            factor: Coefficient::Uniform(1.0),
            shift: Coefficient::Uniform(0.0),
            beyond: f64::NAN,
        }
    }

    /// `factor · f(x)`, with `beyond` where `x <= 0`.
    #[must_use]
    pub fn formula(formula: Formula, factor: Coefficient, beyond: f64) -> Self {
        Self {
            formula,
            scale: Coefficient::Uniform(1.0),
            offset: Coefficient::Uniform(0.0),
            factor,
            shift: Coefficient::Uniform(0.0),
            beyond,
        }
    }

    /// Energy transfer of a direct-geometry instrument, `ei − k / (t − t1)²`, in meV with `k` in meV·µs² (½·m·L2²)
    /// and `t1` in µs; `-f64::MAX` where `t <= t1`, as in the system that this replaces.
    #[must_use]
    pub fn direct_energy_transfer(ei: Coefficient, k: &Coefficient, t1: &Coefficient) -> Self {
        Self {
            formula: Formula::InverseSquare,
            scale: Coefficient::Uniform(1.0),
            offset: negated(t1),
            factor: negated(k),
            shift: ei,
            beyond: -f64::MAX,
        }
    }

    /// Energy transfer of an indirect-geometry instrument, `k / (t − t2)² − ef`, in meV with `k` in meV·µs²
    /// (½·m·L1²) and `t2` in µs; `f64::MAX` where `t <= t2`.
    #[must_use]
    pub fn indirect_energy_transfer(ef: &Coefficient, k: Coefficient, t2: &Coefficient) -> Self {
        Self {
            formula: Formula::InverseSquare,
            scale: Coefficient::Uniform(1.0),
            offset: negated(t2),
            factor: k,
            shift: negated(ef),
            beyond: f64::MAX,
        }
    }

    /// The value of one `x`.
    #[must_use]
    #[inline]
    pub fn apply(&self, slot: usize, x: f64) -> f64 {
        let constants = Constants {
            scale: self.scale.at(slot),
            offset: self.offset.at(slot),
            factor: self.factor.at(slot),
            shift: self.shift.at(slot),
        };
        constants.apply(self.formula, self.beyond, x)
    }

    /// Whether larger `x` gives a larger value (within `u > 0`), for every slot.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        let scale = self.scale.sign()?;
        let rises = match self.formula {
            Formula::Linear => scale,
            Formula::Root | Formula::Square => scale == self.factor.sign()?,
            Formula::Inverse | Formula::InverseSquare | Formula::InverseRoot => scale != self.factor.sign()?,
        };
        Some(if rises {
            Direction::Increasing
        } else {
            Direction::Decreasing
        })
    }

    fn coefficients(&self) -> [&Coefficient; 4] {
        [&self.scale, &self.offset, &self.factor, &self.shift]
    }

    pub(crate) fn spread(&self, from: &[u32]) -> Self {
        Self {
            formula: self.formula,
            scale: self.scale.spread(from),
            offset: self.offset.spread(from),
            factor: self.factor.spread(from),
            shift: self.shift.spread(from),
            beyond: self.beyond,
        }
    }

    fn digest(&self, digest: &mut Digest) {
        digest.add(self.formula);
        for coefficient in self.coefficients() {
            coefficient.digest(digest);
        }
        digest.add_f64(self.beyond);
    }

    /// How many slots the constants are for, where they are not the same for all; the smallest, if they differ.
    #[must_use]
    pub fn slots(&self) -> Option<usize> {
        self.coefficients()
            .iter()
            .filter_map(|coefficient| match coefficient {
                Coefficient::Uniform(_) => None,
                Coefficient::PerSlot(values, _) => Some(values.len()),
            })
            .min()
    }
}

fn negated(coefficient: &Coefficient) -> Coefficient {
    match coefficient {
        Coefficient::Uniform(value) => Coefficient::Uniform(-value),
        Coefficient::PerSlot(values, _) => Coefficient::per_slot(values.iter().map(|value| -value).collect::<Vec<_>>()),
    }
}

/// The constants of one step for one slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Constants {
    pub(crate) scale: f64,
    pub(crate) offset: f64,
    pub(crate) factor: f64,
    pub(crate) shift: f64,
}

impl Constants {
    /// The one place where a formula is written: kernels call it with the formula known at compile time.
    #[inline(always)]
    pub(crate) fn apply(self, formula: Formula, beyond: f64, x: f64) -> f64 {
        let u = self.scale * x + self.offset;
        let value = match formula {
            Formula::Linear => return u,
            Formula::Inverse => self.factor / u + self.shift,
            Formula::InverseSquare => self.factor / (u * u) + self.shift,
            Formula::InverseRoot => self.factor / u.sqrt() + self.shift,
            Formula::Root => self.factor * u.sqrt() + self.shift,
            Formula::Square => self.factor * (u * u) + self.shift,
        };
        if u <= 0.0 { beyond } else { value }
    }
}

/// Whether values rise or fall with the time of flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Later events have larger values.
    Increasing,
    /// Later events have smaller values.
    Decreasing,
}

/// One stage of a [`Transform`].
#[derive(Debug, Clone)]
pub enum Stage {
    /// A conversion.
    Convert(Step),
    /// Events outside `[low, high]`, both ends inside, are gone from here on.
    Keep {
        /// The lowest value kept.
        low: f64,
        /// The highest value kept.
        high: f64,
    },
}

/// What becomes of a time of flight, stage by stage.
#[derive(Debug, Clone, Default)]
pub struct Transform {
    stages: Arc<[Stage]>,
}

impl Transform {
    /// Values are times of flight in microseconds, and all events are kept.
    #[must_use]
    pub fn identity() -> Self {
        Self::default()
    }

    /// The stages, in the order in which they are applied.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Whether values are times of flight, and all events are kept.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.stages.is_empty()
    }

    /// Whether a stage drops events.
    #[must_use]
    pub fn has_range(&self) -> bool {
        self.stages.iter().any(|stage| matches!(stage, Stage::Keep { .. }))
    }

    /// The same with one more conversion at the end.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        self.with(Stage::Convert(step))
    }

    /// The same, and then only events within `[low, high]`.
    #[must_use]
    pub fn keep(&self, low: f64, high: f64) -> Self {
        self.with(Stage::Keep { low, high })
    }

    fn with(&self, stage: Stage) -> Self {
        Self {
            stages: self.stages.iter().cloned().chain([stage]).collect(),
        }
    }

    /// The value of a time of flight in microseconds, `None` where a range drops it.
    #[must_use]
    #[inline]
    pub fn apply(&self, slot: usize, time_of_flight: f64) -> Option<f64> {
        let mut x = time_of_flight;
        for stage in self.stages.iter() {
            match stage {
                Stage::Convert(step) => x = step.apply(slot, x),
                Stage::Keep { low, high } => {
                    if !(x >= *low && x <= *high) {
                        return None;
                    }
                }
            }
        }
        Some(x)
    }

    /// Whether values rise or fall with the time of flight, where that is the same for every slot.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        let mut rises = true;
        for stage in self.stages.iter() {
            if let Stage::Convert(step) = stage {
                rises = rises == (step.direction()? == Direction::Increasing);
            }
        }
        Some(if rises {
            Direction::Increasing
        } else {
            Direction::Decreasing
        })
    }

    /// How many slots the constants cover; `None` where they are the same for all.
    #[must_use]
    pub fn slots(&self) -> Option<usize> {
        self.stages
            .iter()
            .filter_map(|stage| match stage {
                Stage::Convert(step) => step.slots(),
                Stage::Keep { .. } => None,
            })
            .min()
    }

    pub(crate) fn digest(&self, digest: &mut Digest) {
        digest.add(self.stages.len());
        for stage in self.stages.iter() {
            match stage {
                Stage::Convert(step) => {
                    digest.add(0_u8);
                    step.digest(digest);
                }
                Stage::Keep { low, high } => {
                    digest.add(1_u8);
                    digest.add_f64(*low);
                    digest.add_f64(*high);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    /// ½·m·L² in meV·µs² for a path in metres, with the constants of the system that this replaces.
    fn k(length: f64) -> f64 {
        0.5 * 1.674_927_211e-27 * length * length * 1e12 / 1.602_176_487e-22
    }

    #[test]
    fn energy_transfer_is_zero_where_the_final_energy_is_the_incident_one() {
        let (l1, l2, ei) = (11.8, 2.5, 50.0);
        let t1 = (k(l1) / ei).sqrt();
        let t2 = (k(l2) / ei).sqrt();
        let step = Step::direct_energy_transfer(
            Coefficient::Uniform(ei),
            &Coefficient::per_slot(vec![k(l2)]),
            &Coefficient::Uniform(t1),
        );
        assert!(step.apply(0, t1 + t2).abs() < 1e-9);
        assert_eq!(step.apply(0, t1), -f64::MAX);
        assert_eq!(step.apply(0, 0.0), -f64::MAX);
        assert_eq!(step.direction(), Some(Direction::Increasing));
        assert!(step.apply(1, t1 + t2).is_nan(), "a slot without constants has no value");
    }

    #[test]
    fn indirect_energy_transfer_falls_with_time() {
        let (l1, ef) = (36.0, 1.84);
        let t2 = 400.0;
        let step = Step::indirect_energy_transfer(
            &Coefficient::Uniform(ef),
            Coefficient::Uniform(k(l1)),
            &Coefficient::Uniform(t2),
        );
        let elastic = (k(l1) / ef).sqrt() + t2;
        assert!(step.apply(0, elastic).abs() < 1e-9);
        assert!(step.apply(0, elastic - 100.0) > 0.0);
        assert_eq!(step.apply(0, 400.0), f64::MAX);
        assert_eq!(step.direction(), Some(Direction::Decreasing));
    }

    #[test]
    fn ranges_hold_both_ends_and_act_between_conversions() {
        let transform = Transform::identity()
            .then(Step::linear(Coefficient::Uniform(2.0), Coefficient::Uniform(0.0)))
            .keep(10.0, 20.0)
            .then(Step::formula(
                Formula::Inverse,
                Coefficient::Uniform(1.0),
                f64::INFINITY,
            ));
        assert_eq!(transform.apply(0, 5.0), Some(0.1));
        assert_eq!(transform.apply(0, 10.0), Some(0.05));
        assert_eq!(transform.apply(0, 4.999), None);
        assert_eq!(transform.apply(0, 10.001), None);
        assert_eq!(transform.direction(), Some(Direction::Decreasing));
        assert!(transform.has_range());
    }

    #[test]
    fn a_square_and_its_root_come_back() {
        let energy = Step::formula(Formula::InverseSquare, Coefficient::Uniform(k(12.0)), f64::INFINITY);
        let back = Step::formula(
            Formula::InverseRoot,
            Coefficient::Uniform(k(12.0).sqrt()),
            f64::INFINITY,
        );
        let transform = Transform::identity().then(energy).then(back);
        let t = transform.apply(0, 1234.5).unwrap();
        assert!((t - 1234.5).abs() < 1e-9, "{t}");
        assert_eq!(transform.direction(), Some(Direction::Increasing));
    }

    #[test]
    fn mixed_signs_have_no_direction() {
        let step = Step::linear(Coefficient::per_slot(vec![1.0, -1.0]), Coefficient::Uniform(0.0));
        assert_eq!(step.direction(), None);
        let zero = Step::linear(Coefficient::Uniform(0.0), Coefficient::Uniform(0.0));
        assert_eq!(zero.direction(), None);
    }
}
