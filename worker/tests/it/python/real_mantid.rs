//! Engine `mantid`, with a stand-in that refuses calls which Mantid's documentation does not have.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use live_data_engine::cancel::Cancel;
use live_data_engine::columns::{Columns, Events};
use live_data_engine::plan::EventPlan;
use live_data_reduction::workspace::MatrixWorkspace;
use live_data_reduction::workspace::data::XRows;
use live_data_reduction::workspace::events::EventData;
use live_data_reduction::workspace::matrix::WorkspaceData;
use live_data_reduction::workspace::spectra::SpectrumDetectorMapping;
use live_data_worker::python::output::{OutputQueue, OutputQueueLimits, OutputSink, Redactor};
use live_data_worker::python::real_mantid::{RealMantid, UpdateSummary};
use live_data_worker::python::{Engine, EngineChoice, Interpreter, InterpreterConfig, InterpreterHandle, StartError};
use pyo3::prelude::*;

use super::{in_own_process, printed, python_tests, venv};

#[test]
fn the_adapter_uses_only_what_is_documented() {
    let output = Command::new(venv().join("bin/python"))
        .arg("-B")
        .arg(python_tests().join("test_mantid_adapter.py"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", printed(&output));
}

/// Virtual environment whose package `mantid` is the stand-in.
fn environment(folder: &Path) {
    std::fs::create_dir_all(folder.join("bin")).unwrap();
    std::os::unix::fs::symlink("/usr/bin/python3.11", folder.join("bin/python")).unwrap();
    std::fs::write(folder.join("pyvenv.cfg"), "home = /usr/bin\nversion = 3.11\n").unwrap();
    let packages = folder.join("lib/python3.11/site-packages");
    std::fs::create_dir_all(&packages).unwrap();
    let stand_in = python_tests().join("strict_mantid");
    let numpy = venv().join("lib/python3.11/site-packages");
    std::fs::write(
        packages.join("paths.pth"),
        format!("{}\n{}\n", stand_in.display(), numpy.display()),
    )
    .unwrap();
}

fn start(venv: &Path, engine: EngineChoice) -> Result<InterpreterHandle, StartError> {
    Interpreter::start(InterpreterConfig {
        venv: Some(venv.to_path_buf()),
        engine,
        output: OutputSink::Queue(Arc::new(OutputQueue::new(OutputQueueLimits::default()))),
        redactor: Redactor::default(),
        hidden_variables: vec![],
        home: None,
        native: None,
    })
}

fn view(rows: &[&[(f64, i64)]]) -> MatrixWorkspace {
    let rows: Vec<Events> = rows
        .iter()
        .map(|row| Events {
            x: row.iter().map(|(x, _)| *x).collect(),
            pulse_time: row.iter().map(|(_, time)| *time).collect(),
            ..Events::default()
        })
        .collect();
    let x = XRows::Common(Arc::from([0.0, 20_000.0]));
    let mut matrix = MatrixWorkspace::new(WorkspaceData::Events(EventData::new(
        EventPlan::columns(Columns::from_rows(&rows)),
        x,
    )));
    let mut spectra = SpectrumDetectorMapping::with_capacity(3);
    for (number, ids) in [(5, &[1001, 1002][..]), (7, &[1003][..]), (9, &[1004, 1010][..])] {
        spectra.push(number, ids);
    }
    matrix.set_spectra(spectra).unwrap();
    matrix.run_mut().set_text("run_number", "71617");
    matrix
}

fn held(py: Python<'_>) -> Vec<Vec<(f64, i64)>> {
    let code =
        c"[sorted(s.events) for s in __import__('mantid.api').api.AnalysisDataService.retrieve('lives').spectra]";
    py.eval(code, None, None).unwrap().extract().unwrap()
}

#[test]
fn a_real_mantid_is_found_and_fed_with_what_is_new() {
    if !in_own_process("python::real_mantid::a_real_mantid_is_found_and_fed_with_what_is_new") {
        return;
    }
    const UNIX_1990: i64 = 631_152_000_000_000_000;
    let folder = tempfile::tempdir().unwrap();
    environment(folder.path());
    let handle = start(folder.path(), EngineChoice::Auto).unwrap();
    assert_eq!(handle.info().engine, Engine::Mantid("6.12.0".into()));
    let at = |time: i64| time + UNIX_1990;
    let first = view(&[&[(100.0, at(1)), (150.5, at(1))], &[], &[(50.0, at(2))]]);
    let second = view(&[
        &[(100.0, at(1)), (150.5, at(1)), (9.0, at(3))],
        &[(7.0, at(3))],
        &[(50.0, at(2))],
    ]);
    // An event of an earlier pulse is removed, because its frame was vetoed.
    let third = view(&[&[(100.0, at(1)), (9.0, at(3))], &[(7.0, at(3))], &[(50.0, at(2))]]);
    handle
        .run(None, move |py| {
            let mantid = RealMantid::new(py).unwrap();
            let feed = |view: &MatrixWorkspace| {
                mantid
                    .update(py, "lives", "STRICT", std::slice::from_ref(view), &Cancel::new())
                    .unwrap()
            };
            assert_eq!(
                feed(&first),
                UpdateSummary {
                    added: 3,
                    refilled: 0,
                    left_out: 0
                }
            );
            assert_eq!(
                feed(&first),
                UpdateSummary {
                    added: 0,
                    refilled: 0,
                    left_out: 0
                }
            );
            assert_eq!(
                feed(&second),
                UpdateSummary {
                    added: 2,
                    refilled: 0,
                    left_out: 0
                }
            );
            assert_eq!(
                held(py),
                [vec![(9.0, 3), (100.0, 1), (150.5, 1)], vec![(7.0, 3)], vec![(50.0, 2)]]
            );
            assert_eq!(
                feed(&third),
                UpdateSummary {
                    added: 2,
                    refilled: 1,
                    left_out: 0
                }
            );
            assert_eq!(held(py), [vec![(9.0, 3), (100.0, 1)], vec![(7.0, 3)], vec![(50.0, 2)]]);

            let both = [first.clone(), third.clone()];
            mantid.update(py, "lives", "STRICT", &both, &Cancel::new()).unwrap();
            let names: Vec<String> = mantid
                .workspaces(py)
                .unwrap()
                .into_iter()
                .map(|(name, ..)| name)
                .collect();
            assert!(
                names.contains(&"lives_1".into()) && names.contains(&"lives_2".into()),
                "{names:?}"
            );
            let error = mantid
                .update(py, "other", "NOWHERE", &both[..1], &Cancel::new())
                .unwrap_err();
            assert!(error.to_string().contains("NOWHERE"), "{error}");
            mantid.clear(py).unwrap();
            assert!(mantid.workspaces(py).unwrap().is_empty());
        })
        .unwrap();
}

#[test]
fn asking_for_a_mantid_that_is_not_there_is_an_error_in_words() {
    if !in_own_process("python::real_mantid::asking_for_a_mantid_that_is_not_there_is_an_error_in_words") {
        return;
    }
    let error = start(&venv(), EngineChoice::Mantid).err().unwrap().to_string();
    assert!(
        error.contains("ENGINE=mantid") && error.contains("no mantid package"),
        "{error}"
    );
}
