//! Real workers and streams for the tests: processes of `live-data-worker`, a Kafka broker, a server for the FIA API.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::lab::{cache, root};

/// Process that is killed on drop.
pub struct Process {
    child: Child,
}

impl Process {
    fn start(command: &mut Command, log: &Path) -> Self {
        let log = File::create(log).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        Self {
            child: command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")),
        }
    }

    /// Exit status as text; `None` while it runs.
    pub fn ended(&mut self) -> Option<String> {
        self.child.try_wait().unwrap().map(|status| status.to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Worker's program: the one in LIVE_DATA_WORKER, else this build's.
fn worker() -> PathBuf {
    let worker = std::env::var_os("LIVE_DATA_WORKER").map_or_else(
        || Path::new(env!("CARGO_BIN_EXE_live-data-operator")).with_file_name("live-data-worker"),
        PathBuf::from,
    );
    assert!(
        worker.exists(),
        "{} is missing: test the whole workspace, or run cargo build -p live-data-worker",
        worker.display()
    );
    worker
}

/// Worker process for a pod, with the environment of the pod's template.
///
/// Address, folders and Python packages differ, because the process has no container.
pub fn run_pod(pod: &Value, folder: &Path) -> Process {
    let container = &pod["spec"]["containers"][0];
    let literals: HashMap<&str, &str> = container["env"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| Some((entry["name"].as_str()?, entry["value"].as_str()?)))
        .collect();
    for name in ["output", "work", "home"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    let venv = cache().join("py");
    assert!(venv.exists(), "{} is missing: run ci/setup", venv.display());
    let mut command = Command::new(worker());
    command
        .env_clear()
        .envs(literals)
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("LIVE_DATA_VENV", venv)
        .env(
            "HTTP_ADDR",
            format!("{}:8080", pod["status"]["podIP"].as_str().unwrap()),
        )
        .env("OUTPUT_DIR", folder.join("output"))
        .env("WORK_DIR", folder.join("work"))
        .env("HOME", folder.join("home"));
    Process::start(&mut command, &folder.join("log"))
}

/// Simulated instrument with successive runs of `run_seconds` s and `rate` events per second.
pub fn simulate(instrument: &str, broker: &str, rate: u32, run_seconds: u32, seed: u32, folder: &Path) -> Process {
    fs::create_dir_all(folder).unwrap();
    let mut command = Command::new(worker());
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .args([
            "simulate",
            "--create-topics",
            "--runs",
            "0",
            "--gap-seconds",
            "2",
            "--pulse-rate",
            "10",
        ])
        .args(["--instrument", instrument, "--kafka-bootstrap-servers", broker])
        .args(["--rate", &rate.to_string(), "--run-seconds", &run_seconds.to_string()])
        .args(["--seed", &seed.to_string()]);
    Process::start(&mut command, &folder.join("simulate.log"))
}

/// Kafka broker that is stopped on drop.
pub struct Kafka {
    folder: PathBuf,
    pub bootstrap: String,
}

impl Kafka {
    pub fn start(folder: PathBuf) -> Self {
        let mut kafka = Self {
            folder,
            bootstrap: String::new(),
        };
        let said = kafka.call("up").unwrap_or_else(|error| panic!("no broker: {error}"));
        kafka.bootstrap = said
            .lines()
            .find_map(|line| line.strip_prefix("KAFKA_BOOTSTRAP="))
            .unwrap_or_else(|| panic!("the broker tells no KAFKA_BOOTSTRAP: {said}"))
            .to_owned();
        kafka
    }

    fn call(&self, verb: &str) -> Result<String, String> {
        let done = Command::new(root().join("ci/lab/kafka"))
            .arg(verb)
            .arg(&self.folder)
            // The laboratory stops it when this process has ended, also after a crash.
            .env("LAB_OWNER", std::process::id().to_string())
            .output()
            .map_err(|error| error.to_string())?;
        if done.status.success() {
            Ok(String::from_utf8_lossy(&done.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&done.stderr).into_owned())
        }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        // The laboratory ends a broker that does not stop here.
        let _ = self.call("down");
    }
}

/// URL of a FIA API that has this script for every instrument; it ends with the test process.
pub fn fia_api(script: &str) -> String {
    let body = serde_json::to_string(script).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    url
}
