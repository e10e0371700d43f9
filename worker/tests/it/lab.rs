//! Servers of the laboratory (`ci/lab`), which end with the test process.
//!
//! Promises: each server has a free port and a folder of its own, so that tests run in parallel; a server that does not
//! start fails the test with its error output.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Root folder of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Folder of tools that `ci/setup` installs: `LIVE_DATA_CACHE`, or `~/.cache/live-data`.
pub fn cache() -> PathBuf {
    std::env::var_os("LIVE_DATA_CACHE").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/live-data"),
        PathBuf::from,
    )
}

/// Interpreter with the packages that scripts and tests import.
pub fn python() -> PathBuf {
    let python = cache().join("py/bin/python");
    assert!(python.exists(), "{} is missing: run ci/setup first", python.display());
    python
}

/// Virtual environment of [`python`].
pub fn venv() -> PathBuf {
    python().parent().unwrap().parent().unwrap().to_owned()
}

/// Server of the laboratory, with a folder that outlives the value.
#[derive(Debug)]
pub struct Server {
    kind: &'static str,
    folder: PathBuf,
    values: HashMap<String, String>,
}

impl Server {
    /// Starts a server of a program in `ci/lab`: `kafka` or `redis`.
    pub fn start(kind: &'static str) -> Server {
        Server::start_with(kind, &[])
    }

    /// Starts a server with further options of its program.
    pub fn start_with(kind: &'static str, options: &[&str]) -> Server {
        let folder = tempfile::Builder::new().prefix("live-data-").tempdir().unwrap().keep();
        let mut server = Server {
            kind,
            folder,
            values: HashMap::new(),
        };
        let values = server.call("up", options);
        server.values = values
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        server
    }

    /// Value that the program printed at the start, such as `KAFKA_BOOTSTRAP`.
    pub fn value(&self, name: &str) -> &str {
        self.values
            .get(name)
            .unwrap_or_else(|| panic!("{} says no {name}: {:?}", self.kind, self.values))
    }

    /// Stops the server; data and port remain.
    pub fn stop(&self) {
        self.call("stop", &[]);
    }

    /// Kills one broker of a cluster, by its number (SIGKILL).
    pub fn kill_broker(&self, broker: i32) {
        self.call("stop", &[&broker.to_string(), "--kill"]);
    }

    /// Starts the stopped server with its data and port.
    pub fn restart(&self) {
        self.call("start", &[]);
    }

    fn call(&self, verb: &str, options: &[&str]) -> String {
        let program = root().join("ci/lab").join(self.kind);
        let output = Command::new(&program)
            .arg(verb)
            .arg(&self.folder)
            .args(options)
            // The laboratory stops the server when this process ends, even by a signal.
            .env("LAB_OWNER", std::process::id().to_string())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{} {verb} failed:\n{}",
            program.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Broker shared by the tests, each of which has its own instrument.
pub fn kafka() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start("kafka"))
}

/// Redis server shared by the tests.
pub fn redis() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start("redis"))
}
