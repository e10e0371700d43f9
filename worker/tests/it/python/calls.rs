//! Algorithms called from Python, and the workspaces that they return.

use super::{printed, python_tests, worker_python};

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
