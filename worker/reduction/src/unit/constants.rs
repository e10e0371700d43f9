//! Physical constants of neutron time of flight. Promises: the values of Mantid's `PhysicalConstants.h`: numbers agree
//! with Mantid to the last printed digit. Must not: be updated to a newer CODATA adjustment on their own.
//!
//! Mantid took them from NIST in 2007 and 2008, the adjustment of 2006: P. J. Mohr, B. N. Taylor, D. B. Newell,
//! Rev. Mod. Phys. 80, 633 (2008), doi:10.1103/RevModPhys.80.633. The one exception names its year.

/// Planck's constant h, J s (CODATA 2006).
pub const PLANCK: f64 = 6.626_068_96e-34;
/// Mass of the neutron mₙ, kg (CODATA 2006).
pub const NEUTRON_MASS: f64 = 1.674_927_211e-27;
/// 1 meV in J: 10⁻³ times the elementary charge in C (CODATA 2006).
pub const MEV: f64 = 1.602_176_487e-22;
/// 1 meV in wave numbers E/(h c), cm⁻¹ (CODATA 2006).
pub const MEV_IN_WAVENUMBER: f64 = 8.065_544_65;
/// 1 meV in frequencies E/h, THz (CODATA 2014: P. J. Mohr, D. B. Newell, B. N. Taylor, Rev. Mod. Phys. 88, 035009 (2016),
/// doi:10.1103/RevModPhys.88.035009). CODATA 2006 gives a value larger by 8e-8 of it.
pub const MEV_IN_TERAHERTZ: f64 = 0.241_798_926_2;

/// Energy constant mₙ/2 in meV µs² m⁻²: E = `half_mass()`·(L/t)², E in meV, L in m, t in µs.
///
/// Source: E = ½ mₙ v², Mantid concept page "Unit Factory", unit Energy.
///
/// ```
/// # use live_data_reduction::unit::half_mass;
/// // Thermal neutrons: 2200 m/s is 25.3 meV.
/// let energy = half_mass() * 2200e-6_f64.powi(2);
/// assert!((energy - 25.30).abs() < 0.005);
/// ```
pub fn half_mass() -> f64 {
    NEUTRON_MASS * 1e12 / (2.0 * MEV)
}

/// Wavelength constant h/mₙ in Å m µs⁻¹: λ = `de_broglie()`·t/L, λ in Å, t in µs, L in m.
///
/// Source: L. de Broglie's λ = h/(mₙ v), Mantid concept page "Unit Factory", unit Wavelength.
///
/// ```
/// # use live_data_reduction::unit::de_broglie;
/// // The constant of powder diffraction: DIFC = 252.778·(L1 + L2)·2 sin θ, µs/Å.
/// assert!((1.0 / de_broglie() - 252.778).abs() < 5e-4);
/// ```
pub fn de_broglie() -> f64 {
    PLANCK * 1e4 / NEUTRON_MASS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_constants_follow_from_the_same_adjustment() {
        const LIGHT: f64 = 299_792_458.0;
        let wavenumber = MEV / (PLANCK * LIGHT * 100.0);
        assert!((wavenumber / MEV_IN_WAVENUMBER - 1.0).abs() < 1e-8, "{wavenumber}");
        let terahertz = MEV / PLANCK * 1e-12;
        assert!((terahertz / MEV_IN_TERAHERTZ - 1.0).abs() < 1e-7, "{terahertz}");
    }
}
