//! Unit conversion of events: from time of flight to the quantity that is binned, in steps with ranges between them.
//!
//! Every unit of Mantid's concept page "Unit Factory" that depends on time of flight is one of the [`Formula`]s, with
//! constants by spectrum. With `t` time of flight (µs), `L` total flight path (m), `2θ` scattering angle, `m` neutron
//! mass, `h` Planck's constant:
//!
//! | Quantity | Formula | Step |
//! |---|---|---|
//! | Wavelength (Å) | `λ = h·t / (m·L)` | [`Formula::Linear`] |
//! | d-spacing (Å) | `d = h·t / (2·m·L·sin θ)` | [`Formula::Linear`] |
//! | Wave number (Å⁻¹) | `k = 2π·m·L / (h·t)` | [`Formula::Inverse`] |
//! | Momentum transfer (Å⁻¹) | `Q = 4π·m·L·sin θ / (h·t)` | [`Formula::Inverse`] |
//! | Energy (meV) | `E = ½·m·(L/t)²` | [`Formula::InverseSquare`] |
//! | Energy transfer (meV) | see [`ConversionStep::direct_energy_transfer`] | [`Formula::InverseSquare`] |
//!
//! Promises: a value converted alone ([`Transform::apply`]) equals, bit for bit, one converted in a block by a kernel.
//! Both evaluate the same expressions in the same order. It must not know instruments or physical constants: the caller
//! gives the coefficients.

mod coefficient;

use std::sync::Arc;

use crate::fingerprint::Digest;

pub use coefficient::Coefficient;

/// Formula of a conversion step, applied to `u = scale·x + offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Formula {
    /// `u`: wavelength and d-spacing from time of flight, and back. `factor` and `shift` are not used.
    Linear,
    /// `factor / u + shift`: wave number and momentum transfer from time of flight, and back.
    Inverse,
    /// `factor / u² + shift`: energy from time of flight; energy transfer with `offset` as minus the time on the flight
    /// path of known energy.
    InverseSquare,
    /// `factor / √u + shift`: time of flight or wavelength from energy.
    InverseRoot,
    /// `factor · √u + shift`: momentum transfer or wave number from its square or from energy.
    Root,
    /// `factor · u² + shift`: squared momentum transfer, energy from wave number.
    Square,
}

/// One unit conversion: [`Formula`] and its constants by slot.
///
/// A thermal neutron of 2200 m/s has a wavelength of 1.798 Å and an energy of 25.3 meV. The example has a path of 10 m
/// and the constants of CODATA 2018.
///
/// ```
/// use live_data_engine::transform::{Coefficient, ConversionStep, Formula};
///
/// const NEUTRON_MASS: f64 = 1.674_927_498_04e-27; // kg
/// const PLANCK: f64 = 6.626_070_15e-34; // J s
/// const MEV: f64 = 1.602_176_634e-22; // J
/// let (length, tof) = (10.0, 10.0 / 2200.0 * 1e6); // m, µs
///
/// // λ = h·t / (m·L), Å from µs
/// let scale = PLANCK / (NEUTRON_MASS * length) * 1e-6 * 1e10;
/// let wavelength = ConversionStep::linear(Coefficient::Uniform(scale), Coefficient::Uniform(0.0));
/// assert!((wavelength.apply(0, tof) - 1.798).abs() < 5e-4);
///
/// // E = ½·m·(L/t)², meV from µs
/// let factor = 0.5 * NEUTRON_MASS * length * length * 1e12 / MEV;
/// let energy = ConversionStep::formula(Formula::InverseSquare, Coefficient::Uniform(factor), f64::INFINITY);
/// assert!((energy.apply(0, tof) - 25.3).abs() < 0.01);
/// ```
#[derive(Debug, Clone)]
pub struct ConversionStep {
    pub formula: Formula,
    /// Factor of the incoming value.
    pub scale: Coefficient,
    /// Summand of the scaled value.
    pub offset: Coefficient,
    /// Factor of the formula's value.
    pub factor: Coefficient,
    /// Summand of the result.
    pub shift: Coefficient,
    /// Result for `u <= 0`, the physically inaccessible region; not used by [`Formula::Linear`].
    pub inaccessible: f64,
}

impl ConversionStep {
    /// Step `scale·x + offset`, with [`Formula::Linear`].
    #[must_use]
    pub fn linear(scale: Coefficient, offset: Coefficient) -> Self {
        Self {
            formula: Formula::Linear,
            scale,
            offset,
            factor: Coefficient::Uniform(1.0),
            shift: Coefficient::Uniform(0.0),
            inaccessible: f64::NAN,
        }
    }

    /// Step `factor · f(x)`, which gives `inaccessible` for `x <= 0`.
    #[must_use]
    pub fn formula(formula: Formula, factor: Coefficient, inaccessible: f64) -> Self {
        Self {
            formula,
            scale: Coefficient::Uniform(1.0),
            offset: Coefficient::Uniform(0.0),
            factor,
            shift: Coefficient::Uniform(0.0),
            inaccessible,
        }
    }

    /// Energy transfer of a direct-geometry spectrometer, meV, from time of flight `t` in µs:
    /// `ΔE = ei − k / (t − t1)²` with `k = ½·m·L2²` and `t1 = L1·√(m / (2·ei))`.
    ///
    /// - `ei`: incident energy, meV
    /// - `k`: meV·µs², from the flight path `L2` between sample and detector
    /// - `t1`: time of flight from source to sample, µs
    ///
    /// `t <= t1` gives `-f64::MAX`, as in Mantid (concept page "Unit Factory", unit `DeltaE`; mode Direct of
    /// ConvertUnits).
    ///
    /// An elastic event (`t = t1 + √(k / ei)`) has no energy transfer:
    ///
    /// ```
    /// use live_data_engine::transform::{Coefficient, ConversionStep};
    ///
    /// // ½·m·(1 m)² is 5.227e6 meV·µs² (E = 5.227 meV for 1 m/ms).
    /// let (k, ei) = (5.227e6 * 2.5 * 2.5, 50.0);
    /// let t1 = (5.227e6_f64 * 11.8 * 11.8 / ei).sqrt();
    /// let step = ConversionStep::direct_energy_transfer(
    ///     Coefficient::Uniform(ei),
    ///     &Coefficient::Uniform(k),
    ///     &Coefficient::Uniform(t1),
    /// );
    /// assert!(step.apply(0, t1 + (k / ei).sqrt()).abs() < 1e-9);
    /// assert_eq!(step.apply(0, t1), -f64::MAX);
    /// ```
    #[must_use]
    pub fn direct_energy_transfer(ei: Coefficient, k: &Coefficient, t1: &Coefficient) -> Self {
        Self {
            formula: Formula::InverseSquare,
            scale: Coefficient::Uniform(1.0),
            offset: t1.negated(),
            factor: k.negated(),
            shift: ei,
            inaccessible: -f64::MAX,
        }
    }

    /// Energy transfer of an indirect-geometry spectrometer, meV, from time of flight `t` in µs:
    /// `ΔE = k / (t − t2)² − ef` with `k = ½·m·L1²` and `t2 = L2·√(m / (2·ef))`.
    ///
    /// - `ef`: final energy of the analyser, meV
    /// - `k`: meV·µs², from the flight path `L1` between source and sample
    /// - `t2`: time of flight from sample to detector, µs
    ///
    /// `t <= t2` gives `f64::MAX`, as in Mantid (concept page "Unit Factory", unit `DeltaE`; mode Indirect of
    /// ConvertUnits).
    #[must_use]
    pub fn indirect_energy_transfer(ef: &Coefficient, k: Coefficient, t2: &Coefficient) -> Self {
        Self {
            formula: Formula::InverseSquare,
            scale: Coefficient::Uniform(1.0),
            offset: t2.negated(),
            factor: k,
            shift: ef.negated(),
            inaccessible: f64::MAX,
        }
    }

    /// Converted value of `x` with the constants of a slot.
    #[must_use]
    #[inline]
    pub fn apply(&self, slot: usize, x: f64) -> f64 {
        let constants = SlotConstants {
            scale: self.scale.at(slot),
            offset: self.offset.at(slot),
            factor: self.factor.at(slot),
            shift: self.shift.at(slot),
        };
        constants.apply(self.formula, self.inaccessible, x)
    }

    /// Direction of the result with growing `x`, within `u > 0`; `None` if slots differ or a factor is zero.
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

    pub(crate) fn gather(&self, from: &[u32]) -> Self {
        Self {
            formula: self.formula,
            scale: self.scale.gather(from),
            offset: self.offset.gather(from),
            factor: self.factor.gather(from),
            shift: self.shift.gather(from),
            inaccessible: self.inaccessible,
        }
    }

    fn digest(&self, digest: &mut Digest) {
        digest.add(self.formula);
        for coefficient in self.coefficients() {
            coefficient.digest(digest);
        }
        digest.add_f64(self.inaccessible);
    }

    /// Smallest number of slots that a per-slot constant has; `None` if all constants are uniform.
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

/// Constants of one conversion step for one slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlotConstants {
    pub(crate) scale: f64,
    pub(crate) offset: f64,
    pub(crate) factor: f64,
    pub(crate) shift: f64,
}

impl SlotConstants {
    /// Evaluates a formula; kernels call it with the formula known at compile time. The only scalar implementation.
    #[inline(always)]
    pub(crate) fn apply(self, formula: Formula, inaccessible: f64, x: f64) -> f64 {
        let u = self.scale * x + self.offset;
        let value = match formula {
            Formula::Linear => return u,
            Formula::Inverse => self.factor / u + self.shift,
            Formula::InverseSquare => self.factor / (u * u) + self.shift,
            Formula::InverseRoot => self.factor / u.sqrt() + self.shift,
            Formula::Root => self.factor * u.sqrt() + self.shift,
            Formula::Square => self.factor * (u * u) + self.shift,
        };
        if u <= 0.0 { inaccessible } else { value }
    }
}

/// Direction of converted values with growing time of flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Later events have larger values.
    Increasing,
    /// Later events have smaller values.
    Decreasing,
}

/// Conversion or range of a [`Transform`]; events pass the steps in order.
#[derive(Debug, Clone)]
pub enum TransformStep {
    /// Conversion to another unit.
    Convert(ConversionStep),
    /// Range `[low, high]`, both ends included: other events, and NaN, are dropped.
    Keep { low: f64, high: f64 },
}

/// Steps from time of flight (µs) to the value that is binned; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Transform {
    steps: Arc<[TransformStep]>,
}

impl Transform {
    /// Transform without steps: values are times of flight in µs.
    #[must_use]
    pub fn identity() -> Self {
        Self::default()
    }

    /// Steps in the order of their application.
    #[must_use]
    pub fn steps(&self) -> &[TransformStep] {
        &self.steps
    }

    /// True without steps.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.steps.is_empty()
    }

    /// True if a step drops events.
    #[must_use]
    pub fn has_range(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, TransformStep::Keep { .. }))
    }

    /// This transform, followed by a conversion.
    #[must_use]
    pub fn then(&self, step: ConversionStep) -> Self {
        self.with(TransformStep::Convert(step))
    }

    /// This transform, followed by the range `[low, high]`, both ends included.
    #[must_use]
    pub fn keep(&self, low: f64, high: f64) -> Self {
        self.with(TransformStep::Keep { low, high })
    }

    fn with(&self, step: TransformStep) -> Self {
        Self {
            steps: self.steps.iter().cloned().chain([step]).collect(),
        }
    }

    /// Value of a time of flight in µs with the constants of a slot; `None` if a range drops it.
    #[must_use]
    #[inline]
    pub fn apply(&self, slot: usize, time_of_flight: f64) -> Option<f64> {
        let mut x = time_of_flight;
        for step in self.steps.iter() {
            match step {
                TransformStep::Convert(step) => x = step.apply(slot, x),
                TransformStep::Keep { low, high } => {
                    if !(x >= *low && x <= *high) {
                        return None;
                    }
                }
            }
        }
        Some(x)
    }

    /// Direction of the values with growing time of flight; `None` if slots differ.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        let mut rises = true;
        for step in self.steps.iter() {
            if let TransformStep::Convert(step) = step {
                rises = rises == (step.direction()? == Direction::Increasing);
            }
        }
        Some(if rises {
            Direction::Increasing
        } else {
            Direction::Decreasing
        })
    }

    /// Smallest number of slots that a per-slot constant has; `None` if all constants are uniform.
    #[must_use]
    pub fn slots(&self) -> Option<usize> {
        self.steps
            .iter()
            .filter_map(|step| match step {
                TransformStep::Convert(step) => step.slots(),
                TransformStep::Keep { .. } => None,
            })
            .min()
    }

    pub(crate) fn digest(&self, digest: &mut Digest) {
        digest.add(self.steps.len());
        for step in self.steps.iter() {
            match step {
                TransformStep::Convert(step) => {
                    digest.add(0_u8);
                    step.digest(digest);
                }
                TransformStep::Keep { low, high } => {
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
        let step = ConversionStep::direct_energy_transfer(
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
        let step = ConversionStep::indirect_energy_transfer(
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
            .then(ConversionStep::linear(
                Coefficient::Uniform(2.0),
                Coefficient::Uniform(0.0),
            ))
            .keep(10.0, 20.0)
            .then(ConversionStep::formula(
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
        let energy = ConversionStep::formula(Formula::InverseSquare, Coefficient::Uniform(k(12.0)), f64::INFINITY);
        let back = ConversionStep::formula(
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
        let step = ConversionStep::linear(Coefficient::per_slot(vec![1.0, -1.0]), Coefficient::Uniform(0.0));
        assert_eq!(step.direction(), None);
        let zero = ConversionStep::linear(Coefficient::Uniform(0.0), Coefficient::Uniform(0.0));
        assert_eq!(zero.direction(), None);
    }
}
