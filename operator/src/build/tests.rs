//! Whole objects of the examples, compared with golden files. `UPDATE_GOLDEN=1` rewrites the files.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use live_data_crd::LiveDataProcessor;
use serde_json::Value;

use super::*;
use crate::config::Config;
use crate::names::{APPLIED_DIGEST_ANNOTATION, OWNER_ANNOTATION};
use crate::resolve::Resolved;
use crate::validate::validate;

/// Configuration with the former operator's values.
pub fn site() -> Config {
    let environment: BTreeMap<String, String> = [
        ("CLUSTER_ID", "ba68226a-672f-4ba5-97bc-22840318b2ec"),
        ("FS_NAME", "deneb"),
        ("CEPH_CREDS_SECRET_NAMESPACE", "fia"),
        ("FIA_API_URL", "http://fia-api"),
        ("KAFKA_BOOTSTRAP_SERVERS", "livedata.example.org:31092"),
        ("VALKEY_HOST", "valkey.valkey.svc.cluster.local"),
        ("VALKEY_PORT", "6379"),
        (
            "WORKER_DEFAULTS",
            r#"{"image": {"repository": "ghcr.io/fiaisis/live-data-worker", "tag": "1.2.3"}}"#,
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    Config::from_environment(&environment).unwrap()
}

/// Plan of the resource in `crd/examples/{example}`.
pub fn plan(example: &str, config: &Config) -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crd/examples")
        .join(example);
    let mut value: Value = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    value
        .as_object_mut()
        .unwrap()
        .entry("spec")
        .or_insert_with(|| serde_json::json!({}));
    let mut resource: LiveDataProcessor = serde_json::from_value(value).unwrap();
    resource.metadata.uid = Some("11111111-2222-3333-4444-555555555555".into());
    let validated = validate(&resource, &Resolved::default(), config);
    *validated
        .plan
        .unwrap_or_else(|| panic!("{example}: {:?}", validated.problems))
}

#[test]
fn every_example_becomes_the_objects_of_its_golden_file() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for entry in fs::read_dir(manifest.join("../crd/examples")).unwrap() {
        let example = entry.unwrap().file_name().into_string().unwrap();
        let config = Config {
            network_policy: example == "everything.yaml",
            ..site()
        };
        let objects: Vec<Value> = build(&plan(&example, &config))
            .unwrap()
            .into_iter()
            .map(|object| object.value)
            .collect();
        let golden = manifest
            .join("src/build/golden")
            .join(example.replace(".yaml", ".json"));
        let text = serde_json::to_string_pretty(&objects).unwrap() + "\n";
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(golden.parent().unwrap()).unwrap();
            fs::write(&golden, &text).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        assert!(
            expected == text,
            "{} differs; look at it with UPDATE_GOLDEN=1 and git diff",
            golden.display()
        );
        seen += 1;
    }
    assert!(seen >= 6);
}

#[test]
fn every_namespaced_object_is_owned_and_every_object_is_labelled() {
    let config = Config {
        network_policy: true,
        ..site()
    };
    for object in build(&plan("minimal.yaml", &config)).unwrap() {
        let metadata = &object.value["metadata"];
        assert_eq!(
            metadata["labels"]["app.kubernetes.io/name"], "live-data-worker",
            "{}",
            object.name
        );
        assert_eq!(
            metadata["ownerReferences"].is_array(),
            object.kind.namespaced(),
            "{}",
            object.name
        );
        assert_eq!(
            metadata["annotations"][OWNER_ANNOTATION].is_string(),
            object.kind == ObjectKind::PersistentVolume
        );
    }
}

#[test]
fn no_secret_is_a_literal_and_only_the_token_is_in_the_environment() {
    let objects = build(&plan("everything.yaml", &site())).unwrap();
    let worker = objects
        .iter()
        .find(|object| object.kind == ObjectKind::Deployment)
        .unwrap();
    let env = worker
        .value
        .pointer("/spec/template/spec/containers/0/env")
        .unwrap()
        .as_array()
        .unwrap();
    let by_reference: Vec<_> = env
        .iter()
        .filter(|entry| entry["valueFrom"].is_object())
        .map(|entry| entry["name"].as_str().unwrap())
        .collect();
    assert_eq!(by_reference, ["GITHUB_API_TOKEN", "KAFKA_SASL_USERNAME"]);
    assert!(env.iter().any(|entry| entry["name"] == "KAFKA_SASL_PASSWORD_FILE"));
}

#[test]
fn a_changed_plan_has_another_digest() {
    let digest_of = |config: &Config| {
        build(&plan("minimal.yaml", config)).unwrap().pop().unwrap().value["metadata"]["annotations"]
            [APPLIED_DIGEST_ANNOTATION]
            .clone()
    };
    let other = Config {
        fia_api_url: Some("http://other".into()),
        ..site()
    };
    assert_eq!(digest_of(&site()), digest_of(&site()));
    assert_ne!(digest_of(&site()), digest_of(&other));
}
