//! Comparison of a desired object with the one in the cluster.
//!
//! Promises: a field that the apiserver or another manager added is no difference; quantities are compared as numbers.
//! Together with the digest of the object last applied, which reveals fields that are no longer wanted, the comparison
//! decides whether a write is needed. Must not: make requests.

use serde_json::Value;

use crate::object_kind::ObjectKind;

/// JSON Pointer of the first field of `desired` that `live` lacks or has with another value; `None` if equal.
///
/// Kind and apiVersion are not compared, because items of lists lack them.
pub fn first_difference(desired: &Value, live: &Value) -> Option<String> {
    let Value::Object(fields) = desired else {
        return compare(desired, Some(live), "");
    };
    fields
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "apiVersion" | "kind"))
        .find_map(|(name, wanted)| compare(wanted, live.get(name), &format!("/{name}")))
}

fn immutable_paths(kind: ObjectKind) -> &'static [&'static str] {
    match kind {
        ObjectKind::PersistentVolume => &["/spec/csi", "/spec/volumeMode"],
        ObjectKind::PersistentVolumeClaim => &[
            "/spec/accessModes",
            "/spec/resources",
            "/spec/storageClassName",
            "/spec/volumeMode",
            "/spec/volumeName",
        ],
        ObjectKind::Deployment => &["/spec/selector"],
        ObjectKind::ServiceAccount | ObjectKind::Service | ObjectKind::NetworkPolicy => &[],
    }
}

/// `desired` with the immutable fields of `kind` taken from `live`.
pub fn with_immutable(kind: ObjectKind, desired: &Value, live: &Value) -> Value {
    let mut object = desired.clone();
    for path in immutable_paths(kind) {
        if let (Some(field), Some(present)) = (object.pointer_mut(path), live.pointer(path)) {
            *field = present.clone();
        }
    }
    object
}

/// Differences in the immutable fields of `kind`, each as "path is present, not desired".
pub fn immutable_differences(kind: ObjectKind, desired: &Value, live: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for path in immutable_paths(kind) {
        if let Some(wanted) = desired.pointer(path) {
            leaves(wanted, live.pointer(path), path, &mut found);
        }
    }
    found
}

fn leaves(desired: &Value, live: Option<&Value>, path: &str, found: &mut Vec<String>) {
    if let (Value::Object(fields), Some(Value::Object(_))) = (desired, live) {
        for (name, wanted) in fields {
            leaves(
                wanted,
                live.and_then(|live| live.get(name)),
                &format!("{path}/{name}"),
                found,
            );
        }
    } else if compare(desired, live, path).is_some() {
        let present = live.map_or_else(|| "nothing".into(), Value::to_string);
        found.push(format!(
            "{} is {present}, not {desired}",
            path.trim_start_matches('/').replace('/', ".")
        ));
    }
}

fn compare(desired: &Value, live: Option<&Value>, path: &str) -> Option<String> {
    let Some(live) = live else {
        // The apiserver does not store empty fields.
        let empty = match desired {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Bool(false) => path == "/spec/paused",
            _ => false,
        };
        return (!empty).then(|| path.to_owned());
    };
    match (desired, live) {
        (Value::Object(fields), Value::Object(present)) => fields
            .iter()
            .find_map(|(name, wanted)| compare(wanted, present.get(name), &format!("{path}/{name}"))),
        (Value::Array(wanted), Value::Array(present)) => compare_lists(wanted, present, path),
        _ if desired == live => None,
        _ if is_quantity(path) && same_quantity(desired, live) => None,
        _ => Some(path.to_owned()),
    }
}

/// Lists whose items have a key are compared by it, as server-side apply does; others whole.
fn compare_lists(wanted: &[Value], present: &[Value], path: &str) -> Option<String> {
    for (index, item) in wanted.iter().enumerate() {
        let here = format!("{path}/{index}");
        let counterpart = match merge_key(path, item) {
            Some((name, key)) => present.iter().find(|other| other.get(name) == Some(key)),
            None if wanted.len() == present.len() => present.get(index),
            None => None,
        };
        if let Some(difference) = compare(item, Some(counterpart.unwrap_or(&Value::Null)), &here) {
            return Some(difference);
        }
    }
    None
}

fn merge_key<'a>(path: &str, item: &'a Value) -> Option<(&'static str, &'a Value)> {
    let name = match path.rsplit('/').next()? {
        "ownerReferences" => "uid",
        "containers" | "env" | "volumes" | "imagePullSecrets" => "name",
        "volumeMounts" => "mountPath",
        "ports" if item.get("containerPort").is_some() => "containerPort",
        "ports" => "port",
        _ => return None,
    };
    item.get(name).map(|key| (name, key))
}

fn is_quantity(path: &str) -> bool {
    path.ends_with("/sizeLimit")
        || path
            .rsplit('/')
            .nth(1)
            .is_some_and(|parent| matches!(parent, "requests" | "limits" | "capacity"))
}

fn same_quantity(one: &Value, other: &Value) -> bool {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match (quantity(&text(one)), quantity(&text(other))) {
        (Some(one), Some(other)) => (one - other).abs() <= one.abs() * 1e-12,
        _ => false,
    }
}

/// Value of a quantity, by the format of `k8s.io/apimachinery/pkg/api/resource`.
fn quantity(text: &str) -> Option<f64> {
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some(number);
    }
    let suffixes = [
        ("Ki", 1024.0),
        ("Mi", 1024_f64.powi(2)),
        ("Gi", 1024_f64.powi(3)),
        ("Ti", 1024_f64.powi(4)),
        ("Pi", 1024_f64.powi(5)),
        ("Ei", 1024_f64.powi(6)),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    suffixes.iter().find_map(|(suffix, factor)| {
        text.strip_suffix(suffix)?
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(|number| number * factor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_others_added_is_no_difference() {
        let desired = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "x", "env": [{"name": "A", "value": "1"}]}]}});
        let live = json!({"metadata": {"labels": {"a": "b", "c": "d"}, "uid": "u"}, "spec": {"dnsPolicy": "ClusterFirst",
            "containers": [{"name": "sidecar"}, {"name": "x", "image": "i", "env": [{"name": "B"}, {"name": "A", "value": "1"}]}]}});
        assert_eq!(first_difference(&desired, &live), None);
    }

    #[test]
    fn a_field_of_ours_that_differs_is_found() {
        let live = json!({"spec": {"replicas": 0, "tolerations": [{"key": "a"}]}});
        assert_eq!(
            first_difference(&json!({"spec": {"replicas": 1}}), &live).as_deref(),
            Some("/spec/replicas")
        );
        assert_eq!(
            first_difference(&json!({"spec": {"tolerations": [{"key": "b"}]}}), &live).as_deref(),
            Some("/spec/tolerations/0/key")
        );
        assert!(first_difference(&json!({"spec": {"tolerations": [{"key": "a"}, {"key": "c"}]}}), &live).is_some());
        assert!(
            first_difference(
                &json!({"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}),
                &json!({"spec": {"volumes": [{"name": "v", "hostPath": {}}]}})
            )
            .is_some()
        );
    }

    #[test]
    fn objects_from_lists_have_no_kind() {
        let desired = json!({"apiVersion": "v1", "kind": "Service", "spec": {"a": 1}});
        assert_eq!(first_difference(&desired, &json!({"spec": {"a": 1}})), None);
    }

    #[test]
    fn quantities_are_numbers() {
        let desired = json!({"limits": {"memory": "1024Mi", "cpu": "2000m"}});
        assert_eq!(
            first_difference(&desired, &json!({"limits": {"memory": "1Gi", "cpu": "2"}})),
            None
        );
        assert!(first_difference(&desired, &json!({"limits": {"memory": "1G", "cpu": "2"}})).is_some());
        assert!(first_difference(&json!({"value": "1024Mi"}), &json!({"value": "1Gi"})).is_some());
    }

    #[test]
    fn what_is_empty_is_not_stored() {
        assert_eq!(
            first_difference(&json!({"a": "", "b": [], "c": null}), &json!({})),
            None
        );
        assert!(first_difference(&json!({"emptyDir": {}}), &json!({})).is_some());
    }

    #[test]
    fn immutable_fields_are_named_with_both_values() {
        let desired = json!({"spec": {"csi": {"driver": "d", "volumeAttributes": {"rootPath": "/a"}}}});
        let live = json!({"spec": {"csi": {"driver": "d", "volumeAttributes": {"rootPath": "/b"}}}});
        assert_eq!(
            immutable_differences(ObjectKind::PersistentVolume, &desired, &live),
            ["spec.csi.volumeAttributes.rootPath is \"/b\", not \"/a\""]
        );
    }
}
