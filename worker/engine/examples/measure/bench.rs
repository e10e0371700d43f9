//! Timeline of one run, filled and read as by the worker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use live_data_engine::cancel::Cancel;
use live_data_engine::config::TimelineConfig;
use live_data_engine::edges::{Binning, Edges};
use live_data_engine::fingerprint::Digest;
use live_data_engine::memo::Memos;
use live_data_engine::message::{Message, PulseMetadata, RunStart, RunStop, VetoConfig};
use live_data_engine::plan::{EventPlan, Factor, SlotTable};
use live_data_engine::record_position::{PartitionKey, RecordPosition, TopicRole};
use live_data_engine::run::RunKey;
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::{Timeline, TimelineView};
use live_data_engine::transform::{Coefficient, ConversionStep};

use crate::clock::{Cost, resident, timed};
use crate::events::{EPOCH, Pool, Random, pulse_time};

/// Results of a command, by name.
pub type Answer = BTreeMap<&'static str, f64>;

/// Limit of the memos, bytes.
const MEMO_LIMIT: usize = 8 << 30;

pub struct Bench {
    timeline: Timeline,
    view: TimelineView,
    pool: Pool,
    spectra: u32,
    slots: Arc<SlotTable>,
    memos: Memos,
    pulses: u64,
    partitions: i32,
    records: BTreeMap<(u8, i32), i64>,
    job: u32,
    kept: Option<live_data_engine::counts::Counts>,
}

/// Histogram that a command requests.
pub struct Histogram {
    pub unit: String,
    pub rows: String,
    pub bins: usize,
    pub fresh: bool,
    pub write: String,
    pub scale: f64,
    pub keep: bool,
}

fn after(time: PulseTime, seconds: i64) -> PulseTime {
    time.plus(seconds * 1_000_000_000)
}

impl Bench {
    pub fn new(spectra: u32, per_message: usize, skew: f64, partitions: i32, grace: i64) -> Self {
        let mut config = TimelineConfig::new("BENCH");
        // The rate is arbitrary: pulse times have no relation to the wall clock.
        config.clock_ahead = i64::MAX / 4;
        config.grace = grace * 1_000_000_000;
        let (timeline, view) = Timeline::new(config);
        let mut bench = Self {
            timeline,
            view,
            pool: Pool::new(spectra, per_message, skew),
            spectra,
            slots: Arc::new(SlotTable::new(
                spectra as usize,
                (0..spectra).map(|slot| (slot + 1, slot as usize)),
            )),
            memos: Memos::new(MEMO_LIMIT),
            pulses: 0,
            partitions,
            records: BTreeMap::new(),
            job: 0,
            kept: None,
        };
        bench.timeline.set_read_start(after(PulseTime::from_nanos(EPOCH), -60));
        bench.send(
            TopicRole::VetoConfig,
            0,
            Message::VetoConfig(VetoConfig {
                time: after(PulseTime::from_nanos(EPOCH), -60),
                mask: 1,
                names: Vec::new(),
            }),
        );
        bench.start();
        bench
    }

    fn place(records: &mut BTreeMap<(u8, i32), i64>, role: TopicRole, partition: i32) -> RecordPosition {
        let offset = records.entry((role as u8, partition)).or_insert(0);
        *offset += 1;
        let topic = role as u16;
        RecordPosition {
            partition: PartitionKey { role, topic, partition },
            offset: *offset - 1,
            timestamp_ms: EPOCH / 1_000_000,
        }
    }

    fn send(&mut self, role: TopicRole, partition: i32, message: Message<'_>) {
        let place = Self::place(&mut self.records, role, partition);
        self.timeline.ingest(place, message, pulse_time(self.pulses));
    }

    fn start(&mut self) {
        self.job += 1;
        let start = RunStart {
            start_time: pulse_time(self.pulses),
            run_name: format!("BENCH{}", self.job),
            instrument_name: "BENCH".into(),
            job_id: format!("job{}", self.job),
            n_periods: 1,
            ..RunStart::default()
        };
        self.send(TopicRole::RunInfo, 0, Message::RunStart(start));
    }

    fn key(&self) -> Option<RunKey> {
        self.view.current().map(|run| run.key)
    }

    fn append(&mut self, events: u64) -> u64 {
        let messages = events.div_ceil(self.pool.per_message() as u64);
        for _ in 0..messages {
            let number = self.pulses;
            let partition = i32::try_from(number % u64::try_from(self.partitions).unwrap_or(1)).unwrap_or(0);
            let place = Self::place(&mut self.records, TopicRole::Events, partition);
            self.timeline
                .ingest(place, self.pool.message(number), pulse_time(number));
            self.pulses += 1;
            if number.is_multiple_of(1024) {
                self.timeline.tick(pulse_time(number));
            }
        }
        messages * self.pool.per_message() as u64
    }

    /// Ingests events.
    pub fn fill(&mut self, events: u64) -> Answer {
        let before = resident();
        let (sent, cost) = timed(|| self.append(events));
        let counters = self.view.counters();
        answer(
            cost,
            [
                ("events", sent as f64),
                ("rss", resident() as f64),
                ("rss_grown", resident().saturating_sub(before) as f64),
                ("event_bytes", counters.event_bytes as f64),
                ("pulse_bytes", counters.pulse_bytes as f64),
                ("kept", counters.events_kept as f64),
            ],
        )
    }

    /// Ends the run and starts the next; events outside runs fill the margin between them.
    pub fn next_run(&mut self) -> Answer {
        let stop = RunStop {
            stop_time: Some(pulse_time(self.pulses)),
            run_name: format!("BENCH{}", self.job),
            job_id: format!("job{}", self.job),
        };
        self.send(TopicRole::RunInfo, 0, Message::RunStop(stop));
        self.start();
        self.memos.clear();
        self.kept = None;
        Answer::from([("pulses", self.pulses as f64)])
    }

    /// Vetoes a share of the pulses, long after their events.
    pub fn veto(&mut self, share: f64) -> Answer {
        let mut random = Random::new(self.pulses);
        let (vetoed, cost) = timed(|| {
            let mut vetoed = 0;
            for number in 0..self.pulses {
                if f64::from(random.below(1_000_000)) < share * 1e6 {
                    let metadata = PulseMetadata {
                        source: "dae".into(),
                        message_id: 0,
                        reference_time: pulse_time(number),
                        vetos: Some(1),
                        period: Some(0),
                        proton_charge: Some(0.001),
                    };
                    self.send(TopicRole::Events, 0, Message::Pulse(metadata));
                    vetoed += 1;
                }
            }
            vetoed
        });
        answer(cost, [("pulses", f64::from(vetoed))])
    }

    /// Bins the run.
    pub fn bin(&mut self, what: &Histogram) -> Option<Answer> {
        if what.fresh {
            self.kept = None;
            // No result of an earlier round may be reused.
            self.memos = Memos::new(MEMO_LIMIT);
        }
        let key = self.key()?;
        let (snapshot, taken) = timed(|| self.view.snapshot(&key));
        let snapshot = snapshot?;
        let cancel = Cancel::new();
        let edges = self.edges(what)?;
        let (counts, cost) = timed(|| {
            let slots = self.slots.resolve(snapshot.ids());
            let plan = EventPlan::snapshot(
                snapshot.chunks(),
                snapshot.settled_before(),
                slots,
                Digest::new("bench").finish().into(),
            );
            let plan = match self.step(&what.unit) {
                Some(step) => plan.convert(&step).ok()?,
                None => plan,
            };
            let plan = if what.rows == "one" { plan.sum() } else { plan };
            let factor = Factor {
                value: what.scale,
                error_squared: 0.0,
            };
            let plan = if what.scale == 1.0 { plan } else { plan.scale(factor) };
            plan.histogram(&Binning::Common(edges), &cancel, &self.memos).ok()
        });
        let counts = counts?;
        let ((), written) = timed(|| {
            let fill = |error: bool| {
                let mut out = vec![0.0; counts.cells()];
                let filled = if error {
                    counts.fill_error(0..counts.rows(), &mut out, &cancel)
                } else {
                    counts.fill_y(0..counts.rows(), &mut out, &cancel)
                };
                filled.is_ok().then_some(out)
            };
            if what.write == "ye" {
                drop(std::hint::black_box((fill(false), fill(true))));
            }
        });
        let total = counts.events().unwrap_or_default().iter().sum::<u64>();
        let answer = answer(
            cost,
            [
                ("counted", total as f64),
                ("snapshot_seconds", taken.seconds),
                ("write_seconds", written.seconds),
                ("chunks", snapshot.chunks().len() as f64),
            ],
        );
        self.kept = what.keep.then_some(counts);
        Some(answer)
    }

    fn edges(&self, what: &Histogram) -> Option<Edges> {
        match what.unit.as_str() {
            "energy" => Edges::uniform(-200.0, 95.0, what.bins).ok(),
            "d" => {
                let (low, high) = (0.1_f64, 10.0_f64);
                let ratio = (high / low).powf(1.0 / what.bins as f64);
                let mut values: Vec<f64> = (0..what.bins).map(|bin| low * ratio.powi(bin as i32)).collect();
                values.push(high);
                Edges::new(values).ok()
            }
            _ => Edges::uniform(0.0, 20_000.0, what.bins).ok(),
        }
    }

    fn step(&self, unit: &str) -> Option<ConversionStep> {
        let each = |value: &dyn Fn(f64) -> f64| {
            let share = |slot: u32| f64::from(slot) / f64::from(self.spectra);
            Coefficient::per_slot((0..self.spectra).map(|slot| value(share(slot))).collect::<Vec<_>>())
        };
        match unit {
            // Incident energy 100 meV, 10 m and 2.5 to 3.5 m: ½·m·L2² in meV·µs².
            "energy" => Some(ConversionStep::direct_energy_transfer(
                Coefficient::Uniform(100.0),
                &each(&|share| 5.227_04e6 * (2.5 + share).powi(2)),
                &Coefficient::Uniform(2286.3),
            )),
            // 505.556·L·2·sin θ µs/Å.
            "d" => Some(ConversionStep::linear(
                each(&|share| 1.0 / (505.556 * 12.0 * (0.2 + share).sin())),
                Coefficient::Uniform(0.0),
            )),
            _ => None,
        }
    }

    /// Takes snapshots during ingest: their duration, and their cost for the ingest.
    pub fn snapshots(&mut self, seconds: f64) -> Option<Answer> {
        let key = self.key()?;
        let (stop, view) = (Arc::new(AtomicBool::new(false)), self.view.clone());
        let reading = Arc::new(AtomicBool::new(false));
        let reader = {
            let (stop, reading) = (stop.clone(), reading.clone());
            std::thread::spawn(move || {
                let mut times = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(20));
                    if !reading.load(Ordering::Relaxed) {
                        continue;
                    }
                    let (began, cpu) = (Instant::now(), crate::clock::thread_seconds());
                    let snapshot = view.snapshot(&key);
                    times.push((crate::clock::thread_seconds() - cpu, began.elapsed().as_secs_f64()));
                    drop(std::hint::black_box(snapshot));
                }
                times
            })
        };
        // Alternately: fresh memory costs more the longer the process runs.
        let (mut alone, mut beside) = ((0, 0.0), (0, 0.0));
        for _ in 0..30 {
            for (read, sum) in [(false, &mut alone), (true, &mut beside)] {
                reading.store(read, Ordering::Relaxed);
                let (events, cpu) = self.work(seconds / 30.0);
                *sum = (sum.0 + events, sum.1 + cpu);
            }
        }
        stop.store(true, Ordering::Relaxed);
        let times = reader.join().ok()?;
        let sorted = |of: &dyn Fn(&(f64, f64)) -> f64| {
            let mut values: Vec<f64> = times.iter().map(of).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let (cpu, wall) = (sorted(&|time| time.0), sorted(&|time| time.1));
        let at = |values: &[f64], share: f64| {
            let index = ((values.len() as f64 - 1.0) * share) as usize;
            values.get(index).copied().unwrap_or(0.0)
        };
        Some(Answer::from([
            ("alone_rate", alone.0 as f64 / alone.1),
            ("beside_rate", beside.0 as f64 / beside.1),
            ("p90_processor_seconds", at(&cpu, 0.9)),
            ("longest_processor_seconds", at(&cpu, 1.0)),
            ("median_seconds", at(&wall, 0.5)),
            ("p90_seconds", at(&wall, 0.9)),
            ("snapshots", times.len() as f64),
        ]))
    }

    /// Ingests events for a number of seconds: their number, and the processor time of all threads.
    fn work(&mut self, seconds: f64) -> (u64, f64) {
        let began = Instant::now();
        let cpu = crate::clock::processor_seconds();
        let mut events = 0;
        while began.elapsed().as_secs_f64() < seconds {
            events += self.append(200_000);
        }
        (events, crate::clock::processor_seconds() - cpu)
    }
}

fn answer<const N: usize>(cost: Cost, more: [(&'static str, f64); N]) -> Answer {
    let mut answer = Answer::from(more);
    answer.insert("seconds", cost.seconds);
    answer.insert("cpu", cost.cpu);
    answer
}
