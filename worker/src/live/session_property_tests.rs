//! However a run arrives and is looked at, what is put together is what one look at the whole of it gives.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::live::testing::{Stage, from_start};
use live_data_reduction::MatrixWorkspace;
use live_data_reduction::live::Properties;
use proptest::prelude::*;

/// What may happen to a run.
#[derive(Clone, Debug)]
enum Happening {
    /// A message of events of a pulse: partition, tenth of a second, events, period.
    Pulse(i32, i32, u32, u32),
    /// A value of a log at a tenth of a second.
    Log(i32, i32),
    /// The run is said to end at this tenth, once more.
    Stop(i32),
    /// A chunk is taken.
    Look,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        8 => (0..2_i32, 0..60_i32, 0..8_u32, 0..2_u32).prop_map(|(a, b, c, d)| Happening::Pulse(a, b, c, d)),
        2 => (0..60_i32, 0..9_i32).prop_map(|(at, value)| Happening::Log(at, value)),
        1 => (30..60_i32).prop_map(Happening::Stop),
        4 => Just(Happening::Look),
    ]
}

const METHODS: [(&str, &str); 4] = [
    ("", ""),
    ("Rebin", "Params=900,7,1400"),
    ("ConvertUnits", "Target=Wavelength"),
    ("SumSpectra", ""),
];

fn rows(matrix: &MatrixWorkspace) -> Vec<Vec<f64>> {
    let rows = 0..matrix.histograms();
    rows.map(|row| matrix.y(row, &Cancel::new()).unwrap().to_vec())
        .collect()
}

fn tenth(tenth: i32) -> f64 {
    f64::from(tenth) / 10.0
}

/// Everything of the run as one session has it, by period.
fn result(stage: &Stage, name: &str) -> Vec<MatrixWorkspace> {
    let held = stage.service.data.get(name);
    held.map(|held| accumulate::members(&held.snapshot()))
        .unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn chunks_put_together_are_the_whole_run(
        happenings in prop::collection::vec(happening(), 1..80),
        (algorithm, properties) in prop::sample::select(METHODS.to_vec()),
        (preserve_events, preserve_whole) in any::<(bool, bool)>(),
        periods in 1..3_u32,
    ) {
        let given = |name: &str, preserve_events: bool| Properties {
            processing_algorithm: algorithm.into(),
            processing_properties: properties.into(),
            preserve_events,
            output_workspace: name.into(),
            ..from_start()
        };
        let mut stage = Stage::new();
        stage.start("1", 0.0);
        let mut session = stage.session(&given("out", preserve_events));
        for happening in &happenings {
            match *happening {
                Happening::Pulse(partition, at, events, period) => stage.pulse(partition, tenth(at), events, period % periods),
                Happening::Log(at, value) => stage.log("Rot", tenth(at) + 0.03, f64::from(value)),
                Happening::Stop(at) => stage.stop("1", tenth(at)),
                Happening::Look => {
                    stage.step(&mut session);
                }
            }
        }
        // Values of logs are given with frames: the last ones come before another frame.
        stage.pulse(0, 2.95, 1, 0);
        stage.stop("1", 5.5);
        stage.start("2", 6.0);
        for partition in 0..2 {
            for after in 0..5 {
                stage.pulse(partition, 7.0 + f64::from(after), 1, 0);
            }
        }
        for after in 0..4 {
            stage.log("Other", 8.0 + f64::from(after), 0.0);
        }
        while !matches!(stage.step(&mut session), Step::RunEnded(_)) {}
        let mut at_once = stage.session(&given("whole", preserve_whole));
        at_once.begin_at(PulseTime::MIN);
        let whole_step = stage.step(&mut at_once);
        prop_assert!(matches!(whole_step, Step::RunEnded(_)), "{whole_step:?}");

        let (out, whole) = (result(&stage, "out"), result(&stage, "whole"));
        prop_assert_eq!(out.len(), whole.len());
        for (out, whole) in out.iter().zip(&whole) {
            prop_assert_eq!(rows(out), rows(whole), "{} {}", algorithm, preserve_events);
            for charge in [GOOD_CHARGE, "goodfrm", "rawfrm"] {
                let (a, b) = (out.run().number(charge).unwrap_or(0.0), whole.run().number(charge).unwrap_or(0.0));
                prop_assert!((a - b).abs() < 1e-9, "{charge}: {a} is not {b}");
            }
            let series = |matrix: &MatrixWorkspace| {
                let series = matrix.run().series("Rot")?;
                Some((series.times().to_vec(), series.numbers()?.to_vec()))
            };
            prop_assert_eq!(series(out), series(whole));
        }
    }
}
