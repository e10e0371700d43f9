//! The stream of a simulated instrument, record by record, and the truth about it.
//!
//! Promises: pure and deterministic: the same settings give the same records, byte by byte, in the order in
//! which they are to be sent. A record's events are counted when they are made. Knows no broker and no clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use live_data_engine::message::Severity;
use live_data_stream::encode::{Encoder, Ev42, Ev44, IsisFrame, Pl72, Pu00, RunStop6s4t, SpectrumMap};
use live_data_stream::topics::Role;

use super::faults::{Faults, garbage};
use super::instrument::Source;
use super::logs::Log;
use super::random::Random;
use super::settings::{MILLISECOND, nanoseconds};
pub use super::settings::{Schema, Settings};
use super::truth::{PeriodTruth, RunTruth, Truth};

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

/// Events that wait for their message.
#[derive(Default)]
struct Batch {
    times: Vec<i64>,
    first: Vec<i32>,
    time_of_flight: Vec<u32>,
    ids: Vec<u32>,
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

    /// Sends the starts and stops that are due.
    fn start_and_stop(&mut self, until: i64) {
        loop {
            let (start, _) = self.settings.bounds(self.next_start);
            let (_, stop) = self.settings.bounds(self.next_stop);
            let starts_left = self.settings.runs.is_none_or(|runs| self.next_start < runs);
            if self.next_stop < self.next_start && stop <= until {
                self.stop_run(stop);
            } else if starts_left && start <= until {
                self.start_run(start);
            } else {
                return;
            }
        }
    }

    fn start_run(&mut self, start: i64) {
        let index = self.next_start;
        self.next_start += 1;
        let (_, stop) = self.settings.bounds(index);
        let number = self.settings.first_run.saturating_add(index);
        let run = RunTruth {
            run_name: format!("{}{number}", self.settings.layout.name),
            job_id: format!("simulated-{:x}-{number}", self.settings.seed),
            start_ns: start,
            stop_ns: stop,
            periods: vec![PeriodTruth::default(); self.settings.periods.max(1) as usize],
            ..RunTruth::default()
        };
        let pixels = &self.settings.layout.pixels;
        let spectrum: Vec<i32> = pixels.iter().map(|pixel| pixel.spectrum).collect();
        let detector_id: Vec<i32> = pixels.iter().map(|pixel| pixel.detector_id).collect();
        let n_spectra = i32::try_from(spectrum.len()).unwrap_or(i32::MAX);
        let map = SpectrumMap {
            spectrum: &spectrum,
            detector_id: &detector_id,
            n_spectra,
        };
        let payload = self
            .encoder
            .pl72(&Pl72 {
                start_time: (start / MILLISECOND).unsigned_abs(),
                run_name: Some(&run.run_name),
                instrument_name: Some(&self.settings.layout.name),
                nexus_structure: self.settings.nexus_structure.as_deref(),
                job_id: Some(&run.job_id),
                // ISIS's control program always says one period.
                n_periods: 1,
                map: self.settings.with_map.then_some(map),
                metadata: Some("{\"title\": \"simulated\"}"),
                ..Pl72::default()
            })
            .to_vec();
        self.truth.runs.push(run);
        let send_ns = start + nanoseconds(self.settings.faults.late_start);
        if self.settings.faults.repeat_start {
            self.send(Role::RunInfo, 0, send_ns + SECOND, payload.clone(), "pl72");
        }
        self.send(Role::RunInfo, 0, send_ns, payload, "pl72");
    }

    fn stop_run(&mut self, stop: i64) {
        let index = self.next_stop;
        self.next_stop += 1;
        let every = self.settings.faults.missing_stop_every;
        let Some(run) = self.truth.runs.get_mut(index as usize) else {
            return;
        };
        if every > 0 && (index + 1).is_multiple_of(every) {
            return;
        }
        run.stop_sent = true;
        let job_id = run.job_id.clone();
        // ISIS's control program gives no name; its serialiser's default arrives instead.
        let message = RunStop6s4t {
            stop_time: (stop / MILLISECOND).unsigned_abs(),
            run_name: Some("test_run"),
            job_id: Some(&job_id),
        };
        let payload = self.encoder.run_stop(&message).to_vec();
        let send_ns =
            stop.max(stop - nanoseconds(self.settings.run_seconds) + nanoseconds(self.settings.faults.late_start));
        self.send(Role::RunInfo, 0, send_ns, payload, "6s4t");
    }

    fn log_until(&mut self, until: i64) {
        let begin = self.settings.start_ns;
        for index in 0..self.logs.len() {
            while let Some((log, next, alarmed)) = self.logs.get_mut(index).filter(|(_, next, _)| *next <= until) {
                let time = *next;
                *next += nanoseconds(log.interval).max(MILLISECOND);
                let seconds = (time - begin) as f64 / 1e9;
                let (pv, value, alarming) = (log.pv.clone(), log.value(seconds), log.is_alarming(seconds));
                let changed = std::mem::replace(alarmed, alarming) != alarming;
                let payload = self.encoder.f144(&pv, time, &value).to_vec();
                self.send(Role::SampleEnv, 0, time, payload, "f144");
                if changed {
                    let (severity, text) = if alarming {
                        (Severity::Minor, "HIHI_ALARM")
                    } else {
                        (Severity::Ok, "NO_ALARM")
                    };
                    let payload = self.encoder.al00(&pv, time, severity, text).to_vec();
                    self.send(Role::SampleEnv, 0, time, payload, "al00");
                }
                if let Some(run) = self.truth.runs.iter_mut().rev().take(2).find(|run| holds(run, time)) {
                    *run.log_samples.entry(pv).or_default() += 1;
                }
            }
        }
    }

    fn make_pulse(&mut self, time: i64) {
        let mean = self.settings.event_rate.max(0.0) / self.settings.pulse_rate.clamp(0.5, 1e4);
        let events = if self.source.is_empty() {
            0
        } else {
            (mean * (0.8 + 0.4 * self.random.fraction())).round() as usize
        };
        let proton_charge = (0.001 * (0.95 + 0.1 * self.random.fraction())) as f32;
        let period = (self.pulse % u64::from(self.settings.periods.max(1))) as u32;
        let with_pulse = self.settings.schema == Schema::Ev44Pu00;
        let vetoed = with_pulse && self.random.chance(self.settings.veto_share);
        if with_pulse {
            let message = Pu00 {
                source: "isis_frame",
                message_id: self.next_message_id().cast_signed(),
                reference_time: time,
                vetos: Some(if vetoed { VETO_BIT } else { 0 }),
                period_number: Some(period),
                proton_charge: Some(proton_charge),
            };
            let payload = self.encoder.pu00(&message).to_vec();
            let partition = self.event_partition();
            self.send(Role::Events, partition, time + self.lag(partition), payload, "pu00");
        }
        let frame = Frame {
            time,
            period,
            proton_charge,
            vetoed,
        };
        if self.settings.schema == Schema::Ev42 || self.settings.pulses_per_message <= 1 {
            let largest = self.settings.events_per_message.max(1);
            let mut left = events;
            self.count_pulse(&frame);
            loop {
                let now = left.min(largest);
                self.draw(&frame, now);
                self.send_batch(time, &frame);
                left -= now;
                if left == 0 {
                    return;
                }
            }
        }
        self.count_pulse(&frame);
        self.draw(&frame, events);
        let full = self.batch.times.len() >= self.settings.pulses_per_message
            || self.batch.time_of_flight.len() >= self.settings.events_per_message;
        if full {
            self.send_batch(time, &frame);
        }
    }

    fn flush(&mut self, time: i64) {
        if !self.batch.times.is_empty() {
            self.send_batch(
                time,
                &Frame {
                    time,
                    period: 0,
                    proton_charge: 0.0,
                    vetoed: false,
                },
            );
        }
    }

    /// Draws events of a pulse into the batch and counts them.
    fn draw(&mut self, frame: &Frame, events: usize) {
        let Generator {
            batch,
            random,
            source,
            ids,
            truth,
            settings,
            ..
        } = self;
        batch.times.push(frame.time);
        batch
            .first
            .push(i32::try_from(batch.time_of_flight.len()).unwrap_or(i32::MAX));
        batch.time_of_flight.reserve(events);
        batch.ids.reserve(events);
        truth.events += events as u64;
        let pixels = ids.len();
        let run = truth.runs.last_mut().filter(|run| holds(run, frame.time));
        let (faults, outside_id) = (&settings.faults, self.outside_id);
        let Some(run) = run else {
            truth.outside.events += events as u64;
            for _ in 0..events {
                let drawn = source.draw(random);
                batch.ids.push(ids[drawn.pixel as usize]);
                batch.time_of_flight.push(drawn.time_of_flight);
            }
            return;
        };
        if faults.touches_events() || frame.vetoed {
            draw_faulty(run, frame, faults, outside_id, events, source, random, batch, ids);
            return;
        }
        let Some(period) = run.periods.get_mut(frame.period as usize) else {
            return;
        };
        period.counts.resize(pixels, 0);
        period.events += events as u64;
        for _ in 0..events {
            let drawn = source.draw(random);
            let pixel = drawn.pixel as usize;
            batch.ids.push(ids[pixel]);
            batch.time_of_flight.push(drawn.time_of_flight);
            period.counts[pixel] += 1;
            period.time_of_flight_sum += u64::from(drawn.time_of_flight);
        }
    }

    fn count_pulse(&mut self, frame: &Frame) {
        let Some(run) = self.truth.runs.last_mut().filter(|run| holds(run, frame.time)) else {
            self.truth.outside.pulses += 1;
            return;
        };
        run.pulses += 1;
        if frame.vetoed {
            run.vetoed_pulses += 1;
            return;
        }
        let charge = f64::from(frame.proton_charge);
        if self.settings.schema != Schema::Ev44 {
            run.proton_charge += charge;
        }
        if let Some(period) = run.periods.get_mut(frame.period as usize) {
            period.pulses += 1;
            period.proton_charge += charge;
        }
    }

    fn send_batch(&mut self, time: i64, frame: &Frame) {
        let partition = self.event_partition();
        let send_ns = time + self.lag(partition);
        let mut batch = std::mem::take(&mut self.batch);
        let id = self.next_message_id();
        let payload = self.encode(&batch, id, frame);
        if self.random.chance(self.settings.faults.garbage) {
            let bytes = garbage(&payload, &mut self.random);
            self.send(Role::Events, partition, send_ns, bytes, "garbage");
        }
        let again = self.random.chance(self.settings.faults.duplicates);
        self.send(
            Role::Events,
            partition,
            send_ns,
            payload,
            if self.settings.schema == Schema::Ev42 {
                "ev42"
            } else {
                "ev44"
            },
        );
        if again {
            let id = self.next_message_id();
            let payload = self.encode(&batch, id, frame);
            self.send(Role::Events, partition, send_ns + SECOND, payload, "duplicate");
        }
        batch.times.clear();
        batch.first.clear();
        batch.time_of_flight.clear();
        batch.ids.clear();
        self.batch = batch;
    }

    fn encode(&mut self, batch: &Batch, message_id: u64, frame: &Frame) -> Vec<u8> {
        if self.settings.schema == Schema::Ev42 {
            let isis = IsisFrame {
                period_number: frame.period,
                running: true,
                proton_charge: frame.proton_charge,
            };
            let message = Ev42 {
                source: "simulated",
                message_id,
                pulse_time: frame.time.unsigned_abs(),
                time_of_flight: &batch.time_of_flight,
                detector_id: &batch.ids,
                isis: Some(isis),
            };
            return self.encoder.ev42(&message).to_vec();
        }
        let message = Ev44 {
            source: "simulated",
            message_id: message_id.cast_signed(),
            reference_time: &batch.times,
            reference_time_index: &batch.first,
            time_of_flight: as_signed(&batch.time_of_flight),
            pixel_id: as_signed(&batch.ids),
        };
        self.encoder.ev44(&message).to_vec()
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

/// One pulse.
struct Frame {
    time: i64,
    period: u32,
    proton_charge: f32,
    vetoed: bool,
}

fn holds(run: &RunTruth, time: i64) -> bool {
    (run.start_ns..run.stop_ns).contains(&time)
}

/// The slow way: each event may be wrong, or in a vetoed pulse.
#[allow(clippy::too_many_arguments)]
fn draw_faulty(
    run: &mut RunTruth,
    frame: &Frame,
    faults: &Faults,
    outside_id: u32,
    events: usize,
    source: &Source,
    random: &mut Random,
    batch: &mut Batch,
    ids: &[u32],
) {
    for _ in 0..events {
        let drawn = source.draw(random);
        let (mut id, mut time_of_flight) = (ids[drawn.pixel as usize], drawn.time_of_flight);
        let outside = random.chance(faults.outside_map);
        let bad = !outside && random.chance(faults.bad_time_of_flight);
        if outside {
            id = outside_id.saturating_add((random.below(10)) as u32);
        }
        if bad {
            time_of_flight |= 0x8000_0000;
        }
        batch.ids.push(id);
        batch.time_of_flight.push(time_of_flight);
        if frame.vetoed {
            run.vetoed_events += 1;
        } else if outside {
            *run.outside_map.entry(i64::from(id)).or_default() += 1;
        } else if bad {
            run.bad_time_of_flight += 1;
        } else if let Some(period) = run.periods.get_mut(frame.period as usize) {
            period.counts.resize(ids.len(), 0);
            period.events += 1;
            period.counts[drawn.pixel as usize] += 1;
            period.time_of_flight_sum += u64::from(time_of_flight);
        }
    }
}

/// The same bits with a sign, as ev44 has them.
fn as_signed(values: &[u32]) -> &[i32] {
    // SAFETY: u32 and i32 have the same size and alignment, and every bit pattern is valid for both.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast::<i32>(), values.len()) }
}

#[cfg(test)]
mod tests;
