//! Views do not depend on the order between partitions, on delays or on repetitions.

use std::collections::{BTreeMap, BTreeSet};

use live_data_engine::config::TimelineConfig;
use live_data_engine::record_position::TopicRole;
use proptest::prelude::*;

use crate::stream::{Broker, Worker, assert_consistent, at, events, listed, log, pulse, start, stop, veto};

/// Random pulse.
#[derive(Clone, Debug)]
struct Frame {
    time: i64,
    messages: Vec<(u8, Vec<(u32, u32)>)>,
    metadata: Option<(u32, u8)>,
    repeated: bool,
}

#[derive(Clone, Debug)]
struct Plan {
    frames: Vec<Frame>,
    runs: Vec<(f64, Option<f64>)>,
    logs: Vec<(u8, f64)>,
    masks: Vec<(f64, u32)>,
}

fn frame() -> impl Strategy<Value = Frame> {
    let message = (0..3_u8, prop::collection::vec((1..300_u32, 0..20_000_000_u32), 0..12));
    let metadata = prop::option::weighted(0.8, (prop_oneof![3 => Just(0), 1 => Just(1), 1 => Just(2)], 0..3_u8));
    (
        prop::collection::vec(message, 0..4),
        metadata,
        prop::bool::weighted(0.2),
    )
        .prop_map(|(messages, metadata, repeated)| Frame {
            time: 0,
            messages,
            metadata,
            repeated,
        })
}

fn plan() -> impl Strategy<Value = Plan> {
    let frames = prop::collection::vec(frame(), 40..120).prop_map(|mut frames| {
        let mut seen = BTreeSet::new();
        for (index, frame) in frames.iter_mut().enumerate() {
            frame.time = at(index as f64 * 0.02);
            // Each event is unique; only a repeated message has it again.
            for (place, (_, events)) in frame.messages.iter_mut().enumerate() {
                events.retain(|event| seen.insert((index, *event)));
                events
                    .iter_mut()
                    .for_each(|event| event.1 = event.1 / 4 * 4 + place as u32);
            }
        }
        frames
    });
    let runs = prop::collection::btree_map(0..100_u32, prop::option::of(1..60_u32), 1..4).prop_map(|runs| {
        let runs = runs.into_iter();
        runs.map(|(start, length)| {
            let start = f64::from(start) * 0.02;
            (start, length.map(|length| start + f64::from(length) * 0.02))
        })
        .collect()
    });
    let logs = prop::collection::vec((0..3_u8, -1.0..2.5_f64), 0..30).prop_map(|mut logs| {
        logs.sort_by(|a, b| a.1.total_cmp(&b.1));
        logs
    });
    let masks = prop::collection::vec((0.0..2.0_f64, 0..4_u32), 0..3).prop_map(|mut masks| {
        masks.sort_by(|a, b| a.0.total_cmp(&b.0));
        masks
    });
    (frames, runs, logs, masks).prop_map(|(frames, runs, logs, masks)| Plan {
        frames,
        runs,
        logs,
        masks,
    })
}

impl Plan {
    fn broker(&self) -> Broker {
        let mut broker = Broker::default();
        for frame in &self.frames {
            for (partition, list) in &frame.messages {
                broker.send(TopicRole::Events, i32::from(*partition), events(frame.time, list));
                if frame.repeated {
                    broker.send(
                        TopicRole::Events,
                        i32::from((partition + 1) % 3),
                        events(frame.time, list),
                    );
                }
            }
            if let Some((vetos, period)) = frame.metadata {
                let repeats = if frame.repeated { 2 } else { 1 };
                for _ in 0..repeats {
                    let record = pulse(
                        frame.time,
                        vetos | 0x0500_0000,
                        u32::from(period),
                        0.25 + f32::from(period),
                    );
                    broker.send(TopicRole::SampleEnv, 0, record);
                }
            }
        }
        for (number, (begin, end)) in self.runs.iter().enumerate() {
            let job = format!("job{number}");
            for _ in 0..2 {
                broker.send(
                    TopicRole::RunInfo,
                    number as i32 % 2,
                    start(&job, "MERLIN7", at(*begin)),
                );
            }
            if let Some(end) = end {
                broker.send(TopicRole::RunInfo, 1 - number as i32 % 2, stop(&job, at(*end)));
            }
        }
        for (number, (variable, time)) in self.logs.iter().enumerate() {
            let name = format!("IN:MERLIN:CS:SB:V{variable}");
            broker.send(
                TopicRole::SampleEnv,
                i32::from(*variable),
                log(&name, at(*time), number as f64),
            );
        }
        for (time, mask) in &self.masks {
            broker.send(TopicRole::VetoConfig, 0, veto(at(*time), *mask));
        }
        broker
    }

    /// Bounds of all runs.
    fn bounds(&self) -> Vec<(i64, i64)> {
        let starts: Vec<i64> = self.runs.iter().map(|run| at(run.0)).collect();
        let ends = self.runs.iter().enumerate().map(|(number, run)| {
            let next = starts.get(number + 1).copied().unwrap_or(i64::MAX);
            run.1.map_or(next, |end| at(end).min(next))
        });
        starts.iter().copied().zip(ends).collect()
    }

    fn mask_at(&self, time: i64) -> u32 {
        let known: BTreeMap<i64, u32> = self.masks.iter().rev().map(|(from, mask)| (at(*from), *mask)).collect();
        known.range(..=time).next_back().map_or(0, |(_, mask)| *mask)
    }

    fn check(&self, worker: &Worker) {
        for (number, (begin, end)) in self.bounds().into_iter().enumerate() {
            let snapshot = worker.snapshot(&format!("job{number}"));
            assert_consistent(&snapshot);
            let run = snapshot.run();
            assert_eq!(run.start.nanos(), begin);
            assert_eq!(run.stop.map_or(i64::MAX, |stop| stop.nanos()), end);
            let within: Vec<_> = self
                .frames
                .iter()
                .filter(|frame| (begin..end).contains(&frame.time))
                .collect();
            let vetoed = |frame: &Frame| {
                frame
                    .metadata
                    .is_some_and(|(vetos, _)| vetos & self.mask_at(frame.time) != 0)
            };
            let mut expected: Vec<_> = within
                .iter()
                .filter(|frame| !vetoed(frame))
                .flat_map(|frame| {
                    let events = frame.messages.iter().flat_map(|(_, events)| events);
                    events.map(|(id, time)| (frame.time, *id, *time))
                })
                .collect();
            expected.sort_unstable();
            assert_eq!(listed(&snapshot), expected, "events of run {number}");
            let known: Vec<_> = within
                .iter()
                .filter(|f| f.metadata.is_some() || !f.messages.is_empty())
                .collect();
            assert_eq!(run.totals.raw_frames, known.len() as u64);
            assert_eq!(
                run.totals.vetoed_frames,
                known.iter().filter(|frame| vetoed(frame)).count() as u64
            );
            let charges: Vec<f64> = within
                .iter()
                .filter(|frame| !vetoed(frame))
                .filter_map(|frame| frame.metadata.map(|(_, period)| 0.25 + f64::from(period)))
                .collect();
            let charge = (!charges.is_empty()).then(|| charges.iter().sum::<f64>());
            assert_eq!(run.totals.proton_charge, charge);
            let highest = within
                .iter()
                .filter_map(|frame| frame.metadata.map(|(_, period)| u32::from(period)))
                .max();
            assert_eq!(run.n_periods, highest.unwrap_or(0) + 1);
            for period in 0..3_u8 {
                let mine = within
                    .iter()
                    .filter(|f| !vetoed(f) && f.metadata.map_or(0, |(_, p)| p) == period);
                let count: usize = mine
                    .flat_map(|frame| &frame.messages)
                    .map(|(_, events)| events.len())
                    .sum();
                let mut found = 0;
                for part in snapshot.period_chunks(u16::from(period)) {
                    part.chunk
                        .for_each(|_, _, pulse| found += usize::from(part.selected.get(usize::from(pulse))));
                }
                assert_eq!(found, count, "events of period {period}");
            }
            for variable in 0..3_u8 {
                let mine = || self.logs.iter().enumerate().filter(move |(_, log)| log.0 == variable);
                let initial = mine().rfind(|(_, log)| at(log.1) < begin);
                let inside: Vec<_> = mine().filter(|(_, log)| (begin..end).contains(&at(log.1))).collect();
                let at_start = inside.first().is_some_and(|(_, log)| at(log.1) == begin);
                let mut expected: Vec<_> = inside.iter().map(|(number, log)| (at(log.1), *number as f64)).collect();
                if let (Some((number, _)), false) = (initial, at_start) {
                    expected.insert(0, (begin, number as f64));
                }
                let found = snapshot
                    .logs()
                    .get(&format!("V{variable}"))
                    .map(|series| series.values)
                    .unwrap_or_default();
                let found: Vec<_> = found
                    .iter()
                    .map(|e| (e.time.nanos(), e.value.number().unwrap()))
                    .collect();
                assert_eq!(found, expected, "log V{variable}");
            }
        }
    }
}

fn config() -> TimelineConfig {
    TimelineConfig {
        seal_events: 150,
        seal_pulses: 40,
        ..TimelineConfig::new("MERLIN")
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_interleaving_gives_the_same_views(
        plan in plan(), choices in prop::collection::vec((any::<u16>(), 1..40_usize), 40..400),
    ) {
        let mut broker = plan.broker();
        let mut worker = Worker::new(config());
        let mut held = Vec::new();
        for (choice, burst) in choices {
            let unread = broker.unread();
            if unread.is_empty() {
                break;
            }
            let key = unread[usize::from(choice) % unread.len()];
            match choice % 23 {
                0 => broker.rewind(key, usize::from(choice) % 50),
                1 => { worker.tick(); }
                2 => {
                    for run in worker.view.runs() {
                        let snapshot = worker.view.snapshot(&run.key).unwrap();
                        assert_consistent(&snapshot);
                        held.push((listed(&snapshot), snapshot));
                    }
                }
                _ => {
                    for _ in 0..burst {
                        if broker.unread().contains(&key) {
                            worker.read(&mut broker, key);
                        }
                    }
                }
            }
        }
        worker.drain(&mut broker);
        worker.tick();
        plan.check(&worker);
        broker.rewind_all();
        let before = worker.view.counters();
        worker.drain(&mut broker);
        plan.check(&worker);
        let after = worker.view.counters();
        prop_assert_eq!(after.events, before.events, "what is held is not taken in again");
        for (events, snapshot) in held {
            prop_assert_eq!(listed(&snapshot), events, "a snapshot does not change");
            assert_consistent(&snapshot);
        }
    }
}
