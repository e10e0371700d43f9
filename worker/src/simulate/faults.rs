//! Faults of real streams, produced on purpose.
//!
//! Promises: every fault is off by default, and none changes the counts of [`super::truth`]. Must not send anything.

use super::random::Random;

/// Probability or amount of each fault; all off by default.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    /// Probability of an undecodable record before each event message.
    pub garbage: f64,
    /// Probability that an event message is sent again under a new message id.
    pub duplicates: f64,
    /// Delay of start messages after the run's start, seconds.
    pub late_start: f64,
    /// n: every n-th run has no stop message; 0 for none.
    pub missing_stop_every: u32,
    /// Each start message is sent twice.
    pub repeat_start: bool,
    /// Delay of the last partition behind the first, seconds; proportional for those between.
    pub partition_lag: f64,
    /// Probability that an event has an id outside the instrument.
    pub outside_map: f64,
    /// Probability that an event has a time of flight of 2³¹ ns or more, which is invalid.
    pub bad_time_of_flight: f64,
}

impl Faults {
    /// True if single events can be faulty.
    pub(super) fn touches_events(&self) -> bool {
        self.outside_map > 0.0 || self.bad_time_of_flight > 0.0
    }
}

/// Undecodable record of one of five kinds, made from a good message.
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
            // A root offset far behind the end of the buffer.
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
