//! Change of field managers, from the former operator to this one.
//!
//! The former operator wrote with a plain client: its fields belong to the manager `OpenAPI-Generator`, operation Update.
//! Server-side apply removes a field that is no longer wanted only if it belongs to the applying manager. Without the
//! change the literal token and the former volumes would stay. The API would refuse an environment variable that then has
//! both a value and a reference.
//!
//! Promises: only that manager's entry, and an Update entry of this operator's name, are merged into this operator's Apply
//! entry; entries of subresources and of other managers stay. Must not: make requests.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use serde_json::Value;

use crate::names::{FORMER_MANAGER, MANAGER};

/// `metadata.managedFields` after the change; `None` if no entry has to change.
pub fn taken_over(entries: &[ManagedFieldsEntry]) -> Option<Vec<ManagedFieldsEntry>> {
    let theirs = |entry: &ManagedFieldsEntry| {
        entry.operation.as_deref() == Some("Update")
            && entry.subresource.as_deref().unwrap_or_default().is_empty()
            && matches!(entry.manager.as_deref(), Some(FORMER_MANAGER | MANAGER))
    };
    let ours = |entry: &ManagedFieldsEntry| {
        entry.operation.as_deref() == Some("Apply")
            && entry.subresource.as_deref().unwrap_or_default().is_empty()
            && entry.manager.as_deref() == Some(MANAGER)
    };
    let first = entries.iter().find(|entry| theirs(entry))?;
    let mut own = entries
        .iter()
        .find(|entry| ours(entry))
        .cloned()
        .unwrap_or_else(|| ManagedFieldsEntry {
            manager: Some(MANAGER.into()),
            operation: Some("Apply".into()),
            api_version: first.api_version.clone(),
            fields_type: first.fields_type.clone(),
            time: first.time.clone(),
            fields_v1: None,
            subresource: None,
        });
    let mut fields = own
        .fields_v1
        .take()
        .map_or_else(|| Value::Object(serde_json::Map::new()), |fields| fields.0);
    for entry in entries.iter().filter(|entry| theirs(entry)) {
        if let Some(further) = &entry.fields_v1 {
            unite(&mut fields, &further.0);
        }
    }
    own.fields_v1 = Some(FieldsV1(fields));
    let mut result: Vec<_> = entries
        .iter()
        .filter(|entry| !theirs(entry) && !ours(entry))
        .cloned()
        .collect();
    result.push(own);
    Some(result)
}

/// Union of two field sets: objects whose keys are fields, whose values are sets.
fn unite(set: &mut Value, further: &Value) {
    let (Some(set), Some(further)) = (set.as_object_mut(), further.as_object()) else {
        return;
    };
    for (field, nested) in further {
        match set.get_mut(field) {
            Some(present) => unite(present, nested),
            None => {
                set.insert(field.clone(), nested.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::json;

    fn entries(list: Value) -> Vec<ManagedFieldsEntry> {
        serde_json::from_value(list).unwrap()
    }

    #[test]
    fn the_former_operators_fields_become_ours() {
        let before = entries(json!([
            {"manager": "OpenAPI-Generator", "operation": "Update", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
             "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "apiVersion": "apps/v1",
             "fieldsType": "FieldsV1", "fieldsV1": {"f:status": {}}},
        ]));
        let after = taken_over(&before).unwrap();
        assert_eq!(
            serde_json::to_value(&after).unwrap(),
            json!([
                {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "apiVersion": "apps/v1",
                 "fieldsType": "FieldsV1", "fieldsV1": {"f:status": {}}},
                {"manager": "live-data-operator", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
                 "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            ])
        );
        assert_eq!(taken_over(&after), None);
    }

    #[test]
    fn fields_are_united_with_those_that_are_ours_already() {
        let before = entries(json!([
            {"manager": "live-data-operator", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:spec": {"f:a": {}}}},
            {"manager": "OpenAPI-Generator", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:spec": {"f:b": {}}, "f:metadata": {}}},
        ]));
        let after = taken_over(&before).unwrap();
        assert_eq!(after.len(), 1);
        assert_eq!(
            after[0].fields_v1.as_ref().unwrap().0,
            json!({"f:spec": {"f:a": {}, "f:b": {}}, "f:metadata": {}})
        );
    }

    #[test]
    fn other_managers_and_subresources_are_left_alone() {
        let before = entries(json!([
            {"manager": "kubectl", "operation": "Update", "fieldsV1": {}},
            {"manager": "OpenAPI-Generator", "operation": "Update", "subresource": "status", "fieldsV1": {}},
        ]));
        assert_eq!(taken_over(&before), None);
    }
}
