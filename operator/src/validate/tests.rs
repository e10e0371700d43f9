//! Precedence of values, and specs that are refused.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use live_data_crd::spec::UpdateStrategy;
use serde_json::{Value, json};

use super::*;
use crate::plan::{Archive, Instruments, Output};

fn config(pairs: &[(&str, &str)]) -> Config {
    let environment: BTreeMap<String, String> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Config::from_environment(&environment).unwrap()
}

const CEPH: [(&str, &str); 4] = [
    ("CLUSTER_ID", "c"),
    ("FS_NAME", "f"),
    ("FIA_API_URL", "http://x"),
    ("KAFKA_BOOTSTRAP_SERVERS", "k:1"),
];

fn resource(name: &str, spec: Value) -> LiveDataProcessor {
    serde_json::from_value(json!({
        "apiVersion": "fia.com/v1", "kind": "LiveDataProcessor",
        "metadata": {"name": name, "namespace": "fia", "uid": "u"}, "spec": spec,
    }))
    .unwrap()
}

fn validated(spec: Value, pairs: &[(&str, &str)]) -> Validated {
    validate(&resource("merlin", spec), &Resolved::default(), &config(pairs))
}

fn plan_of(spec: Value, pairs: &[(&str, &str)]) -> Plan {
    let validated = validated(spec, pairs);
    assert_eq!(validated.problems, []);
    *validated.plan.unwrap()
}

#[test]
fn the_name_in_upper_case_is_the_instrument() {
    assert_eq!(plan_of(json!({}), &CEPH).instrument, "MERLIN");
    assert_eq!(plan_of(json!({"instrument": "sans2d"}), &CEPH).instrument, "sans2d");
}

#[test]
fn spec_wins_over_the_sites_defaults_and_they_over_the_built_in() {
    let built_in = plan_of(json!({}), &CEPH);
    assert_eq!(built_in.tolerations[0].key.as_deref(), Some("staging"));
    assert_eq!(built_in.resources.limits.unwrap()["memory"].0, "128Gi");
    let defaults = (
        "WORKER_DEFAULTS",
        r#"{"tolerations": [], "resources": {"limits": {"memory": "4Gi"}}, "script": {"runSeconds": 10, "timeoutSeconds": 20}}"#,
    );
    let pairs: Vec<_> = CEPH.into_iter().chain([defaults]).collect();
    let of_site = plan_of(json!({}), &pairs);
    assert!(of_site.tolerations.is_empty());
    assert_eq!(of_site.resources.requests, None);
    assert_eq!((of_site.run_seconds, of_site.timeout_seconds), (Some(10), 20));
    let own = plan_of(
        json!({"script": {"runSeconds": 30}, "resources": {"limits": {"memory": "8Gi"}}}),
        &pairs,
    );
    assert_eq!((own.run_seconds, own.timeout_seconds), (Some(30), 20));
    assert_eq!(own.resources.limits.unwrap()["memory"].0, "8Gi");
}

#[test]
fn a_choice_of_storage_hides_the_sites() {
    let defaults = (
        "WORKER_DEFAULTS",
        r#"{"storage": {"output": {"persistentVolumeClaim": {"claimName": "site"}}, "archive": {"none": {}}}}"#,
    );
    let pairs: Vec<_> = CEPH.into_iter().chain([defaults]).collect();
    assert_eq!(plan_of(json!({}), &pairs).output, Output::Claim("site".into()));
    let own = plan_of(json!({"storage": {"output": {"emptyDir": {}}}}), &pairs);
    assert_eq!((own.output, own.archive), (Output::EmptyDir(None), Archive::None));
    let smb = plan_of(json!({"storage": {"archive": {"smb": {}}}}), &pairs);
    assert!(matches!(smb.archive, Archive::Smb(_)));
}

#[test]
fn definitions_of_instruments_are_the_images_unless_something_else_is_chosen() {
    let site = (
        "WORKER_DEFAULTS",
        r#"{"storage": {"instruments": {"configMap": {"name": "site"}}}}"#,
    );
    let instruments = |spec: Value, further: &[(&str, &str)]| {
        let pairs: Vec<_> = CEPH.iter().chain(further).copied().collect();
        plan_of(spec, &pairs).instruments
    };
    let claim = json!({"storage": {"instruments": {"persistentVolumeClaim": {"claimName": "definitions"}}}});
    assert_eq!(instruments(json!({}), &[]), Instruments::Image);
    assert_eq!(instruments(json!({}), &[site]), Instruments::ConfigMap("site".into()));
    assert_eq!(instruments(claim, &[site]), Instruments::Claim("definitions".into()));
    assert_eq!(
        instruments(json!({"storage": {"instruments": {"none": {}}}}), &[site]),
        Instruments::Image
    );
}

#[test]
fn images_in_their_order() {
    let image = |spec: Value, further: &[(&str, &str)]| {
        let pairs: Vec<_> = CEPH.iter().chain(further).copied().collect();
        plan_of(spec, &pairs).image
    };
    let defaults = (
        "WORKER_DEFAULTS",
        r#"{"image": {"repository": "r", "digest": "sha256:dd"}}"#,
    );
    let sha = (
        "LIVE_DATA_PROCESSOR_IMAGE_SHA",
        "50f170947badb84cac95e094cdd245df6ca3bfb6",
    );
    assert_eq!(
        image(json!({}), &[]),
        concat!("ghcr.io/fiaisis/live-data-worker:", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(image(json!({}), &[defaults]), "r@sha256:dd");
    assert_eq!(
        image(json!({}), &[defaults, sha]),
        "ghcr.io/fiaisis/live-data-processor@sha256:50f170947badb84cac95e094cdd245df6ca3bfb6"
    );
    assert_eq!(image(json!({"image": {"tag": "9"}}), &[defaults, sha]), "r:9");
    assert!(
        image(json!({"image": {"pullPolicy": "Always"}}), &[defaults, sha])
            .starts_with("ghcr.io/fiaisis/live-data-processor@")
    );
}

#[test]
fn a_script_of_the_resource_hides_the_sites() {
    let defaults = (
        "WORKER_DEFAULTS",
        r#"{"script": {"source": "ConfigMap", "configMap": {"name": "site", "key": "k"}}}"#,
    );
    let pairs: Vec<_> = CEPH.into_iter().chain([defaults]).collect();
    assert!(matches!(plan_of(json!({}), &pairs).script, Script::ConfigMap(_)));
    let inline = plan_of(json!({"script": {"source": "Inline", "inline": "x"}}), &pairs);
    assert_eq!(inline.script, Script::Inline("x".into()));
    let live = plan_of(
        json!({"live": {"processingAlgorithm": "Rebin", "outputWorkspace": "w"}}),
        &pairs,
    );
    assert_eq!(live.script, Script::None);
}

#[test]
fn the_output_folder_is_the_names_and_ends_in_staging_with_dev_mode() {
    let root = |pairs: &[(&str, &str)]| match plan_of(json!({"instrument": "LOKI"}), pairs).output {
        Output::CephFs(ceph) => ceph.root_path,
        other => panic!("{other:?}"),
    };
    assert_eq!(root(&CEPH), "/isis/instrument/GENERIC/livereduce/MERLIN");
    let dev: Vec<_> = CEPH.into_iter().chain([("DEV_MODE", "True")]).collect();
    assert_eq!(root(&dev), "/isis/instrument/GENERIC/livereduce/MERLIN-staging");
}

#[test]
fn what_a_site_lacks_is_listed_at_once() {
    let validated = validated(json!({}), &[]);
    assert_eq!(validated.plan, None);
    assert_eq!(validated.problems.len(), 1);
    let problem = &validated.problems[0];
    assert_eq!(problem.reason, ConditionReason::SiteNotConfigured);
    for name in ["CLUSTER_ID", "FS_NAME", "FIA_API_URL", "KAFKA_BOOTSTRAP_SERVERS"] {
        assert!(problem.message.contains(name), "{}", problem.message);
    }
}

#[test]
fn what_a_worker_can_start_without_is_told_and_the_worker_is_made() {
    let validated = validated(json!({"storage": {"output": {"emptyDir": {}}}}), &[]);
    assert!(validated.plan.is_some());
    assert_eq!(validated.problems[0].reason, ConditionReason::SiteNotConfigured);
}

#[test]
fn an_instrument_in_use_and_a_name_that_is_none_are_refused() {
    let resolved = Resolved {
        instrument_holder: Some("fia/first".into()),
        ..Resolved::default()
    };
    let validated = validate(
        &resource("second", json!({"instrument": "EMU"})),
        &resolved,
        &config(&CEPH),
    );
    assert_eq!(
        (validated.plan, validated.problems[0].reason),
        (None, ConditionReason::InstrumentInUse)
    );
    let validated = validate(&resource("2d", json!({})), &Resolved::default(), &config(&CEPH));
    assert_eq!(
        (validated.plan, validated.problems[0].reason),
        (None, ConditionReason::InstrumentInvalid)
    );
    // Names that only resources older than the definition's rules can have.
    for (name, reason) in [
        ("a.b", ConditionReason::NameInvalid),
        (&"n".repeat(46), ConditionReason::NameTooLong),
    ] {
        let named = resource(name, json!({"instrument": "EMU"}));
        let validated = validate(&named, &Resolved::default(), &config(&CEPH));
        assert_eq!((validated.plan, validated.problems[0].reason), (None, reason));
    }
}

#[test]
fn a_claim_for_one_node_is_replaced_rather_than_shared() {
    let spec = json!({"storage": {"output": {"persistentVolumeClaim": {"claimName": "c"}}}});
    let with = |modes: &[&str]| {
        let claim = OutputClaim {
            name: "c".into(),
            access_modes: Some(modes.iter().map(|mode| (*mode).to_owned()).collect()),
        };
        let resolved = Resolved {
            output_claim: Some(claim),
            ..Resolved::default()
        };
        validate(&resource("a", spec.clone()), &resolved, &config(&CEPH))
            .plan
            .unwrap()
            .strategy
    };
    assert_eq!(with(&["ReadWriteOnce"]), UpdateStrategy::Recreate);
    assert_eq!(with(&["ReadWriteOncePod"]), UpdateStrategy::Recreate);
    assert_eq!(with(&["ReadWriteMany", "ReadWriteOnce"]), UpdateStrategy::RollingUpdate);
}

#[test]
fn the_older_resource_holds_the_instrument() {
    let at = |name: &str, time: &str, uid: &str| {
        let mut one = resource(name, json!({"instrument": "EMU"}));
        one.metadata.uid = Some(uid.into());
        one.metadata.creation_timestamp = serde_json::from_value(json!(time)).unwrap();
        std::sync::Arc::new(one)
    };
    let all = [
        at("b", "2026-01-01T00:00:00Z", "1"),
        at("a", "2026-01-02T00:00:00Z", "2"),
        at("c", "2026-01-01T00:00:00Z", "3"),
    ];
    assert_eq!(crate::resolve::instrument_holder(&all[0], &all), None);
    assert_eq!(
        crate::resolve::instrument_holder(&all[1], &all).as_deref(),
        Some("fia/b")
    );
    assert_eq!(
        crate::resolve::instrument_holder(&all[2], &all).as_deref(),
        Some("fia/b")
    );
}
