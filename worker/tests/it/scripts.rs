//! Scripts that misbehave, change or are missing, and the worker's reaction.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::api::{Answer, Api};
use crate::lab;
use crate::main_job::COUNT_SCRIPT;
use crate::process::{Settings, Worker};
use crate::stream::{Instrument, Run, SECOND, Schema, now, pulses};

/// Worker with an open run of 50 pulses of 20 events.
pub fn on_a_run(
    name: &str,
    script: &str,
    change: impl Fn(Settings) -> Settings,
) -> (Instrument, Worker, Api, tempfile::TempDir) {
    let (instrument, settings, api, output) = settings_on_a_run(name, script);
    (instrument, change(settings).start(), api, output)
}

/// Settings of the worker of [`on_a_run`], not started.
fn settings_on_a_run(name: &str, script: &str) -> (Instrument, Settings, Api, tempfile::TempDir) {
    let mut instrument = Instrument::new(name, Schema::Ev42, 1);
    let output = tempfile::tempdir().unwrap();
    let api = Api::start(script);
    let base = now() / SECOND * SECOND - 10 * SECOND;
    instrument.start_run(&Run::new(900, base, base + 3600 * SECOND));
    for time in pulses(base, base + SECOND) {
        instrument.pulse(time, 20);
    }
    instrument.flush();
    let settings = Settings::new(&instrument.name, output.path(), api.url());
    (instrument, settings, api, output)
}

#[test]
fn a_busy_loop_delays_neither_the_stream_nor_the_status_and_is_interrupted() {
    let script = "def execute():\n    print('looping')\n    while True:\n        pass\n";
    let (mut instrument, settings, _api, _output) = settings_on_a_run("itbusy", script);
    let mut worker = settings.with("SCRIPT_TIMEOUT", "30").start_exclusive();
    // The executor starts as soon as ingest knows the run, which the report shows with its next update.
    worker.wait("the loop", |report| report.script.running && report.run.is_some());
    let started = Instant::now();
    let (mut answers, mut sent, mut rates) = (Vec::new(), 0_u64, Vec::new());
    while started.elapsed() < Duration::from_secs(20) {
        let base = now();
        let before = worker.report().unwrap().run.unwrap().events;
        for n in 0..100 {
            sent += instrument.pulse(base + n, 200).values().sum::<u64>();
        }
        instrument.flush();
        let asked = Instant::now();
        let report = worker.report().unwrap();
        answers.push(asked.elapsed());
        assert!(report.script.running, "the loop ended early: {:?}", report.script);
        let arrived = worker.wait("the events sent during the loop", |report| {
            report.run.as_ref().is_some_and(|run| run.events >= before + 20_000)
        });
        rates.push(arrived.run.unwrap().events - before);
    }
    assert!(
        sent >= 100_000 && rates.iter().all(|rate| *rate >= 20_000),
        "{sent} events, {rates:?}"
    );
    assert!(
        answers.iter().all(|took| *took < Duration::from_millis(100)),
        "/status took {answers:?}"
    );
    let report = worker.wait("the interruption", |report| report.script.failures > 0);
    let (error, took) = (report.script.last_error.unwrap(), report.script.last_duration.unwrap());
    assert!(
        error.contains("ScriptTimeout") || error.contains("time limit"),
        "{error}"
    );
    assert!((29.0..40.0).contains(&took), "interrupted after {took} s");
}

#[test]
fn a_reader_in_a_tight_loop_never_sees_a_partial_file() {
    let script = r#"
from mantid.simpleapi import *
def execute():
    fine = Rebin(mtd["lives"], "0,20,20000", PreserveEvents=False)
    SaveNexusProcessed(fine, config["defaultsave.directory"] + "/run.nxs")
"#;
    let (_instrument, mut worker, _api, output) = on_a_run("itatomic", script, |settings| {
        settings.with("SCRIPT_RUN_INTERVAL", "0.05")
    });
    worker.wait("the first file", |report| report.script.runs > 0);
    let (path, stop, opened) = (output.path().join("run.nxs"), AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let read = "import h5py, sys\nfor line in sys.stdin:\n  with h5py.File(sys.argv[1], 'r') as f:\n    \
                        assert f['mantid_workspace_1/workspace/values'].shape == (40, 1000)\n    \
                        assert f['mantid_workspace_1/workspace/values'][()].sum() > 0\n  print('ok', flush=True)\n";
            let mut reader = std::process::Command::new(lab::python())
                .args(["-c", read])
                .arg(&path)
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            let mut input = reader.stdin.take().unwrap();
            let mut answers = std::io::BufReader::new(reader.stdout.take().unwrap());
            while !stop.load(Ordering::Relaxed) {
                use std::io::{BufRead, Write};
                let mut answer = String::new();
                writeln!(input, "again").unwrap();
                answers.read_line(&mut answer).unwrap();
                assert_eq!(answer, "ok\n", "a partial file was read");
                opened.fetch_add(1, Ordering::Relaxed);
            }
            drop(input);
            reader.wait().unwrap();
        });
        let runs = worker.report().unwrap().script.runs;
        worker.wait("forty more files", |report| report.script.runs >= runs + 40);
        stop.store(true, Ordering::Relaxed);
    });
    assert!(
        opened.load(Ordering::Relaxed) > 40,
        "{} openings",
        opened.load(Ordering::Relaxed)
    );
    let names: Vec<_> = std::fs::read_dir(output.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2, "only the file and the hidden folder: {names:?}");
}

#[test]
fn bad_scripts_are_shown_in_words_and_the_last_good_one_goes_on() {
    let (_instrument, mut worker, api, _output) = on_a_run("itbadscript", COUNT_SCRIPT, |settings| settings);
    worker.wait("the first execution", |report| report.script.runs > 0);
    for (script, words) in [
        ("def execute(:\n", "SyntaxError"),
        ("x = 1\n", "execute"),
        ("import no_such_module\ndef execute(): pass\n", "no_such_module"),
        (
            "from mantid.simpleapi import NoSuchAlgorithm\ndef execute(): pass\n",
            "NoSuchAlgorithm",
        ),
        ("import sys\nsys.exit(3)\n", "SystemExit"),
    ] {
        api.answer(Answer::Script(script.into()));
        let report = worker.wait(words, |report| {
            report.script.last_error.as_deref().is_some_and(|e| e.contains(words))
        });
        let runs = report.script.runs;
        worker.wait("the last good script to go on", |report| {
            report.script.runs > runs && report.script.failures == 0
        });
    }
    // A script that loads is current; if it raises, the error is reported and the script is executed again.
    for (body, words) in [
        ("raise ValueError('the moderator is cold')", "the moderator is cold"),
        ("import sys; sys.exit('enough')", "enough"),
        ("mtd['no such workspace']", "no such workspace"),
        ("Rebin(mtd['lives'], '0,0,10')", "Cannot have a zero bin width"),
    ] {
        api.answer(Answer::Script(format!(
            "from mantid.simpleapi import *\ndef execute():\n    {body}\n"
        )));
        let report = worker.wait(words, |report| {
            report.script.last_error.as_deref().is_some_and(|e| e.contains(words))
        });
        let failures = report.script.failures;
        worker.wait("the failing script to be tried again", |report| {
            report.script.failures > failures
        });
    }
    api.answer(Answer::Script(
        "def execute():\n    print('x' * 100)\n    for n in range(200000): print('line', n)\n".into(),
    ));
    let failures = worker.report().unwrap().script.failures;
    let runs = worker.report().unwrap().script.runs;
    worker.wait("megabytes of print", |report| {
        report.script.runs > runs + 1 && report.script.last_error.is_none()
    });
    assert!(worker.report().unwrap().script.failures <= failures + 1);
    api.answer(Answer::Script(
        "import threading, time\ndef execute():\n    threading.Thread(target=time.sleep, args=(60,), name='lingering').start()\n"
            .into(),
    ));
    worker.wait("the thread that lingers", |report| {
        report.script.threads.iter().any(|name| name.contains("lingering"))
    });
    let (status, _) = worker.stop();
    assert!(status.success(), "a lingering thread kept the worker: {status}");
}

#[test]
fn an_api_that_fails_in_every_way_is_shown_and_the_last_script_goes_on() {
    let (_instrument, mut worker, api, output) = on_a_run("itapi", COUNT_SCRIPT, |settings| settings);
    worker.wait("the first execution", |report| report.script.runs > 0);
    for (answer, words) in [
        (Answer::Error(500, "oops".into()), "500"),
        (Answer::Html("<html>sign in</html>".into()), "sign in"),
        (Answer::Null, "no script"),
    ] {
        api.answer(answer);
        let runs = worker.report().unwrap().script.runs;
        worker.wait(words, |report| {
            report.degraded.iter().any(|wrong| wrong.message.contains(words)) && report.script.runs > runs + 1
        });
    }
    api.answer(Answer::Script(COUNT_SCRIPT.into()));
    worker.wait("recovery", |report| {
        report.degraded.iter().all(|wrong| !wrong.reason.contains("Script"))
    });
    worker.stop();

    // Without the API from the start, the last valid script is loaded from the disk.
    api.answer(Answer::Silence);
    let name = "ITAPI";
    let mut again = Settings::new(name, output.path(), "http://127.0.0.1:9").start();
    again.wait("the last good script", |report| {
        report.script.runs > 0 && report.script.last_error.is_none()
    });
}

#[test]
fn an_output_folder_that_cannot_be_written_is_said_and_nothing_is_executed_until_it_can() {
    let mut instrument = Instrument::new("itreadonly", Schema::Ev42, 1);
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    // A file in place of the folder: not even root can write into it.
    std::fs::write(&output, b"").unwrap();
    let api = Api::start(COUNT_SCRIPT);
    let base = now() / SECOND * SECOND - 10 * SECOND;
    instrument.start_run(&Run::new(901, base, base + 3600 * SECOND));
    instrument.pulse(base, 100);
    instrument.flush();
    let mut worker = Settings::new(&instrument.name, &output, api.url()).start();
    let report = worker.wait("the folder's state in words", |report| {
        report.ready && report.degraded.iter().any(|wrong| wrong.reason == "OutputNotWritable")
    });
    assert!(!report.writer && report.script.runs == 0);
    assert_eq!(worker.get("/readyz").unwrap().0, 200);
    std::fs::remove_file(&output).unwrap();
    std::fs::create_dir(&output).unwrap();
    worker.wait("executions", |report| {
        report.script.runs > 0 && report.degraded.iter().all(|wrong| wrong.reason != "OutputNotWritable")
    });
    assert!(output.join("901.nxs").exists());
}
