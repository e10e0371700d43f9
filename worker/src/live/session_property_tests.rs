//! Chunks of a run, accumulated in any order of arrival, equal one chunk of the whole run.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::live::testing::{SimulatedStream, from_start};
use live_data_reduction::MatrixWorkspace;
use live_data_reduction::live::LiveSpec;
use live_data_reduction::run::GOOD_CHARGE;
use proptest::prelude::*;

/// Operation on a simulated stream.
#[derive(Clone, Debug)]
enum StreamOperation {
    /// Event message of a pulse: partition, tenth of a second, events, period.
    Pulse(i32, i32, u32, u32),
    /// Log value: tenth of a second, value.
    Log(i32, i32),
    /// Run stop at this tenth of a second.
    Stop(i32),
    /// A step of the session.
    Look,
}

fn operation() -> impl Strategy<Value = StreamOperation> {
    prop_oneof![
        8 => (0..2_i32, 0..60_i32, 0..8_u32, 0..2_u32).prop_map(|(a, b, c, d)| StreamOperation::Pulse(a, b, c, d)),
        2 => (0..60_i32, 0..9_i32).prop_map(|(at, value)| StreamOperation::Log(at, value)),
        1 => (30..60_i32).prop_map(StreamOperation::Stop),
        4 => Just(StreamOperation::Look),
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

/// Result of a session, by period.
fn result(stream: &SimulatedStream, name: &str) -> Vec<MatrixWorkspace> {
    let held = stream.services.data.get(name);
    held.map(|held| accumulate::members(&held.snapshot()))
        .unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn chunks_put_together_are_the_whole_run(
        operations in prop::collection::vec(operation(), 1..80),
        (algorithm, properties) in prop::sample::select(METHODS.to_vec()),
        (preserve_events, preserve_whole) in any::<(bool, bool)>(),
        periods in 1..3_u32,
    ) {
        let given = |name: &str, preserve_events: bool| LiveSpec {
            processing_algorithm: Some(algorithm.into()),
            processing_properties: Some(properties.into()),
            preserve_events: Some(preserve_events),
            output_workspace: Some(name.into()),
            ..from_start()
        };
        let mut stream = SimulatedStream::new();
        stream.start("1", 0.0);
        let mut session = stream.session(&given("out", preserve_events));
        for operation in &operations {
            match *operation {
                StreamOperation::Pulse(partition, at, events, period) => stream.pulse(partition, tenth(at), events, period % periods),
                StreamOperation::Log(at, value) => stream.log("Rot", tenth(at) + 0.03, f64::from(value)),
                StreamOperation::Stop(at) => stream.stop("1", tenth(at)),
                StreamOperation::Look => {
                    stream.step(&mut session);
                }
            }
        }
        // Log values are delivered with frames: another frame follows the last ones.
        stream.pulse(0, 2.95, 1, 0);
        stream.stop("1", 5.5);
        stream.start("2", 6.0);
        for partition in 0..2 {
            for after in 0..5 {
                stream.pulse(partition, 7.0 + f64::from(after), 1, 0);
            }
        }
        for after in 0..4 {
            stream.log("Other", 8.0 + f64::from(after), 0.0);
        }
        while !matches!(stream.step(&mut session), StepOutcome::RunEnded(_)) {}
        let mut at_once = stream.session(&given("whole", preserve_whole));
        at_once.start_at(PulseTime::MIN);
        let whole_step = stream.step(&mut at_once);
        prop_assert!(matches!(whole_step, StepOutcome::RunEnded(_)), "{whole_step:?}");

        let (out, whole) = (result(&stream, "out"), result(&stream, "whole"));
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
