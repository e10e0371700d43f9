//! Workers that start mid-run, are killed and restarted, and hand over the lease: counts stay exact.

use std::time::{Duration, Instant};

use crate::api::Api;
use crate::main_job::COUNT_SCRIPT;
use crate::nexus;
use crate::process::Settings;
use crate::stream::{Counts, Instrument, Run, SECOND, Schema, add, now, pulses};

/// Sends the pulses of the times `[from, to)` and adds their counts.
pub fn send(instrument: &mut Instrument, counts: &mut Counts, from: i64, to: i64) {
    for time in pulses(from, to) {
        add(counts, &instrument.pulse(time, 25));
    }
    instrument.flush();
}

#[test]
fn a_worker_that_starts_mid_run_and_is_killed_mid_run_counts_every_event_once() {
    let mut instrument = Instrument::new("itkill", Schema::Ev44, 3);
    let output = tempfile::tempdir().unwrap();
    let api = Api::start(COUNT_SCRIPT);
    let base = now() / SECOND * SECOND - 60 * SECOND;
    let (first, second) = (
        Run::new(201, base, base + 10 * SECOND),
        Run::new(202, base + 10 * SECOND, base + 20 * SECOND),
    );
    let (mut first_counts, mut second_counts) = (Counts::new(), Counts::new());

    instrument.start_run(&first);
    send(
        &mut instrument,
        &mut first_counts,
        first.start,
        first.start + 5 * SECOND,
    );
    let settings = Settings::new(&instrument.name, output.path(), api.url());
    let mut worker = settings.start();
    worker.wait("the first execution", |report| report.script.runs > 0);
    send(&mut instrument, &mut first_counts, first.start + 5 * SECOND, first.stop);
    instrument.stop_run(&first);
    instrument.start_run(&second);
    send(
        &mut instrument,
        &mut second_counts,
        second.start,
        second.start + 5 * SECOND,
    );
    worker.wait_completed("201");
    worker.wait("an execution on the second run", |report| {
        report.run.as_ref().is_some_and(|run| run.number == "202") && report.script.runs > 2
    });
    worker.kill();

    send(
        &mut instrument,
        &mut second_counts,
        second.start + 5 * SECOND,
        second.stop,
    );
    let mut worker = settings.start();
    instrument.stop_run(&second);
    instrument.flush();
    let report = worker.wait_completed("202");
    assert_eq!(report.run.unwrap().events, second_counts.values().sum::<u64>());
    assert_eq!(nexus::read(&output.path().join("201.nxs")).counts(), first_counts);
    assert_eq!(nexus::read(&output.path().join("202.nxs")).counts(), second_counts);
}

#[test]
fn a_run_that_ended_while_no_worker_ran_gets_its_final_file_once() {
    let mut instrument = Instrument::new("itaway", Schema::Ev42, 2);
    let output = tempfile::tempdir().unwrap();
    let api = Api::start(COUNT_SCRIPT);
    let base = now() / SECOND * SECOND - 120 * SECOND;
    let runs: Vec<Run> = (0..3)
        .map(|n| {
            Run::new(
                300 + n,
                base + i64::from(n) * 12 * SECOND,
                base + (i64::from(n) * 12 + 9) * SECOND,
            )
        })
        .collect();
    let settings = Settings::new(&instrument.name, output.path(), api.url());

    let first = instrument.whole_run(&runs[0], 10);
    instrument.flush();
    let mut worker = settings.start();
    worker.wait_completed("300");
    let (status, _) = worker.stop();
    assert!(status.success(), "{status}");

    let second = instrument.whole_run(&runs[1], 10);
    let third = instrument.whole_run(&runs[2], 10);
    instrument.flush();
    let mut worker = settings.start();
    worker.wait_completed("302");
    for (run, counts) in runs.iter().zip([&first, &second, &third]) {
        assert_eq!(
            nexus::read(&output.path().join(format!("{}.nxs", run.name))).counts(),
            *counts
        );
    }
    worker.stop();

    // A restart without new records writes no file again.
    let modified = |name: &str| std::fs::metadata(output.path().join(name)).unwrap().modified().unwrap();
    let before = [modified("300.nxs"), modified("301.nxs"), modified("302.nxs")];
    let mut worker = settings.start();
    worker.wait_writer();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(before, [modified("300.nxs"), modified("301.nxs"), modified("302.nxs")]);
    let (_, log) = worker.stop();
    assert!(!log.contains("reduced run"), "{log}");
}

#[test]
fn a_start_message_that_comes_half_a_minute_late_finds_all_of_its_events() {
    let mut instrument = Instrument::new("itlate", Schema::Ev44, 2);
    let output = tempfile::tempdir().unwrap();
    let api = Api::start(COUNT_SCRIPT);
    let base = now() / SECOND * SECOND - 60 * SECOND;
    let run = Run::new(501, base, base + 30 * SECOND);
    // The grace time without a run is short: the late run's first events were discarded and are read again.
    let mut worker = Settings::new(&instrument.name, output.path(), api.url())
        .with("GRACE", "2")
        .with("SEEK_MARGIN", "5")
        .start();
    worker.wait("readiness", |report| report.ready);
    let mut counts = Counts::new();
    send(&mut instrument, &mut counts, run.start, run.stop);
    worker.wait("the events to be read", |report| {
        report.partitions.iter().any(|p| p.offset > 0) && report.lag_seconds == Some(0.0)
    });
    instrument.start_run(&run);
    instrument.stop_run(&run);
    instrument.flush();
    worker.wait_completed("501");
    assert_eq!(nexus::read(&output.path().join("501.nxs")).counts(), counts);
}

#[test]
fn topics_that_do_not_exist_yet_are_read_as_soon_as_they_do() {
    let mut instrument = Instrument::without_topics("itlatetopic", Schema::Ev42, 2);
    let output = tempfile::tempdir().unwrap();
    let api = Api::start(COUNT_SCRIPT);
    let mut worker = Settings::new(&instrument.name, output.path(), api.url()).start();
    worker.wait_writer();
    worker.wait("the missing topics in words", |report| {
        let missing = report.degraded.iter().find(|wrong| wrong.reason == "TopicMissing");
        missing.is_some_and(|wrong| wrong.message.contains("ITLATETOPIC_events"))
    });
    instrument.create_topics();
    let base = now() / SECOND * SECOND - 30 * SECOND;
    let counts = instrument.whole_run(&Run::new(601, base, base + 5 * SECOND), 10);
    instrument.flush();
    worker.wait_completed("601");
    assert_eq!(nexus::read(&output.path().join("601.nxs")).counts(), counts);
}

#[test]
fn a_rollout_hands_the_writers_lease_from_one_worker_to_the_next() {
    let mut instrument = Instrument::new("itroll", Schema::Ev42, 1);
    let output = tempfile::tempdir().unwrap();
    let api = Api::start(COUNT_SCRIPT);
    let base = now() / SECOND * SECOND - 20 * SECOND;
    instrument.start_run(&Run::new(701, base, base + 900 * SECOND));
    send(&mut instrument, &mut Counts::new(), base, base + SECOND);
    let settings = Settings::new(&instrument.name, output.path(), api.url());
    let mut old = settings.start();
    old.wait("an execution", |report| report.script.runs > 0);
    let mut new = settings.start();
    new.wait("readiness", |report| report.ready);
    let report = new.report().unwrap();
    assert!(!report.writer && report.script.runs == 0, "two workers publish");
    let started = Instant::now();
    let (status, _) = old.stop();
    assert!(status.success(), "{status}");
    new.wait("the lease", |report| report.writer && report.script.runs > 0);
    assert!(started.elapsed() < Duration::from_secs(30));
}
