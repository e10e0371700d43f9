//! Sessions on a simulated stream: each accumulation method, transition between runs and start. Some tests repeat
//! problems that users of Mantid's listener reported (mantid#NUMBER).
#![allow(clippy::unwrap_used)]

use super::*;
use crate::live::testing::{CHARGE, SimulatedStream, from_start, properties, time};
use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::live::LiveSpec;
use live_data_reduction::run::GOOD_CHARGE;
use live_data_reduction::{AlgorithmRun, Value};

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-6, "{a} is not {b}");
}

/// Two runs of ten seconds with a pause of two; the session starts in the middle of the first. Returns the total after
/// each chunk, by run, and the outcomes of the steps.
fn two_runs(given: &LiveSpec) -> (SimulatedStream, Session, [Vec<f64>; 2], Vec<StepOutcome>) {
    let mut stream = SimulatedStream::new();
    stream.start("101", 0.0);
    stream.pulses(0.0, 5.0);
    stream.tick();
    let mut session = stream.session(given);
    let (mut chunks, mut steps) = ([Vec::new(), Vec::new()], Vec::new());
    let mut after = |stream: &mut SimulatedStream, session: &mut Session, run: usize| {
        let step = stream.step(session);
        let loaded = matches!(
            step,
            StepOutcome::ChunkLoaded | StepOutcome::RunEnded(_) | StepOutcome::Stopped(_)
        );
        if loaded && stream.services.data.contains("out") {
            chunks[run].push(stream.total("out"));
        }
        steps.push(step);
    };
    after(&mut stream, &mut session, 0);
    stream.pulses(5.0, 8.0);
    after(&mut stream, &mut session, 0);
    stream.pulses(8.0, 12.0);
    stream.stop("101", 10.0);
    after(&mut stream, &mut session, 0);
    stream.start("102", 12.0);
    stream.pulses(12.0, 18.0);
    after(&mut stream, &mut session, 1);
    stream.pulses(18.0, 25.0);
    stream.stop("102", 22.0);
    after(&mut stream, &mut session, 1);
    (stream, session, chunks, steps)
}

/// Number of events of the first run from this time (s) on.
fn first_from(seconds: f64) -> f64 {
    (10.0 - seconds) * 100.0
}

#[test]
fn every_accumulation_transition_and_start_counts_each_event_once() {
    // The last pulse of each of two partitions may still grow at the start, so that it counts as new.
    let starts = [("now", 5.0), ("start", 0.0), ("time", 3.0)];
    for accumulation in ["Add", "Replace", "Append"] {
        for transition in ["Restart", "Stop", "Rename"] {
            for (start, from) in starts {
                let given = LiveSpec {
                    accumulation_method: Some(accumulation.parse().unwrap()),
                    run_transition_behavior: Some(transition.parse().unwrap()),
                    from_now: Some(start == "now"),
                    from_start_of_run: Some(start == "start"),
                    from_time: Some(start == "time"),
                    start_time: (start == "time").then(|| DateAndTime::from_pulse(time(3.0)).to_iso()),
                    processing_algorithm: Some("Rebin".into()),
                    processing_properties: Some("Params=0,5000,20000".into()),
                    ..properties()
                };
                let what = format!("{accumulation} {transition} {start}");
                let (stream, session, chunks, steps) = two_runs(&given);
                let ended = |step: &StepOutcome| matches!(step, StepOutcome::RunEnded(_) | StepOutcome::Stopped(_));
                assert!(ended(&steps[2]), "{what}: {steps:?}");
                let sum = |chunks: &[f64]| match accumulation {
                    "Replace" => chunks.iter().sum::<f64>(),
                    _ => *chunks.last().unwrap(),
                };
                assert_eq!(sum(&chunks[0]), first_from(from), "{what}: {:?}", chunks[0]);
                // Newest pulse that was delivered, not the time of day.
                let last = if transition == "Stop" { 9.9 } else { 21.9 };
                assert_eq!(session.last_time_stamp(), Some(time(last)), "{what}");
                if transition == "Stop" {
                    assert!(
                        matches!(steps[2], StepOutcome::Stopped(_)) && chunks[1].is_empty(),
                        "{what}: {steps:?}"
                    );
                    assert_eq!(stream.total("out"), *chunks[0].last().unwrap(), "{what}");
                    continue;
                }
                assert!(matches!(steps[4], StepOutcome::RunEnded(_)), "{what}: {steps:?}");
                assert_eq!(sum(&chunks[1]), 1000.0, "{what}: {:?}", chunks[1]);
                if accumulation != "Replace" {
                    close(session.charge().unwrap(), 100.0 * f64::from(CHARGE));
                }
                assert_eq!(
                    stream.services.data.contains("out_101"),
                    transition == "Rename",
                    "{what}"
                );
                if transition == "Rename" {
                    assert_eq!(stream.total("out_101"), *chunks[0].last().unwrap(), "{what}");
                    assert_eq!(session.renamed_results(), ["out_101", "out_102"]);
                }
                if accumulation == "Append" {
                    let spectra = stream.matrix("out").histograms();
                    let single = stream
                        .services
                        .instruments
                        .by_name("LIVEDEMO", DateAndTime::now())
                        .unwrap()
                        .detectors
                        .len();
                    assert_eq!(spectra, 2 * single, "{what}: one set of spectra a chunk");
                }
            }
        }
    }
}

#[test]
fn events_are_kept_or_counted_with_the_same_sums_charge_and_logs() {
    for preserve_events in [true, false] {
        let given = LiveSpec {
            preserve_events: Some(preserve_events),
            ..from_start()
        };
        let mut stream = SimulatedStream::new();
        stream.log("Rot", -5.0, 1.0);
        stream.start("101", 0.0);
        stream.pulses(0.0, 4.0);
        let mut session = stream.session(&given);
        for n in 0..4 {
            stream.log("Rot", f64::from(n) + 0.25, f64::from(n));
            assert_eq!(stream.step(&mut session), StepOutcome::ChunkLoaded);
            stream.pulses(4.0 + f64::from(n), 5.0 + f64::from(n));
        }
        // A late value is not lost.
        stream.log("Rot", 0.75, 9.0);
        // The topic of logs must pass the run's end as well.
        for n in 0..4 {
            stream.log("Other", 12.0 + f64::from(n), 0.0);
        }
        stream.pulses(8.0, 12.0);
        stream.stop("101", 10.0);
        assert!(matches!(stream.step(&mut session), StepOutcome::RunEnded(_)));
        assert_eq!(stream.total("out"), 1000.0);
        let out = stream.matrix("out");
        assert_eq!(
            out.id(),
            if preserve_events {
                "EventWorkspace"
            } else {
                "Workspace2D"
            }
        );
        close(out.run().number(GOOD_CHARGE).unwrap(), 100.0 * f64::from(CHARGE));
        assert_eq!(out.run().number("goodfrm"), Some(100.0));
        let values = out.run().series("Rot").unwrap().numbers().unwrap();
        assert_eq!(
            values,
            [1.0, 0.0, 9.0, 1.0, 2.0, 3.0],
            "the initial value, and each one once"
        );
        if let Some(events) = out.events() {
            assert_eq!(events.plan().terms().len(), 1, "chunks become one term");
        }
    }
}

#[test]
fn nothing_is_lost_at_a_change_of_runs() {
    // mantid#21481: events around the change of runs, in any order.
    let mut stream = SimulatedStream::new();
    stream.start("101", 0.0);
    for n in 0..80 {
        stream.pulse(0, f64::from(n) / 10.0, 10, 0);
    }
    // The other partition exists and has no new events for a while.
    stream.pulse(1, -1.0, 3, 0);
    let mut session = stream.session(&LiveSpec {
        run_transition_behavior: Some(RunTransitionBehavior::Rename),
        ..from_start()
    });
    stream.step(&mut session);
    // One partition is far in the second run before its start is read; the other one lags.
    for n in 80..200 {
        stream.pulse(0, f64::from(n) / 10.0, 10, 0);
    }
    stream.step(&mut session);
    stream.stop("101", 10.0);
    stream.step(&mut session);
    stream.start("102", 10.0);
    stream.step(&mut session);
    for n in 0..300 {
        stream.pulse(1, f64::from(n) / 10.0 + 0.05, 3, 0);
        if n % 37 == 0 {
            stream.step(&mut session);
        }
    }
    for n in 200..300 {
        stream.pulse(0, f64::from(n) / 10.0, 10, 0);
    }
    stream.stop("102", 20.0);
    for _ in 0..3 {
        stream.step(&mut session);
    }
    assert_eq!(stream.total("out_101"), 100.0 * 10.0 + 100.0 * 3.0);
    assert_eq!(stream.total("out_102"), 100.0 * 10.0 + 100.0 * 3.0);
}

#[test]
fn stop_stops() {
    // mantid#21389
    let given = LiveSpec {
        run_transition_behavior: Some(RunTransitionBehavior::Stop),
        ..from_start()
    };
    let (mut stream, mut session, _, steps) = two_runs(&given);
    assert_eq!(
        steps
            .iter()
            .filter(|step| matches!(step, StepOutcome::Stopped(_)))
            .count(),
        1
    );
    assert!(session.has_stopped());
    assert_eq!(stream.step(&mut session), StepOutcome::NothingNew);
    assert_eq!(stream.total("out"), 1000.0);
    assert!(
        stream
            .messages
            .lock()
            .contains(&"Run #101 ended. Stopping live data monitoring.".to_owned())
    );
}

#[test]
fn the_number_of_periods_may_change_between_runs_and_within_one() {
    // mantid#22654
    for (preserve_events, accumulation) in [(false, "Add"), (true, "Add"), (false, "Append"), (true, "Append")] {
        let mut stream = SimulatedStream::new();
        stream.start("101", 0.0);
        let mut session = stream.session(&LiveSpec {
            preserve_events: Some(preserve_events),
            accumulation_method: Some(accumulation.parse().unwrap()),
            ..from_start()
        });
        let pulses = |stream: &mut SimulatedStream, from: i32, to: i32, periods: u32| {
            for n in from..to {
                stream.pulse(0, f64::from(n) / 10.0, 10, n as u32 % periods);
            }
        };
        pulses(&mut stream, 0, 50, 1);
        stream.step(&mut session);
        assert_eq!(stream.totals("out").len(), 1);
        // A second period appears within the run: the workspace becomes a group.
        pulses(&mut stream, 50, 120, 2);
        stream.step(&mut session);
        stream.stop("101", 10.0);
        stream.step(&mut session);
        assert_eq!(stream.totals("out"), [75.0 * 10.0, 25.0 * 10.0]);
        assert_eq!(
            stream.services.data.retrieve("out").unwrap().member_names(),
            ["out_1", "out_2"]
        );
        close(session.charge().unwrap(), 100.0 * f64::from(CHARGE));
        stream.start("102", 12.0);
        pulses(&mut stream, 120, 240, 3);
        stream.step(&mut session);
        stream.stop("102", 24.0);
        pulses(&mut stream, 240, 260, 1);
        stream.step(&mut session);
        assert_eq!(stream.totals("out"), [400.0, 400.0, 400.0]);
        let by_period = stream.services.data.retrieve("out_1").unwrap().matrix().unwrap();
        assert!(by_period.run().has("proton_charge_by_period"));
        stream.start("103", 26.0);
        pulses(&mut stream, 260, 300, 1);
        stream.step(&mut session);
        stream.stop("103", 29.0);
        stream.step(&mut session);
        assert_eq!(stream.totals("out"), [300.0]);
        for gone in ["out_1", "out_2", "out_3"] {
            assert!(!stream.services.data.contains(gone), "{gone} is left over");
        }
    }
}

#[test]
fn chunks_that_replace_each_other_may_have_other_numbers_of_periods() {
    // mantid#22654
    for transition in ["Restart", "Rename"] {
        let mut stream = SimulatedStream::new();
        let mut session = stream.session(&LiveSpec {
            accumulation_method: Some(AccumulationMethod::Replace),
            run_transition_behavior: Some(transition.parse().unwrap()),
            ..from_start()
        });
        let mut seen = Vec::new();
        for (run, periods) in [(0, 1_u32), (1, 3), (2, 2), (3, 1)] {
            let from = 10 * run;
            stream.start(&format!("10{run}"), f64::from(from));
            for n in 0..100 {
                stream.pulse(0, f64::from(from) + f64::from(n) / 10.0, 10, n as u32 % periods);
                if n == 45 {
                    stream.step(&mut session);
                }
            }
            stream.stop(&format!("10{run}"), f64::from(from) + 9.0);
            stream.step(&mut session);
            seen.push((stream.totals("out").len(), session.last_time_stamp()));
            assert_eq!(
                stream.services.data.contains("out_103"),
                run == 3 && transition == "Rename",
                "a kept result"
            );
        }
        let sizes: Vec<usize> = seen.iter().map(|(size, _)| *size).collect();
        assert_eq!(sizes, [1, 3, 2, 1], "{transition}");
    }
}

#[test]
fn a_moved_instrument_stays_moved_when_chunks_replace_each_other() {
    // mantid#20517
    let mut stream = SimulatedStream::new();
    stream.start("101", 0.0);
    stream.pulses(0.0, 2.0);
    let mut session = stream.session(&LiveSpec {
        accumulation_method: Some(AccumulationMethod::Replace),
        ..from_start()
    });
    stream.step(&mut session);
    let name = stream
        .matrix("out")
        .instrument()
        .components
        .last()
        .unwrap()
        .name
        .to_string();
    let mut run = AlgorithmRun::create("MoveInstrumentComponent", None).unwrap();
    for (property, value) in [
        ("Workspace", "out".into()),
        ("ComponentName", Value::Str(name)),
        ("Z", Value::Float(0.5)),
    ] {
        run.set_property(property, value).unwrap();
    }
    run.execute(&stream.services, &Cancel::new()).unwrap();
    let moved = stream.matrix("out").instrument().clone();
    for (from, to) in [(2.0, 4.0), (4.0, 6.0)] {
        stream.pulses(from, to);
        assert_eq!(stream.step(&mut session), StepOutcome::ChunkLoaded);
        assert!(
            Arc::ptr_eq(stream.matrix("out").instrument(), &moved),
            "the geometry is lost"
        );
    }
    stream.pulses(6.0, 12.0);
    stream.stop("101", 10.0);
    stream.step(&mut session);
    stream.start("102", 12.0);
    stream.pulses(12.0, 14.0);
    stream.step(&mut session);
    assert!(
        Arc::ptr_eq(stream.matrix("out").instrument(), &moved),
        "the geometry is lost in the next run"
    );
}

#[test]
fn a_bound_that_moves_past_delivered_events_makes_the_result_again() {
    let mut stream = SimulatedStream::new();
    stream.start("101", 0.0);
    stream.pulses(0.0, 12.0);
    let mut session = stream.session(&from_start());
    stream.step(&mut session);
    assert!(stream.total("out") > 1000.0);
    // The run start and stop are late: events after the run's end were delivered before.
    stream.stop("101", 6.0);
    stream.start("102", 6.0);
    stream.step(&mut session);
    assert_eq!(stream.total("out"), 600.0);
    close(session.charge().unwrap(), 60.0 * f64::from(CHARGE));
    stream.pulses(12.0, 13.0);
    stream.stop("102", 12.0);
    stream.step(&mut session);
    assert_eq!(stream.total("out"), 600.0);
}

#[test]
fn a_result_that_is_gone_is_made_again_from_the_view() {
    let mut stream = SimulatedStream::new();
    stream.start("101", 0.0);
    stream.pulses(0.0, 4.0);
    let mut session = stream.session(&from_start());
    stream.step(&mut session);
    stream.services.data.clear();
    stream.pulses(4.0, 12.0);
    stream.stop("101", 10.0);
    stream.step(&mut session);
    assert_eq!(stream.total("out"), 1000.0);
}

#[test]
fn without_news_there_is_no_chunk_and_an_empty_run_leaves_the_former_result() {
    let mut stream = SimulatedStream::new();
    stream.start("101", 0.0);
    stream.pulses(0.0, 4.0);
    let mut session = stream.session(&from_start());
    assert_eq!(stream.step(&mut session), StepOutcome::ChunkLoaded);
    assert_eq!(stream.step(&mut session), StepOutcome::NothingNew);
    assert_eq!(session.chunks(), 1);
    stream.pulses(4.0, 10.0);
    stream.stop("101", 10.0);
    stream.start("102", 10.0);
    stream.stop("102", 10.0);
    stream.start("103", 11.0);
    stream.pulse(0, 10.5, 0, 0);
    stream.pulse(1, 10.5, 0, 0);
    while stream.step(&mut session) != StepOutcome::NothingNew {}
    assert_eq!(stream.total("out"), 1000.0);
}

#[test]
fn what_was_accumulated_goes_through_post_processing_after_each_chunk() {
    let given = LiveSpec {
        preserve_events: Some(true),
        post_processing_algorithm: Some("SumSpectra".into()),
        accumulation_workspace: Some("all".into()),
        ..from_start()
    };
    let mut stream = SimulatedStream::new();
    stream.start("101", 0.0);
    stream.pulses(0.0, 4.0);
    let mut session = stream.session(&given);
    stream.step(&mut session);
    assert_eq!(
        (stream.matrix("out").histograms(), stream.total("out")),
        (1, stream.total("all"))
    );
    stream.pulses(4.0, 12.0);
    stream.stop("101", 10.0);
    stream.step(&mut session);
    assert_eq!((stream.total("out"), stream.total("all")), (1000.0, 1000.0));
    assert!(stream.matrix("all").histograms() > 1);
}

#[test]
fn a_result_is_kept_where_there_is_three_times_its_memory() {
    let run = |free_memory: Option<u64>| {
        let mut stream = SimulatedStream::new();
        stream.free_memory = free_memory;
        stream.start("101", 0.0);
        stream.pulses(0.0, 12.0);
        let mut session = stream.session(&LiveSpec {
            run_transition_behavior: Some(RunTransitionBehavior::Rename),
            processing_algorithm: Some("Rebin".into()),
            processing_properties: Some("Params=0,100,20000;PreserveEvents=0".into()),
            ..from_start()
        });
        stream.stop("101", 10.0);
        stream.step(&mut session);
        let kept = stream.services.data.contains("out_101");
        let refused =
            (stream.messages.lock().iter()).any(|text| text.starts_with("Not enough spare memory to clone out"));
        assert_ne!(kept, refused, "{:?}", stream.messages.lock());
        (kept, stream.matrix("out").memory() as u64)
    };
    let (kept, bytes) = run(None);
    assert!(kept && bytes > 1000, "{bytes}");
    assert!(run(Some(3 * bytes + bytes / 2)).0);
    assert!(!run(Some(3 * bytes - bytes / 2)).0);
}

#[test]
fn a_start_before_all_data_begins_with_the_oldest_run_and_warns() {
    for (from, warned) in [(-1000.0, true), (3.0, false)] {
        let mut stream = SimulatedStream::new();
        stream.start("101", 0.0);
        stream.pulses(0.0, 12.0);
        stream.tick();
        let mut session = stream.session(&LiveSpec {
            from_now: Some(false),
            from_time: Some(true),
            start_time: Some(DateAndTime::from_pulse(time(from)).to_iso()),
            ..properties()
        });
        stream.stop("101", 10.0);
        stream.step(&mut session);
        assert_eq!(stream.total("out"), first_from(from.max(0.0)));
        let reported = stream
            .messages
            .lock()
            .iter()
            .any(|text| text.contains("older than what is held"));
        assert_eq!(reported, warned, "{:?}", stream.messages.lock());
    }
}

#[test]
fn a_chunk_that_cannot_be_processed_is_tried_again_and_at_a_runs_end_given_up() {
    let given = LiveSpec {
        processing_script: Some("pass".into()),
        ..from_start()
    };
    let mut stream = SimulatedStream::new();
    stream.start("101", 0.0);
    stream.pulses(0.0, 12.0);
    let mut session = stream.session(&given);
    stream.stop("101", 10.0);
    stream.tick();
    for _ in 0..2 {
        let error = session
            .step(stream.source.as_ref(), &Cancel::new())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("the processing script failed") && error.contains("no Python here"),
            "{error}"
        );
    }
    assert!(matches!(stream.step(&mut session), StepOutcome::RunEnded(_)));
    assert!(stream.messages.lock().iter().any(|text| text.contains("is given up")));
}
