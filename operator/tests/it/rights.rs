//! Requests that the operator's account may not make.

use crate::lab::turn;

#[test]
fn the_operator_cannot_read_secrets_enter_pods_or_touch_rights() {
    let (_turn, lab) = turn();
    let may = |verb: &str, what: &str| {
        let config = lab.operator_kubeconfig();
        // With a slash kubectl would take the subresource for an object's name.
        let (what, subresource) = what.split_once('/').unwrap_or((what, ""));
        let subresource = format!("--subresource={subresource}");
        let arguments = [
            "auth",
            "can-i",
            verb,
            what,
            &subresource,
            "-n",
            "fia",
            "--kubeconfig",
            config.to_str().unwrap(),
        ];
        lab.try_kubectl(&arguments).is_ok()
    };
    assert!(may("patch", "deployments.apps"), "the account is not the chart's");
    for (verb, what) in [
        ("get", "secrets"),
        ("list", "secrets"),
        ("watch", "secrets"),
        ("create", "secrets"),
        ("create", "pods/exec"),
        ("create", "pods/attach"),
        ("create", "pods/portforward"),
        ("create", "pods"),
        ("get", "configmaps"),
        ("patch", "configmaps"),
        ("create", "serviceaccounts/token"),
        ("create", "roles.rbac.authorization.k8s.io"),
        ("patch", "clusterroles.rbac.authorization.k8s.io"),
        ("create", "clusterrolebindings.rbac.authorization.k8s.io"),
        ("escalate", "clusterroles.rbac.authorization.k8s.io"),
        ("delete", "nodes"),
        ("delete", "namespaces"),
        ("delete", "livedataprocessors.fia.com"),
        ("patch", "customresourcedefinitions.apiextensions.k8s.io"),
        ("impersonate", "users"),
    ] {
        assert!(!may(verb, what), "the operator may {verb} {what}");
    }
}
