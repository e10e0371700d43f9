//! Real control plane for the whole run of the tests, with the chart's account and operators as processes.
//!
//! Tests run one at a time: they share a Lease. An object that remains after a passed test is a failure. Objects that
//! remain after a failed test are removed: the next test starts with an empty cluster. An absent prerequisite is a failure
//! that names it.
//!
//! # Layout
//! - this file: the control plane and its installation.
//! - [`turns`]: mutual exclusion of tests, and the removal of their objects.
//! - [`cluster`]: kubectl, objects, conditions; [`audit`]: requests by account.
//! - [`operator`]: the operator's processes; [`proxies`]: faulty connections to the apiserver.

mod audit;
mod cluster;
pub mod operator;
pub mod proxies;
mod turns;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

pub use audit::OPERATOR;
pub use operator::program;
pub use turns::turn;

/// Limit of waits, long enough for a busy machine.
pub const LONG: Duration = Duration::from_secs(240);

/// Site settings of the tests' operators.
pub const SITE: [(&str, &str); 10] = [
    ("DEV_MODE", "true"),
    ("CLUSTER_ID", "ba68226a-672f-4ba5-97bc-22840318b2ec"),
    ("FS_NAME", "deneb"),
    ("CEPH_CREDS_SECRET_NAME", "ceph-creds"),
    ("CEPH_CREDS_SECRET_NAMESPACE", "fia"),
    ("FIA_API_URL", "http://localhost:8000"),
    ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
    ("VALKEY_HOST", "valkey.valkey.svc.cluster.local"),
    ("VALKEY_PORT", "6379"),
    ("WORKER_NETWORK_POLICY", "true"),
];

pub struct Lab {
    pub folder: PathBuf,
    pub root: PathBuf,
    environment: Vec<(String, String)>,
}

/// Helm arguments for this tree's chart without its Deployment; tests run the operator themselves.
const RELEASE: [&str; 7] = [
    "install",
    "live-data",
    "charts/live-data",
    "--namespace",
    "fia",
    "--set",
    "replicas=0",
];

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Folder of the programs that `ci/setup` builds.
pub fn cache() -> PathBuf {
    std::env::var_os("LIVE_DATA_CACHE").map_or_else(
        || Path::new(&std::env::var("HOME").unwrap()).join(".cache/live-data"),
        PathBuf::from,
    )
}

impl Lab {
    /// Starts a control plane that ends with this process, and installs the chart's definition and rights.
    pub fn start(name: &str) -> Self {
        let root = root();
        let folder = std::env::temp_dir().join(format!("live-data-operator-{}-{name}", std::process::id()));
        let program = root.join("ci/lab/kubernetes");
        let up = Command::new(&program)
            .arg("up")
            .arg(&folder)
            // The laboratory stops it when this process has ended, also after a crash.
            .env("LAB_OWNER", std::process::id().to_string())
            .output()
            .expect("ci/lab/kubernetes runs");
        assert!(
            up.status.success(),
            "no control plane: {}",
            String::from_utf8_lossy(&up.stderr)
        );
        let environment = String::from_utf8(up.stdout)
            .unwrap()
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let lab = Self {
            folder,
            root,
            environment,
        };
        lab.kubectl(&["create", "namespace", "fia"]);
        lab.usual_namespace().unwrap();
        lab.helm(&RELEASE);
        let account = Command::new(&program)
            .args([
                "account".as_ref(),
                lab.folder.as_os_str(),
                "fia".as_ref(),
                "live-data-operator".as_ref(),
            ])
            .arg(lab.operator_kubeconfig())
            .output()
            .unwrap();
        assert!(
            account.status.success(),
            "no account: {}",
            String::from_utf8_lossy(&account.stderr)
        );
        lab
    }

    fn try_control(&self, command: &str, more: &[&str]) -> Result<(), String> {
        let done = Command::new(self.root.join("ci/lab/kubernetes"))
            .arg(command)
            .arg(&self.folder)
            .args(more)
            .output()
            .map_err(|error| error.to_string())?;
        if done.status.success() {
            Ok(())
        } else {
            Err(format!("{command}: {}", String::from_utf8_lossy(&done.stderr)))
        }
    }

    pub fn operator_kubeconfig(&self) -> PathBuf {
        self.folder.join("operator.kubeconfig")
    }

    pub fn env(&self, name: &str) -> &str {
        let found = self.environment.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("the control plane tells no {name}")).1
    }

    /// `ci/lab/kubernetes` with the folder of this control plane.
    pub fn control(&self, command: &str, more: &[&str]) {
        self.try_control(command, more)
            .unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Waits for a condition; panics after `limit` with the last observation.
pub fn eventually<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match look() {
            Ok(value) => return value,
            Err(seen) => assert!(started.elapsed() < limit, "not within {limit:?}: {what}; seen: {seen}"),
        }
        thread::sleep(Duration::from_millis(150));
    }
}

pub fn condition(resource: &Value, kind: &str) -> Value {
    resource["status"]["conditions"]
        .as_array()
        .and_then(|conditions| conditions.iter().find(|condition| condition["type"] == kind).cloned())
        .unwrap_or_default()
}

/// A resource as YAML; `spec` is JSON.
pub fn resource(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: fia.com/v1\nkind: LiveDataProcessor\nmetadata:\n  name: {name}\n  namespace: fia\nspec: {spec}\n---\n"
    )
}
