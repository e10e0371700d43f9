//! Sessions that process by scripts: inputs of a script, and each way of returning its result.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::live::testing::{SimulatedStream, from_start, run};
use live_data_reduction::Value;
use live_data_reduction::live::LiveSpec;
use live_data_reduction::workspace::WorkspaceHandle;

fn held(handle: &WorkspaceHandle) -> Value {
    Value::Workspace(handle.clone())
}

fn scale(service: &Services, input: Value, factor: f64, output: &str) -> Result<Option<WorkspaceHandle>, String> {
    let properties = [
        ("InputWorkspace", input),
        ("Factor", factor.into()),
        ("OutputWorkspace", output.into()),
    ];
    run(service, "Scale", &properties)
}

fn events(handle: &WorkspaceHandle) -> f64 {
    let of = |member: live_data_reduction::MatrixWorkspace| -> f64 {
        let rows = 0..member.histograms();
        rows.map(|row| member.y(row, &Cancel::new()).unwrap().iter().sum::<f64>())
            .sum()
    };
    accumulate::members(&handle.snapshot()).into_iter().map(of).sum()
}

fn processed(more: LiveSpec) -> LiveSpec {
    LiveSpec {
        processing_script: Some("what the stream says".into()),
        ..more
    }
}

/// Processes a run of ten seconds and 1000 events in three chunks.
fn one_run(stream: &mut SimulatedStream, given: &LiveSpec) -> Session {
    stream.start("101", 0.0);
    stream.pulses(0.0, 4.0);
    let mut session = stream.session(given);
    assert_eq!(stream.step(&mut session), StepOutcome::ChunkLoaded);
    stream.pulses(4.0, 8.0);
    assert_eq!(stream.step(&mut session), StepOutcome::ChunkLoaded);
    stream.pulses(8.0, 12.0);
    stream.stop("101", 10.0);
    assert!(matches!(stream.step(&mut session), StepOutcome::RunEnded(_)));
    session
}

#[test]
fn a_script_may_make_its_output_assign_it_or_change_its_input() {
    type Way = fn(&Services, &WorkspaceHandle, &str) -> Result<Option<WorkspaceHandle>, String>;
    let ways: [(&str, f64, Way); 6] = [
        ("makes output", 2.0, |service, input, output| {
            scale(service, held(input), 2.0, output).map(|_| None)
        }),
        ("assigns another workspace", 2.0, |service, input, _| {
            scale(service, held(input), 2.0, "mine")
        }),
        ("renames to output", 2.0, |service, input, output| {
            scale(service, held(input), 2.0, "mine")?;
            run(
                service,
                "RenameWorkspace",
                &[("InputWorkspace", "mine".into()), ("OutputWorkspace", output.into())],
            )
            .map(|_| None)
        }),
        ("works in place by name", 2.0, |service, input, _| {
            let name = input.name();
            scale(service, name.as_str().into(), 2.0, &name).map(|_| None)
        }),
        ("masks its input", 0.0, |service, input, _| {
            run(
                service,
                "MaskDetectors",
                &[
                    ("Workspace", held(input)),
                    ("StartWorkspaceIndex", 0_i64.into()),
                    ("EndWorkspaceIndex", 500_i64.into()),
                ],
            )
            .map(|_| None)
        }),
        ("does nothing", 1.0, |_, _, _| Ok(None)),
    ];
    for (way, factor, act) in ways {
        let mut stream = SimulatedStream::new();
        stream.script = Arc::new(move |service, _, input, output| act(service, input, output));
        one_run(&mut stream, &processed(from_start()));
        assert_eq!(stream.total("out"), 1000.0 * factor, "a script that {way}");
        let names = stream.services.data.object_names();
        let left: &[&str] = if way.starts_with("assigns") {
            &["mine", "out"]
        } else {
            &["out"]
        };
        assert_eq!(names, left, "a script that {way} leaves nothing but what it named");
    }
}

#[test]
fn a_script_that_fails_leaves_no_name_behind() {
    let mut stream = SimulatedStream::new();
    stream.script = Arc::new(|service, _, input, output| {
        run(
            service,
            "CloneWorkspace",
            &[("InputWorkspace", held(input)), ("OutputWorkspace", output.into())],
        )?;
        Err("the vanadium is missing".into())
    });
    stream.start("101", 0.0);
    stream.pulses(0.0, 4.0);
    let mut session = stream.session(&processed(from_start()));
    stream.tick();
    let error = session
        .step(stream.source.as_ref(), &Cancel::new())
        .unwrap_err()
        .to_string();
    assert!(error.contains("the vanadium is missing"), "{error}");
    assert!(
        stream.services.data.is_empty(),
        "{:?}",
        stream.services.data.object_names()
    );
}

#[test]
fn all_periods_go_through_a_script_at_once() {
    for summed in [false, true] {
        let mut stream = SimulatedStream::new();
        let seen: Arc<parking_lot::Mutex<Vec<Vec<String>>>> = Arc::default();
        let notes = Arc::clone(&seen);
        stream.script = Arc::new(move |service, _, input, output| {
            notes.lock().push(input.member_names());
            let members = input.members();
            if let (true, [first, second]) = (summed, members.as_slice()) {
                let both = [
                    ("LHSWorkspace", held(first)),
                    ("RHSWorkspace", held(second)),
                    ("OutputWorkspace", output.into()),
                ];
                return run(service, "Plus", &both).map(|_| None);
            }
            scale(service, held(input), 2.0, output).map(|_| None)
        });
        stream.start("101", 0.0);
        let mut session = stream.session(&processed(from_start()));
        for chunk in 0..3_i32 {
            for n in 0..20 {
                stream.pulse(0, f64::from(20 * chunk + n) / 10.0, 10, n as u32 % 2);
            }
            stream.step(&mut session);
        }
        stream.stop("101", 6.0);
        stream.pulse(0, 7.0, 1, 0);
        stream.step(&mut session);
        let wanted: &[f64] = if summed { &[600.0] } else { &[600.0, 600.0] };
        assert_eq!(stream.totals("out"), wanted);
        let names = ["__live_out_input_1", "__live_out_input_2"];
        assert!(seen.lock().iter().all(|seen| *seen == names), "{:?}", seen.lock());
        let held = stream.services.data.object_names();
        assert!(held.iter().all(|name| name.starts_with("out")), "{held:?}");
    }
}

#[test]
fn an_algorithm_that_works_in_place_does_it_to_a_copy_of_the_accumulated_periods() {
    let mut stream = SimulatedStream::new();
    stream.start("101", 0.0);
    let mut session = stream.session(&LiveSpec {
        processing_algorithm: Some("Rebin".into()),
        processing_properties: Some("Params=0,100,20000".into()),
        post_processing_algorithm: Some("ConvertToDistribution".into()),
        accumulation_workspace: Some("all".into()),
        ..from_start()
    });
    for chunk in 0..3_i32 {
        for n in 0..20 {
            stream.pulse(0, f64::from(20 * chunk + n) / 10.0, 10, n as u32 % 2);
        }
        stream.step(&mut session);
    }
    stream.stop("101", 6.0);
    stream.pulse(0, 7.0, 1, 0);
    stream.step(&mut session);
    assert_eq!(stream.totals("all"), [300.0, 300.0]);
    assert_eq!(stream.totals("out"), [3.0, 3.0], "divided by the width of a bin, once");
}

/// Scripts such as SNS's example of post-processing, which use the names of the settings.
#[test]
fn a_post_processing_script_may_go_by_the_names_of_the_settings() {
    type Way = fn(&Services) -> Result<Option<WorkspaceHandle>, String>;
    let ways: [(&str, f64, Way); 3] = [
        ("renames the accumulated data", 1.0, |service| {
            run(
                service,
                "RenameWorkspace",
                &[("InputWorkspace", "all".into()), ("OutputWorkspace", "out".into())],
            )
            .map(|_| None)
        }),
        ("makes the result by its name", 2.0, |service| {
            scale(service, "all".into(), 2.0, "out").map(|_| None)
        }),
        ("deletes the accumulated data", 1.0, |service| {
            run(
                service,
                "CloneWorkspace",
                &[("InputWorkspace", "all".into()), ("OutputWorkspace", "out".into())],
            )?;
            run(service, "DeleteWorkspace", &[("Workspace", "all".into())]).map(|_| None)
        }),
    ];
    for (way, factor, act) in ways {
        let mut stream = SimulatedStream::new();
        let chunks: Arc<parking_lot::Mutex<Vec<f64>>> = Arc::default();
        let notes = Arc::clone(&chunks);
        stream.script = Arc::new(move |service, code, input, _| {
            if code == "post" {
                return act(service);
            }
            notes.lock().push(events(input));
            Ok(None)
        });
        one_run(
            &mut stream,
            &processed(LiveSpec {
                post_processing_script: Some("post".into()),
                accumulation_workspace: Some("all".into()),
                ..from_start()
            }),
        );
        assert_eq!(
            (stream.total("all"), stream.total("out")),
            (1000.0, 1000.0 * factor),
            "a script that {way}"
        );
        let chunks = chunks.lock();
        assert_eq!(
            chunks.iter().sum::<f64>(),
            1000.0,
            "a script that {way} makes nothing again: {chunks:?}"
        );
        assert_eq!(
            stream.services.data.object_names(),
            ["all", "out"],
            "a script that {way}"
        );
    }
}

#[test]
fn scripts_in_files_are_read_for_each_chunk_and_what_was_made_by_another_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (file, post) = (folder.path().join("proc.py"), folder.path().join("post.py"));
    let mut stream = SimulatedStream::new();
    stream.script = Arc::new(|service, code, input, output| {
        let factor: f64 = code.parse().map_err(|_| format!("not a number: {code}"))?;
        scale(service, held(input), factor, output).map(|_| None)
    });
    let mut session = stream.session(&LiveSpec {
        processing_script_filename: Some(file.display().to_string()),
        post_processing_script_filename: Some(post.display().to_string()),
        accumulation_workspace: Some("all".into()),
        ..from_start()
    });
    stream.start("101", 0.0);
    stream.pulses(0.0, 4.0);
    stream.tick();
    let error = session
        .step(stream.source.as_ref(), &Cancel::new())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("cannot read the processing script") && error.contains("proc.py"),
        "{error}"
    );
    std::fs::write(&file, "1").unwrap();
    let error = session
        .step(stream.source.as_ref(), &Cancel::new())
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot read the post-processing script"), "{error}");
    // A failed chunk is tried again, with all later events.
    std::fs::write(&post, "10").unwrap();
    std::fs::write(&file, "nonsense").unwrap();
    let error = session
        .step(stream.source.as_ref(), &Cancel::new())
        .unwrap_err()
        .to_string();
    assert!(error.contains("not a number: nonsense"), "{error}");
    std::fs::write(&file, "1").unwrap();
    stream.step(&mut session);
    let first = stream.total("all");
    assert_eq!((first, stream.total("out")), (380.0, 3800.0));
    // A changed post-processing script needs no new data and repeats no other step.
    std::fs::write(&post, "5").unwrap();
    assert_eq!(stream.step(&mut session), StepOutcome::ChunkLoaded);
    assert_eq!((stream.total("all"), stream.total("out")), (first, 5.0 * first));
    std::fs::write(&file, "2").unwrap();
    stream.pulses(4.0, 12.0);
    stream.stop("101", 10.0);
    stream.step(&mut session);
    assert_eq!((stream.total("all"), stream.total("out")), (2000.0, 10_000.0));
}

#[test]
fn events_are_not_lost_from_bins_that_a_chunk_chose_by_its_own_range() {
    // Times of flight grow from pulse to pulse, so that each chunk has a wider range than the one before.
    for (algorithm, properties) in [("ConvertUnits", "Target=Wavelength"), ("Rebin", "Params=100")] {
        let mut stream = SimulatedStream::new();
        one_run(
            &mut stream,
            &LiveSpec {
                preserve_events: Some(true),
                processing_algorithm: Some(algorithm.into()),
                processing_properties: Some(properties.into()),
                ..from_start()
            },
        );
        assert_eq!(stream.total("out"), 1000.0, "{algorithm}");
    }
}
