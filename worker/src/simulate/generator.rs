//! The stream of a simulated instrument, record by record, with the counts of its events.
//!
//! Promises: pure and deterministic: equal settings give equal records, byte by byte, in the order of sending. A
//! record's events are counted when they are made. Must not know a broker or a clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use live_data_engine::record_position::TopicRole;
use live_data_stream::encode::Encoder;

use self::batch::EventBatch;
use super::instrument::EventSource;
use super::logs::SimulatedLog;
use super::random::Random;
pub use super::settings::{EventSchema, SimulationSettings};
use super::settings::{MILLISECOND, nanoseconds};
use super::truth::{RunTruth, Truth};

mod batch;
mod pulses;
mod runs;

const SECOND: i64 = 1_000_000_000;

/// Bit of pu00's vetoes that the simulated instrument sets and its vc00 enables.
const VETO_BIT: u32 = 1 << 3;

/// Kafka record of the simulated stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedRecord {
    pub role: TopicRole,
    pub partition: i32,
    /// Time of sending and Kafka timestamp, ns since the Unix epoch.
    pub send_ns: i64,
    /// FlatBuffers message.
    pub payload: Vec<u8>,
}

struct PendingRecord {
    send_ns: i64,
    sequence: u64,
    record: SimulatedRecord,
}

impl PartialEq for PendingRecord {
    fn eq(&self, other: &PendingRecord) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for PendingRecord {}
impl PartialOrd for PendingRecord {
    fn partial_cmp(&self, other: &PendingRecord) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for PendingRecord {
    fn cmp(&self, other: &PendingRecord) -> std::cmp::Ordering {
        (self.send_ns, self.sequence).cmp(&(other.send_ns, other.sequence))
    }
}

/// Iterator over the records of the stream, ordered by time of sending; [`Generator::truth`] counts what it made.
pub struct Generator {
    settings: SimulationSettings,
    source: EventSource,
    random: Random,
    ids: Vec<u32>,
    outside_id: u32,
    logs: Vec<(SimulatedLog, i64, bool)>,
    encoder: Encoder,
    batch: EventBatch,
    pending: BinaryHeap<Reverse<PendingRecord>>,
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
    /// Generator at the beginning of the stream.
    pub fn new(settings: SimulationSettings) -> Generator {
        let mut random = Random::new(settings.seed);
        let frame_ns = (1e9 / settings.pulse_rate.clamp(0.5, 1e4)) as u32;
        let source = EventSource::new(&settings.layout, settings.monitor_share, frame_ns, &mut random);
        let pixels = &settings.layout.pixels;
        let id = |pixel: &super::instrument::Pixel| match settings.schema {
            EventSchema::Ev42 => pixel.spectrum.cast_unsigned(),
            EventSchema::Ev44 | EventSchema::Ev44Pu00 => pixel.detector_id.cast_unsigned(),
        };
        let ids: Vec<u32> = pixels.iter().map(id).collect();
        let begin = settings.start_ns.div_euclid(MILLISECOND) * MILLISECOND;
        // Slow logs have their last value ten minutes before the stream begins, as on a real instrument.
        let logs = SimulatedLog::all(&settings.layout.name)
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
            batch: EventBatch::default(),
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
        generator.send_configuration(begin);
        generator
    }

    /// Counts so far; complete once the iterator has ended.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Settings given to [`Generator::new`].
    pub fn settings(&self) -> &SimulationSettings {
        &self.settings
    }

    /// Counts so far, by value; complete once the iterator has ended.
    pub fn into_truth(self) -> Truth {
        self.truth
    }

    /// Sends the enabled vetoes and the units of the logs, which precede all other records.
    fn send_configuration(&mut self, begin: i64) {
        if self.settings.schema == EventSchema::Ev44Pu00 {
            let names = ["ts2", "fifo", "chopper0", "chopper1"];
            let payload = self.encoder.vc00(begin - SECOND, VETO_BIT, &names).to_vec();
            self.send(TopicRole::VetoConfig, 0, begin, payload, "vc00");
        }
        for index in 0..self.logs.len() {
            let (log, first, _) = &self.logs[index];
            let (pv, units, time) = (log.pv.clone(), log.units, *first);
            let payload = self.encoder.un00(&pv, time, units).to_vec();
            self.send(TopicRole::SampleEnv, 0, time, payload, "un00");
        }
    }

    fn send(&mut self, role: TopicRole, partition: i32, send_ns: i64, payload: Vec<u8>, kind: &str) {
        match self.truth.records.get_mut(kind) {
            Some(count) => *count += 1,
            None => {
                self.truth.records.insert(kind.to_owned(), 1);
            }
        }
        self.truth.bytes += payload.len() as u64;
        self.sequence += 1;
        let record = SimulatedRecord {
            role,
            partition,
            send_ns,
            payload,
        };
        self.pending.push(Reverse(PendingRecord {
            send_ns,
            sequence: self.sequence,
            record,
        }));
    }

    /// Makes one pulse and the starts, stops and logs before it.
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

    /// Partition of the next event message, in turn.
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
    type Item = SimulatedRecord;

    fn next(&mut self) -> Option<SimulatedRecord> {
        loop {
            // Records made later have times of sending at or after the present pulse.
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

/// True if `time` (ns since the Unix epoch) is within the run, `[start, stop)`.
fn holds(run: &RunTruth, time: i64) -> bool {
    (run.start_ns..run.stop_ns).contains(&time)
}

#[cfg(test)]
mod tests;
