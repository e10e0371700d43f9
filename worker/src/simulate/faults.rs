//! What goes wrong in a real stream, done on purpose.
//!
//! Promises: every fault is off by default, and none of them changes the truth of what was produced. Must not
//! send anything: the generator does.

use super::random::Random;

/// Which faults, how often.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    /// For each event message, the chance that a record of garbage goes before it.
    pub garbage: f64,
    /// For each event message, the chance that it is sent once more, under a new message id.
    pub duplicates: f64,
    /// How long after the run's start its start message is sent, in seconds.
    pub late_start: f64,
    /// Every n-th run gets no stop message (0: all do).
    pub missing_stop_every: u32,
    /// Each start message is sent twice.
    pub repeat_start: bool,
    /// The last partition is sent this much later than the first, in seconds; those between, in between.
    pub partition_lag: f64,
    /// For each event, the chance of an id that the instrument does not have.
    pub outside_map: f64,
    /// For each event, the chance of a time of flight that is none (2³¹ ns or more).
    pub bad_time_of_flight: f64,
}

impl Faults {
    /// Whether single events can be wrong.
    pub(super) fn touches_events(&self) -> bool {
        self.outside_map > 0.0 || self.bad_time_of_flight > 0.0
    }
}

/// A record that no decoder can take: of five kinds, from a good message.
pub(super) fn garbage(good: &[u8], random: &mut Random) -> Vec<u8> {
    match random.below(5) {
        0 => Vec::new(),
        1 => (0..random.below(400)).map(|_| (random.next() & 0xff) as u8).collect(),
        2 => good.get(..good.len().min(40)).unwrap_or_default().to_vec(),
        3 => {
            let mut unknown = good.to_vec();
            if let Some(id) = unknown.get_mut(4..8) {
                id.copy_from_slice(b"zz99");
            }
            unknown
        }
        _ => {
            // A root that points far behind the end.
            let mut astray = good.to_vec();
            if let Some(root) = astray.get_mut(..4) {
                root.copy_from_slice(&0x7fff_fff0_u32.to_le_bytes());
            }
            astray
        }
    }
}

#[cfg(test)]
mod tests {
    use live_data_stream::encode::{Encoder, Ev44};

    use super::*;

    #[test]
    fn garbage_never_decodes() {
        let mut encoder = Encoder::new();
        let (time_of_flight, pixel_id) = (vec![1; 50], vec![2; 50]);
        let good = encoder.ev44(&Ev44 {
            source: "bank",
            message_id: 1,
            reference_time: &[5],
            reference_time_index: &[0],
            time_of_flight: &time_of_flight,
            pixel_id: &pixel_id,
        });
        assert!(live_data_stream::decode(good).is_ok());
        let mut random = Random::new(3);
        for _ in 0..500 {
            assert!(live_data_stream::decode(&garbage(good, &mut random)).is_err());
        }
    }
}
