//! Embedded Python: files run by the binary, and scripts run by the script runner. Each test has a process of its own,
//! since an interpreter can be started only once in a process.

mod calls;
mod files;
mod real_mantid;
mod scripts;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Virtual environment of the tests: `LIVE_DATA_VENV`, or that of `ci/setup`.
pub fn venv() -> PathBuf {
    static VENV: OnceLock<PathBuf> = OnceLock::new();
    VENV.get_or_init(|| {
        let cache = std::env::var_os("LIVE_DATA_CACHE").map_or_else(
            || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/live-data"),
            PathBuf::from,
        );
        let venv = std::env::var_os("LIVE_DATA_VENV").map_or_else(|| cache.join("py"), PathBuf::from);
        assert!(
            venv.join("bin/python").exists(),
            "no Python environment at {}: run ci/setup, or set LIVE_DATA_VENV to one with numpy, scipy, h5py and requests",
            venv.display()
        );
        venv
    })
    .clone()
}

/// Folder of the Python files of these tests.
pub fn python_tests() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/python")
}

/// Command `live-data-worker python FILE` with the native engine.
pub fn worker_python() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_live-data-worker"));
    command
        .arg("python")
        .env("LIVE_DATA_VENV", venv())
        .env("ENGINE", "native")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Output of a process, for the message of a failed test.
pub fn printed(output: &Output) -> String {
    format!(
        "{}\n--- stdout\n{}\n--- stderr\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Runs the test `name` again in a child process; true within that process, where the test continues.
pub fn in_own_process(name: &str) -> bool {
    const MARK: &str = "LIVE_DATA_TEST_OF_ITS_OWN";
    if std::env::var(MARK).as_deref() == Ok(name) {
        return true;
    }
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args(["--exact", name, "--nocapture", "--test-threads", "1"])
        .env(MARK, name)
        .env("LIVE_DATA_VENV", venv())
        .output()
        .unwrap();
    let ran = String::from_utf8_lossy(&output.stdout).contains("1 passed");
    assert!(output.status.success() && ran, "{}", printed(&output));
    false
}
