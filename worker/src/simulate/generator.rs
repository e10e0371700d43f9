//! The stream of a simulated instrument, record by record, and the truth about it.
//!
//! Promises: pure and deterministic: the same settings give the same records, byte by byte, in the order in
//! which they are to be sent. A record's events are counted when they are made. Knows no broker and no clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use live_data_stream::encode::Encoder;
use live_data_stream::topics::Role;

use self::pulses::Batch;
use super::instrument::Source;
use super::logs::Log;
use super::random::Random;
use super::settings::{MILLISECOND, nanoseconds};
pub use super::settings::{Schema, Settings};
use super::truth::{RunTruth, Truth};

mod pulses;
mod runs;

const SECOND: i64 = 1_000_000_000;

/// The bit of pu00's vetoes that the simulated instrument uses, and that its vc00 puts in force.
const VETO_BIT: u32 = 1 << 3;

/// A record to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which topic.
    pub role: Role,
    /// Which partition of it.
    pub partition: i32,
    /// When to send it, in ns since the Unix epoch; also its Kafka timestamp.
    pub send_ns: i64,
    /// The message.
    pub payload: Vec<u8>,
}

struct Pending {
    send_ns: i64,
    sequence: u64,
    record: Record,
}

impl PartialEq for Pending {
    fn eq(&self, other: &Pending) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Pending {}
impl PartialOrd for Pending {
    fn partial_cmp(&self, other: &Pending) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Pending {
    fn cmp(&self, other: &Pending) -> std::cmp::Ordering {
        (self.send_ns, self.sequence).cmp(&(other.send_ns, other.sequence))
    }
}

/// The stream: an iterator of records. Ask it for the [`Truth`] at the end.
pub struct Generator {
    settings: Settings,
    source: Source,
    random: Random,
    ids: Vec<u32>,
    outside_id: u32,
    logs: Vec<(Log, i64, bool)>,
    encoder: Encoder,
    batch: Batch,
    pending: BinaryHeap<Reverse<Pending>>,
    sequence: u64,
    message_id: u64,
    pulse: u64,
    now_ns: i64,
    next_start: u32,
    next_stop: u32,
    finished: bool,
    truth: Truth,
}

impl Generator {
    /// At the beginning of the stream.
    pub fn new(settings: Settings) -> Generator {
        let mut random = Random::new(settings.seed);
        let frame_ns = (1e9 / settings.pulse_rate.clamp(0.5, 1e4)) as u32;
        let source = Source::new(&settings.layout, settings.monitor_share, frame_ns, &mut random);
        let pixels = &settings.layout.pixels;
        let id = |pixel: &super::instrument::Pixel| match settings.schema {
            Schema::Ev42 => pixel.spectrum.cast_unsigned(),
            Schema::Ev44 | Schema::Ev44Pu00 => pixel.detector_id.cast_unsigned(),
        };
        let ids: Vec<u32> = pixels.iter().map(id).collect();
        let begin = settings.start_ns.div_euclid(MILLISECOND) * MILLISECOND;
        // The slowest logs had their last value long before the first run.
        let logs = Log::all(&settings.layout.name)
            .into_iter()
            .map(|log| {
                let first = if log.interval > 60.0 {
                    begin - 600 * SECOND
                } else {
                    begin
                };
                (log, first, false)
            })
            .collect();
        let mut generator = Generator {
            outside_id: ids.iter().max().copied().unwrap_or(0).saturating_add(1),
            source,
            random,
            ids,
            logs,
            encoder: Encoder::new(),
            batch: Batch::default(),
            pending: BinaryHeap::new(),
            sequence: 0,
            message_id: 0,
            pulse: 0,
            now_ns: i64::MIN,
            next_start: 0,
            next_stop: 0,
            finished: false,
            truth: Truth::default(),
            settings,
        };
        generator.announce(begin);
        generator
    }

    /// What was produced so far; of all of it once the iterator has ended.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The truth, at the end.
    pub fn into_truth(self) -> Truth {
        self.truth
    }

    /// Units of the logs and the vetoes in force, before anything else.
    fn announce(&mut self, begin: i64) {
        if self.settings.schema == Schema::Ev44Pu00 {
            let names = ["ts2", "fifo", "chopper0", "chopper1"];
            let payload = self.encoder.vc00(begin - SECOND, VETO_BIT, &names).to_vec();
            self.send(Role::VetoConfig, 0, begin, payload, "vc00");
        }
        for index in 0..self.logs.len() {
            let (log, first, _) = &self.logs[index];
            let (pv, units, time) = (log.pv.clone(), log.units, *first);
            let payload = self.encoder.un00(&pv, time, units).to_vec();
            self.send(Role::SampleEnv, 0, time, payload, "un00");
        }
    }

    fn send(&mut self, role: Role, partition: i32, send_ns: i64, payload: Vec<u8>, kind: &str) {
        match self.truth.records.get_mut(kind) {
            Some(count) => *count += 1,
            None => {
                self.truth.records.insert(kind.to_owned(), 1);
            }
        }
        self.truth.bytes += payload.len() as u64;
        self.sequence += 1;
        let record = Record {
            role,
            partition,
            send_ns,
            payload,
        };
        self.pending.push(Reverse(Pending {
            send_ns,
            sequence: self.sequence,
            record,
        }));
    }

    /// One pulse, with all that comes before it.
    fn advance(&mut self) {
        let begin = self.settings.start_ns.div_euclid(MILLISECOND) * MILLISECOND;
        let time = begin + (self.pulse as f64 * 1e9 / self.settings.pulse_rate.clamp(0.5, 1e4)) as i64;
        if self
            .settings
            .duration_ns()
            .is_some_and(|duration| time >= begin + duration)
        {
            self.finish();
            return;
        }
        self.start_and_stop(time);
        self.log_until(time);
        self.make_pulse(time);
        self.pulse += 1;
        self.now_ns = time;
    }

    fn finish(&mut self) {
        self.flush(self.now_ns);
        self.start_and_stop(i64::MAX);
        self.finished = true;
    }

    fn next_message_id(&mut self) -> u64 {
        self.message_id += 1;
        self.message_id
    }

    /// Partitions take turns.
    fn event_partition(&self) -> i32 {
        let partitions = u64::from(self.settings.partitions.max(1).unsigned_abs());
        i32::try_from(self.sequence % partitions).unwrap_or(0)
    }

    fn lag(&self, partition: i32) -> i64 {
        let last = (self.settings.partitions - 1).max(1);
        (nanoseconds(self.settings.faults.partition_lag) / i64::from(last)) * i64::from(partition)
    }
}

impl Iterator for Generator {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            // Whatever is made later is sent later than the pulse that is being made.
            let due = self
                .pending
                .peek()
                .is_some_and(|Reverse(first)| self.finished || first.send_ns < self.now_ns);
            if due || self.finished {
                return self.pending.pop().map(|Reverse(pending)| pending.record);
            }
            self.advance();
        }
    }
}

fn holds(run: &RunTruth, time: i64) -> bool {
    (run.start_ns..run.stop_ns).contains(&time)
}

#[cfg(test)]
mod tests;
