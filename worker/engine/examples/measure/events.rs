//! Reproducible messages of random events: uniform in time of flight, even over the spectra or with a monitor.
//!
//! Promises: every message has its own pulse time, so that none is dropped as a duplicate.

use live_data_engine::message::{EventBatch, EventSchema, Frame, IdColumn, LeU32, Message, PulseColumns};
use live_data_engine::time::PulseTime;

/// Start of the streams, ns.
pub const EPOCH: i64 = 1_760_000_000_000_000_000;
/// Time between pulses, ns.
pub const PERIOD: i64 = 20_000_000;
/// Upper bound of the times of flight, ns, excluded.
pub const FRAME: u32 = 20_000_000;

/// Pool of events that are sent repeatedly with new pulse times.
pub struct Pool {
    times: Vec<u8>,
    ids: Vec<u8>,
    per_message: usize,
    messages: usize,
}

/// Pseudo-random numbers, equal on every machine.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub fn below(&mut self, limit: u64) -> u32 {
        u32::try_from(self.next() % limit).unwrap_or(0)
    }
}

impl Pool {
    /// About four million events of ids 1 to `spectra`; a share `skew` of them in the first.
    pub fn new(spectra: u32, per_message: usize, skew: f64) -> Self {
        let messages = (4_000_000 / per_message.max(1)).max(1);
        let mut random = Random::new(7);
        let (mut times, mut ids) = (Vec::new(), Vec::new());
        for _ in 0..messages * per_message {
            times.extend(random.below(u64::from(FRAME)).to_le_bytes());
            let monitor = f64::from(random.below(1_000_000)) < skew * 1e6;
            let id = if monitor {
                1
            } else {
                1 + random.below(u64::from(spectra))
            };
            ids.extend(id.to_le_bytes());
        }
        Self {
            times,
            ids,
            per_message,
            messages,
        }
    }

    pub fn per_message(&self) -> usize {
        self.per_message
    }

    /// Message of pulse `number` with its proton charge.
    pub fn message(&self, number: u64) -> Message<'_> {
        let index = usize::try_from(number).unwrap_or(0) % self.messages;
        let range = index * self.per_message * 4..(index + 1) * self.per_message * 4;
        Message::Events(EventBatch {
            schema: EventSchema::Ev44,
            source: "bank",
            message_id: i64::try_from(number).unwrap_or(0),
            pulses: PulseColumns::Single(pulse_time(number)),
            time_of_flight: LeU32::new(self.times.get(range.clone()).unwrap_or_default()),
            ids: IdColumn::PerEvent(LeU32::new(self.ids.get(range).unwrap_or_default())),
            frame: Some(Frame {
                period: 0,
                setup: false,
                proton_charge: 0.001,
            }),
        })
    }
}

/// Pulse time of pulse `number`.
pub fn pulse_time(number: u64) -> PulseTime {
    PulseTime::from_nanos(EPOCH + i64::try_from(number).unwrap_or(0) * PERIOD)
}
