//! Conversions of X from and to time of flight. Promises: a conversion is a list of steps that an event plan fuses and
//! that edges pass through with the same arithmetic. Must not: know workspaces.
//!
//! | quantity | from time of flight | result |
//! |---|---|---|
//! | Wavelength λ | λ = h (t − t₀) / (mₙ L) | Å |
//! | Energy E | E = ½ mₙ (L / (t − t₀))² | meV, cm⁻¹ |
//! | Momentum k | k = 2π mₙ L / (h (t − t₀)) | Å⁻¹ |
//! | d-spacing d | d = h t / (2 sin θ mₙ (L1 + L2)) | Å |
//! | Momentum transfer Q | Q = 4π sin θ mₙ (L1 + L2) / (h t) = 2π / d | Å⁻¹ |
//! | Q² | square of Q | Å⁻² |
//! | Energy transfer ΔE, direct | ΔE = Eᵢ − ½ mₙ (L2 / (t − t₀))², t₀ = L1 √(mₙ / (2 Eᵢ)) | meV, cm⁻¹, GHz |
//! | Energy transfer ΔE, indirect | ΔE = ½ mₙ (L1 / (t − t₀))² − E_f, t₀ = L2 √(mₙ / (2 E_f)) | meV, cm⁻¹, GHz |
//!
//! t: time of flight, µs. L: length that the measured neutron flies, m, and t₀: time on the path of fixed energy, µs
//! (both by energy mode, see [`FlightPath`]). L1, L2: m. θ: half the scattering angle. h, mₙ: [`super::constants`].
//! Sources: Mantid's concept page "Unit Factory" and algorithm page "ConvertUnits"; for inelastic scattering
//! C. G. Windsor, Pulsed Neutron Scattering, Taylor & Francis (1981).

use std::f64::consts::PI;

use live_data_engine::transform::{Coefficient, ConversionStep, Formula};

use super::constants::{MEV_IN_TERAHERTZ, MEV_IN_WAVENUMBER, de_broglie, half_mass};
use super::flight_path::{EMode, FlightPath};
use super::names::Quantity;

/// Coefficient of each spectrum, or one for all where they agree to the last bit.
fn coefficient(flights: &[FlightPath], f: impl Fn(&FlightPath) -> f64) -> Coefficient {
    match flights {
        [one] => Coefficient::Uniform(f(one)),
        many => {
            let values: Vec<f64> = many.iter().map(&f).collect();
            match values.first() {
                Some(first) if values.iter().all(|value| value.to_bits() == first.to_bits()) => {
                    Coefficient::Uniform(*first)
                }
                _ => Coefficient::per_slot(values),
            }
        }
    }
}

/// Units of an energy quantity per meV: cm⁻¹, GHz, or 1 for meV.
fn per_mev(quantity: Quantity) -> f64 {
    match quantity {
        Quantity::DeltaEInWavenumber | Quantity::EnergyInWavenumber => MEV_IN_WAVENUMBER,
        Quantity::DeltaEInFrequency => MEV_IN_TERAHERTZ * 1000.0,
        _ => 1.0,
    }
}

/// Wave number constant 2π mₙ L / h, Å⁻¹ µs: k = `wave_number_factor` / t.
fn wave_number_factor(flight: &FlightPath, mode: EMode) -> f64 {
    2.0 * PI * flight.path(mode).0 / de_broglie()
}

/// Momentum transfer constant 4π sin θ mₙ (L1 + L2) / h, Å⁻¹ µs: Q = `momentum_transfer_factor` / t.
fn momentum_transfer_factor(flight: &FlightPath) -> f64 {
    4.0 * PI * (flight.two_theta / 2.0).sin() * (flight.l1 + flight.l2) / de_broglie()
}

/// Steps from a time of flight in µs to `quantity`; empty for the time of flight itself.
///
/// `flights` has one path for all spectra, or one for each.
///
/// Formulas, symbols and sources: [module documentation](self).
///
/// ```
/// # use live_data_reduction::unit::{EMode, FlightPath, Quantity, apply, from_time_of_flight};
/// // The example of Mantid's page ConvertUnits: 19 800 µs over 10 m + 5 m is 5.22196485301 Å.
/// let flight = FlightPath { l1: 10.0, l2: 5.0, two_theta: 0.0, efixed: 0.0 };
/// let steps = from_time_of_flight(Quantity::Wavelength, EMode::Elastic, &[flight]);
/// assert!((apply(&steps, 0, 19_800.0) - 5.221_964_853_01).abs() < 1e-10);
/// ```
pub fn from_time_of_flight(quantity: Quantity, mode: EMode, flights: &[FlightPath]) -> Vec<ConversionStep> {
    let uniform = Coefficient::Uniform;
    let per_length = |f: &FlightPath| de_broglie() / f.path(mode).0;
    let late = |f: &FlightPath| -f.path(mode).1;
    match quantity {
        Quantity::Wavelength => {
            vec![ConversionStep::linear(
                coefficient(flights, per_length),
                coefficient(flights, |f| per_length(f) * late(f)),
            )]
        }
        Quantity::Energy | Quantity::EnergyInWavenumber => {
            let k = coefficient(flights, |f| half_mass() * f.path(mode).0.powi(2) * per_mev(quantity));
            let step = ConversionStep::formula(Formula::InverseSquare, k, f64::MAX);
            vec![ConversionStep {
                offset: coefficient(flights, late),
                ..step
            }]
        }
        Quantity::DSpacing => {
            let scale = |f: &FlightPath| de_broglie() / (f.l1 + f.l2) / (2.0 * (f.two_theta / 2.0).sin());
            vec![ConversionStep::linear(coefficient(flights, scale), uniform(0.0))]
        }
        Quantity::MomentumTransfer => {
            let factor = coefficient(flights, momentum_transfer_factor);
            vec![ConversionStep::formula(Formula::Inverse, factor, f64::MAX)]
        }
        Quantity::QSquared => {
            let factor = coefficient(flights, |f| momentum_transfer_factor(f).powi(2));
            vec![ConversionStep::formula(Formula::InverseSquare, factor, f64::MAX)]
        }
        Quantity::Momentum => {
            let factor = coefficient(flights, |f| wave_number_factor(f, mode));
            vec![ConversionStep {
                offset: coefficient(flights, late),
                ..ConversionStep::formula(Formula::Inverse, factor, f64::MAX)
            }]
        }
        Quantity::DeltaE | Quantity::DeltaEInWavenumber | Quantity::DeltaEInFrequency => {
            let unit = per_mev(quantity);
            let fixed = coefficient(flights, |f| f.efixed * unit);
            let k = coefficient(flights, |f| half_mass() * f.path(mode).0.powi(2) * unit);
            let other = coefficient(flights, |f| f.path(mode).1);
            match mode {
                EMode::Indirect => vec![ConversionStep::indirect_energy_transfer(&fixed, k, &other)],
                _ => vec![ConversionStep::direct_energy_transfer(fixed, &k, &other)],
            }
        }
        Quantity::TimeOfFlight => Vec::new(),
        _ => vec![ConversionStep::linear(uniform(1.0), uniform(0.0))],
    }
}

/// Steps from `quantity` to a time of flight in µs: the inverse of [`from_time_of_flight`].
///
/// Formulas, symbols and sources: [module documentation](self), solved for t.
///
/// ```
/// # use live_data_reduction::unit::{EMode, FlightPath, Quantity, apply, to_time_of_flight};
/// // 1.798 Å are the thermal neutrons of 2200 m/s: 454.5 µs/m.
/// let flight = FlightPath { l1: 9.0, l2: 1.0, two_theta: 0.0, efixed: 0.0 };
/// let steps = to_time_of_flight(Quantity::Wavelength, EMode::Elastic, &[flight]);
/// assert!((apply(&steps, 0, 1.798) - 4545.0).abs() < 1.0);
/// ```
pub fn to_time_of_flight(quantity: Quantity, mode: EMode, flights: &[FlightPath]) -> Vec<ConversionStep> {
    let length = |f: &FlightPath| f.path(mode).0;
    let other = coefficient(flights, |f| f.path(mode).1);
    match quantity {
        Quantity::Wavelength => vec![ConversionStep::linear(
            coefficient(flights, |f| length(f) / de_broglie()),
            other,
        )],
        Quantity::Energy | Quantity::EnergyInWavenumber => {
            let factor = coefficient(flights, |f| (half_mass() * per_mev(quantity)).sqrt() * length(f));
            vec![ConversionStep {
                shift: other,
                ..ConversionStep::formula(Formula::InverseRoot, factor, f64::MAX)
            }]
        }
        Quantity::DSpacing => {
            let scale = |f: &FlightPath| (f.l1 + f.l2) * 2.0 * (f.two_theta / 2.0).sin() / de_broglie();
            vec![ConversionStep::linear(
                coefficient(flights, scale),
                Coefficient::Uniform(0.0),
            )]
        }
        Quantity::MomentumTransfer | Quantity::QSquared => {
            let formula = match quantity {
                Quantity::QSquared => Formula::InverseRoot,
                _ => Formula::Inverse,
            };
            let factor = coefficient(flights, momentum_transfer_factor);
            vec![ConversionStep::formula(formula, factor, f64::MAX)]
        }
        Quantity::Momentum => {
            let factor = coefficient(flights, |f| wave_number_factor(f, mode));
            vec![ConversionStep {
                shift: other,
                ..ConversionStep::formula(Formula::Inverse, factor, f64::MAX)
            }]
        }
        Quantity::DeltaE | Quantity::DeltaEInWavenumber | Quantity::DeltaEInFrequency => {
            vec![from_energy_transfer(quantity, mode, flights, other)]
        }
        _ => Vec::new(),
    }
}

/// Step from an energy transfer to a time of flight in µs, with t₀ and L of [`FlightPath::path`].
///
/// t = t₀ + L √(mₙ / (2 (Eᵢ − ΔE))) in direct mode, t = t₀ + L √(mₙ / (2 (E_f + ΔE))) in indirect mode.
fn from_energy_transfer(quantity: Quantity, mode: EMode, flights: &[FlightPath], other: Coefficient) -> ConversionStep {
    let factor = coefficient(flights, |f| half_mass().sqrt() * f.path(mode).0);
    let (sign, beyond) = if mode == EMode::Indirect {
        (1.0, f64::MIN_POSITIVE)
    } else {
        (-1.0, f64::MAX)
    };
    ConversionStep {
        offset: coefficient(flights, |f| f.efixed),
        shift: other,
        scale: Coefficient::Uniform(sign / per_mev(quantity)),
        ..ConversionStep::formula(Formula::InverseRoot, factor, beyond)
    }
}

/// One value in the unit of `from` as the unit of `to`, for one spectrum.
///
/// Values that no neutron can have (ΔE above Eᵢ, a time before t₀) become ±`f64::MAX` or `f64::MIN_POSITIVE`.
///
/// ```
/// # use live_data_reduction::unit::{EMode, FlightPath, Quantity, convert};
/// // Backscattering from Si (111), d = 3.1356 Å: λ = 6.271 Å and E = 2.08 meV, Q = 2π/d.
/// let flight = FlightPath { l1: 100.0, l2: 2.0, two_theta: std::f64::consts::PI, efixed: 2.08 };
/// let from_d = |to| convert(Quantity::DSpacing, to, EMode::Elastic, &flight, 3.1356);
/// assert!((from_d(Quantity::Wavelength) - 6.271).abs() < 1e-3);
/// assert!((from_d(Quantity::Energy) - 2.08).abs() < 1e-3);
/// assert!((from_d(Quantity::MomentumTransfer) - 2.0038).abs() < 1e-4);
/// // 1 meV is 8.0655 cm⁻¹ and 241.8 GHz.
/// let from_mev = |to| convert(Quantity::DeltaE, to, EMode::Indirect, &flight, 1.0);
/// assert!((from_mev(Quantity::DeltaEInWavenumber) - 8.0655).abs() < 1e-4);
/// assert!((from_mev(Quantity::DeltaEInFrequency) - 241.8).abs() < 1e-2);
/// ```
pub fn convert(from: Quantity, to: Quantity, mode: EMode, flight: &FlightPath, value: f64) -> f64 {
    if from == to {
        return value;
    }
    let flights = std::slice::from_ref(flight);
    let time = apply(&to_time_of_flight(from, mode, flights), 0, value);
    apply(&from_time_of_flight(to, mode, flights), 0, time)
}

/// Value `x` after the steps, with the coefficients of spectrum `slot`.
pub fn apply(steps: &[ConversionStep], slot: usize, x: f64) -> f64 {
    steps.iter().fold(x, |value, step| step.apply(slot, value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::names::is_energy_transfer;
    use super::*;
    use proptest::prelude::*;

    const QUANTITIES: [Quantity; 10] = [
        Quantity::Wavelength,
        Quantity::Energy,
        Quantity::EnergyInWavenumber,
        Quantity::DSpacing,
        Quantity::MomentumTransfer,
        Quantity::QSquared,
        Quantity::DeltaE,
        Quantity::DeltaEInWavenumber,
        Quantity::DeltaEInFrequency,
        Quantity::Momentum,
    ];

    #[test]
    fn the_documented_wavelength_comes_out() {
        let flight = FlightPath {
            l1: 10.0,
            l2: 5.0,
            two_theta: 0.0,
            efixed: 0.0,
        };
        let steps = from_time_of_flight(Quantity::Wavelength, EMode::Elastic, &[flight]);
        assert!((apply(&steps, 0, 19_800.0) - 5.221_964_853_01).abs() < 1e-10);
    }

    #[test]
    fn early_neutrons_of_a_direct_instrument_are_inaccessible() {
        let flight = FlightPath {
            l1: 10.0,
            l2: 4.0,
            two_theta: 1.0,
            efixed: 50.0,
        };
        let steps = from_time_of_flight(Quantity::DeltaE, EMode::Direct, &[flight]);
        assert_eq!(apply(&steps, 0, 10.0), -f64::MAX);
    }

    #[test]
    fn elastic_scattering_has_no_energy_transfer() {
        // 25.3 meV is 2200 m/s: 14 m take 6364 µs whichever path is fixed.
        let flight = FlightPath {
            l1: 10.0,
            l2: 4.0,
            two_theta: 1.0,
            efixed: 25.298_9,
        };
        for mode in [EMode::Direct, EMode::Indirect] {
            let steps = from_time_of_flight(Quantity::DeltaE, mode, &[flight]);
            assert!(apply(&steps, 0, 14.0 / 2200e-6).abs() < 1e-3);
        }
    }

    proptest! {
        #[test]
        fn forth_and_back_is_the_identity(l1 in 5.0..100.0, l2 in 0.5..10.0, two_theta in 0.01..3.1, t in 10.0..1e5, e in 0.5..500.0) {
            for mode in [EMode::Elastic, EMode::Direct, EMode::Indirect] {
                let flight = FlightPath { l1, l2, two_theta, efixed: e };
                let late = flight.path(mode).1;
                for quantity in QUANTITIES {
                    if is_energy_transfer(quantity) && mode == EMode::Elastic {
                        continue;
                    }
                    let time = late + t;
                    let there = apply(&from_time_of_flight(quantity, mode, &[flight]), 0, time);
                    let back = apply(&to_time_of_flight(quantity, mode, &[flight]), 0, there);
                    prop_assert!((back - time).abs() < 1e-6 * time, "{quantity:?} {mode:?}: {time} -> {there} -> {back}");
                }
            }
        }
    }
}
