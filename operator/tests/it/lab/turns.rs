//! Mutual exclusion of tests, and the check that each leaves the cluster empty.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{LONG, Lab};

static LAB: OnceLock<Lab> = OnceLock::new();
static TURN: Mutex<()> = Mutex::new(());

/// Namespaces that may exist between two tests.
const NAMESPACES: [&str; 5] = ["default", "fia", "kube-node-lease", "kube-public", "kube-system"];
/// Kinds of the objects that tests and operators make.
const KINDS: &str = "livedataprocessors.fia.com,deployments,replicasets,pods,services,serviceaccounts,networkpolicies,\
                     pvc,pv,configmaps,resourcequotas,namespaces,validatingwebhookconfigurations,\
                     validatingadmissionpolicies,validatingadmissionpolicybindings";

/// Exclusive use of the control plane by one test; its drop checks that no object remains.
pub struct Turn {
    lab: &'static Lab,
    _guard: MutexGuard<'static, ()>,
}

/// Control plane with its exclusive use. A test declares operators afterwards: they are dropped before the check.
pub fn turn() -> (Turn, &'static Lab) {
    let guard = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let lab = LAB.get_or_init(|| Lab::start("shared"));
    (Turn { lab, _guard: guard }, lab)
}

impl Drop for Turn {
    fn drop(&mut self) {
        if thread::panicking() {
            if let Err(left) = self.lab.sweep() {
                eprintln!("could not be removed after the failed test: {left}");
            }
            return;
        }
        // Garbage collection takes a moment.
        if let Err(left) = self.lab.wait_empty(Duration::from_secs(60)) {
            let swept = self.lab.sweep();
            panic!("the test left behind: {left}; removed: {swept:?}");
        }
    }
}

impl Lab {
    /// Remaining objects that no test may leave, as kind/name.
    fn left(&self) -> Result<Vec<String>, String> {
        let columns = "-o=custom-columns=K:.kind,S:.metadata.namespace,N:.metadata.name";
        let all = self.try_kubectl(&["get", KINDS, "-A", "--no-headers", columns])?;
        Ok(all
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                let (kind, namespace, name) = (words.next()?, words.next()?, words.next()?);
                let usual = match kind {
                    "Namespace" => NAMESPACES.contains(&name),
                    "ConfigMap" => name.starts_with("kube-root-ca") || namespace.starts_with("kube-"),
                    "Service" => name == "kubernetes" || name == "live-data-operator",
                    "ServiceAccount" => {
                        name == "default" || name == "live-data-operator" || namespace.starts_with("kube-")
                    }
                    "Deployment" | "ReplicaSet" => name.starts_with("live-data-operator"),
                    _ => false,
                };
                (!usual).then(|| format!("{kind}/{namespace}/{name}"))
            })
            .collect())
    }

    fn wait_empty(&self, limit: Duration) -> Result<(), String> {
        let started = Instant::now();
        loop {
            match self.left() {
                Ok(left) if left.is_empty() => return Ok(()),
                Ok(left) if started.elapsed() > limit => return Err(left.join(" ")),
                Err(error) if started.elapsed() > limit => return Err(error),
                _ => thread::sleep(Duration::from_millis(300)),
            }
        }
    }

    /// Applies Kubernetes' strictest standard for pods to the namespace of the workers.
    pub(super) fn usual_namespace(&self) -> Result<(), String> {
        let labels = ["enforce", "warn"].map(|mode| format!("pod-security.kubernetes.io/{mode}=restricted"));
        self.try_kubectl(&["label", "namespace", "fia", &labels[0], &labels[1], "--overwrite"])
            .map(|_| ())
    }

    /// Removes every object that a failed test left. Must not panic, because it runs during another panic.
    fn sweep(&self) -> Result<(), String> {
        self.try_control("start", &[])?;
        for hooks in [
            "validatingwebhookconfigurations",
            "validatingadmissionpolicybindings",
            "validatingadmissionpolicies",
        ] {
            self.try_kubectl(&["delete", hooks, "--all"])?;
        }
        // Restores definition and rights of the chart.
        self.try_helm(&[
            "upgrade",
            "live-data",
            "charts/live-data",
            "--namespace",
            "fia",
            "--set",
            "replicas=0",
            "--force-conflicts",
        ])?;
        self.usual_namespace()?;
        for what in self.left()? {
            let words: Vec<&str> = what.split('/').collect();
            let [kind, namespace, name] = words[..] else { continue };
            // Without an operator nobody else removes a finalizer. An object that is gone already needs no request.
            let namespace = if namespace == "<none>" { "default" } else { namespace };
            if kind != "Namespace" {
                let none = r#"{"metadata": {"finalizers": null}}"#;
                let _ = self.try_kubectl(&["patch", kind, name, "-n", namespace, "--type=merge", "-p", none]);
            }
            let _ = self.try_kubectl(&[
                "delete",
                kind,
                name,
                "-n",
                namespace,
                "--ignore-not-found",
                "--wait=false",
            ]);
        }
        self.try_kubectl(&[
            "delete",
            "lease",
            "-n",
            "fia",
            "live-data-operator",
            "--ignore-not-found",
        ])?;
        self.wait_empty(LONG)
    }
}
