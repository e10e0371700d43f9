"""Uninstalling, as the README describes it."""

from __future__ import annotations

from checks.kubernetes import CRD, NAMESPACE, RESOURCES
from checks.programs import call
from checks.report import Report, expect, expect_equal

from . import definitions, release
from .cluster import OPERATORS, WORKERS
from .faults import running
from .site import Site

# What was there before the chart, and what every namespace has.
NOT_OURS = {
    "ConfigMap/kube-root-ca.crt",
    f"ConfigMap/{definitions.CONFIG_MAP}",
    "ServiceAccount/default",
    "Secret/fia-api",
    "PersistentVolumeClaim/merlin-output",
    "PersistentVolume/merlin-output",
}
KINDS = (
    "deployments,replicasets,pods,services,endpointslices,serviceaccounts,roles,rolebindings,configmaps,secrets,jobs,"
    "networkpolicies,poddisruptionbudgets,leases,persistentvolumeclaims,persistentvolumes,clusterroles,clusterrolebindings,"
    "customresourcedefinitions"
)


def left(site: Site) -> list[str]:
    """Every object that is neither the cluster's own nor was there before."""
    found = []
    kinds = f"{KINDS},{RESOURCES}" if site.cluster.items("crd") else KINDS
    for item in site.cluster.items(kinds):
        name = f"{item['kind']}/{item['metadata']['name']}"
        labels = item["metadata"].get("labels", {})
        ours = name not in NOT_OURS and "kubernetes.io/bootstrapping" not in labels
        if ours and "deletionTimestamp" not in item["metadata"]:
            found.append(name)
    return sorted(found)


def uninstalled(site: Site) -> None:
    """What the README says stays: the definition, the resource with its running worker, the Lease."""
    cluster = site.cluster
    worker = running(cluster, WORKERS)
    release.uninstall(site, release.RELEASE)
    cluster.wait(lambda: not cluster.items("pods", OPERATORS), "the operator's pod is gone")
    base = "livedataprocessor-merlin"
    kinds = {name.split("/")[0] for name in left(site)}
    stays = [
        "CustomResourceDefinition/" + CRD,
        f"Deployment/{base}-deployment",
        "Lease/live-data-operator",
        "LiveDataProcessor/merlin",
        f"Service/{base}",
        f"ServiceAccount/{base}",
    ]
    # The worker's own ReplicaSets, pod and endpoints have names that are made up; Helm's record is the other chart's.
    made_up = ("ReplicaSet", "Pod", "EndpointSlice")
    found = [name for name in left(site) if not name.startswith(made_up)]
    found = [name for name in found if not name.startswith(f"Secret/sh.helm.release.v1.{release.RELEASE}-instruments.")]
    expect_equal(found, stays, "what is left")
    others = [name for name in left(site) if name.startswith(made_up) and f"/{base}" not in name]
    expect_equal(others, [], f"what is left of {made_up}; kinds {sorted(kinds)}")
    expect_equal(running(cluster, WORKERS), worker, "the worker's pod and container")


def installed_again(site: Site, version: str) -> None:
    """The operator takes up what stayed, and makes nothing anew."""
    cluster = site.cluster
    worker, uid = running(cluster, WORKERS), cluster.get(RESOURCES, "merlin")["metadata"]["uid"]
    release.install(site, version, "--wait", "--timeout=180s")
    cluster.wait(cluster.ready, "the resource is ready")
    expect_equal(running(cluster, WORKERS), worker, "the worker's pod and container")
    expect_equal(cluster.get(RESOURCES, "merlin")["metadata"]["uid"], uid, "the resource's UID")


def removed(site: Site) -> None:
    """All of it, by the README's three steps: then nothing is left but the data."""
    cluster = site.cluster
    release.uninstall(site, f"{release.RELEASE}-instruments")
    cluster.wait(lambda: not cluster.items(RESOURCES), "the resource is gone")
    source = f"oci://{site.registry}/charts/live-data"
    version = release.next_version()
    release.helm(
        site,
        *("upgrade", release.RELEASE, source, "--version", version, "--plain-http", "--reuse-values"),
        *("--set", "crds.keep=false"),
    )
    release.uninstall(site, release.RELEASE)
    cluster.wait(lambda: left(site) == ["Lease/live-data-operator"], "only the Lease is left", 120)
    done = call("kubectl", "get", RESOURCES, "--namespace", NAMESPACE, env=cluster.env)
    expect(done.returncode != 0, "the API still serves the resource")
    expect(any(site.volume.path.glob("*.nxs")), "the data are gone")
    expect_equal(cluster.get("pvc", "merlin-output")["status"]["phase"], "Bound", "the site's claim")


def checks(report: Report, site: Site, version: str) -> None:
    """In this order: the last one leaves nothing."""
    report.check("helm uninstall leaves what the README says, the worker running", lambda: uninstalled(site))
    report.check("installed again: nothing is made anew", lambda: installed_again(site, version))
    report.check("removed altogether: nothing is left but the data and the Lease", lambda: removed(site))
