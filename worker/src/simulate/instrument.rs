//! The simulated instrument: positions of its pixels, and the time of flight of the neutrons that they count.
//!
//! A neutron of wavelength λ (Å) takes t = (m / h)·(L1 + L2)·λ, in µs with paths in m. A pixel at 2θ counts reflections
//! of lattice spacing d (Å) at λ = 2·d·sin θ (Bragg). Must not know Kafka or message formats.
//!
//! Promises: pure and deterministic; a pixel's index is stable.

use super::random::Random;

/// m / h in µs/(m·Å), with the neutron's mass m and Planck's constant h: 252.7784 with CODATA 2018.
const MICROSECONDS_PER_METRE_ANGSTROM: f64 = 252.778_4;

/// Entries of the tables from which events are drawn: one for each value of 16 random bits.
const DRAWS: usize = 1 << 16;

/// Pixel of a detector, or monitor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pixel {
    /// Spectrum number; several pixels may share one.
    pub spectrum: i32,
    /// Detector id of the instrument definition.
    pub detector_id: i32,
    /// Distance from the sample, m; of a monitor along the beam, negative upstream.
    pub l2: f64,
    /// Scattering angle, radians; not used for a monitor.
    pub two_theta: f64,
    /// True for a monitor, which counts the beam.
    pub monitor: bool,
}

/// Instrument as the simulation needs it: flight path and pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct InstrumentLayout {
    /// Prefix of topics and run names.
    pub name: String,
    /// Distance from moderator to sample, m.
    pub l1: f64,
    /// Pixels and monitors; the index is that of [`super::truth::PeriodTruth::counts`].
    pub pixels: Vec<Pixel>,
}

impl InstrumentLayout {
    /// Small diffractometer. Two monitors have the spectra 1 and 2 and the detector ids 1 and 2. Four banks of 16 × 16
    /// pixels of 20 mm are at 1.5 m and 35, 90, 145 and 168 degrees (spectra 3 to 1026). The detector id of pixel p (0
    /// to 255) in bank b (1 to 4) is 1000·b + p.
    pub fn small(name: &str) -> InstrumentLayout {
        let monitor = |spectrum, l2| Pixel {
            spectrum,
            detector_id: spectrum,
            l2,
            two_theta: 0.0,
            monitor: true,
        };
        let mut pixels = vec![monitor(1, -1.7), monitor(2, 2.6)];
        for (bank, degrees) in [35.0_f64, 90.0, 145.0, 168.0].into_iter().enumerate() {
            for pixel in 0..256_u16 {
                let (row, column) = (f64::from(pixel / 16) - 7.5, f64::from(pixel % 16) - 7.5);
                let (height, across) = (row * 0.02, column * 0.02);
                let flight = 1.5;
                // Angle in the horizontal plane; the height is added below.
                let angle = degrees.to_radians() + across / flight;
                let length = f64::hypot(flight, height);
                let index = i32::from(pixel) + 256 * i32::try_from(bank).unwrap_or(0);
                pixels.push(Pixel {
                    spectrum: 3 + index,
                    detector_id: 1000 * (1 + index / 256) + index % 256,
                    l2: length,
                    two_theta: (angle.cos() * flight / length).clamp(-1.0, 1.0).acos(),
                    monitor: false,
                });
            }
        }
        InstrumentLayout {
            name: name.to_owned(),
            l1: 12.0,
            pixels,
        }
    }
}

/// Tables from which events are drawn.
#[derive(Debug)]
pub(super) struct EventSource {
    /// Time of flight of each pixel in ns/Å: by lattice spacing for pixels, by wavelength for monitors.
    scale: Vec<f32>,
    monitors: Vec<u32>,
    detectors: Vec<u32>,
    /// Number of events in monitors among 65,536.
    monitor_share: u32,
    spacing: Vec<f32>,
    wavelength: Vec<f32>,
    frame_ns: u32,
}

/// Event without a message format: index of the pixel, and time of flight in ns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DrawnEvent {
    pub(super) pixel: u32,
    pub(super) time_of_flight: u32,
}

/// Reflections of silicon: d = a/√(h² + k² + l²) in Å with a = 5.4309 Å (CODATA 2018: 5.4310 Å), and illustrative
/// relative intensities.
const REFLECTIONS: [(f64, f64); 8] = [
    (3.1355, 1.00),
    (1.9201, 0.64),
    (1.6375, 0.35),
    (1.3577, 0.08),
    (1.2459, 0.13),
    (1.1086, 0.17),
    (1.0452, 0.09),
    (0.9601, 0.05),
];

impl EventSource {
    pub(super) fn new(
        layout: &InstrumentLayout,
        monitor_share: f64,
        frame_ns: u32,
        random: &mut Random,
    ) -> EventSource {
        let mut source = EventSource {
            scale: Vec::with_capacity(layout.pixels.len()),
            monitors: Vec::new(),
            detectors: Vec::new(),
            monitor_share: 0,
            spacing: (0..DRAWS).map(|_| draw_spacing(random)).collect(),
            wavelength: (0..DRAWS).map(|_| draw_wavelength(random)).collect(),
            frame_ns: frame_ns.max(1),
        };
        for (index, pixel) in (0_u32..).zip(&layout.pixels) {
            let per_angstrom = 1e3 * MICROSECONDS_PER_METRE_ANGSTROM * (layout.l1 + pixel.l2);
            // Bragg: the wavelength is 2 d sin(theta).
            let scale = if pixel.monitor {
                per_angstrom
            } else {
                per_angstrom * 2.0 * (pixel.two_theta / 2.0).sin()
            };
            source.scale.push(scale.abs() as f32);
            if pixel.monitor {
                source.monitors.push(index)
            } else {
                source.detectors.push(index)
            }
        }
        source.monitor_share = match (source.monitors.is_empty(), source.detectors.is_empty()) {
            (true, _) => 0,
            (false, true) => 1 << 16,
            (false, false) => (monitor_share.clamp(0.0, 1.0) * 65_536.0) as u32,
        };
        source
    }

    pub(super) fn is_empty(&self) -> bool {
        self.scale.is_empty()
    }

    /// Draws one event. Neutrons slower than the frame are counted in the next one, as on a real instrument.
    #[inline]
    pub(super) fn draw(&self, random: &mut Random) -> DrawnEvent {
        let bits = random.next();
        let (choice, table, fraction) = ((bits & 0xffff) as u32, (bits >> 16 & 0xffff) as usize, bits >> 32);
        let (pixels, angstroms) = if choice < self.monitor_share {
            (&self.monitors, &self.wavelength)
        } else {
            (&self.detectors, &self.spacing)
        };
        let pixel = pixels[((fraction * pixels.len() as u64) >> 32) as usize];
        let flight = (self.scale[pixel as usize] * angstroms[table]) as u32;
        DrawnEvent {
            pixel,
            time_of_flight: flight % self.frame_ns,
        }
    }
}

/// Lattice spacing, Å: four events in five in a reflection, 0.4 % wide (1σ), the others evenly in ln d from 0.3 to 4 Å.
fn draw_spacing(random: &mut Random) -> f32 {
    if random.fraction() < 0.2 {
        return (0.3 * (4.0_f64 / 0.3).powf(random.fraction())) as f32;
    }
    let total: f64 = REFLECTIONS.iter().map(|(_, weight)| weight).sum();
    let mut left = random.fraction() * total;
    let mut chosen = REFLECTIONS[0].0;
    for (spacing, weight) in REFLECTIONS {
        chosen = spacing;
        left -= weight;
        if left <= 0.0 {
            break;
        }
    }
    (chosen * (1.0 + 0.004 * random.normal())) as f32
}

/// Wavelength, Å, of a Maxwellian flux at T = 300 K: λ = √(81.804 / E), with E in meV and 81.804 = h²/2m in meV·Å²
/// (CODATA 2018).
fn draw_wavelength(random: &mut Random) -> f32 {
    // In a Maxwellian flux E is kT (25.85 meV) times a gamma variate of shape 2.
    let energy_mev = -25.85 * ((1.0 - random.fraction()) * (1.0 - random.fraction())).ln();
    (81.804_f64 / energy_mev.max(0.5)).sqrt() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_instrument_has_unique_ids_and_spectra() {
        let layout = InstrumentLayout::small("DEMO");
        let ids: std::collections::BTreeSet<i32> = layout.pixels.iter().map(|pixel| pixel.detector_id).collect();
        let spectra: Vec<i32> = layout.pixels.iter().map(|pixel| pixel.spectrum).collect();
        assert_eq!(ids.len(), layout.pixels.len());
        assert_eq!(spectra, (1..=1026).collect::<Vec<_>>());
    }

    #[test]
    fn peaks_sit_where_braggs_law_puts_them() {
        let layout = InstrumentLayout::small("DEMO");
        let mut random = Random::new(7);
        let source = EventSource::new(&layout, 0.05, 100_000_000, &mut random);
        let mut near_peak = 0_u32;
        let mut near_valley = 0_u32;
        for _ in 0..400_000 {
            let drawn = source.draw(&mut random);
            let pixel = layout.pixels[drawn.pixel as usize];
            if pixel.monitor {
                continue;
            }
            let length = layout.l1 + pixel.l2;
            let spacing = f64::from(drawn.time_of_flight)
                / (1e3 * MICROSECONDS_PER_METRE_ANGSTROM * length * 2.0 * (pixel.two_theta / 2.0).sin());
            near_peak += u32::from((spacing - 3.1355).abs() < 0.04);
            near_valley += u32::from((spacing - 2.5).abs() < 0.04);
        }
        assert!(
            near_peak > 20 * near_valley.max(1),
            "{near_peak} at the peak, {near_valley} between peaks"
        );
    }

    #[test]
    fn the_same_seed_draws_the_same_events() {
        let draw = || {
            let mut random = Random::new(99);
            let source = EventSource::new(&InstrumentLayout::small("DEMO"), 0.1, 20_000_000, &mut random);
            (0..1000).map(|_| source.draw(&mut random)).collect::<Vec<_>>()
        };
        let events = draw();
        assert_eq!(events, draw());
        assert!(events.iter().all(|event| event.time_of_flight < 20_000_000));
    }
}
