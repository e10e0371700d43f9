//! The units of X: names, labels, and conversion from and to time of flight. Promises: a conversion is a list of
//! steps that an event plan can fuse and that edges go through with the same arithmetic; constants are those that
//! Mantid uses, so that numbers agree to the last printed digit. Must not know workspaces.

use live_data_engine::transform::{Coefficient, Formula, Step};

/// Planck's constant, J s.
pub const PLANCK: f64 = 6.626_068_96e-34;
/// Mass of the neutron, kg.
pub const NEUTRON_MASS: f64 = 1.674_927_211e-27;
/// One meV in J.
pub const MEV: f64 = 1.602_176_487e-22;
/// One meV in wave numbers, cm⁻¹.
pub const MEV_IN_WAVENUMBER: f64 = 8.065_544_65;
/// One meV in THz.
pub const MEV_IN_TERAHERTZ: f64 = 0.241_798_926_2;

/// ½·m in meV·µs²/m²: an energy in meV is this times (length in m / time in µs)².
pub fn half_mass() -> f64 {
    NEUTRON_MASS * 1e12 / (2.0 * MEV)
}

/// Å·m/µs: a wavelength in Å is this times time in µs / length in m.
pub fn de_broglie() -> f64 {
    PLANCK * 1e4 / NEUTRON_MASS
}

/// Which quantity is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// Nothing in particular.
    Empty,
    /// A text of its own.
    Label,
    /// Time of flight, µs.
    TimeOfFlight,
    /// Wavelength, Å.
    Wavelength,
    /// Energy, meV.
    Energy,
    /// Energy, cm⁻¹.
    EnergyInWavenumber,
    /// d-spacing, Å.
    DSpacing,
    /// Momentum transfer, Å⁻¹.
    MomentumTransfer,
    /// Squared momentum transfer, Å⁻².
    QSquared,
    /// Energy transfer, meV.
    DeltaE,
    /// Energy transfer, cm⁻¹.
    DeltaEInWavenumber,
    /// Energy transfer, GHz.
    DeltaEInFrequency,
    /// Wave vector, Å⁻¹.
    Momentum,
    /// Time, s.
    Time,
    /// Angle, degrees.
    Degrees,
    /// Temperature, K.
    Temperature,
    /// Distance, Å.
    AtomicDistance,
    /// Azimuth, degrees.
    Phi,
}

struct Names {
    quantity: Quantity,
    id: &'static str,
    caption: &'static str,
    symbol: &'static str,
}

const NAMES: &[Names] = &[
    Names {
        quantity: Quantity::Empty,
        id: "Empty",
        caption: "",
        symbol: "",
    },
    Names {
        quantity: Quantity::Label,
        id: "Label",
        caption: "Quantity",
        symbol: "",
    },
    Names {
        quantity: Quantity::TimeOfFlight,
        id: "TOF",
        caption: "Time-of-flight",
        symbol: "microsecond",
    },
    Names {
        quantity: Quantity::Wavelength,
        id: "Wavelength",
        caption: "Wavelength",
        symbol: "Angstrom",
    },
    Names {
        quantity: Quantity::Energy,
        id: "Energy",
        caption: "Energy",
        symbol: "meV",
    },
    Names {
        quantity: Quantity::EnergyInWavenumber,
        id: "Energy_inWavenumber",
        caption: "Energy",
        symbol: "cm^-1",
    },
    Names {
        quantity: Quantity::DSpacing,
        id: "dSpacing",
        caption: "d-Spacing",
        symbol: "Angstrom",
    },
    Names {
        quantity: Quantity::MomentumTransfer,
        id: "MomentumTransfer",
        caption: "q",
        symbol: "Angstrom^-1",
    },
    Names {
        quantity: Quantity::QSquared,
        id: "QSquared",
        caption: "Q2",
        symbol: "Angstrom^-2",
    },
    Names {
        quantity: Quantity::DeltaE,
        id: "DeltaE",
        caption: "Energy transfer",
        symbol: "meV",
    },
    Names {
        quantity: Quantity::DeltaEInWavenumber,
        id: "DeltaE_inWavenumber",
        caption: "Energy transfer",
        symbol: "cm^-1",
    },
    Names {
        quantity: Quantity::DeltaEInFrequency,
        id: "DeltaE_inFrequency",
        caption: "Energy transfer",
        symbol: "GHz",
    },
    Names {
        quantity: Quantity::Momentum,
        id: "Momentum",
        caption: "Momentum",
        symbol: "Angstrom^-1",
    },
    Names {
        quantity: Quantity::Time,
        id: "Time",
        caption: "t",
        symbol: "second",
    },
    Names {
        quantity: Quantity::Degrees,
        id: "Degrees",
        caption: "Scattering angle",
        symbol: "degrees",
    },
    Names {
        quantity: Quantity::Temperature,
        id: "Temperature",
        caption: "Temperature",
        symbol: "K",
    },
    Names {
        quantity: Quantity::AtomicDistance,
        id: "AtomicDistance",
        caption: "Atomic Distance",
        symbol: "Angstrom",
    },
    Names {
        quantity: Quantity::Phi,
        id: "Phi",
        caption: "Phi",
        symbol: "degrees",
    },
];

/// The ids of the units that ConvertUnits converts to.
pub const CONVERTIBLE: &[&str] = &[
    "DeltaE",
    "DeltaE_inFrequency",
    "DeltaE_inWavenumber",
    "Energy",
    "Energy_inWavenumber",
    "Momentum",
    "MomentumTransfer",
    "QSquared",
    "TOF",
    "Wavelength",
    "dSpacing",
];

/// A unit of X or of a vertical axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    quantity: Quantity,
    /// Caption and symbol of a label.
    label: Option<(String, String)>,
}

impl Unit {
    /// No unit.
    pub const EMPTY: Self = Self {
        quantity: Quantity::Empty,
        label: None,
    };
    /// Time of flight, µs.
    pub const TIME_OF_FLIGHT: Self = Self {
        quantity: Quantity::TimeOfFlight,
        label: None,
    };

    /// The unit of a quantity.
    pub const fn of(quantity: Quantity) -> Self {
        Self { quantity, label: None }
    }

    /// A unit with a caption and symbol of its own.
    pub fn label(caption: &str, symbol: &str) -> Self {
        Self {
            quantity: Quantity::Label,
            label: Some((caption.to_owned(), symbol.to_owned())),
        }
    }

    /// The unit of this id (`TOF`, `dSpacing` …), if there is one.
    pub fn from_id(id: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|names| names.id == id)
            .map(|names| Self::of(names.quantity))
    }

    /// Which quantity is measured.
    pub fn quantity(&self) -> Quantity {
        self.quantity
    }

    fn names(&self) -> Option<&'static Names> {
        NAMES.iter().find(|names| names.quantity == self.quantity)
    }

    /// The id, `TOF` say.
    pub fn id(&self) -> &'static str {
        self.names().map_or("", |names| names.id)
    }

    /// The quantity in words, `Time-of-flight` say.
    pub fn caption(&self) -> &str {
        match &self.label {
            Some((caption, _)) => caption,
            None => self.names().map_or("", |names| names.caption),
        }
    }

    /// The unit itself, `microsecond` say.
    pub fn symbol(&self) -> &str {
        match &self.label {
            Some((_, symbol)) => symbol,
            None => self.names().map_or("", |names| names.symbol),
        }
    }
}

/// How energy is exchanged, which decides what times of flight mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnergyMode {
    /// No energy is exchanged.
    Elastic,
    /// The energy before the sample is known.
    Direct,
    /// The energy after the sample is known.
    Indirect,
}

impl EnergyMode {
    /// From its name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "Elastic" => Some(Self::Elastic),
            "Direct" => Some(Self::Direct),
            "Indirect" => Some(Self::Indirect),
            _ => None,
        }
    }
}

/// What a conversion needs to know of a spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flight {
    /// Source to sample, m.
    pub l1: f64,
    /// Sample to detector, m; for a monitor, its distance from the source less L1.
    pub l2: f64,
    /// Scattering angle, radians.
    pub two_theta: f64,
    /// The fixed energy, meV; not used in elastic mode.
    pub e_fixed: f64,
}

impl Flight {
    /// The time, in µs, that neutrons of `e_fixed` take for a length.
    fn time_at_fixed_energy(&self, length: f64) -> f64 {
        length * (half_mass() / self.e_fixed).sqrt()
    }

    /// The path over which the quantity is measured, m, and the time spent on the other, µs.
    fn path(&self, mode: EnergyMode) -> (f64, f64) {
        match mode {
            EnergyMode::Elastic => (self.l1 + self.l2, 0.0),
            // Direct: what is measured is the neutron after the sample; indirect: before it.
            EnergyMode::Direct => (self.l2, self.time_at_fixed_energy(self.l1)),
            EnergyMode::Indirect => (self.l1, self.time_at_fixed_energy(self.l2)),
        }
    }
}

/// Whether values of a quantity depend on what is known of the spectrum, and so can be converted to time of flight.
pub fn is_convertible(quantity: Quantity) -> bool {
    NAMES
        .iter()
        .any(|names| names.quantity == quantity && CONVERTIBLE.contains(&names.id))
}

/// Whether a quantity is an energy transfer, which needs an energy mode other than elastic.
pub fn is_energy_transfer(quantity: Quantity) -> bool {
    matches!(
        quantity,
        Quantity::DeltaE | Quantity::DeltaEInWavenumber | Quantity::DeltaEInFrequency
    )
}

fn coefficient(flights: &[Flight], f: impl Fn(&Flight) -> f64) -> Coefficient {
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

fn scaled(step: Step, scale: Coefficient) -> Step {
    Step { scale, ..step }
}

/// Energy transfer's own unit per meV.
fn per_mev(quantity: Quantity) -> f64 {
    match quantity {
        Quantity::DeltaEInWavenumber | Quantity::EnergyInWavenumber => MEV_IN_WAVENUMBER,
        Quantity::DeltaEInFrequency => MEV_IN_TERAHERTZ * 1000.0,
        _ => 1.0,
    }
}

/// The steps that make `quantity` from a time of flight in µs, for one spectrum (one flight) or for each of many.
/// Empty when the quantity is the time of flight.
pub fn from_time_of_flight(quantity: Quantity, mode: EnergyMode, flights: &[Flight]) -> Vec<Step> {
    let one = || Coefficient::Uniform(1.0);
    let per_length = |f: &Flight| de_broglie() / f.path(mode).0;
    let late = |f: &Flight| -f.path(mode).1;
    match quantity {
        Quantity::Wavelength => {
            vec![Step::linear(
                coefficient(flights, per_length),
                coefficient(flights, |f| per_length(f) * late(f)),
            )]
        }
        Quantity::Energy | Quantity::EnergyInWavenumber => {
            let k = coefficient(flights, |f| half_mass() * f.path(mode).0.powi(2) * per_mev(quantity));
            let step = Step::formula(Formula::InverseSquare, k, f64::MAX);
            vec![Step {
                offset: coefficient(flights, late),
                ..step
            }]
        }
        Quantity::DSpacing => {
            let scale = |f: &Flight| de_broglie() / (f.l1 + f.l2) / (2.0 * (f.two_theta / 2.0).sin());
            vec![Step::linear(coefficient(flights, scale), Coefficient::Uniform(0.0))]
        }
        Quantity::MomentumTransfer => vec![Step::formula(
            Formula::Inverse,
            coefficient(flights, q_factor),
            f64::MAX,
        )],
        Quantity::QSquared => {
            let factor = coefficient(flights, |f| q_factor(f).powi(2));
            vec![Step::formula(Formula::InverseSquare, factor, f64::MAX)]
        }
        Quantity::Momentum => {
            let factor = |f: &Flight| 2.0 * std::f64::consts::PI * f.path(mode).0 / de_broglie();
            let step = Step::formula(Formula::Inverse, coefficient(flights, factor), f64::MAX);
            vec![Step {
                offset: coefficient(flights, late),
                ..step
            }]
        }
        Quantity::DeltaE | Quantity::DeltaEInWavenumber | Quantity::DeltaEInFrequency => {
            let unit = per_mev(quantity);
            let fixed = coefficient(flights, |f| f.e_fixed * unit);
            let k = coefficient(flights, |f| half_mass() * f.path(mode).0.powi(2) * unit);
            let other = coefficient(flights, |f| f.path(mode).1);
            match mode {
                EnergyMode::Indirect => vec![Step::indirect_energy_transfer(&fixed, k, &other)],
                _ => vec![Step::direct_energy_transfer(fixed, &k, &other)],
            }
        }
        Quantity::TimeOfFlight => Vec::new(),
        _ => vec![Step::linear(one(), Coefficient::Uniform(0.0))],
    }
}

/// The steps that make a time of flight in µs from `quantity`; see `from_time_of_flight`.
pub fn to_time_of_flight(quantity: Quantity, mode: EnergyMode, flights: &[Flight]) -> Vec<Step> {
    let length = |f: &Flight| f.path(mode).0;
    let other = coefficient(flights, |f| f.path(mode).1);
    match quantity {
        Quantity::Wavelength => vec![Step::linear(coefficient(flights, |f| length(f) / de_broglie()), other)],
        Quantity::Energy | Quantity::EnergyInWavenumber => {
            let factor = coefficient(flights, |f| (half_mass() * per_mev(quantity)).sqrt() * length(f));
            vec![Step {
                shift: other,
                ..Step::formula(Formula::InverseRoot, factor, f64::MAX)
            }]
        }
        Quantity::DSpacing => {
            let scale = |f: &Flight| (f.l1 + f.l2) * 2.0 * (f.two_theta / 2.0).sin() / de_broglie();
            vec![Step::linear(coefficient(flights, scale), Coefficient::Uniform(0.0))]
        }
        Quantity::MomentumTransfer => vec![Step::formula(
            Formula::Inverse,
            coefficient(flights, q_factor),
            f64::MAX,
        )],
        Quantity::QSquared => vec![Step::formula(
            Formula::InverseRoot,
            coefficient(flights, q_factor),
            f64::MAX,
        )],
        Quantity::Momentum => {
            let factor = |f: &Flight| 2.0 * std::f64::consts::PI * length(f) / de_broglie();
            let step = Step::formula(Formula::Inverse, coefficient(flights, factor), f64::MAX);
            vec![Step { shift: other, ..step }]
        }
        Quantity::DeltaE | Quantity::DeltaEInWavenumber | Quantity::DeltaEInFrequency => {
            let unit = per_mev(quantity);
            let factor = coefficient(flights, |f| half_mass().sqrt() * length(f));
            let (sign, beyond) = if mode == EnergyMode::Indirect {
                (1.0, f64::MIN_POSITIVE)
            } else {
                (-1.0, f64::MAX)
            };
            let step = Step::formula(Formula::InverseRoot, factor, beyond);
            let step = Step {
                offset: coefficient(flights, |f| f.e_fixed),
                shift: other,
                ..step
            };
            vec![scaled(step, Coefficient::Uniform(sign / unit))]
        }
        _ => Vec::new(),
    }
}

/// Q·t, in Å⁻¹·µs: 4π·sinθ·(m/h)·L.
fn q_factor(f: &Flight) -> f64 {
    4.0 * std::f64::consts::PI * (f.two_theta / 2.0).sin() * (f.l1 + f.l2) / de_broglie()
}

/// One number of a quantity as another quantity, for one spectrum.
pub fn convert(from: Quantity, to: Quantity, mode: EnergyMode, flight: &Flight, value: f64) -> f64 {
    if from == to {
        return value;
    }
    let flights = std::slice::from_ref(flight);
    let time = apply(&to_time_of_flight(from, mode, flights), 0, value);
    apply(&from_time_of_flight(to, mode, flights), 0, time)
}

/// The value of one number that goes through the steps of one spectrum.
pub fn apply(steps: &[Step], slot: usize, x: f64) -> f64 {
    steps.iter().fold(x, |value, step| step.apply(slot, value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
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
        let flight = Flight {
            l1: 10.0,
            l2: 5.0,
            two_theta: 0.0,
            e_fixed: 0.0,
        };
        let steps = from_time_of_flight(Quantity::Wavelength, EnergyMode::Elastic, &[flight]);
        assert!((apply(&steps, 0, 19_800.0) - 5.221_964_853_01).abs() < 1e-10);
    }

    #[test]
    fn early_neutrons_of_a_direct_instrument_are_inaccessible() {
        let flight = Flight {
            l1: 10.0,
            l2: 4.0,
            two_theta: 1.0,
            e_fixed: 50.0,
        };
        let steps = from_time_of_flight(Quantity::DeltaE, EnergyMode::Direct, &[flight]);
        assert_eq!(apply(&steps, 0, 10.0), -f64::MAX);
    }

    proptest! {
        #[test]
        fn forth_and_back_is_the_identity(l1 in 5.0..100.0, l2 in 0.5..10.0, two_theta in 0.01..3.1, t in 10.0..1e5, e in 0.5..500.0) {
            for mode in [EnergyMode::Elastic, EnergyMode::Direct, EnergyMode::Indirect] {
                let flight = Flight { l1, l2, two_theta, e_fixed: e };
                let late = flight.path(mode).1;
                for quantity in QUANTITIES {
                    if is_energy_transfer(quantity) && mode == EnergyMode::Elastic {
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
