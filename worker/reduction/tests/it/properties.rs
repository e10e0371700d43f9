//! Properties for any events: conversions are invertible, equivalent requests agree, and memos equal a computation without
//! them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use live_data_engine::cancel::Cancel;
use live_data_engine::config::EventIdKind;
use live_data_engine::message::{
    DetectorSpectrumMap, EventSchema, Message, PulseMetadata, RunStart, RunStop, VetoConfig,
};
use live_data_engine::record_position::TopicRole;
use live_data_engine::time::PulseTime;
use live_data_reduction::run_workspace::RunWorkspaceBuilder;
use live_data_reduction::workspace::events::memos;
use live_data_reduction::{Services, Value, WorkspaceCell, WorkspaceHandle};
use proptest::prelude::*;

use crate::support::{SECOND, START, Stream, instruments, run, run_start, service};

/// Six spectra of the demonstration's instrument, some of several detectors.
const DETECTORS: [(i32, i32); 9] = [
    (1, 1001),
    (2, 1018),
    (2, 1019),
    (3, 1100),
    (4, 2001),
    (4, 2017),
    (4, 2033),
    (5, 2200),
    (6, 2256),
];

/// Memos are shared by the process: tests that limit their memory, or count them, run one at a time.
fn memos_alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Stream of a new run, without memos.
fn begin() -> (Stream, String) {
    let mut stream = Stream::in_small_chunks("LIVEDEMO");
    let job = format!("property-{}", unique());
    let map = DetectorSpectrumMap {
        spectrum: DETECTORS.iter().map(|(spectrum, _)| *spectrum).collect(),
        detector_id: DETECTORS.iter().map(|(_, id)| *id).collect(),
        n_spectra: DETECTORS.len() as i32,
    };
    stream.start(RunStart {
        job_id: job.clone(),
        map: Some(map),
        ..run_start("LIVEDEMO")
    });
    (stream, job)
}

fn bind(stream: &mut Stream, service: &Services) {
    let bound = RunWorkspaceBuilder::new(EventIdKind::Spectrum, "LIVEDEMO", instruments())
        .build(&stream.snapshot(), &Cancel::new())
        .unwrap();
    let cell = WorkspaceCell::new("", bound.workspace);
    service.data.add_or_replace("lives", cell).unwrap();
}

/// Services with a workspace `lives` of events (spectrum, time of flight in ns).
fn lives(events: &[(u32, u32)]) -> Services {
    let (mut stream, _) = begin();
    // Several pulses: no single message has all events.
    for (at, part) in events.chunks(40).enumerate() {
        stream.pulse(EventSchema::Ev42, at as f64 / 50.0, None, part);
    }
    let service = service();
    bind(&mut stream, &service);
    service
}

/// Events away from the edges of bins of 100 µs, so that rounding cannot move them.
fn events() -> impl Strategy<Value = Vec<(u32, u32)>> {
    let one = (1_u32..=6, 60_u32..400, 2000_u32..98_000);
    prop::collection::vec(
        one.prop_map(|(spectrum, bin, within)| (spectrum, bin * 100_000 + within)),
        1..200,
    )
}

fn make(service: &Services, out: &str, name: &str, properties: &[(&str, Value)]) -> WorkspaceHandle {
    let properties = [properties, &[("OutputWorkspace", out.into())]].concat();
    run(service, name, &properties).workspace("OutputWorkspace").unwrap()
}

fn rows(handle: &WorkspaceHandle) -> Vec<Vec<f64>> {
    let matrix = handle.matrix().unwrap();
    (0..matrix.histograms())
        .map(|index| matrix.y(index, &Cancel::new()).unwrap().to_vec())
        .collect()
}

fn binned(service: &Services, from: &str, params: &str) -> Vec<Vec<f64>> {
    let properties = [
        ("InputWorkspace", from.into()),
        ("Params", params.into()),
        ("PreserveEvents", false.into()),
    ];
    rows(&make(service, "binned", "Rebin", &properties))
}

const BINS: &str = "0,100,40000";

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn converting_forth_and_back_is_the_identity(
        events in events(),
        (target, mode) in prop::sample::select(vec![
            ("Wavelength", "Elastic"), ("dSpacing", "Elastic"), ("Energy", "Elastic"), ("MomentumTransfer", "Elastic"),
            ("QSquared", "Elastic"), ("Momentum", "Elastic"), ("Energy_inWavenumber", "Elastic"),
            ("DeltaE", "Direct"), ("DeltaE_inWavenumber", "Direct"), ("DeltaE", "Indirect"), ("Energy", "Indirect"),
        ]),
        as_counts in any::<bool>(),
    ) {
        let service = lives(&events);
        let before = binned(&service, "lives", BINS);
        let from = if as_counts {
            make(&service, "from", "Rebin", &[("InputWorkspace", "lives".into()), ("Params", BINS.into()), ("PreserveEvents", false.into())]);
            // Times before the fixed path is flown have no energy.
            make(&service, "from", "CropWorkspace", &[("InputWorkspace", "from".into()), ("XMin", 5000.0.into())]);
            "from"
        } else {
            "lives"
        };
        let convert = |out: &str, from: &str, target: &str| {
            let properties = [("InputWorkspace", from.into()), ("Target", target.into()), ("EMode", mode.into()), ("EFixed", 1000.0.into())];
            make(&service, out, "ConvertUnits", &properties)
        };
        convert("there", from, target);
        let back = convert("back", "there", "TOF");
        if as_counts {
            let wanted = service.data.retrieve("from").unwrap();
            for index in 0..6 {
                let (x, y) = (back.matrix().unwrap().x(index).unwrap().to_vec(), &rows(&back)[index]);
                let (x0, y0) = (wanted.matrix().unwrap().x(index).unwrap().to_vec(), &rows(&wanted)[index]);
                prop_assert!(x.len() == x0.len() && x.iter().zip(&x0).all(|(a, b)| (a - b).abs() < 1e-6 * b), "{x:?}");
                prop_assert_eq!(y, y0);
            }
        } else {
            prop_assert_eq!(binned(&service, "back", BINS), before);
        }
    }

    #[test]
    fn events_preserved_and_counted_agree(events in events(), low in 0.1_f64..2.0, step in 0.01_f64..0.5, converted in any::<bool>()) {
        let service = lives(&events);
        let (from, params) = if converted {
            let properties = [("InputWorkspace", "lives".into()), ("Target", "dSpacing".into())];
            make(&service, "d", "ConvertUnits", &properties);
            ("d", format!("{low},{step},{}", low + 3.0))
        } else {
            ("lives", format!("{},{},{}", low * 1e4, -step, low * 4e4))
        };
        let kept = make(&service, "kept", "Rebin", &[("InputWorkspace", from.into()), ("Params", params.as_str().into()), ("PreserveEvents", true.into())]);
        prop_assert!(kept.matrix().unwrap().is_events());
        let late = make(&service, "late", "ConvertToMatrixWorkspace", &[("InputWorkspace", "kept".into())]);
        prop_assert_eq!(rows(&late), binned(&service, from, &params));
    }

    #[test]
    fn grouping_then_summing_is_summing(events in events(), groups in prop::collection::vec(0_usize..3, 6), preserve in any::<bool>()) {
        let service = lives(&events);
        let mut members: Vec<Vec<String>> = vec![Vec::new(); 3];
        for (index, group) in groups.iter().enumerate() {
            members[*group].push(index.to_string());
        }
        let pattern: Vec<String> = members.iter().filter(|group| !group.is_empty()).map(|group| group.join("+")).collect();
        let properties = [("InputWorkspace", "lives".into()), ("GroupingPattern", pattern.join(",").as_str().into()), ("PreserveEvents", preserve.into())];
        if preserve {
            make(&service, "grouped", "GroupDetectors", &properties);
        } else {
            // Counts are grouped in their bins.
            make(&service, "counts", "Rebin", &[("InputWorkspace", "lives".into()), ("Params", BINS.into()), ("PreserveEvents", false.into())]);
            make(&service, "grouped", "GroupDetectors", &[&[("InputWorkspace", "counts".into())], &properties[1..]].concat());
        }
        make(&service, "sum", "SumSpectra", &[("InputWorkspace", "grouped".into())]);
        make(&service, "whole", "SumSpectra", &[("InputWorkspace", "lives".into())]);
        let (sum, whole) = (binned(&service, "sum", BINS), binned(&service, "whole", BINS));
        prop_assert_eq!(sum[0].iter().sum::<f64>(), events.len() as f64);
        prop_assert_eq!(sum, whole);
    }

    #[test]
    fn what_is_remembered_is_what_a_computation_from_nothing_gives(steps in prop::collection::vec(step(), 1..40)) {
        let _alone = memos_alone();
        const COARSE: &str = "0,200,40000";
        let (mut stream, job) = begin();
        let service = service();
        let mut done: Vec<(usize, Step)> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            send(&mut stream, &job, number, &step);
            done.push((number, step));
            bind(&mut stream, &service);
            let (coarse, remembered) = (binned(&service, "lives", COARSE), binned(&service, "lives", BINS));
            let counted = counted(&done);
            prop_assert_eq!(&remembered, &counted, "after {:?}", done);
            prop_assert_eq!(&coarse, &in_pairs(&counted), "after {:?}", done);
        }
        // The same messages in a new timeline, without memos.
        let (mut fresh, fresh_job) = begin();
        for (number, step) in &done {
            send(&mut fresh, &fresh_job, *number, step);
        }
        let remembered = binned(&service, "lives", BINS);
        bind(&mut fresh, &service);
        prop_assert_eq!(&binned(&service, "lives", BINS), &remembered, "after {:?}", done);
    }
}

/// Rows in bins of twice the width.
fn in_pairs(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    rows.iter()
        .map(|row| row.chunks(2).map(|pair| pair.iter().sum()).collect())
        .collect()
}

/// Small runs have sealed chunks, and memos that are made, hit and evicted: otherwise the property would not test memos.
#[test]
fn the_steps_make_memos_that_are_used_changed_and_evicted() {
    let _alone = memos_alone();
    let (mut stream, job) = begin();
    let service = service();
    let before = memos().counters();
    let events = |pulse| Step::Events(pulse, (0..30).map(|bin| (1 + bin % 6, bin)).collect());
    // Pulses with metadata are settled; the late mask withdraws the second one.
    let mut steps = Vec::new();
    for pulse in 1..=8 {
        steps.extend([events(pulse), Step::Metadata(pulse, pulse == 2)]);
    }
    steps.extend([Step::VetoMask(0), Step::Evict(1), events(9), Step::Metadata(9, false)]);
    for (number, step) in steps.iter().enumerate() {
        send(&mut stream, &job, number, step);
        bind(&mut stream, &service);
        binned(&service, "lives", BINS);
    }
    let after = memos().counters();
    assert!(
        after.updates > before.updates && after.builds > before.builds,
        "{before:?} {after:?}"
    );
    assert!(after.evictions > before.evictions, "{before:?} {after:?}");
}

/// Message or condition that a test applies to a run.
#[derive(Debug, Clone)]
enum Step {
    /// A message of events of a pulse: spectrum and bin.
    Events(u32, Vec<(u32, u32)>),
    /// Metadata of a pulse, early, late or repeated: its vetoes.
    Metadata(u32, bool),
    /// Veto mask in force from this pulse on.
    VetoMask(u32),
    /// Stop of the run at this pulse; the earliest of several counts.
    Stop(u32),
    /// Limit of the memos' memory in bytes, until the next step.
    Evict(usize),
}

/// Pulses are 20 ms apart.
const PULSES: u32 = 60;

fn step() -> impl Strategy<Value = Step> {
    let events = prop::collection::vec((1_u32..=6, 0_u32..399), 1..30);
    prop_oneof![
        6 => (0..PULSES, events).prop_map(|(pulse, events)| Step::Events(pulse, events)),
        3 => (0..PULSES, any::<bool>()).prop_map(|(pulse, veto)| Step::Metadata(pulse, veto)),
        1 => (0..PULSES).prop_map(Step::VetoMask),
        1 => (PULSES / 2..PULSES).prop_map(Step::Stop),
        2 => (0..60_000_usize).prop_map(Step::Evict),
    ]
}

fn time(pulse: u32) -> i64 {
    START + i64::from(pulse) * SECOND / 50
}

/// Time of flight of the `at`th event of a message, unique so that no event counts as a repeat.
fn flight(bin: u32, number: usize, at: usize) -> u32 {
    bin * 100_000 + 2000 + (number * 100 + at) as u32
}

fn send(stream: &mut Stream, job: &str, number: usize, step: &Step) {
    match step {
        Step::Events(pulse, events) => {
            let events: Vec<(u32, u32)> = (events.iter().enumerate())
                .map(|(at, (spectrum, bin))| (*spectrum, flight(*bin, number, at)))
                .collect();
            stream.pulse(EventSchema::Ev44, f64::from(*pulse) / 50.0, None, &events);
        }
        Step::Metadata(pulse, veto) => {
            let metadata = PulseMetadata {
                source: "bank".into(),
                message_id: 0,
                reference_time: PulseTime::from_nanos(time(*pulse)),
                vetos: Some(u32::from(*veto)),
                period: Some(0),
                proton_charge: Some(0.001),
            };
            stream.send(TopicRole::Events, Message::Pulse(metadata));
        }
        Step::VetoMask(pulse) => {
            let mask = VetoConfig {
                time: PulseTime::from_nanos(time(*pulse)),
                mask: 1,
                names: Vec::new(),
            };
            stream.send(TopicRole::VetoConfig, Message::VetoConfig(mask));
        }
        Step::Stop(pulse) => {
            let stop = RunStop {
                stop_time: Some(PulseTime::from_nanos(time(*pulse))),
                run_name: String::new(),
                job_id: job.to_owned(),
            };
            stream.send(TopicRole::RunInfo, Message::RunStop(stop));
        }
        Step::Evict(bytes) => {
            memos().set_limit(*bytes);
            memos().set_limit(1 << 30);
        }
    }
}

/// Expected counts of the steps, one by one.
fn counted(done: &[(usize, Step)]) -> Vec<Vec<f64>> {
    // The earliest stop counts.
    let stops = done.iter().filter_map(|(_, step)| match step {
        Step::Stop(pulse) => Some(*pulse),
        _ => None,
    });
    let stop = stops.min().unwrap_or(u32::MAX);
    let mask = done.iter().filter_map(|(_, step)| match step {
        Step::VetoMask(pulse) => Some(*pulse),
        _ => None,
    });
    let in_force = mask.min().unwrap_or(PULSES);
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    let mut vetoed: BTreeSet<u32> = BTreeSet::new();
    for (_, step) in done {
        // The first metadata of a pulse is its own; others are repeats.
        if let Step::Metadata(pulse, veto) = step
            && seen.insert(*pulse)
            && *veto
            && *pulse >= in_force
        {
            vetoed.insert(*pulse);
        }
    }
    let mut rows = vec![vec![0.0; 400]; 6];
    for (_, step) in done {
        let Step::Events(pulse, events) = step else { continue };
        if vetoed.contains(pulse) || *pulse >= stop {
            continue;
        }
        for (spectrum, bin) in events {
            rows[*spectrum as usize - 1][*bin as usize] += 1.0;
        }
    }
    rows
}
