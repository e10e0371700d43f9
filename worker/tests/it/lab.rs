//! Real servers for the tests, started through `ci/lab` and ended with this process.
//!
//! Promises free ports and folders of their own, so that tests can run beside each other; a server that does not start
//! fails the test with its own words.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Where `ci/setup` installs things.
pub fn cache() -> PathBuf {
    std::env::var_os("LIVE_DATA_CACHE").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/live-data"),
        PathBuf::from,
    )
}

/// Python with the packages that scripts and tests import.
pub fn python() -> PathBuf {
    let python = cache().join("py/bin/python");
    assert!(python.exists(), "{} is missing: run ci/setup first", python.display());
    python
}

/// The environment that [`python`] belongs to.
pub fn venv() -> PathBuf {
    python().parent().unwrap().parent().unwrap().to_owned()
}

/// One server.
#[derive(Debug)]
pub struct Server {
    kind: &'static str,
    folder: PathBuf,
    values: HashMap<String, String>,
}

impl Server {
    /// Starts a server of `kind`: `kafka` or `redis`.
    pub fn start(kind: &'static str) -> Server {
        Server::start_with(kind, &[])
    }

    /// The same with options of its own program in `ci/lab`.
    pub fn start_with(kind: &'static str, options: &[&str]) -> Server {
        let folder = tempfile::Builder::new().prefix("live-data-").tempdir().unwrap().keep();
        let mut server = Server {
            kind,
            folder,
            values: HashMap::new(),
        };
        let said = server.call("up", options);
        server.values = said
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        server
    }

    /// A value that the server was started with, such as KAFKA_BOOTSTRAP.
    pub fn value(&self, name: &str) -> &str {
        self.values
            .get(name)
            .unwrap_or_else(|| panic!("{} says no {name}: {:?}", self.kind, self.values))
    }

    /// Ends the server, keeping its data and port.
    pub fn stop(&self) {
        self.call("stop", &[]);
    }

    /// Kills one broker of several, by its number.
    pub fn kill_broker(&self, broker: i32) {
        self.call("stop", &[&broker.to_string(), "--kill"]);
    }

    /// Starts it again.
    pub fn begin(&self) {
        self.call("start", &[]);
    }

    fn call(&self, verb: &str, options: &[&str]) -> String {
        let program = root().join("ci/lab").join(self.kind);
        let output = Command::new(&program)
            .arg(verb)
            .arg(&self.folder)
            .args(options)
            // The laboratory takes the server down when this process is gone, however it ended.
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

/// The broker that all tests share, each with an instrument of its own.
pub fn kafka() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start("kafka"))
}

/// The Redis server that all tests share.
pub fn redis() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start("redis"))
}
