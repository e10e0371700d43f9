//! Snapshots of a real timeline as live workspaces.

use live_data_engine::cancel::Cancel;
use live_data_engine::config::EventIdKind;
use live_data_engine::message::{
    DetectorSpectrumMap, EventSchema, Frame, LogSample, LogUnits, LogValue, Message, RunStart,
};
use live_data_engine::record_position::TopicRole;
use live_data_engine::time::PulseTime;
use live_data_reduction::run_workspace::{RunWorkspace, RunWorkspaceBuilder};
use live_data_reduction::{MatrixWorkspace, Workspace, WorkspaceCell};

use crate::support::{SECOND, START, Stream, counts, instruments, run, run_start, service};

fn bind(stream: &mut Stream, ids: EventIdKind) -> RunWorkspace {
    RunWorkspaceBuilder::new(ids, "LIVEDEMO", instruments())
        .build(&stream.snapshot(), &Cancel::new())
        .unwrap()
}

fn matrix(bound: &RunWorkspace) -> MatrixWorkspace {
    match &bound.workspace {
        Workspace::Matrix(matrix) => matrix.clone(),
        _ => panic!("one period was expected"),
    }
}

fn frame(charge: f32, period: u32) -> Option<Frame> {
    Some(Frame {
        period,
        setup: false,
        proton_charge: charge,
    })
}

#[test]
fn spectrum_numbers_of_ev42_go_through_the_map() {
    let mut stream = Stream::new("LIVEDEMO");
    let map = DetectorSpectrumMap {
        spectrum: vec![7, 5, 7, 9],
        detector_id: vec![1001, 1002, 1003, 1004],
        n_spectra: 4,
    };
    stream.start(RunStart {
        map: Some(map),
        ..run_start("LIVEDEMO")
    });
    stream.pulse(
        EventSchema::Ev42,
        1.0,
        frame(0.5, 0),
        &[(5, 1_000_000), (7, 2_000_000), (7, 2_500_000)],
    );
    stream.pulse(EventSchema::Ev42, 1.02, frame(0.25, 0), &[(9, 19_000_500), (0, 1_000)]);
    let bound = bind(&mut stream, EventIdKind::Auto);
    assert_eq!((bound.event_ids, bound.unexplained_events), (EventIdKind::Spectrum, 1));
    assert!(
        bound.warnings.iter().any(|text| text.contains("EVENT_IDS=detector")),
        "{:?}",
        bound.warnings
    );
    let lives = matrix(&bound);
    assert_eq!(lives.spectra().numbers(), [5, 7, 9]);
    assert_eq!(lives.spectra().detectors(1), [1001, 1003]);
    let handle = WorkspaceCell::new("lives", lives.clone());
    assert_eq!(counts(&handle), [1.0, 2.0, 1.0]);
    let x = lives.x(0).unwrap();
    assert!(
        (x[0] - 1000.0).abs() < 1e-9 && (x[1] - 19_000.501).abs() < 1e-6,
        "{x:?}"
    );
    let logs = lives.run();
    assert_eq!(
        (lives.run_number(), logs.text("run_number").unwrap()),
        (71617, "00071617".to_owned())
    );
    assert!((logs.proton_charge() - 0.75).abs() < 1e-9);
    assert_eq!(logs.series("proton_charge").unwrap().len(), 2);
    assert_eq!(logs.text("run_start").unwrap(), "2025-10-09T08:53:20");
    assert_eq!(logs.number("goodfrm"), Some(2.0));
}

#[test]
fn detector_ids_of_ev44_are_looked_up_in_the_instrument() {
    let mut stream = Stream::new("LIVEDEMO");
    stream.start(run_start("LIVEDEMO"));
    stream.pulse(
        EventSchema::Ev44,
        0.5,
        None,
        &[(1001, 5_000_000), (2256, 6_000_000), (1, 7_000_000)],
    );
    let bound = bind(&mut stream, EventIdKind::Auto);
    let lives = matrix(&bound);
    assert_eq!(
        (bound.event_ids, bound.unexplained_events, lives.histograms()),
        (EventIdKind::Detector, 0, 514)
    );
    let handle = WorkspaceCell::new("lives", lives.clone());
    let held: Vec<usize> = counts(&handle)
        .iter()
        .enumerate()
        .filter(|(_, c)| **c > 0.0)
        .map(|(i, _)| i)
        .collect();
    assert_eq!(held, [0, 2, 513]);
    assert!(!lives.run().has("gd_prtn_chrg") && !lives.run().has("proton_charge"));
    assert_eq!(lives.instrument().l1(), Some(15.0));
}

#[test]
fn periods_are_a_group_with_their_own_charge() {
    let mut stream = Stream::new("LIVEDEMO");
    stream.start(run_start("LIVEDEMO"));
    for pulse in 0..6_u32 {
        stream.pulse(
            EventSchema::Ev42,
            f64::from(pulse),
            frame(1.0, pulse % 2),
            &[(1001 + pulse, 1_000_000)],
        );
    }
    stream.pulse(EventSchema::Ev42, 6.0, frame(1.0, 1), &[(1001, 1_000_000)]);
    let bound = bind(&mut stream, EventIdKind::Detector);
    let Workspace::Group(group) = &bound.workspace else {
        panic!("a group was expected")
    };
    let totals: Vec<f64> = group
        .members()
        .iter()
        .map(|member| counts(member).iter().sum())
        .collect();
    assert_eq!(totals, [3.0, 4.0]);
    let charges: Vec<f64> = group
        .members()
        .iter()
        .map(|m| m.matrix().unwrap().run().proton_charge())
        .collect();
    assert_eq!(charges, [3.0, 4.0]);
    let service = service();
    service
        .data
        .add("lives", WorkspaceCell::new("", bound.workspace.clone()))
        .unwrap();
    assert_eq!(service.data.object_names(), ["lives", "lives_1", "lives_2"]);
    let out = run(
        &service,
        "NormaliseByCurrent",
        &[("InputWorkspace", "lives_2".into()), ("OutputWorkspace", "n".into())],
    );
    assert!((counts(&out.workspace("OutputWorkspace").unwrap()).iter().sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn logs_keep_times_units_and_both_names() {
    let mut stream = Stream::new("LIVEDEMO");
    let name = "IN:LIVEDEMO:CS:SB:Rot";
    let sample = |seconds: i64, value: LogValue| {
        Message::Log(LogSample {
            source: name.into(),
            time: PulseTime::from_nanos(START + seconds * SECOND),
            value,
        })
    };
    stream.send(TopicRole::SampleEnv, sample(-500, LogValue::F64(1.5)));
    stream.start(run_start("LIVEDEMO"));
    stream.send(TopicRole::SampleEnv, sample(10, LogValue::F64(3.5)));
    let units = LogUnits {
        source: name.into(),
        time: PulseTime::from_nanos(START),
        units: Some("deg".into()),
    };
    stream.send(TopicRole::SampleEnv, Message::Units(units));
    stream.pulse(EventSchema::Ev44, 20.0, None, &[(1001, 1_000_000)]);
    let lives = matrix(&bind(&mut stream, EventIdKind::Auto));
    for name in ["Rot", name] {
        let log = lives.run().get(name).unwrap();
        assert_eq!(log.units, "deg");
        let series = lives.run().series(name).unwrap();
        assert_eq!(series.numbers().unwrap(), [1.5, 3.5]);
        assert_eq!(series.times()[0].to_iso(), "2025-10-09T08:53:20");
    }
}

#[test]
fn a_reduction_counts_every_event_once_and_its_file_holds_them() {
    let mut stream = Stream::new("LIVEDEMO");
    stream.start(run_start("LIVEDEMO"));
    let mut sent = 0_u32;
    for pulse in 0..200_u32 {
        let events: Vec<(u32, u32)> = (0..50)
            .map(|k| (1001 + (pulse * 7 + k) % 256, 1_000_000 + (pulse * 50 + k) * 997))
            .collect();
        sent += events.len() as u32;
        stream.pulse(EventSchema::Ev44, f64::from(pulse) / 50.0, None, &events);
    }
    let folder = tempfile::tempdir().unwrap();
    let service = service();
    service
        .config
        .set("defaultsave.directory", folder.path().to_str().unwrap());
    let bound = bind(&mut stream, EventIdKind::Auto);
    service
        .data
        .add("lives", WorkspaceCell::new("", bound.workspace.clone()))
        .unwrap();
    let (lives, w) = ("InputWorkspace", "OutputWorkspace");
    run(
        &service,
        "Rebin",
        &[
            (lives, "lives".into()),
            (w, "r".into()),
            ("Params", "0,100,30000".into()),
            ("PreserveEvents", false.into()),
        ],
    );
    let sum = run(&service, "SumSpectra", &[(lives, "r".into()), (w, "s".into())])
        .workspace(w)
        .unwrap();
    assert_eq!(counts(&sum), [f64::from(sent)]);
    run(
        &service,
        "SaveNexusProcessed",
        &[(lives, "lives".into()), ("Filename", "events.nxs".into())],
    );
    run(
        &service,
        "SaveNexusProcessed",
        &[(lives, "r".into()), ("Filename", "counts.nxs".into())],
    );
    for file in ["events.nxs", "counts.nxs"] {
        let back = run(&service, "Load", &[("Filename", file.into()), (w, "b".into())])
            .workspace(w)
            .unwrap();
        assert_eq!(counts(&back).iter().sum::<f64>(), f64::from(sent), "{file}");
        assert_eq!(back.matrix().unwrap().run_number(), 71617);
    }
    // A new workspace under the same name has later events; computed results keep their values.
    stream.pulse(EventSchema::Ev44, 5.0, None, &[(1001, 2_000_000)]);
    let later = WorkspaceCell::new("lives", bind(&mut stream, EventIdKind::Auto).workspace);
    assert_eq!(counts(&later).iter().sum::<f64>(), f64::from(sent + 1));
    assert_eq!(counts(&sum), [f64::from(sent)]);
}
