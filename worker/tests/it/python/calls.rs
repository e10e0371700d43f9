//! Algorithms called from Python and the workspaces that they return.

use std::sync::Arc;
use std::time::Duration;

use live_data_reduction::instrument::source::InstrumentFolders;
use live_data_reduction::service::Services;
use live_data_reduction::value::Value;
use live_data_worker::python::native::{self, SinkLogger};
use live_data_worker::python::output::{OutputQueue, OutputQueueLimits, OutputSink, Redactor};
use live_data_worker::python::{EngineChoice, Interpreter, InterpreterConfig, Limits};
use live_data_worker::script::ScriptRunner;
use pyo3::prelude::*;

use super::{in_own_process, printed, python_tests, venv, worker_python};

fn passes(file: &str) {
    let output = worker_python().arg(python_tests().join(file)).output().unwrap();
    assert!(output.status.success(), "{file}: {}", printed(&output));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("\nOK"), "{file} ran no test: {}", printed(&output));
}

#[test]
fn algorithms_are_called_as_mantid_calls_them() {
    passes("test_calls.py");
}

#[test]
fn arrays_are_read_only_or_copied_on_write() {
    passes("test_arrays.py");
}

#[test]
fn workspaces_have_mantids_methods() {
    passes("test_workspaces.py");
}

#[test]
fn documented_numbers_come_out() {
    passes("test_documented.py");
}

#[test]
fn instruments_have_parts_and_workspaces_a_sample() {
    passes("test_components.py");
}

#[test]
fn every_promised_name_has_its_value() {
    passes("test_names_of_the_api.py");
}

#[test]
fn no_call_panics_or_hangs() {
    passes("test_fuzz.py");
}

fn native_engine() -> (ScriptRunner, Services, Arc<OutputQueue>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let queue = Arc::new(OutputQueue::new(OutputQueueLimits::default()));
    let sink = OutputSink::Queue(Arc::clone(&queue));
    let logger = Arc::new(SinkLogger::new(sink.clone(), Redactor::default()));
    let service = Services::new(logger, Arc::new(InstrumentFolders::new(vec![])));
    let handle = Interpreter::start(InterpreterConfig {
        venv: Some(venv()),
        engine: EngineChoice::Native,
        output: sink,
        redactor: Redactor::default(),
        hidden_variables: vec![],
        home: None,
        native: Some(native::setup(service.clone())),
    })
    .unwrap();
    (
        ScriptRunner::new(handle, folder.path()).unwrap(),
        service,
        queue,
        folder,
    )
}

#[test]
fn rust_calls_algorithms_of_whichever_engine_is_mantid() {
    if !in_own_process("python::calls::rust_calls_algorithms_of_whichever_engine_is_mantid") {
        return;
    }
    let (runner, service, _queue, _folder) = native_engine();
    let properties = vec![
        ("DataX", Value::Floats(vec![0.0, 1.0, 2.0])),
        ("DataY", Value::Floats(vec![3.0, 4.0])),
        ("OutputWorkspace", Value::from("made")),
    ];
    let called = move |py: Python<'_>| {
        native::call_algorithm(py, "CreateWorkspace", &properties).map_err(|error| error.to_string())?;
        native::call_algorithm(py, "Rebin", &[("InputWorkspace", Value::from("made"))])
            .map_err(|error| error.to_string())
    };
    let error = runner.handle().run(None, called).unwrap().unwrap_err();
    assert!(
        error.contains("RuntimeError") && error.contains("OutputWorkspace"),
        "{error}"
    );
    assert_eq!(service.data.object_names(), ["made"]);
    let unknown = runner.handle().run(None, |py| {
        native::call_algorithm(py, "NoSuchThing", &[]).unwrap_err().to_string()
    });
    assert!(unknown.unwrap().contains("native engine"));
}

#[test]
fn workspaces_that_outlive_their_run_are_reported() {
    if !in_own_process("python::calls::workspaces_that_outlive_their_run_are_reported") {
        return;
    }
    let (runner, service, _queue, _folder) = native_engine();
    let limits = Limits::after(Duration::from_secs(30));
    let text = "from mantid.simpleapi import *\nimport builtins\nheld = []\n\
        def execute():\n    CreateWorkspace([0, 1], [1], OutputWorkspace='forgotten')\n\
        \x20   held.append(CreateWorkspace([0, 1], [1], OutputWorkspace='of the module'))\n\
        \x20   builtins.kept = CreateWorkspace([0, 1, 2], [1, 2], OutputWorkspace='of others')\n";
    runner.load(text, limits).unwrap();
    let outcome = runner.execute(limits, |_| Ok(())).unwrap();
    assert!(outcome.ok, "{outcome:?}");
    assert_eq!(service.data.len(), 3);
    let change = runner
        .change_run(
            limits,
            |py| native::clear_data_service(py, &[]),
            native::retained_workspaces,
        )
        .unwrap();
    assert_eq!(change.reload_error, None);
    let retained = change.retained;
    assert_eq!(
        retained
            .iter()
            .map(|workspace| workspace.name.as_str())
            .collect::<Vec<_>>(),
        ["of others"]
    );
    assert!(retained[0].bytes > 0 && service.data.is_empty());
}

#[test]
fn an_algorithm_is_interrupted_at_the_time_limit() {
    if !in_own_process("python::calls::an_algorithm_is_interrupted_at_the_time_limit") {
        return;
    }
    let (runner, _service, queue, _folder) = native_engine();
    let text = "from mantid.simpleapi import *\n\
        def execute():\n    ws = CreateWorkspace(list(range(20001)), [1.0] * 20000)\n    print('begun')\n\
        \x20   while True:\n        out = Rebin(ws, 3.0, StoreInADS=False)\n";
    runner.load(text, Limits::after(Duration::from_secs(30))).unwrap();
    let outcome = runner
        .execute(Limits::after(Duration::from_millis(800)), |_| Ok(()))
        .unwrap();
    assert!(outcome.interrupted, "{outcome:?}");
    assert!(outcome.error.unwrap().contains("ScriptTimeout"));
    assert_eq!(queue.receive(Duration::from_secs(5)).unwrap().text, "begun");
}
