//! Python files run by the binary.

use std::process::Command;

use super::{printed, python_tests, venv, worker_python};

fn run(text: &str) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.py");
    std::fs::write(&file, text).unwrap();
    let output = worker_python().arg(&file).arg("one").arg("two words").output().unwrap();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

fn passes(file: &str) {
    let output = worker_python().arg(python_tests().join(file)).output().unwrap();
    assert!(output.status.success(), "{file}: {}", printed(&output));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("\nOK"), "{file} ran no test: {}", printed(&output));
}

#[test]
fn a_file_gets_its_arguments_and_its_exit_code_is_kept() {
    let (code, stdout, _) = run("import sys\nprint(sys.argv[1:], __name__)\nsys.exit(7)\n");
    assert_eq!((code, stdout.as_str()), (7, "['one', 'two words'] __main__\n"));
    let (code, _, stderr) = run("import sys\nsys.exit('told why')\n");
    assert_eq!((code, stderr.trim_end()), (1, "told why"));
    assert_eq!(run("pass\n").0, 0);
}

#[test]
fn a_failing_file_shows_its_own_lines() {
    let (code, _, stderr) = run("def f():\n    return 1 / 0\nf()\n");
    assert_eq!(code, 1);
    assert!(
        stderr.contains("file.py\", line 2, in f") && stderr.contains("return 1 / 0"),
        "{stderr}"
    );
    assert!(
        stderr.contains("ZeroDivisionError") && !stderr.contains("<live-data>"),
        "{stderr}"
    );
}

#[test]
fn the_environment_is_the_one_that_was_asked_for() {
    let (code, stdout, stderr) = run("import sys, os\nprint(sys.prefix)\nprint(os.path.exists(sys.executable))\n");
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stdout, format!("{}\nTrue\n", venv().display()));
}

#[test]
fn variables_for_other_pythons_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.py");
    std::fs::write(&file, "import sys\nprint('/nowhere' in sys.path)\n").unwrap();
    let output = worker_python()
        .arg(&file)
        .env("PYTHONPATH", "/nowhere")
        .env("PYTHONHOME", "/nowhere")
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "False\n",
        "{}",
        printed(&output)
    );
}

#[test]
fn h5py_scipy_and_the_workers_own_hdf5_live_in_one_process() {
    let text = "import h5py, scipy.optimize, numpy as np, tempfile, os\n\
        path = os.path.join(tempfile.mkdtemp(), 'a.h5')\n\
        with h5py.File(path, 'w') as f:\n    f['x'] = np.arange(5)\n\
        with h5py.File(path) as f:\n    print(int(f['x'][:].sum()))\n";
    let (code, stdout, stderr) = run(text);
    assert_eq!((code, stdout.as_str()), (0, "10\n"), "{stderr}");
}

#[test]
fn exits_that_would_end_the_worker_are_refused_and_children_may_use_them() {
    let text = "import os\n\
        for exit in (lambda: os._exit(3), os.abort):\n    try:\n        exit()\n    except RuntimeError as e:\n        print(e)\n\
        pid = os.fork()\n\
        if pid == 0:\n    os._exit(5)\n\
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n";
    let (code, stdout, stderr) = run(text);
    assert_eq!(code, 0, "{stderr}");
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with("os._exit would end the whole worker"), "{stdout}");
    assert!(lines[1].starts_with("os.abort would end the whole worker"), "{stdout}");
    assert_eq!(lines[2], "5");
}

#[test]
fn a_missing_file_is_said() {
    let output = worker_python().arg("/nowhere/file.py").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", printed(&output));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("/nowhere/file.py"),
        "{}",
        printed(&output)
    );
}

#[test]
fn names_come_from_assignment_targets() {
    passes("test_names.py");
}

#[test]
fn names_come_from_assignment_targets_in_the_byte_code_of_python_3_13() {
    // Environments of the real Mantid have a newer Python than the worker's.
    let Some(python) = newer_python() else {
        eprintln!("no Python 3.13 on this machine: its byte code is not tried here");
        return;
    };
    let output = Command::new(&python)
        .arg("-B")
        .arg(python_tests().join("test_names.py"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{python}: {}", printed(&output));
}

fn newer_python() -> Option<String> {
    let mut candidates = vec!["python3.13".to_owned()];
    let versions = std::path::PathBuf::from(std::env::var_os("HOME")?).join(".pyenv/versions");
    for entry in std::fs::read_dir(versions).into_iter().flatten().flatten() {
        candidates.push(entry.path().join("bin/python3.13").to_string_lossy().into_owned());
    }
    candidates.into_iter().find(|python| {
        let check = Command::new(python)
            .args(["-c", "import sys; assert sys.version_info[:2] == (3, 13)"])
            .output();
        check.is_ok_and(|output| output.status.success())
    })
}

#[test]
fn what_is_absent_names_itself_and_the_way_to_get_it() {
    passes("test_absent.py");
}

#[test]
fn times_vectors_configuration_and_units_behave_as_scripts_expect() {
    passes("test_kernel.py");
}

#[test]
fn scipp_reduces_the_same_events_to_the_same_numbers() {
    passes("test_scipp.py");
}

#[test]
fn parameters_of_instruments_are_read_as_scripts_expect() {
    passes("test_parameters.py");
}
