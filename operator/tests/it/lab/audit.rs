//! Requests by account, from the apiserver's audit log.

use std::fs;

use serde_json::Value;

use super::Lab;

/// Operator's account in the chart.
pub const OPERATOR: &str = "system:serviceaccount:fia:live-data-operator";

impl Lab {
    /// Present number of lines in the audit log.
    pub fn audit_mark(&self) -> usize {
        fs::read_to_string(self.env("AUDIT_LOG")).unwrap().lines().count()
    }

    /// Entries of the audit log after the first `mark` lines.
    fn audit_lines(&self, mark: usize) -> Vec<Value> {
        fs::read_to_string(self.env("AUDIT_LOG"))
            .unwrap()
            .lines()
            .skip(mark)
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Times at which requests of an account for objects with `name` in their names were received.
    ///
    /// `what` is the verb, the kind and the subresource, if any.
    pub fn received(&self, account: &str, what: (&str, &str, Option<&str>), name: &str) -> Vec<String> {
        self.audit_lines(0)
            .iter()
            .filter(|line| {
                line["user"]["username"] == account
                    && line["verb"] == what.0
                    && line["objectRef"]["resource"] == what.1
                    && line["objectRef"]["subresource"].as_str() == what.2
                    && line["objectRef"]["name"]
                        .as_str()
                        .is_some_and(|found| found.contains(name))
            })
            .map(|line| line["requestReceivedTimestamp"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Requests of the operator's account since the mark, as (verb, resource/subresource, name); Leases excepted.
    pub fn requests_since(&self, mark: usize) -> Vec<(String, String, String)> {
        self.audit_lines(mark)
            .into_iter()
            .filter(|line| line["user"]["username"] == OPERATOR)
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
}
