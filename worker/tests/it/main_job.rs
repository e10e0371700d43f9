//! From a live stream to reduced files: every event once, and in the right run.

use std::collections::BTreeMap;

use live_data_engine::message::LogValue;

use crate::api::Api;
use crate::nexus;
use crate::process::Settings;
use crate::stream::{Counts, FRAME, Instrument, Run, SECOND, Schema, add, now, pulses};

/// Script that reduces the run to one bin a spectrum and saves it under the run number.
pub const COUNT_SCRIPT: &str = r#"
from mantid.simpleapi import *

def execute():
    run = mtd["lives"]
    counts = Rebin(run, "0,20000,20000", PreserveEvents=False)
    SaveNexusProcessed(counts, f"{config['defaultsave.directory']}/{run.getRunNumber()}.nxs")
    print("reduced run", run.getRunNumber(), "with", run.getNumberEvents(), "events")
"#;

/// Paths that readers of processed files require, below the entry.
const LAYOUT: [&str; 15] = [
    "title",
    "definition",
    "instrument/name",
    "instrument/instrument_parameter_map/data",
    "instrument/detector/detector_index",
    "instrument/detector/detector_count",
    "instrument/detector/detector_list",
    "instrument/detector/spectra",
    "sample",
    "logs/run_number/value",
    "logs/proton_charge/time",
    "workspace/values",
    "workspace/axis1",
    "workspace/axis2",
    "process",
];

/// Two runs over three partitions, with every disorder that Kafka permits.
fn two_runs(name: &str, schema: Schema) {
    let mut instrument = Instrument::new(name, schema, 3);
    let output = tempfile::tempdir().unwrap();
    let api = Api::start(COUNT_SCRIPT);
    let base = now() / SECOND * SECOND - 40 * SECOND;
    let first = Run::new(101, base, base + 8 * SECOND);
    // The pulses of two seconds between the runs belong to neither run.
    let second = Run::new(102, base + 10 * SECOND, base + 18 * SECOND);

    // Hours before the first run, so that only the log lookback finds the value.
    let prefix = format!("IN:{}:CS:SB:", instrument.name);
    let block = |log: &str| format!("{prefix}{log}");
    instrument.log(&block("Slow"), base - 7200 * SECOND, &LogValue::F64(4.25));
    instrument.units(&block("Slow"), base - 7200 * SECOND, "K");
    instrument.start_run(&first);
    let mut worker = Settings::new(&instrument.name, output.path(), api.url()).start();
    worker.wait_writer();

    // Order of pulses: every block of 40 backwards, and the third partition late.
    let all: Vec<i64> = pulses(base - SECOND, base + 30 * SECOND).collect();
    let mut order: Vec<(usize, i64)> = all.iter().copied().enumerate().collect();
    order.sort_by_key(|(n, _)| (n / 40 + if n % 3 == 2 { 2 } else { 0 }, std::cmp::Reverse(*n)));
    let mut truth: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut outside = 0_u64;
    for (n, time) in order {
        if n % 50 == 0 {
            instrument.send(
                "events",
                i32::try_from(n / 50 % 3).unwrap(),
                time / 1_000_000,
                b"this is no message at all",
            );
            instrument.send(
                "runInfo",
                0,
                time / 1_000_000,
                b"\x08\0\0\0pl72 garbage behind a known identifier",
            );
        }
        let counts = instrument.pulse(time, 20 + n % 7);
        match [&first, &second].into_iter().find(|run| run.contains(time)) {
            Some(run) => add(truth.entry(&run.name).or_default(), &counts),
            None => outside += counts.values().sum::<u64>(),
        }
        if n % 25 == 0 {
            instrument.log(&block("Rot"), time, &LogValue::F64((time - base) as f64 / 1e9));
        }
    }
    assert!(outside > 0);
    instrument.stop_run(&first);
    // The second run's start is sent after all its events.
    instrument.flush();
    instrument.start_run(&second);
    instrument.stop_run(&second);
    instrument.flush();

    let report = worker.wait_completed("102");
    assert!(
        report.rejected.values().sum::<u64>() >= 20,
        "garbage is counted: {:?}",
        report.rejected
    );
    assert_eq!(report.script.last_error, None);
    for run in [&first, &second] {
        let file = nexus::read(&output.path().join(format!("{}.nxs", run.name)));
        assert_eq!(file.counts(), truth[run.name.as_str()], "run {}", run.name);
        for (sum, variance) in file.sums.iter().zip(&file.variances) {
            assert!(
                (sum - variance).abs() < 1e-9 * sum.max(1.0),
                "errors are the roots of the counts: {sum}, {variance}"
            );
        }
        let good_frames = (run.stop - run.start) / FRAME;
        let charge: f64 = file.logs["gd_prtn_chrg"].0.parse().unwrap();
        assert!(
            (charge - 0.001 * good_frames as f64).abs() < 1e-6,
            "charge {charge} of {good_frames} frames"
        );
        assert_eq!(file.logs["run_number"].0, run.name);
        for path in LAYOUT {
            assert!(
                file.paths
                    .iter()
                    .any(|there| there == &format!("mantid_workspace_1/{path}")),
                "{path} is missing"
            );
        }
        assert_eq!(
            file.logs["Slow"],
            ("4.25".into(), 1),
            "the last value before the run is its initial value"
        );
    }
    let names: Vec<_> = std::fs::read_dir(output.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 3, "two files and the hidden folder: {names:?}");
}

#[test]
fn two_runs_of_ev42_over_three_partitions_are_told_apart_exactly() {
    two_runs("itmaina", Schema::Ev42);
}

#[test]
fn two_runs_of_ev44_over_three_partitions_are_told_apart_exactly() {
    two_runs("itmainb", Schema::Ev44);
}
