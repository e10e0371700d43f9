//! The instrument that is simulated: where its pixels are and how a neutron's time of flight follows from it.
//!
//! Promises: pure and deterministic; a pixel's index is stable. Knows neither Kafka nor message formats.

use super::random::Random;

/// µs a metre and an ångström: m_n / h = 1 / 3956.034 m/s per 1/Å (CODATA 2018), so 252.7784 µs/(m Å).
const MICROSECONDS_PER_METRE_ANGSTROM: f64 = 252.778_4;

/// Entries of the tables that events are drawn from: as many as 16 random bits can say.
const DRAWS: usize = 1 << 16;

/// One pixel, or one monitor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pixel {
    /// The spectrum that it belongs to; several pixels may share one.
    pub spectrum: i32,
    /// The detector id of the instrument definition.
    pub detector_id: i32,
    /// Metres from the sample; for a monitor, from the sample along the beam (negative upstream).
    pub l2: f64,
    /// The scattering angle, in radians. Unused for a monitor.
    pub two_theta: f64,
    /// Counts the beam, not what is scattered.
    pub monitor: bool,
}

/// Name, primary flight path and pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// As in topic and run names.
    pub name: String,
    /// Moderator to sample, in metres.
    pub l1: f64,
    /// The pixels, monitors among them.
    pub pixels: Vec<Pixel>,
}

impl Layout {
    /// A small diffractometer: two monitors (spectra 1 and 2) and four banks of 16 x 16 pixels at 35, 90, 145
    /// and 168 degrees (spectra 3 to 1026); detector ids are 1 and 2, and the bank's number times 1000
    /// plus the pixel's place.
    pub fn small(name: &str) -> Layout {
        let monitor = |spectrum, l2| Pixel {
            spectrum,
            detector_id: spectrum,
            l2,
            two_theta: 0.0,
            monitor: true,
        };
        let mut pixels = vec![monitor(1, -1.7), monitor(2, 2.6)];
        for (bank, degrees) in [35.0_f64, 90.0, 145.0, 168.0].into_iter().enumerate() {
            for place in 0..256_u16 {
                let (row, column) = (f64::from(place / 16) - 7.5, f64::from(place % 16) - 7.5);
                let (height, across) = (row * 0.02, column * 0.02);
                let flight = 1.5;
                // The scattering angle of a pixel that sits off the bank's centre.
                let angle = degrees.to_radians() + across / flight;
                let length = f64::hypot(flight, height);
                let index = i32::from(place) + 256 * i32::try_from(bank).unwrap_or(0);
                pixels.push(Pixel {
                    spectrum: 3 + index,
                    detector_id: 1000 * (1 + index / 256) + index % 256,
                    l2: length,
                    two_theta: (angle.cos() * flight / length).clamp(-1.0, 1.0).acos(),
                    monitor: false,
                });
            }
        }
        Layout {
            name: name.to_owned(),
            l1: 12.0,
            pixels,
        }
    }
}

/// What to draw events from: a layout made into tables.
#[derive(Debug)]
pub(super) struct Source {
    /// ns of flight for each ångström: of lattice spacing for a pixel, of wavelength for a monitor.
    scale: Vec<f32>,
    monitors: Vec<u32>,
    detectors: Vec<u32>,
    /// Of 65,536 events, how many a monitor gets.
    monitor_share: u32,
    spacing: Vec<f32>,
    wavelength: Vec<f32>,
    frame_ns: u32,
}

/// One event before it has a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) pixel: u32,
    pub(super) time_of_flight: u32,
}

/// Silicon's reflections: lattice spacing in ångström and relative intensity.
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

impl Source {
    pub(super) fn new(layout: &Layout, monitor_share: f64, frame_ns: u32, random: &mut Random) -> Source {
        let mut source = Source {
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

    /// One event. Slower neutrons than the frame is long show in the next one, as on a real instrument.
    #[inline]
    pub(super) fn draw(&self, random: &mut Random) -> Drawn {
        let bits = random.next();
        let (choice, table, place) = ((bits & 0xffff) as u32, (bits >> 16 & 0xffff) as usize, bits >> 32);
        let (pixels, angstroms) = if choice < self.monitor_share {
            (&self.monitors, &self.wavelength)
        } else {
            (&self.detectors, &self.spacing)
        };
        let pixel = pixels[((place * pixels.len() as u64) >> 32) as usize];
        let flight = (self.scale[pixel as usize] * angstroms[table]) as u32;
        Drawn {
            pixel,
            time_of_flight: flight % self.frame_ns,
        }
    }
}

/// Four events in five are in a reflection, the others spread evenly over the logarithm of d.
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

/// A Maxwellian flux at 300 K: peaks near 1.8 Å.
fn draw_wavelength(random: &mut Random) -> f32 {
    // The energy of a neutron in a Maxwellian flux is kT times a gamma variate of shape 2.
    let energy_mev = -25.85 * ((1.0 - random.fraction()) * (1.0 - random.fraction())).ln();
    (81.804_f64 / energy_mev.max(0.5)).sqrt() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_instrument_has_unique_ids_and_spectra() {
        let layout = Layout::small("DEMO");
        let ids: std::collections::BTreeSet<i32> = layout.pixels.iter().map(|pixel| pixel.detector_id).collect();
        let spectra: Vec<i32> = layout.pixels.iter().map(|pixel| pixel.spectrum).collect();
        assert_eq!(ids.len(), layout.pixels.len());
        assert_eq!(spectra, (1..=1026).collect::<Vec<_>>());
    }

    #[test]
    fn peaks_sit_where_braggs_law_puts_them() {
        let layout = Layout::small("DEMO");
        let mut random = Random::new(7);
        let source = Source::new(&layout, 0.05, 100_000_000, &mut random);
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
            let source = Source::new(&Layout::small("DEMO"), 0.1, 20_000_000, &mut random);
            (0..1000).map(|_| source.draw(&mut random)).collect::<Vec<_>>()
        };
        let events = draw();
        assert_eq!(events, draw());
        assert!(events.iter().all(|event| event.time_of_flight < 20_000_000));
    }
}
