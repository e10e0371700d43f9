//! Flight path of a spectrum, and the energy mode, which decides what part of it a time of flight measures. Promises: plain
//! numbers in m, µs, radians and meV. Must not: know instruments.

use super::constants::half_mass;

/// Energy mode of an instrument (Mantid's `EMode`), which decides what part of the flight the time measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EMode {
    /// Energy unchanged by the sample: the path is L1 + L2.
    Elastic,
    /// Incident energy Eᵢ fixed (chopper spectrometer).
    Direct,
    /// Final energy E_f fixed (crystal analysers).
    Indirect,
}

impl EMode {
    /// Mode from the value of the property `EMode` or the log `deltaE-mode`, case-sensitive.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "Elastic" => Some(Self::Elastic),
            "Direct" => Some(Self::Direct),
            "Indirect" => Some(Self::Indirect),
            _ => None,
        }
    }
}

/// Geometry of one spectrum as conversions need it: Mantid's L1, L2, 2θ and Efixed.
///
/// Source of the definitions: Mantid concept page "Unit Factory" and the class `SpectrumInfo`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlightPath {
    /// Primary flight path L1, source to sample, m.
    pub l1: f64,
    /// Secondary flight path L2, sample to detector, m; of a monitor its distance from the source less L1.
    pub l2: f64,
    /// Scattering angle 2θ, radians.
    pub two_theta: f64,
    /// Fixed energy (Eᵢ direct, E_f indirect), meV; unused in elastic mode.
    pub efixed: f64,
}

impl FlightPath {
    /// Flight time of neutrons of `efixed` over a length in m, µs: t = L·√(mₙ/(2 E)).
    fn time_at_fixed_energy(&self, length: f64) -> f64 {
        length * (half_mass() / self.efixed).sqrt()
    }

    /// Length that the measured neutron flies, m, and the time on the path of fixed energy, µs.
    ///
    /// Elastic: (L1 + L2, 0). Direct: (L2, L1·√(mₙ/(2 Eᵢ))). Indirect: (L1, L2·√(mₙ/(2 E_f))).
    pub(super) fn path(&self, mode: EMode) -> (f64, f64) {
        match mode {
            EMode::Elastic => (self.l1 + self.l2, 0.0),
            EMode::Direct => (self.l2, self.time_at_fixed_energy(self.l1)),
            EMode::Indirect => (self.l1, self.time_at_fixed_energy(self.l2)),
        }
    }
}
