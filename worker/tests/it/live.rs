//! StartLiveData on a real stream: started by the environment, by a script, and by a folder of scripts.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::api::Api;
use crate::nexus;
use crate::process::{PATIENCE, Settings};
use crate::stream::{Counts, Instrument, Run, SECOND, Schema, add, now, pulses};

/// Script that saves the accumulated data under the run number.
const SAVE: &str = "SaveNexusProcessed(input, f\"{config['defaultsave.directory']}/{input.getRunNumber()}.nxs\", PreserveEvents=False)\n";

/// Sends the pulses of the times `[from, to)`, each block of 30 backwards, and adds their counts to each run's truth.
pub fn send(instrument: &mut Instrument, (from, to): (i64, i64), runs: &[&Run], truth: &mut BTreeMap<String, Counts>) {
    let mut order: Vec<(usize, i64)> = pulses(from, to).enumerate().collect();
    order.sort_by_key(|(n, _)| (n / 30, std::cmp::Reverse(*n)));
    for (n, time) in order {
        let counts = instrument.pulse(time, 20 + n % 7);
        if let Some(run) = runs.iter().find(|run| run.contains(time)) {
            add(truth.entry(run.name.clone()).or_default(), &counts);
        }
    }
    instrument.flush();
}

/// Waits until a file has exactly these counts.
pub fn wait_for_counts(path: &Path, truth: &Counts) {
    let started = Instant::now();
    while !(path.exists() && nexus::read(path).counts() == *truth) {
        assert!(
            started.elapsed() < PATIENCE,
            "{}: {:?}, not {truth:?}",
            path.display(),
            path.exists().then(|| nexus::read(path).counts())
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn charge(path: &Path) -> f64 {
    nexus::read(path).logs["gd_prtn_chrg"].0.parse().unwrap()
}

#[test]
fn the_environment_starts_it_and_two_runs_are_told_apart_exactly() {
    let mut instrument = Instrument::new("itlivea", Schema::Ev42, 3);
    let output = tempfile::tempdir().unwrap();
    let api = Api::start("def execute():\n    raise RuntimeError('this script is not to be executed')\n");
    let base = now() / SECOND * SECOND - 40 * SECOND;
    let (first, second) = (
        Run::new(201, base, base + 8 * SECOND),
        Run::new(202, base + 10 * SECOND, base + 18 * SECOND),
    );
    let (both, mut truth) = ([&first, &second], BTreeMap::new());
    instrument.start_run(&first);
    send(&mut instrument, (base - SECOND, base + 3 * SECOND), &both, &mut truth);
    let mut worker = Settings::new(&instrument.name, output.path(), api.url())
        .with("LIVE_PROCESSING_ALGORITHM", "Rebin")
        .with("LIVE_PROCESSING_PROPERTIES", "Params=0,20000,20000;PreserveEvents=0")
        .with("LIVE_ACCUMULATION_METHOD", "Add")
        .with("LIVE_POST_PROCESSING_SCRIPT", SAVE)
        .with("LIVE_FROM_START_OF_RUN", "true")
        .with("LIVE_RUN_TRANSITION_BEHAVIOR", "Rename")
        .with("LIVE_UPDATE_EVERY", "0.3")
        .with("LIVE_ACCUMULATION_WORKSPACE", "all")
        .with("LIVE_OUTPUT_WORKSPACE", "out")
        .start();
    worker.wait("the first chunk", |report| {
        report.monitors.iter().any(|monitor| monitor.chunks >= 1)
    });
    send(
        &mut instrument,
        (base + 3 * SECOND, base + 6 * SECOND),
        &both,
        &mut truth,
    );
    worker.wait("the next chunk", |report| {
        report.monitors.iter().any(|monitor| monitor.chunks >= 2)
    });
    send(
        &mut instrument,
        (base + 6 * SECOND, base + 30 * SECOND),
        &both,
        &mut truth,
    );
    instrument.stop_run(&first);
    instrument.start_run(&second);
    instrument.stop_run(&second);
    instrument.flush();
    let report = worker.wait_completed("202");
    assert_eq!(
        report.monitors.first().and_then(|monitor| monitor.last_error.clone()),
        None
    );
    assert_eq!(report.script.runs, 0, "no script is executed beside it");
    for run in both {
        let path = output.path().join(format!("{}.nxs", run.name));
        assert_eq!(nexus::read(&path).counts(), truth[&run.name], "run {}", run.name);
        assert!((charge(&path) - 0.001 * 400.0).abs() < 1e-6, "charge {}", charge(&path));
    }
    assert!(
        output.path().join(".live-data/runs").read_dir().unwrap().count() >= 2,
        "both runs are marked as finished"
    );
}

#[test]
fn a_script_starts_it_and_it_goes_on_while_the_script_sleeps() {
    let mut instrument = Instrument::new("itliveb", Schema::Ev44, 2);
    let output = tempfile::tempdir().unwrap();
    let flag = output.path().join(".cancel");
    let script = format!(
        r#"
import os, time
from mantid.simpleapi import *

def execute():
    if os.path.exists("{flag}"):
        for monitor in AlgorithmManager.runningInstancesOf("MonitorLiveData"):
            print("cancels", monitor.getPropertyValue("OutputWorkspace"))
            monitor.cancel()
        return
    StartLiveData("ITLIVEB", FromNow=False, FromStartOfRun=True, UpdateEvery=0.3, PreserveEvents=True,
                  ProcessingScript="print('chunk of', input.getNumberEvents())\nRebin(input, '0,100,20000', OutputWorkspace=output)",
                  PostProcessingScript='''{SAVE}''', AccumulationWorkspace="all", OutputWorkspace="out")
    if mtd["lives"].getRunNumber() == 301:
        time.sleep(4)
"#,
        flag = flag.display()
    );
    let api = Api::start(&script);
    let base = now() / SECOND * SECOND - 40 * SECOND;
    let (first, second) = (
        Run::new(301, base, base + 9 * SECOND),
        Run::new(302, base + 9 * SECOND, base + 18 * SECOND),
    );
    let (both, mut truth) = ([&first, &second], BTreeMap::new());
    instrument.start_run(&first);
    send(&mut instrument, (base, base + 2 * SECOND), &both, &mut truth);
    let mut worker = Settings::new(&instrument.name, output.path(), api.url()).start();
    let report = worker.wait("the sleeping script", |report| {
        report.script.running && report.monitors.len() == 1
    });
    let (mut chunks, mut sent) = (report.monitors[0].chunks, base + 2 * SECOND);
    for _ in 0..3 {
        send(&mut instrument, (sent, sent + SECOND), &both, &mut truth);
        sent += SECOND;
        // Within one execution: the script sleeps while chunks continue.
        let report = worker.wait("a chunk", |report| {
            report.monitors.iter().any(|monitor| monitor.chunks > chunks)
        });
        chunks = report.monitors[0].chunks;
    }
    let report = worker.wait("another execution", |report| report.script.runs >= 2);
    assert_eq!(
        (report.script.last_error.clone(), report.monitors.len()),
        (None, 1),
        "the same call again changes nothing"
    );
    send(&mut instrument, (sent, base + 30 * SECOND), &both, &mut truth);
    instrument.start_run(&second);
    instrument.stop_run(&second);
    instrument.flush();
    worker.wait_completed("302");
    for run in both {
        wait_for_counts(&output.path().join(format!("{}.nxs", run.name)), &truth[&run.name]);
    }
    assert!((charge(&output.path().join("302.nxs")) - 0.001 * 450.0).abs() < 1e-6);
    // A further run, whose script cancels live data.
    std::fs::write(&flag, "").unwrap();
    let third = Run::new(303, base + 32 * SECOND, base + 3600 * SECOND);
    instrument.start_run(&third);
    send(
        &mut instrument,
        (base + 32 * SECOND, base + 34 * SECOND),
        &[&third],
        &mut truth,
    );
    worker.wait("the end of the monitor", |report| report.monitors.is_empty());
    assert!(worker.log().contains("cancels out"), "{}", worker.log());
}

#[test]
fn scripts_in_a_watched_folder_are_taken_up_and_one_that_loops_for_ever_stops_nothing_else() {
    let mut instrument = Instrument::new("itlivec", Schema::Ev42, 1);
    let (output, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let api = Api::start("def execute():\n    pass\n");
    let processing = folder.path().join("reduce_ITLIVEC_live_proc.py");
    let put = |path: &Path, text: &str| {
        let new = path.with_extension("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, path).unwrap();
    };
    put(&processing, "while True:\n    pass\n");
    put(&folder.path().join("reduce_ITLIVEC_live_post_proc.py"), SAVE);
    let base = now() / SECOND * SECOND - 40 * SECOND;
    let run = Run::new(401, base, base + 10 * SECOND);
    let mut truth = BTreeMap::new();
    instrument.start_run(&run);
    send(&mut instrument, (base, base + 2 * SECOND), &[&run], &mut truth);
    let mut worker = Settings::new(&instrument.name, output.path(), api.url())
        .with("LIVE_SCRIPTS_DIR", folder.path().to_str().unwrap())
        .with("LIVE_UPDATE_EVERY", "0.3")
        .with("SCRIPT_TIMEOUT", "2")
        .start();
    let said = |report: &live_data_crd::report::WorkerReport, words: &str| {
        report
            .degraded
            .iter()
            .any(|wrong| wrong.reason == "LiveProcessingFailed" && wrong.message.contains(words))
    };
    let report = worker.wait("the interruption", |report| said(report, "ScriptTimeout"));
    assert!(
        report.monitors[0].last_error.as_ref().unwrap().contains("while True"),
        "{report:#?}"
    );
    let before = worker.report().unwrap().run.unwrap().events;
    send(
        &mut instrument,
        (base + 2 * SECOND, base + 4 * SECOND),
        &[&run],
        &mut truth,
    );
    worker.wait("events during the loop", |report| {
        report.run.as_ref().is_some_and(|run| run.events > before)
    });
    put(&processing, "raise ValueError('the vanadium is missing')\n");
    worker.wait("the error in words", |report| said(report, "the vanadium is missing"));
    put(&processing, "Rebin(input, '0,20000,20000', OutputWorkspace=output)\n");
    worker.wait("chunks", |report| {
        report
            .monitors
            .iter()
            .any(|monitor| monitor.chunks > 0 && monitor.last_error.is_none())
    });
    send(
        &mut instrument,
        (base + 4 * SECOND, base + 25 * SECOND),
        &[&run],
        &mut truth,
    );
    // Twice for every chunk, since the earlier accumulation is computed again.
    put(
        &processing,
        "Rebin(input, '0,20000,20000', OutputWorkspace=output)\nScale(output, 2.0, OutputWorkspace=output)\n",
    );
    instrument.stop_run(&run);
    instrument.flush();
    worker.wait_completed("401");
    let twice: Counts = truth["401"]
        .iter()
        .map(|(spectrum, count)| (*spectrum, 2 * count))
        .collect();
    wait_for_counts(&output.path().join("401.nxs"), &twice);
    let report = worker.report().unwrap();
    assert!(
        !report
            .degraded
            .iter()
            .any(|wrong| wrong.reason == "LiveProcessingFailed"),
        "{:?}",
        report.degraded
    );
}
