//! Runs over time: late starts, completion, replays and freeing.

use live_data_engine::config::TimelineConfig;
use live_data_engine::outcome::{IngestOutcome, Signal};
use live_data_engine::record_position::TopicRole;
use live_data_engine::run::RunState;
use live_data_engine::time::PulseTime;

use crate::stream::{Broker, Record, Worker, assert_consistent, at, events, key, listed, log, pulse, start, stop};

const EVENTS: TopicRole = TopicRole::Events;
const RUNS: TopicRole = TopicRole::RunInfo;

fn config() -> TimelineConfig {
    TimelineConfig {
        seal_events: 2000,
        ..TimelineConfig::new("MERLIN")
    }
}

/// `pulses` at 50 a second from `from` on, with ten events each, over three partitions.
fn beam(broker: &mut Broker, from: f64, pulses: usize) {
    for number in 0..pulses {
        let time = at(from + number as f64 * 0.02);
        let list: Vec<(u32, u32)> = (0..10)
            .map(|event| (event * 31 + 1, (number as u32 * 7 + event) * 100))
            .collect();
        broker.send(EVENTS, number as i32 % 3, events(time, &list));
        broker.send(TopicRole::SampleEnv, 0, pulse(time, 0, 0, 0.5));
    }
}

fn count(worker: &Worker, job: &str) -> u64 {
    let snapshot = worker.snapshot(job);
    assert_consistent(&snapshot);
    snapshot.run().totals.events
}

#[test]
fn a_start_that_comes_30_s_late_finds_its_events() {
    let (mut broker, mut worker) = (Broker::default(), Worker::new(config()));
    broker.send(RUNS, 0, start("a", "1", at(0.0)));
    worker.drain(&mut broker);
    beam(&mut broker, 0.0, 3000);
    worker.drain(&mut broker);
    worker.tick();
    broker.send(RUNS, 0, stop("a", at(20.0)));
    worker.drain(&mut broker);
    worker.tick();
    assert_eq!(count(&worker, "a"), 10_000);
    broker.send(RUNS, 0, start("b", "2", at(30.0)));
    worker.drain(&mut broker);
    worker.tick();
    assert_eq!(count(&worker, "b"), 15_000);
    assert!(
        !worker
            .signals
            .iter()
            .any(|signal| matches!(signal, Signal::ReplayFrom(_)))
    );
    assert_eq!(worker.view.current().unwrap().missing_seconds, 0.0);
}

#[test]
fn a_start_beyond_what_is_held_asks_for_a_replay_that_brings_it_back() {
    let (mut broker, mut worker) = (Broker::default(), Worker::new(config()));
    beam(&mut broker, 0.0, 10_000);
    worker.drain(&mut broker);
    worker.report(&broker);
    worker.tick();
    let kept = worker.view.counters().events_kept;
    assert!((60_000..90_000).contains(&kept), "120 s of 200 are kept: {kept}");
    broker.send(RUNS, 0, start("a", "1", at(10.0)));
    worker.drain(&mut broker);
    let signals = worker.tick();
    let replay = signals.iter().find_map(|signal| match signal {
        Signal::ReplayFrom(time) => Some(*time),
        _ => None,
    });
    assert_eq!(replay, Some(PulseTime::from_nanos(at(10.0))));
    broker.rewind_all();
    worker.drain(&mut broker);
    assert!(
        worker
            .tick()
            .iter()
            .all(|signal| !matches!(signal, Signal::ReplayFrom(_))),
        "asked once"
    );
    assert_eq!(count(&worker, "a"), 95_000);
    let run = worker.view.current().unwrap();
    assert_eq!(run.totals.charged_frames, 9500);
    assert_eq!(worker.view.counters().events, 100_000, "counted once");
}

#[test]
fn a_run_is_complete_when_every_partition_has_passed_it_or_was_read_to_its_end() {
    let (mut broker, mut worker) = (Broker::default(), Worker::new(config()));
    broker.send(RUNS, 0, start("a", "1", at(0.0)));
    beam(&mut broker, 0.0, 500);
    broker.send(RUNS, 0, stop("a", at(8.0)));
    worker.drain(&mut broker);
    worker.report(&broker);
    worker.tick();
    assert!(worker.completed().is_empty(), "the stream may still bring events");
    worker.wait(9);
    worker.report(&broker);
    worker.tick();
    assert!(worker.completed().is_empty());
    worker.wait(2);
    // One more message of the run is in the topic when the watermark is fetched.
    broker.send(EVENTS, 1, events(at(7.5), &[(77, 1)]));
    worker.report(&broker);
    worker.tick();
    assert!(worker.completed().is_empty(), "it was not read yet");
    worker.drain(&mut broker);
    worker.report(&broker);
    worker.tick();
    assert_eq!(worker.completed(), ["a"]);
    let complete = worker.signals.iter().find_map(|signal| match signal {
        Signal::RunComplete { snapshot, .. } => Some(snapshot.clone()),
        _ => None,
    });
    assert_eq!(listed(&complete.unwrap()).len(), 4001);
    broker.send(EVENTS, 1, events(at(7.6), &[(78, 1)]));
    worker.drain(&mut broker);
    assert_eq!(count(&worker, "a"), 4001, "what comes after is counted only");
    assert_eq!(worker.view.counters().late_events, 1);
    assert_eq!(worker.view.current().unwrap().late_events, 1);
    worker.tick();
    assert_eq!(worker.completed(), ["a"], "once");
}

#[test]
fn a_run_completes_by_pulse_time_while_the_beam_goes_on() {
    let (mut broker, mut worker) = (Broker::default(), Worker::new(config()));
    broker.send(RUNS, 0, start("a", "1", at(0.0)));
    broker.send(RUNS, 0, start("b", "1", at(10.0)));
    beam(&mut broker, 0.0, 990);
    worker.drain(&mut broker);
    worker.tick();
    assert!(worker.completed().is_empty());
    beam(&mut broker, 19.8, 30);
    worker.drain(&mut broker);
    worker.tick();
    assert_eq!(
        worker.completed(),
        ["a"],
        "passed by 10 s, with no word about watermarks"
    );
    let runs = worker.view.runs();
    assert_eq!((runs[0].state, runs[1].state), (RunState::Complete, RunState::Open));
}

#[test]
fn memory_after_three_run_changes_is_what_one_run_needs() {
    let (mut broker, mut worker) = (Broker::default(), Worker::new(config()));
    let mut one = 0;
    for run in 0..4 {
        let from = f64::from(run) * 200.0;
        broker.send(RUNS, 0, start(&format!("job{run}"), "1", at(from)));
        worker.drain(&mut broker);
        beam(&mut broker, from, 10_000);
        worker.drain(&mut broker);
        worker.tick();
        worker.signals.clear();
        worker.tick();
        let counters = worker.view.counters();
        if run == 0 {
            one = counters.event_bytes;
        }
        assert!(
            (100_000..105_000).contains(&counters.events_kept),
            "{}",
            counters.events_kept
        );
        assert!((10_000..11_000).contains(&counters.pulses), "{}", counters.pulses);
        assert!(
            counters.event_bytes < one * 105 / 100,
            "{} of {one}",
            counters.event_bytes
        );
    }
    assert_eq!(count(&worker, "job3"), 100_000);
}

#[test]
fn a_snapshot_keeps_what_the_timeline_let_go_of() {
    let (mut broker, mut worker) = (Broker::default(), Worker::new(config()));
    broker.send(RUNS, 0, start("a", "1", at(0.0)));
    worker.drain(&mut broker);
    beam(&mut broker, 0.0, 3000);
    worker.drain(&mut broker);
    let snapshot = worker.snapshot("a");
    let before = listed(&snapshot);
    broker.send(RUNS, 0, start("b", "1", at(60.0)));
    beam(&mut broker, 60.0, 9000);
    worker.drain(&mut broker);
    worker.tick();
    worker.signals.clear();
    worker.tick();
    assert!(
        worker.view.snapshot(&snapshot.run().key).is_none(),
        "the timeline let go of it"
    );
    let held = worker.view.counters();
    assert!(
        held.event_bytes > held.events_kept * 8 + 100_000,
        "its chunks still count"
    );
    assert_eq!(listed(&snapshot), before);
    drop(snapshot);
    assert!(worker.view.counters().event_bytes < held.event_bytes - 100_000);
}

#[test]
fn odd_starts_and_stops_are_told() {
    let mut worker = Worker::new(config());
    let place = key(RUNS, 0);
    let mut other = start("x", "1", at(0.0));
    if let Record::Start(run) = &mut other {
        run.instrument_name = "LOKI".into();
    }
    assert!(matches!(worker.ingest(place, 0, &other), IngestOutcome::Refused(_)));
    assert_eq!(
        worker.ingest(place, 1, &start("a", "MERLIN12", at(0.0))),
        IngestOutcome::Recorded
    );
    assert_eq!(
        worker.ingest(place, 2, &start("a", "MERLIN12", at(0.0))),
        IngestOutcome::Duplicate
    );
    assert!(matches!(
        worker.ingest(place, 3, &stop("zz", at(5.0))),
        IngestOutcome::Refused(_)
    ));
    let mut mapped = start("b", "MERLIN13", at(2.0));
    if let Record::Start(run) = &mut mapped {
        run.map = Some(live_data_engine::message::DetectorSpectrumMap {
            spectrum: vec![1, 2],
            detector_id: vec![7],
            n_spectra: 2,
        });
    }
    assert!(matches!(
        worker.ingest(place, 4, &mapped),
        IngestOutcome::PartlyRefused(_)
    ));
    let runs = worker.view.runs();
    assert_eq!(runs.len(), 2);
    assert_eq!(
        (runs[0].run_number.as_str(), runs[0].stop),
        ("12", Some(PulseTime::from_nanos(at(2.0))))
    );
    assert!(runs[1].map.is_none());
    assert!(
        runs[1].warnings[0]
            .to_string()
            .contains("2 spectrum numbers for 1 detector ids")
    );
    let rejected = worker.view.counters().rejected;
    assert_eq!(rejected["run_start_of_other_instrument"], 1);
    assert_eq!(rejected["run_stop_without_start"], 1);
    assert_eq!(rejected["detector_map_malformed"], 1);
}

#[test]
fn the_missing_part_and_pulses_near_the_bounds_are_reported() {
    let (mut broker, mut worker) = (Broker::default(), Worker::new(config()));
    broker.send(RUNS, 0, start("a", "1", at(-100.0)));
    beam(&mut broker, 0.0, 1000);
    broker.send(RUNS, 0, stop("a", at(12.0)));
    broker.send(RUNS, 0, start("b", "1", at(14.0)));
    worker.drain(&mut broker);
    let runs = worker.view.runs();
    assert_eq!(runs[0].missing_seconds, 100.0);
    assert_eq!(runs[1].missing_seconds, 0.0);
    assert_eq!((runs[0].pulses_after_stop, runs[1].pulses_before_start), (100, 100));
    assert_eq!(runs[0].pulses_before_start, 0);
}

#[test]
fn every_pulse_outside_an_open_run_is_told() {
    let (mut broker, mut worker) = (Broker::default(), Worker::new(config()));
    broker.send(RUNS, 0, start("a", "1", at(1000.0)));
    worker.drain(&mut broker);
    worker.tick();
    beam(&mut broker, 0.0, 100);
    worker.drain(&mut broker);
    worker.wait(11);
    let signals = worker.tick();
    assert!(
        signals
            .iter()
            .any(|signal| matches!(signal, Signal::EveryPulseOutside(true)))
    );
    assert!(worker.view.counters().every_pulse_outside);
    beam(&mut broker, 1000.0, 100);
    worker.drain(&mut broker);
    worker.wait(11);
    let signals = worker.tick();
    assert!(
        signals
            .iter()
            .any(|signal| matches!(signal, Signal::EveryPulseOutside(false)))
    );
}

#[test]
fn the_run_clock_offset_moves_bounds() {
    let settings = TimelineConfig {
        run_clock_offset: 500_000_000,
        ..config()
    };
    let (mut broker, mut worker) = (Broker::default(), Worker::new(settings));
    broker.send(RUNS, 0, start("a", "1", at(1.0)));
    broker.send(RUNS, 0, stop("a", at(2.0)));
    beam(&mut broker, 0.0, 200);
    worker.drain(&mut broker);
    let snapshot = worker.snapshot("a");
    assert_eq!(snapshot.run().start.nanos(), at(1.5));
    assert_eq!(listed(&snapshot).len(), 500);
    assert_eq!(listed(&snapshot)[0].0, at(1.5));
}

#[test]
fn logs_long_before_a_run_give_its_initial_values() {
    let (mut broker, mut worker) = (Broker::default(), Worker::new(config()));
    broker.send(TopicRole::SampleEnv, 0, log("IN:MERLIN:CS:SB:Rot", at(-80_000.0), 45.0));
    beam(&mut broker, 0.0, 10_000);
    worker.drain(&mut broker);
    worker.tick();
    broker.send(RUNS, 0, start("a", "1", at(150.0)));
    worker.drain(&mut broker);
    worker.tick();
    let series = worker.snapshot("a").logs().get("Rot").unwrap();
    assert_eq!(series.values.len(), 1);
    assert_eq!(
        (series.values[0].time.nanos(), series.values[0].value.number()),
        (at(150.0), Some(45.0))
    );
}
