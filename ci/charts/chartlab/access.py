"""What the operator's ServiceAccount may do with the chart's rules, and what it may not."""

from __future__ import annotations

from checks.kubernetes import NAMESPACE
from checks.programs import CHART, call, run
from checks.report import Report, expect, expect_equal, expect_in

from .cluster import PROGRAM, Cluster, install

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:live-data-operator"
OTHER = "kube-public"
# verb, resource, namespace (None: cluster-wide or all)
ALLOWED = (
    ("list", "livedataprocessors.fia.com", None),
    ("watch", "livedataprocessors.fia.com", None),
    ("patch", "livedataprocessors.fia.com", OTHER),
    ("patch", "livedataprocessors.fia.com/status", OTHER),
    ("update", "livedataprocessors.fia.com/finalizers", OTHER),
    ("create", "deployments.apps", OTHER),
    ("patch", "deployments.apps", OTHER),
    ("delete", "deployments.apps", OTHER),
    ("create", "persistentvolumes", None),
    ("delete", "persistentvolumes", None),
    ("create", "persistentvolumeclaims", OTHER),
    ("create", "serviceaccounts", OTHER),
    ("create", "services", OTHER),
    ("create", "networkpolicies.networking.k8s.io", OTHER),
    ("watch", "pods", None),
    ("list", "events", None),
    ("create", "events.events.k8s.io", OTHER),
    ("create", "leases.coordination.k8s.io", NAMESPACE),
    ("update", "leases.coordination.k8s.io/live-data-operator", NAMESPACE),
)
DENIED = (
    ("get", "secrets", None),
    ("list", "secrets", None),
    ("watch", "secrets", NAMESPACE),
    ("create", "secrets", NAMESPACE),
    ("get", "secrets/ceph-creds", NAMESPACE),
    ("get", "configmaps", None),
    ("create", "pods/exec", None),
    ("get", "pods/exec", None),
    ("create", "pods/attach", None),
    ("create", "pods/portforward", None),
    ("get", "pods/log", None),
    ("create", "pods", None),
    ("delete", "pods", None),
    ("create", "clusterroles.rbac.authorization.k8s.io", None),
    ("bind", "clusterroles.rbac.authorization.k8s.io", None),
    ("escalate", "clusterroles.rbac.authorization.k8s.io", None),
    ("patch", "clusterrolebindings.rbac.authorization.k8s.io", None),
    ("create", "rolebindings.rbac.authorization.k8s.io", NAMESPACE),
    ("get", "roles.rbac.authorization.k8s.io", None),
    ("create", "serviceaccounts/token", None),
    ("impersonate", "users", None),
    ("impersonate", "serviceaccounts", None),
    ("delete", "livedataprocessors.fia.com", None),
    ("delete", "services", None),
    ("delete", "serviceaccounts", None),
    ("create", "livedataprocessors.fia.com", None),
    ("patch", "customresourcedefinitions.apiextensions.k8s.io", None),
    ("get", "nodes", None),
    ("patch", "nodes", None),
    ("delete", "namespaces", None),
    ("create", "jobs.batch", None),
    ("create", "daemonsets.apps", None),
    ("patch", "validatingwebhookconfigurations.admissionregistration.k8s.io", None),
    ("create", "leases.coordination.k8s.io", OTHER),
    ("update", "leases.coordination.k8s.io/other", NAMESPACE),
    ("delete", "leases.coordination.k8s.io", NAMESPACE),
    ("*", "*", None),
)


def answers(cluster: Cluster, cases: tuple[tuple[str, str, str | None], ...], wanted: str) -> None:
    """The authorizer's answer to each case."""
    wrong = []
    for verb, resource, namespace in cases:
        where = ("--all-namespaces",) if namespace is None else ("--namespace", namespace)
        done = call(
            "kubectl", "auth", "can-i", verb, *resource_arguments(resource), *where, "--as", ACCOUNT, env=cluster.env
        )
        answer = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr.strip()
        if answer.split(" ")[0] != wanted:
            wrong.append(f"{verb} {resource} in {namespace or 'all namespaces'}: {answer}")
    expect(not wrong, f"expected '{wanted}':\n" + "\n".join(wrong))


def resource_arguments(resource: str) -> tuple[str, ...]:
    """A subresource is a flag to kubectl, a name is not."""
    kind, _, rest = resource.partition("/")
    if rest in ("status", "finalizers", "exec", "attach", "portforward", "log", "token"):
        return (kind, f"--subresource={rest}")
    return (resource,)


def a_token_of_its_own(cluster: Cluster) -> None:
    """Real requests with the account's token, not only the authorizer's word."""
    config = cluster.folder / "operator.kubeconfig"
    run(PROGRAM, "account", cluster.folder, NAMESPACE, "live-data-operator", config)
    env = {**cluster.env, "KUBECONFIG": str(config)}
    run("kubectl", "get", "livedataprocessors", "--all-namespaces", env=env)
    run("kubectl", "get", "persistentvolumes", env=env)
    for arguments in (
        ("get", "secrets", "--all-namespaces"),
        ("get", "configmaps", "--namespace", NAMESPACE),
        ("get", "clusterroles"),
        ("get", "nodes"),
    ):
        done = call("kubectl", *arguments, env=env)
        expect(done.returncode != 0, f"kubectl {' '.join(arguments)} succeeded")
        expect_in("Forbidden", done.stderr, f"kubectl {' '.join(arguments)}")


def nothing_more(cluster: Cluster) -> None:
    """The ClusterRole has no wildcard, and its rules are only those that the template explains."""
    rules = (cluster.find("clusterrole", "live-data-operator") or {})["rules"]
    flat = [
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    expect(not [entry for entry in flat if "*" in entry], f"wildcards: {flat}")
    text = (CHART / "templates" / "clusterrole.yaml").read_text(encoding="utf-8").splitlines()
    bare = [
        line.strip()
        for above, line in zip(text, text[1:], strict=False)
        if line.startswith("  - apiGroups:") and not above.lstrip().startswith("#")
    ]
    expect_equal(bare, [], "rules without a reason above them")


def checks(report: Report, cluster: Cluster, helm: str) -> None:
    """Asked once: the rules do not depend on the Helm that applied them."""
    install(cluster, helm, CHART)
    report.check(
        f"the operator's account may do its work ({len(ALLOWED)} questions)", lambda: answers(cluster, ALLOWED, "yes")
    )
    report.check(
        f"and no more: secrets, exec, RBAC, nodes … ({len(DENIED)} questions)", lambda: answers(cluster, DENIED, "no")
    )
    report.check("requests with the account's own token are answered alike", lambda: a_token_of_its_own(cluster))
    report.check("every rule of the ClusterRole has its reason, none a wildcard", lambda: nothing_more(cluster))
    cluster.forget(helm, "live-data")
