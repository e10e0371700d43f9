//! Merge of the spec over the site's WORKER_DEFAULTS.
//!
//! Promises: objects are merged field by field; lists, and fields that belong together, are replaced as a whole. Must not:
//! fill in built-in defaults; `validate` does.

use kube::ResourceExt;
use live_data_crd::{LiveDataProcessor, LiveDataProcessorSpec};
use serde_json::{Map, Value};

/// Instrument of a resource: `spec.instrument`, or the resource's name in upper case.
pub fn instrument(resource: &LiveDataProcessor) -> String {
    resource
        .spec
        .instrument
        .clone()
        .unwrap_or_else(|| resource.name_any().to_uppercase())
}

/// Spec merged over `defaults`, which is a JSON object of the spec's type.
///
/// # Errors
/// [`serde_json::Error`] if the result does not deserialize as a spec.
pub fn merged(spec: &LiveDataProcessorSpec, defaults: &Value) -> Result<LiveDataProcessorSpec, serde_json::Error> {
    let mut base = defaults.clone();
    let over = serde_json::to_value(spec)?;
    let Value::Object(base_fields) = &mut base else {
        return serde_json::from_value(over);
    };
    drop_other_storage(base_fields, &over);
    drop_other_script(base_fields, &over);
    if over.pointer("/image/tag").is_some() {
        remove_members(base_fields, "image", &["digest"]);
    }
    for whole in ["resources", "affinity", "nodeSelector", "live"] {
        if over.get(whole).is_some() {
            base_fields.remove(whole);
        }
    }
    merge(&mut base, over);
    serde_json::from_value(base)
}

/// One kind of storage excludes the others: the site's must not show through the resource's.
fn drop_other_storage(base: &mut Map<String, Value>, over: &Value) {
    for choice in ["output", "archive", "instruments"] {
        let Some(chosen) = over
            .pointer(&format!("/storage/{choice}"))
            .and_then(Value::as_object)
            .filter(|chosen| !chosen.is_empty())
        else {
            continue;
        };
        if let Some(of_site) = base
            .get_mut("storage")
            .and_then(|storage| storage.get_mut(choice))
            .and_then(Value::as_object_mut)
        {
            of_site.retain(|member, _| chosen.contains_key(member));
        }
    }
}

/// A script's source and StartLiveData's processing exclude each other, whichever of them the site has.
fn drop_other_script(base: &mut Map<String, Value>, over: &Value) {
    let has_source = over.pointer("/script/source").is_some();
    let processes = over
        .pointer("/live")
        .and_then(Value::as_object)
        .is_some_and(|live| live.keys().any(|name| name.starts_with("processing")));
    if has_source || processes {
        remove_members(base, "script", &["source", "configMap", "inline"]);
    }
    if has_source {
        remove_members(
            base,
            "live",
            &["processingAlgorithm", "processingScript", "processingScriptFilename"],
        );
    }
}

fn remove_members(fields: &mut Map<String, Value>, name: &str, members: &[&str]) {
    if let Some(object) = fields.get_mut(name).and_then(Value::as_object_mut) {
        object.retain(|member, _| !members.contains(&member.as_str()));
    }
}

fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                match base.get_mut(&name) {
                    Some(present) => merge(present, value),
                    None => {
                        base.insert(name, value);
                    }
                }
            }
        }
        (base, over) => *base = over,
    }
}
