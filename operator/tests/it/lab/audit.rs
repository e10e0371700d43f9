//! Who asked the apiserver for what, by its audit log.

use std::fs;

use serde_json::Value;

use super::Lab;

impl Lab {
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
}
