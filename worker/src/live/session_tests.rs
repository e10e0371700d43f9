//! Sessions on a simulated stream: every way to put chunks together, to end a run and to begin; and what users of
//! Mantid's own listener have reported.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::live::testing::{CHARGE, Stage, from_start, properties, time};
use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::live::Properties;
use live_data_reduction::{AlgorithmRun, Value};

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-6, "{a} is not {b}");
}

/// Two runs of ten seconds with a pause of two; the session begins in the middle of the first. Says what each chunk of the
/// first run and of the second added, and how the steps went.
fn two_runs(given: &Properties) -> (Stage, Session, [Vec<f64>; 2], Vec<Step>) {
    let mut stage = Stage::new();
    stage.start("101", 0.0);
    stage.pulses(0.0, 5.0);
    stage.tick();
    let mut session = stage.session(given);
    let (mut chunks, mut steps) = ([Vec::new(), Vec::new()], Vec::new());
    let mut after = |stage: &mut Stage, session: &mut Session, run: usize| {
        let step = stage.step(session);
        let loaded = matches!(step, Step::Loaded | Step::RunEnded(_) | Step::Stopped(_));
        if loaded && stage.service.data.contains("out") {
            chunks[run].push(stage.total("out"));
        }
        steps.push(step);
    };
    after(&mut stage, &mut session, 0);
    stage.pulses(5.0, 8.0);
    after(&mut stage, &mut session, 0);
    stage.pulses(8.0, 12.0);
    stage.stop("101", 10.0);
    after(&mut stage, &mut session, 0);
    stage.start("102", 12.0);
    stage.pulses(12.0, 18.0);
    after(&mut stage, &mut session, 1);
    stage.pulses(18.0, 25.0);
    stage.stop("102", 22.0);
    after(&mut stage, &mut session, 1);
    (stage, session, chunks, steps)
}

/// Events of the first run from this time on.
fn first_from(seconds: f64) -> f64 {
    (10.0 - seconds) * 100.0
}

#[test]
fn every_accumulation_transition_and_start_counts_each_event_once() {
    // Of what was there, the last pulse of each of two partitions had not come far enough to be complete: it is newer.
    let starts = [("now", 5.0), ("start", 0.0), ("time", 3.0)];
    for accumulation in ["Add", "Replace", "Append"] {
        for transition in ["Restart", "Stop", "Rename"] {
            for (start, from) in starts {
                let given = Properties {
                    accumulation_method: accumulation.into(),
                    run_transition_behavior: transition.into(),
                    from_now: start == "now",
                    from_start_of_run: start == "start",
                    from_time: start == "time",
                    start_time: if start == "time" {
                        DateAndTime::from_pulse(time(3.0)).to_iso()
                    } else {
                        String::new()
                    },
                    processing_algorithm: "Rebin".into(),
                    processing_properties: "Params=0,5000,20000".into(),
                    ..properties()
                };
                let what = format!("{accumulation} {transition} {start}");
                let (stage, session, chunks, steps) = two_runs(&given);
                let ended = |step: &Step| matches!(step, Step::RunEnded(_) | Step::Stopped(_));
                assert!(ended(&steps[2]), "{what}: {steps:?}");
                let sum = |chunks: &[f64]| match accumulation {
                    "Replace" => chunks.iter().sum::<f64>(),
                    _ => *chunks.last().unwrap(),
                };
                assert_eq!(sum(&chunks[0]), first_from(from), "{what}: {:?}", chunks[0]);
                // The newest pulse of what was delivered, not the time of day.
                let last = if transition == "Stop" { 9.9 } else { 21.9 };
                assert_eq!(session.last_time_stamp(), Some(time(last)), "{what}");
                if transition == "Stop" {
                    assert!(
                        matches!(steps[2], Step::Stopped(_)) && chunks[1].is_empty(),
                        "{what}: {steps:?}"
                    );
                    assert_eq!(stage.total("out"), *chunks[0].last().unwrap(), "{what}");
                    continue;
                }
                assert!(matches!(steps[4], Step::RunEnded(_)), "{what}: {steps:?}");
                assert_eq!(sum(&chunks[1]), 1000.0, "{what}: {:?}", chunks[1]);
                if accumulation != "Replace" {
                    close(session.charge().unwrap(), 100.0 * f64::from(CHARGE));
                }
                assert_eq!(stage.service.data.contains("out_101"), transition == "Rename", "{what}");
                if transition == "Rename" {
                    assert_eq!(stage.total("out_101"), *chunks[0].last().unwrap(), "{what}");
                    assert_eq!(session.kept(), ["out_101", "out_102"]);
                }
                if accumulation == "Append" {
                    let spectra = stage.matrix("out").histograms();
                    let single = stage
                        .service
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
        let given = Properties {
            preserve_events,
            ..from_start()
        };
        let mut stage = Stage::new();
        stage.log("Rot", -5.0, 1.0);
        stage.start("101", 0.0);
        stage.pulses(0.0, 4.0);
        let mut session = stage.session(&given);
        for n in 0..4 {
            stage.log("Rot", f64::from(n) + 0.25, f64::from(n));
            assert_eq!(stage.step(&mut session), Step::Loaded);
            stage.pulses(4.0 + f64::from(n), 5.0 + f64::from(n));
        }
        // A value that comes late is not lost.
        stage.log("Rot", 0.75, 9.0);
        // The topic of logs has come past the run's end as well.
        for n in 0..4 {
            stage.log("Other", 12.0 + f64::from(n), 0.0);
        }
        stage.pulses(8.0, 12.0);
        stage.stop("101", 10.0);
        assert!(matches!(stage.step(&mut session), Step::RunEnded(_)));
        assert_eq!(stage.total("out"), 1000.0);
        let out = stage.matrix("out");
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
    // mantid#21481: what comes around the change of runs, in whatever order.
    let mut stage = Stage::new();
    stage.start("101", 0.0);
    for n in 0..80 {
        stage.pulse(0, f64::from(n) / 10.0, 10, 0);
    }
    // The other partition is there, and silent for a while.
    stage.pulse(1, -1.0, 3, 0);
    let mut session = stage.session(&Properties {
        run_transition_behavior: "Rename".into(),
        ..from_start()
    });
    stage.step(&mut session);
    // One partition is far into the second run before its start is read; the other one lags.
    for n in 80..200 {
        stage.pulse(0, f64::from(n) / 10.0, 10, 0);
    }
    stage.step(&mut session);
    stage.stop("101", 10.0);
    stage.step(&mut session);
    stage.start("102", 10.0);
    stage.step(&mut session);
    for n in 0..300 {
        stage.pulse(1, f64::from(n) / 10.0 + 0.05, 3, 0);
        if n % 37 == 0 {
            stage.step(&mut session);
        }
    }
    for n in 200..300 {
        stage.pulse(0, f64::from(n) / 10.0, 10, 0);
    }
    stage.stop("102", 20.0);
    for _ in 0..3 {
        stage.step(&mut session);
    }
    assert_eq!(stage.total("out_101"), 100.0 * 10.0 + 100.0 * 3.0);
    assert_eq!(stage.total("out_102"), 100.0 * 10.0 + 100.0 * 3.0);
}

#[test]
fn stop_stops() {
    // mantid#21389
    let given = Properties {
        run_transition_behavior: "Stop".into(),
        ..from_start()
    };
    let (mut stage, mut session, _, steps) = two_runs(&given);
    assert_eq!(steps.iter().filter(|step| matches!(step, Step::Stopped(_))).count(), 1);
    assert!(session.has_stopped());
    assert_eq!(stage.step(&mut session), Step::Nothing);
    assert_eq!(stage.total("out"), 1000.0);
    assert!(
        stage
            .told
            .lock()
            .contains(&"Run #101 ended. Stopping live data monitoring.".to_owned())
    );
}

#[test]
fn the_number_of_periods_may_change_between_runs_and_within_one() {
    // mantid#22654
    for (preserve_events, accumulation) in [(false, "Add"), (true, "Add"), (false, "Append"), (true, "Append")] {
        let mut stage = Stage::new();
        stage.start("101", 0.0);
        let mut session = stage.session(&Properties {
            preserve_events,
            accumulation_method: accumulation.into(),
            ..from_start()
        });
        let pulses = |stage: &mut Stage, from: i32, to: i32, periods: u32| {
            for n in from..to {
                stage.pulse(0, f64::from(n) / 10.0, 10, n as u32 % periods);
            }
        };
        pulses(&mut stage, 0, 50, 1);
        stage.step(&mut session);
        assert_eq!(stage.totals("out").len(), 1);
        // A second period appears within the run: what was one workspace becomes a group.
        pulses(&mut stage, 50, 120, 2);
        stage.step(&mut session);
        stage.stop("101", 10.0);
        stage.step(&mut session);
        assert_eq!(stage.totals("out"), [75.0 * 10.0, 25.0 * 10.0]);
        assert_eq!(
            stage.service.data.retrieve("out").unwrap().member_names(),
            ["out_1", "out_2"]
        );
        close(session.charge().unwrap(), 100.0 * f64::from(CHARGE));
        stage.start("102", 12.0);
        pulses(&mut stage, 120, 240, 3);
        stage.step(&mut session);
        stage.stop("102", 24.0);
        pulses(&mut stage, 240, 260, 1);
        stage.step(&mut session);
        assert_eq!(stage.totals("out"), [400.0, 400.0, 400.0]);
        let by_period = stage.service.data.retrieve("out_1").unwrap().matrix().unwrap();
        assert!(by_period.run().has("proton_charge_by_period"));
        stage.start("103", 26.0);
        pulses(&mut stage, 260, 300, 1);
        stage.step(&mut session);
        stage.stop("103", 29.0);
        stage.step(&mut session);
        assert_eq!(stage.totals("out"), [300.0]);
        for gone in ["out_1", "out_2", "out_3"] {
            assert!(!stage.service.data.contains(gone), "{gone} is left over");
        }
    }
}

#[test]
fn chunks_that_replace_each_other_may_have_other_numbers_of_periods() {
    // mantid#22654
    for transition in ["Restart", "Rename"] {
        let mut stage = Stage::new();
        let mut session = stage.session(&Properties {
            accumulation_method: "Replace".into(),
            run_transition_behavior: transition.into(),
            ..from_start()
        });
        let mut seen = Vec::new();
        for (run, periods) in [(0, 1_u32), (1, 3), (2, 2), (3, 1)] {
            let from = 10 * run;
            stage.start(&format!("10{run}"), f64::from(from));
            for n in 0..100 {
                stage.pulse(0, f64::from(from) + f64::from(n) / 10.0, 10, n as u32 % periods);
                if n == 45 {
                    stage.step(&mut session);
                }
            }
            stage.stop(&format!("10{run}"), f64::from(from) + 9.0);
            stage.step(&mut session);
            seen.push((stage.totals("out").len(), session.last_time_stamp()));
            assert_eq!(
                stage.service.data.contains("out_103"),
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
    let mut stage = Stage::new();
    stage.start("101", 0.0);
    stage.pulses(0.0, 2.0);
    let mut session = stage.session(&Properties {
        accumulation_method: "Replace".into(),
        ..from_start()
    });
    stage.step(&mut session);
    let name = stage
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
    run.execute(&stage.service, &Cancel::new()).unwrap();
    let moved = stage.matrix("out").instrument().clone();
    for (from, to) in [(2.0, 4.0), (4.0, 6.0)] {
        stage.pulses(from, to);
        assert_eq!(stage.step(&mut session), Step::Loaded);
        assert!(
            Arc::ptr_eq(stage.matrix("out").instrument(), &moved),
            "the geometry is lost"
        );
    }
    stage.pulses(6.0, 12.0);
    stage.stop("101", 10.0);
    stage.step(&mut session);
    stage.start("102", 12.0);
    stage.pulses(12.0, 14.0);
    stage.step(&mut session);
    assert!(
        Arc::ptr_eq(stage.matrix("out").instrument(), &moved),
        "the geometry is lost in the next run"
    );
}

#[test]
fn a_bound_that_moves_past_delivered_events_makes_the_result_again() {
    let mut stage = Stage::new();
    stage.start("101", 0.0);
    stage.pulses(0.0, 12.0);
    let mut session = stage.session(&from_start());
    stage.step(&mut session);
    assert!(stage.total("out") > 1000.0);
    // The messages come late: the run had ended when those events came.
    stage.stop("101", 6.0);
    stage.start("102", 6.0);
    stage.step(&mut session);
    assert_eq!(stage.total("out"), 600.0);
    close(session.charge().unwrap(), 60.0 * f64::from(CHARGE));
    stage.pulses(12.0, 13.0);
    stage.stop("102", 12.0);
    stage.step(&mut session);
    assert_eq!(stage.total("out"), 600.0);
}

#[test]
fn a_result_that_is_gone_is_made_again_from_the_view() {
    let mut stage = Stage::new();
    stage.start("101", 0.0);
    stage.pulses(0.0, 4.0);
    let mut session = stage.session(&from_start());
    stage.step(&mut session);
    stage.service.data.clear();
    stage.pulses(4.0, 12.0);
    stage.stop("101", 10.0);
    stage.step(&mut session);
    assert_eq!(stage.total("out"), 1000.0);
}

#[test]
fn without_news_there_is_no_chunk_and_an_empty_run_leaves_the_former_result() {
    let mut stage = Stage::new();
    stage.start("101", 0.0);
    stage.pulses(0.0, 4.0);
    let mut session = stage.session(&from_start());
    assert_eq!(stage.step(&mut session), Step::Loaded);
    assert_eq!(stage.step(&mut session), Step::Nothing);
    assert_eq!(session.chunks(), 1);
    stage.pulses(4.0, 10.0);
    stage.stop("101", 10.0);
    stage.start("102", 10.0);
    stage.stop("102", 10.0);
    stage.start("103", 11.0);
    stage.pulse(0, 10.5, 0, 0);
    stage.pulse(1, 10.5, 0, 0);
    while stage.step(&mut session) != Step::Nothing {}
    assert_eq!(stage.total("out"), 1000.0);
}

#[test]
fn what_was_accumulated_goes_through_post_processing_after_each_chunk() {
    let given = Properties {
        preserve_events: true,
        post_processing_algorithm: "SumSpectra".into(),
        accumulation_workspace: "all".into(),
        ..from_start()
    };
    let mut stage = Stage::new();
    stage.start("101", 0.0);
    stage.pulses(0.0, 4.0);
    let mut session = stage.session(&given);
    stage.step(&mut session);
    assert_eq!(
        (stage.matrix("out").histograms(), stage.total("out")),
        (1, stage.total("all"))
    );
    stage.pulses(4.0, 12.0);
    stage.stop("101", 10.0);
    stage.step(&mut session);
    assert_eq!((stage.total("out"), stage.total("all")), (1000.0, 1000.0));
    assert!(stage.matrix("all").histograms() > 1);
}

#[test]
fn a_result_is_kept_where_there_is_three_times_its_memory() {
    let run = |spare: Option<u64>| {
        let mut stage = Stage::new();
        stage.spare = spare;
        stage.start("101", 0.0);
        stage.pulses(0.0, 12.0);
        let mut session = stage.session(&Properties {
            run_transition_behavior: "Rename".into(),
            processing_algorithm: "Rebin".into(),
            processing_properties: "Params=0,100,20000;PreserveEvents=0".into(),
            ..from_start()
        });
        stage.stop("101", 10.0);
        stage.step(&mut session);
        let kept = stage.service.data.contains("out_101");
        let refused = (stage.told.lock().iter()).any(|text| text.starts_with("Not enough spare memory to clone out"));
        assert_ne!(kept, refused, "{:?}", stage.told.lock());
        (kept, stage.matrix("out").memory() as u64)
    };
    let (kept, bytes) = run(None);
    assert!(kept && bytes > 1000, "{bytes}");
    assert!(run(Some(3 * bytes + bytes / 2)).0);
    assert!(!run(Some(3 * bytes - bytes / 2)).0);
}

#[test]
fn a_start_before_all_that_is_held_begins_with_the_oldest_run_and_says_so() {
    for (from, warned) in [(-1000.0, true), (3.0, false)] {
        let mut stage = Stage::new();
        stage.start("101", 0.0);
        stage.pulses(0.0, 12.0);
        stage.tick();
        let mut session = stage.session(&Properties {
            from_now: false,
            from_time: true,
            start_time: DateAndTime::from_pulse(time(from)).to_iso(),
            ..properties()
        });
        stage.stop("101", 10.0);
        stage.step(&mut session);
        assert_eq!(stage.total("out"), first_from(from.max(0.0)));
        let said = stage
            .told
            .lock()
            .iter()
            .any(|text| text.contains("older than what is held"));
        assert_eq!(said, warned, "{:?}", stage.told.lock());
    }
}

#[test]
fn a_chunk_that_cannot_be_processed_is_tried_again_and_at_a_runs_end_given_up() {
    let given = Properties {
        processing_script: "pass".into(),
        ..from_start()
    };
    let mut stage = Stage::new();
    stage.start("101", 0.0);
    stage.pulses(0.0, 12.0);
    let mut session = stage.session(&given);
    stage.stop("101", 10.0);
    stage.tick();
    for _ in 0..2 {
        let error = session
            .step(stage.feed.as_ref(), &Cancel::new())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("the processing script failed") && error.contains("no Python here"),
            "{error}"
        );
    }
    assert!(matches!(stage.step(&mut session), Step::RunEnded(_)));
    assert!(stage.told.lock().iter().any(|text| text.contains("is given up")));
}
