//! A real control plane for the whole run of the tests, the chart's account on it, and operators as processes.
//!
//! Tests take turns: one Lease, one operator unless a test starts more. What cannot be had is a failure with words.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Generous: a machine that is busy must not fail a test.
pub const LONG: Duration = Duration::from_secs(120);

/// The site's settings that tests start from.
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

static LAB: OnceLock<Lab> = OnceLock::new();
static TURN: Mutex<()> = Mutex::new(());

/// The control plane, and the turn of the test that holds the guard.
pub fn turn() -> (MutexGuard<'static, ()>, &'static Lab) {
    let guard = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let lab = LAB.get_or_init(|| Lab::start("shared"));
    (guard, lab)
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
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
            .output()
            .expect("ci/lab/kubernetes runs");
        assert!(
            up.status.success(),
            "no control plane: {}",
            String::from_utf8_lossy(&up.stderr)
        );
        // The tests' process may end in many ways; whatever happens, the control plane goes with it. The watcher is
        // left to init, which outlives this process.
        Command::new("bash")
            .arg("-c")
            .arg("(tail --pid=\"$0\" -f /dev/null; \"$1\" down \"$2\") &")
            .arg(std::process::id().to_string())
            .arg(&program)
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
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
        // Every worker here must pass the strictest standard.
        for mode in ["enforce", "warn"] {
            lab.kubectl(&[
                "label",
                "namespace",
                "fia",
                &format!("pod-security.kubernetes.io/{mode}=restricted"),
            ]);
        }
        lab.helm(&[
            "install",
            "live-data",
            "charts/live-data",
            "--namespace",
            "fia",
            "--set",
            "replicas=0",
        ]);
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

    pub fn operator_kubeconfig(&self) -> PathBuf {
        self.folder.join("operator.kubeconfig")
    }

    pub fn env(&self, name: &str) -> &str {
        let found = self.environment.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("the control plane tells no {name}")).1
    }

    /// `ci/lab/kubernetes` with the folder of this control plane.
    pub fn control(&self, command: &str, more: &[&str]) {
        let done = Command::new(self.root.join("ci/lab/kubernetes"))
            .arg(command)
            .arg(&self.folder)
            .args(more)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    fn tool(&self, name: &str) -> Command {
        let cache = std::env::var("LIVE_DATA_CACHE").map_or_else(
            |_| Path::new(&std::env::var("HOME").unwrap()).join(".cache/live-data"),
            PathBuf::from,
        );
        let program = cache.join("tools/bin").join(name);
        assert!(program.exists(), "{} is missing: run ci/setup", program.display());
        let mut command = Command::new(program);
        command
            .env("KUBECONFIG", self.env("KUBECONFIG"))
            .current_dir(&self.root)
            .stdin(Stdio::null());
        command
    }

    /// kubectl that must succeed; its output.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments)
            .unwrap_or_else(|error| panic!("kubectl {arguments:?}: {error}"))
    }

    /// kubectl's output, or its complaint.
    pub fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let done = self.tool("kubectl").args(arguments).output().unwrap();
        if done.status.success() {
            Ok(String::from_utf8(done.stdout).unwrap())
        } else {
            Err(String::from_utf8(done.stderr).unwrap())
        }
    }

    pub fn helm(&self, arguments: &[&str]) -> String {
        let done = self.tool("helm").args(arguments).output().unwrap();
        assert!(
            done.status.success(),
            "helm {arguments:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout).unwrap()
    }

    /// Applies a text of YAML.
    pub fn apply(&self, yaml: &str) {
        self.try_apply(yaml, &[])
            .unwrap_or_else(|error| panic!("apply: {error}\n{yaml}"));
    }

    pub fn try_apply(&self, yaml: &str, more: &[&str]) -> Result<String, String> {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let file = self.folder.join(format!("apply-{number}.yaml"));
        fs::write(&file, yaml).unwrap();
        let mut arguments = vec!["apply", "-f", file.to_str().unwrap()];
        arguments.extend(more);
        self.try_kubectl(&arguments)
    }

    /// An object in the namespace `fia` (or cluster-wide) as JSON, if there is one.
    pub fn get(&self, what: &str) -> Option<Value> {
        let (kind, name) = what.split_once('/').unwrap();
        let text = self.kubectl(&["get", "-n", "fia", kind, name, "--ignore-not-found", "-o", "json"]);
        (!text.is_empty()).then(|| serde_json::from_str(&text).unwrap())
    }

    pub fn list(&self, arguments: &[&str]) -> Vec<Value> {
        let mut all = vec!["get", "-o", "json"];
        all.extend(arguments);
        let list: Value = serde_json::from_str(&self.kubectl(&all)).unwrap();
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// A resource in the namespace `fia`.
    pub fn resource(&self, name: &str) -> Value {
        self.get(&format!("ldp/{name}"))
            .unwrap_or_else(|| panic!("no resource {name}"))
    }

    /// Waits until a resource's condition has this status and reason.
    pub fn wait_for(&self, name: &str, kind: &str, status: &str, reason: &str) -> Value {
        eventually(&format!("{name}: {kind}={status} {reason}"), LONG, || {
            let resource = self.resource(name);
            let found = condition(&resource, kind);
            let current = found["observedGeneration"] == resource["metadata"]["generation"];
            if found["status"] == status && found["reason"] == reason && current {
                Ok(resource)
            } else {
                Err(resource["status"].to_string())
            }
        })
    }

    pub fn wait_ready(&self, name: &str) -> Value {
        self.wait_for(name, "Ready", "True", "WorkerReady")
    }

    pub fn wait_gone(&self, what: &str) {
        eventually(&format!("{what} is gone"), LONG, || {
            self.get(what)
                .map_or(Ok(()), |object| Err(object["metadata"].to_string()))
        });
    }

    /// Creates a resource in the namespace `fia`; `spec` is JSON.
    pub fn create(&self, name: &str, spec: &str) {
        self.apply(&resource(name, spec));
    }

    /// Deletes a resource and waits until nothing is left of it.
    pub fn delete(&self, name: &str) {
        self.kubectl(&["delete", "ldp", "-n", "fia", name, "--wait=false", "--ignore-not-found"]);
        self.wait_nothing_left(name);
    }

    pub fn wait_nothing_left(&self, name: &str) {
        eventually(&format!("nothing is left of {name}"), LONG, || {
            let selector = format!("app.kubernetes.io/instance={name},app.kubernetes.io/name=live-data-worker");
            let kinds = "pv,pvc,deployments,replicasets,pods,services,serviceaccounts,networkpolicies";
            let left = self.kubectl(&["get", kinds, "-n", "fia", "-l", &selector, "-o", "name"]);
            let resource = self.kubectl(&["get", "ldp", "-n", "fia", name, "--ignore-not-found", "-o", "name"]);
            if left.is_empty() && resource.is_empty() {
                Ok(())
            } else {
                Err(left + &resource)
            }
        });
    }

    /// Lines of the audit log so far.
    pub fn audit_mark(&self) -> usize {
        fs::read_to_string(self.env("AUDIT_LOG")).unwrap().lines().count()
    }

    /// Requests of the operator's account since the mark, as (verb, resource/subresource, name); Leases excepted.
    pub fn requests_since(&self, mark: usize) -> Vec<(String, String, String)> {
        fs::read_to_string(self.env("AUDIT_LOG"))
            .unwrap()
            .lines()
            .skip(mark)
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["user"]["username"] == "system:serviceaccount:fia:live-data-operator")
            .map(|line| {
                let text = |path: &str| {
                    line.pointer(path)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                let resource = format!("{}/{}", text("/objectRef/resource"), text("/objectRef/subresource"));
                (
                    text("/verb"),
                    resource.trim_end_matches('/').to_owned(),
                    text("/objectRef/name"),
                )
            })
            .filter(|(_, resource, _)| resource != "leases")
            .collect()
    }

    pub fn writes_since(&self, mark: usize) -> Vec<(String, String, String)> {
        let mut requests = self.requests_since(mark);
        requests.retain(|(verb, _, _)| !matches!(verb.as_str(), "get" | "list" | "watch"));
        requests
    }

    /// `kubectl proxy` as the operator's account.
    pub fn proxy(&self) -> KubectlProxy {
        let mut child = self
            .tool("kubectl")
            .env("KUBECONFIG", self.operator_kubeconfig())
            .args(["proxy", "--port=0", "--accept-hosts=.*", "--disable-filter=true"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        KubectlProxy {
            child,
            port: port.unwrap_or_else(|| panic!("kubectl proxy says {line:?}")),
        }
    }

    /// Starts an operator with the usual site.
    pub fn operator(&self) -> Operator {
        self.operator_with("operator-0", &[])
    }

    /// Starts an operator under a name, with further settings; an empty value unsets one.
    pub fn operator_with(&self, name: &str, settings: &[(&str, &str)]) -> Operator {
        let mut command = Command::new(program());
        command.env_clear().env("KUBECONFIG", self.operator_kubeconfig());
        command.envs([
            ("POD_NAME", name),
            ("POD_NAMESPACE", "fia"),
            ("HTTP_ADDR", "127.0.0.1:0"),
        ]);
        command.envs([("RUST_LOG", "info"), ("LOG_FORMAT", "text")]).envs(SITE);
        for (name, value) in settings {
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        Operator::start(command)
    }
}

/// A running `kubectl proxy`.
pub struct KubectlProxy {
    child: Child,
    pub port: u16,
}

impl KubectlProxy {
    pub fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for KubectlProxy {
    fn drop(&mut self) {
        self.end();
    }
}

/// The operator's program: this build's, or the one that LIVE_DATA_OPERATOR names.
pub fn program() -> PathBuf {
    std::env::var_os("LIVE_DATA_OPERATOR")
        .map_or_else(|| env!("CARGO_BIN_EXE_live-data-operator").into(), PathBuf::from)
}

/// An operator's process; its log is kept.
pub struct Operator {
    child: Child,
    pub log: Arc<Mutex<Vec<String>>>,
}

impl Operator {
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let sink = log.clone();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                sink.lock().unwrap().push(line);
            }
        });
        let operator = Self { child, log };
        operator.wait_log("serving");
        operator
    }

    pub fn wait_log(&self, text: &str) -> String {
        eventually(&format!("the operator logs {text:?}"), LONG, || {
            let log = self.log.lock().unwrap();
            log.iter()
                .find(|line| line.contains(text))
                .cloned()
                .ok_or_else(|| log.join("\n"))
        })
    }

    pub fn page(&self, path: &str) -> Result<String, String> {
        let line = self.wait_log("serving");
        let address = line
            .split("address=")
            .nth(1)
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap()
            .to_owned();
        super::workers::http_get(&address, path)
    }

    pub fn wait_ready(&self) -> &Self {
        eventually("the operator is ready", LONG, || self.page("/readyz"));
        self
    }

    pub fn wait_leading(&self) -> &Self {
        self.wait_log("leading");
        self.wait_ready()
    }

    /// Resident memory, in MiB.
    pub fn memory(&self, field: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    fn signal(&self, name: &str) {
        assert!(
            Command::new("kill")
                .arg(format!("-{name}"))
                .arg(self.child.id().to_string())
                .status()
                .unwrap()
                .success()
        );
    }

    /// SIGTERM; it must end well.
    pub fn stop(mut self) {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        assert!(
            status.success(),
            "the operator ended with {status}: {}",
            self.log.lock().unwrap().join("\n")
        );
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            let tail: Vec<_> = log.iter().rev().take(40).rev().cloned().collect();
            eprintln!("--- the operator's log ---\n{}", tail.join("\n"));
        }
    }
}

/// Waits for a condition; what was last seen is told when it does not come.
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
