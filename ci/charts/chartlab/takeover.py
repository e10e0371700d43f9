"""Taking over a site that the old operator ran: its definition and its ClusterRole belong to no release."""

from __future__ import annotations

from checks.kubernetes import CRD, NAMESPACE, RESOURCES
from checks.programs import CHART, CHART_CHECKS, call, run
from checks.report import Report, expect, expect_equal, expect_in, wait_until

from .cluster import Cluster, install

# What each Helm needs besides the usual command. Helm 4 applies on the server's side and meets the fields of the
# tool that applied them before; Helm 3 patches from the client's side and meets nobody.
FLAGS = {"helm": ("--take-ownership", "--force-conflicts"), "helm3": ("--take-ownership",)}


def old_site(cluster: Cluster) -> None:
    """As Argo CD leaves it: applied from the client's side, its default, with its field manager."""
    cluster.namespace()
    manager = "--field-manager=argocd-controller"
    cluster.kubectl("apply", manager, "--filename", CHART_CHECKS / "fixtures" / "old-site.yaml")
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=60s")
    wait_until(cluster.served, "the old definition is served")
    cluster.kubectl("apply", manager, "--filename", CHART_CHECKS / "fixtures" / "old-resource.yaml")
    cluster.kubectl("rollout", "status", "deployment/live-data-operator", "--namespace", NAMESPACE, "--timeout=60s")


def refused_without_asking(cluster: Cluster, helm: str) -> None:
    """Helm takes over foreign objects only with `--take-ownership`."""
    old_site(cluster)
    done = call(helm, "upgrade", "--install", "live-data", CHART, "--namespace", NAMESPACE, env=cluster.env)
    expect(done.returncode != 0, "the old objects were taken without being asked for")
    expect_in("invalid ownership metadata", done.stderr, "the answer")


def refused_beside_the_old_deployment(cluster: Cluster, helm: str) -> None:
    """The old operator's Deployment has another selector, which cannot be changed: it is to be deleted first."""
    done = call(
        helm, "upgrade", "--install", "live-data", CHART, "--namespace", NAMESPACE, *FLAGS[helm], env=cluster.env
    )
    expect(done.returncode != 0, "the old Deployment was taken over")
    expect_in("spec.selector", done.stderr, "the answer")


def taken_over(cluster: Cluster, helm: str) -> None:
    """The old Deployment deleted, the rest is taken as it stands: same definition, same resource, new rules."""
    before = {
        kind: cluster.metadata(kind, name)["uid"]
        for kind, name in (("crd", CRD), (RESOURCES, "merlin"), ("clusterrole", "live-data-operator"))
    }
    cluster.kubectl("delete", "deployment", "live-data-operator", "--namespace", NAMESPACE)
    install(cluster, helm, CHART, *FLAGS[helm])
    after = {
        kind: cluster.metadata(kind, name)["uid"]
        for kind, name in (("crd", CRD), (RESOURCES, "merlin"), ("clusterrole", "live-data-operator"))
    }
    expect_equal(after, before, "uids")
    definition = cluster.find("crd", CRD) or {}
    expect_equal(definition["spec"]["names"].get("shortNames"), ["ldp"], "the definition's short names")
    expect_equal(
        definition["metadata"]["annotations"].get("meta.helm.sh/release-name"), "live-data", "the CRD's release"
    )
    expect_equal(
        definition["metadata"]["labels"].get("app.kubernetes.io/instance"), "live-data", "whose the CRD is to Argo CD"
    )
    rules = (cluster.find("clusterrole", "live-data-operator") or {})["rules"]
    old = [
        rule for rule in rules if "namespaces" in rule["resources"] or "customresourcedefinitions" in rule["resources"]
    ]
    expect_equal(old, [], "rules of the old operator that are left")
    resource = cluster.find(RESOURCES, "merlin", "--namespace", NAMESPACE) or {}
    expect_equal(resource["spec"], {"instrument": "MERLIN"}, "the resource's spec")


def later_upgrades_need_no_flag(cluster: Cluster, helm: str) -> None:
    """Once taken, the usual command is enough."""
    install(cluster, helm, CHART, "--set", "logLevel=debug")
    deployment = cluster.find("deployment", "live-data-operator", "--namespace", NAMESPACE) or {}
    env = {
        entry["name"]: entry.get("value") for entry in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    expect_equal(env.get("RUST_LOG"), "debug", "RUST_LOG")


def gone_back(cluster: Cluster, helm: str) -> None:
    """Back to the old operator: uninstalled with the definition kept, its manifests applied again."""
    run(helm, "uninstall", "live-data", "--namespace", NAMESPACE, "--wait", env=cluster.env)
    before = cluster.metadata(RESOURCES, "merlin")["uid"]
    cluster.kubectl(
        "apply", "--field-manager=argocd-controller", "--filename", CHART_CHECKS / "fixtures" / "old-site.yaml"
    )
    cluster.kubectl("rollout", "status", "deployment/live-data-operator", "--namespace", NAMESPACE, "--timeout=60s")
    after = cluster.metadata(RESOURCES, "merlin")["uid"]
    expect_equal(after, before, "the resource's uid")


def checks(report: Report, cluster: Cluster, helm: str) -> None:
    """In this order: each builds on the one before."""
    flags = " ".join(FLAGS[helm])
    report.check(
        f"{helm}: objects of the old operator are not taken unasked", lambda: refused_without_asking(cluster, helm)
    )
    report.check(f"{helm}: nor its Deployment at all", lambda: refused_beside_the_old_deployment(cluster, helm))
    report.check(f"{helm}: {flags} takes over definition and ClusterRole", lambda: taken_over(cluster, helm))
    report.check(f"{helm}: later upgrades need no flag", lambda: later_upgrades_need_no_flag(cluster, helm))
    report.check(f"{helm}: and back to the old operator", lambda: gone_back(cluster, helm))
    cluster.forget(helm, "live-data")
