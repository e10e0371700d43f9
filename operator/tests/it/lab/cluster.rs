//! Requests to the cluster, and waits for its expected state.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use super::{LONG, Lab, cache, condition, eventually, resource};

impl Lab {
    pub(super) fn tool(&self, name: &str) -> Command {
        let program = cache().join("tools/bin").join(name);
        assert!(program.exists(), "{} is missing: run ci/setup", program.display());
        let mut command = Command::new(program);
        command
            .env("KUBECONFIG", self.env("KUBECONFIG"))
            .current_dir(&self.root)
            .stdin(Stdio::null());
        command
    }

    /// Output of a kubectl command that must succeed.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments)
            .unwrap_or_else(|error| panic!("kubectl {arguments:?}: {error}"))
    }

    /// Output of kubectl, or its error text.
    pub fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let done = self.tool("kubectl").args(arguments).output().unwrap();
        if done.status.success() {
            Ok(String::from_utf8(done.stdout).unwrap())
        } else {
            Err(String::from_utf8(done.stderr).unwrap())
        }
    }

    pub fn helm(&self, arguments: &[&str]) -> String {
        self.try_helm(arguments)
            .unwrap_or_else(|error| panic!("helm {arguments:?}: {error}"))
    }

    pub fn try_helm(&self, arguments: &[&str]) -> Result<String, String> {
        let done = self.tool("helm").args(arguments).output().unwrap();
        if done.status.success() {
            Ok(String::from_utf8(done.stdout).unwrap())
        } else {
            Err(String::from_utf8_lossy(&done.stderr).into_owned())
        }
    }

    /// Applies objects in YAML; panics if the apiserver refuses one.
    pub fn apply(&self, yaml: &str) {
        self.try_apply(yaml, &[])
            .unwrap_or_else(|error| panic!("apply: {error}\n{yaml}"));
    }

    pub fn try_apply(&self, yaml: &str, more: &[&str]) -> Result<String, String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let file = self.folder.join(format!("apply-{number}.yaml"));
        fs::write(&file, yaml).unwrap();
        let mut arguments = vec!["apply", "-f", file.to_str().unwrap()];
        arguments.extend(more);
        self.try_kubectl(&arguments)
    }

    /// Object in the namespace `fia`, or cluster-wide, as JSON; `None` if absent.
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

    /// Deletes a resource and waits until it and its objects are gone.
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
}
