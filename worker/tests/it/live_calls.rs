//! Blocking calls of live data algorithms in a script: on a real stream, on a simulated run, and without either.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use crate::api::Api;
use crate::live::{send, wait_for_counts};
use crate::process::Settings;
use crate::python::{printed, venv, worker_python};
use crate::scripts::on_a_run;
use crate::stream::{Instrument, Run, SECOND, Schema, now};

/// Script that saves the loaded data and the monitor's output, each under the number of its own run: a run can end while
/// the script works on the next one.
const LOAD_AND_WAIT: &str = r#"
from mantid.simpleapi import *

def execute():
    folder = config["defaultsave.directory"]
    LoadLiveData("ITLIVED", StartTime="1990-01-01T00:00:01", AccumulationMethod="Add", OutputWorkspace="loaded",
                 ProcessingScript="print('a load of', input.getNumberEvents())")
    SaveNexusProcessed("loaded", f"{folder}/loaded-{mtd['loaded'].getRunNumber()}.nxs", PreserveEvents=False)
    MonitorLiveData("ITLIVED", StartTime="1990-01-01T00:00:01", RunTransitionBehavior="Stop", UpdateEvery=0.3,
                    ProcessingScript="print('a chunk of', input.getNumberEvents())", OutputWorkspace="watched")
    SaveNexusProcessed("watched", f"{folder}/watched-{mtd['watched'].getRunNumber()}.nxs", PreserveEvents=False)
"#;

#[test]
fn a_script_waits_for_a_monitor_until_each_run_ends_and_loads_what_is_left() {
    let mut instrument = Instrument::new("itlived", Schema::Ev44, 2);
    let output = tempfile::tempdir().unwrap();
    let api = Api::start(LOAD_AND_WAIT);
    let base = now() / SECOND * SECOND - 60 * SECOND;
    let runs = [
        Run::new(501, base, base + 8 * SECOND),
        Run::new(502, base + 10 * SECOND, base + 18 * SECOND),
    ];
    let (both, mut truth) = ([&runs[0], &runs[1]], BTreeMap::new());
    let mut worker = Settings::new(&instrument.name, output.path(), api.url()).start();
    for run in both {
        let at = |seconds: i64| run.start + seconds * SECOND;
        instrument.start_run(run);
        send(&mut instrument, (at(0), at(3)), &both, &mut truth);
        let monitored = |chunks: u64| {
            move |report: &live_data_crd::report::WorkerReport| {
                // The former run's monitor is reported until another replaces it.
                let of_run = |time: &str| {
                    time.parse()
                        .is_ok_and(|time: jiff::Timestamp| time.as_nanosecond() >= run.start.into())
                };
                let alive = report
                    .monitors
                    .iter()
                    .find(|monitor| monitor.chunks >= chunks && monitor.last_time_stamp.as_deref().is_some_and(of_run));
                let here = report.run.as_ref().is_some_and(|now| now.number == run.name);
                here && report.script.running && alive.is_some()
            }
        };
        worker.wait("the script that waits", monitored(1));
        send(&mut instrument, (at(3), at(5)), &both, &mut truth);
        worker.wait("a chunk while it waits", monitored(2));
        send(&mut instrument, (at(5), at(9)), &both, &mut truth);
        // Later records complete the run in every partition.
        send(&mut instrument, (at(9), at(10)), &both, &mut truth);
        instrument.stop_run(run);
        instrument.flush();
        if run.name == "502" {
            send(&mut instrument, (at(10), at(14)), &both, &mut truth);
        }
    }
    for run in both {
        let report = worker.wait("both runs", |report| {
            report
                .last_completed_run
                .as_ref()
                .is_some_and(|done| done.number == "502")
        });
        assert_eq!(report.script.last_error, None, "{}", worker.log());
        for kind in ["loaded", "watched"] {
            let file = output.path().join(format!("{kind}-{}.nxs", run.name));
            wait_for_counts(&file, &truth[&run.name]);
        }
    }
    let log = worker.log();
    assert!(log.contains("a load of") && log.contains("a chunk of"), "{log}");
}

/// Script that waits for a monitor which continues across runs.
const WAIT: &str = r#"
from mantid.simpleapi import *

def execute():
    MonitorLiveData("ITLIVEE", StartTime="1990-01-01T00:00:01", UpdateEvery=0.2, OutputWorkspace="out")
"#;

#[test]
fn a_monitor_that_is_waited_for_ends_by_the_time_limit_and_with_the_worker() {
    let (mut instrument, mut worker, api, output) =
        on_a_run("itlivee", WAIT, |settings| settings.with("SCRIPT_TIMEOUT", "3"));
    let report = worker.wait("the interruption", |report| report.script.failures > 0);
    let error = report.script.last_error.unwrap();
    assert!(
        error.contains("ScriptTimeout") && error.contains("it had run for"),
        "{error}"
    );
    // Reading continues, and so does the next execution.
    let before = worker.report().unwrap().run.unwrap().events;
    instrument.pulse(now(), 50);
    instrument.flush();
    worker.wait("events beside it", |report| {
        report.run.as_ref().is_some_and(|run| run.events > before)
    });
    worker.wait("the next execution", |report| report.script.failures > 1);
    let (status, log) = worker.stop();
    assert!(status.success(), "{status}\n{log}");

    let settings = Settings::new(&instrument.name, output.path(), api.url()).with("SCRIPT_TIMEOUT", "3600");
    let mut patient = settings.start();
    patient.wait("a script that waits", |report| {
        report.script.running && report.monitors.iter().any(|monitor| monitor.chunks > 0)
    });
    let (status, log) = patient.stop();
    assert!(status.success(), "{status}\n{log}");
}

#[test]
fn a_live_script_that_waits_for_ever_in_an_algorithm_is_interrupted() {
    let script = "def execute():\n    raise RuntimeError('this script is not to be executed')\n";
    let inner = "MonitorLiveData('ITLIVEF', StartTime='1990-01-01T00:00:01', UpdateEvery=0.2, OutputWorkspace='inner')";
    let (_instrument, mut worker, _api, _output) = on_a_run("itlivef", script, |settings| {
        settings
            .with("SCRIPT_TIMEOUT", "2")
            .with("LIVE_FROM_START_OF_RUN", "true")
            .with("LIVE_PROCESSING_SCRIPT", inner)
            .with("LIVE_OUTPUT_WORKSPACE", "out")
            .with("LIVE_UPDATE_EVERY", "0.3")
    });
    let report = worker.wait("the interruption", |report| {
        (report.monitors.iter()).any(|monitor| {
            let error = monitor.last_error.as_deref().unwrap_or_default();
            monitor.output_workspace == "out" && error.contains("the script was interrupted")
        })
    });
    assert!(
        report
            .degraded
            .iter()
            .any(|wrong| wrong.reason == "LiveProcessingFailed")
    );
    let (status, log) = worker.stop();
    assert!(status.success(), "{status}\n{log}");
}

fn check(body: &str, timeout: &str) -> (Output, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script.py");
    std::fs::write(
        &file,
        format!("from mantid.simpleapi import *\n\ndef execute():\n{body}"),
    )
    .unwrap();
    let began = Instant::now();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_live-data-worker"))
        .args([
            "check-script",
            "--engine",
            "native",
            "--events",
            "20000",
            "--script-timeout",
            timeout,
            "--venv",
        ])
        .arg(venv())
        .arg("--output-dir")
        .arg(folder.path().join("output"))
        .arg(&file)
        .output()
        .unwrap();
    (output, began.elapsed())
}

#[test]
fn live_calls_of_a_script_that_is_checked_have_the_simulated_run_and_its_end() {
    let common =
        "UpdateEvery=0.5, ProcessingScript='print(\"a chunk of\", input.getNumberEvents())', OutputWorkspace='out'";
    for call in [
        format!("StartLiveData('LIVEDEMO', {common})"),
        format!("StartLiveData('LIVEDEMO', FromNow=False, FromStartOfRun=True, {common})"),
        format!("MonitorLiveData('LIVEDEMO', {common})"),
        format!("MonitorLiveData('LIVEDEMO', RunTransitionBehavior='Stop', {common})"),
        format!("LoadLiveData('LIVEDEMO', {})", common.replace("UpdateEvery=0.5, ", "")),
    ] {
        let body = format!(
            "    {call}\n    whole = mtd['lives'].getNumberEvents()\n    found = sum(mtd['out'].readY(i)[0] for i in \
             range(mtd['out'].getNumberHistograms()))\n    print('of', whole)\n    assert found == whole > 10000, found\n"
        );
        let (output, _) = check(&body, "60");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("a chunk of"),
            "{call}: {}",
            printed(&output)
        );
    }
}

#[test]
fn a_script_that_is_checked_has_its_time_limit_in_live_scripts_too() {
    let (output, took) = check(
        "    StartLiveData('LIVEDEMO', ProcessingScript='while True: pass', OutputWorkspace='out')\n",
        "2",
    );
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        !output.status.success() && said.contains("ScriptTimeout"),
        "{}",
        printed(&output)
    );
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[test]
fn a_file_without_a_stream_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.py");
    for call in ["StartLiveData", "MonitorLiveData", "LoadLiveData"] {
        let text = format!("from mantid.simpleapi import *\n{call}('MERLIN', OutputWorkspace='out')\n");
        std::fs::write(&file, text).unwrap();
        let output = worker_python().arg(Path::new(&file)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(1) && said.contains("there is no live stream here"),
            "{call}: {}",
            printed(&output)
        );
    }
}
