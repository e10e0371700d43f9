"""A running worker while its operator's release is upgraded, rolled back, uninstalled and installed again."""

from __future__ import annotations

import re

from checks.kubernetes import CRD, NAMESPACE, RESOURCES
from checks.programs import CHART, CHART_CHECKS, run
from checks.report import Report, expect, expect_equal, expect_in, wait_until

from .cluster import Cluster, install
from .operator import PATIENCE, Operator, account, program
from .upgrades import fields, previous_chart

VALUES = ("--values", CHART / "ci" / "isis-values.yaml")
SELECTOR = "--selector=app.kubernetes.io/name=live-data-worker,app.kubernetes.io/instance=merlin"
KINDS = "deployments,replicasets,pods,persistentvolumeclaims,persistentvolumes,services,serviceaccounts,networkpolicies"


def objects(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """Everything of the worker: its UID and its version, by kind and name."""
    found = cluster.find(KINDS, "--all-namespaces", SELECTOR) or {}
    return {
        f"{item['kind']}/{item['metadata']['name']}": (item["metadata"]["uid"], item["metadata"]["resourceVersion"])
        for item in found.get("items", [])
    }


def uids(cluster: Cluster, *kinds: str) -> dict[str, str]:
    """UIDs only, of these kinds."""
    return {name: uid for name, (uid, _) in objects(cluster).items() if name.partition("/")[0] in kinds}


def ready(cluster: Cluster, image: str = "") -> bool:
    """Whether the resource is ready, and one pod is left, of this image."""
    resource = cluster.find(RESOURCES, "merlin", "--namespace", NAMESPACE) or {}
    conditions = {
        condition["type"]: condition["status"] for condition in resource.get("status", {}).get("conditions", [])
    }
    pods = (cluster.find("pods", "--namespace", NAMESPACE, SELECTOR) or {}).get("items", [])
    images = [pod["spec"]["containers"][0]["image"] for pod in pods]
    settled = (conditions.get("Ready"), conditions.get("StorageReady"), conditions.get("Progressing"))
    return settled == ("True", "True", "False") and len(images) == 1 and images[0].endswith(image)


def made(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """The resource, and what the operator has made of it."""
    cluster.kubectl("apply", "--filename", CHART_CHECKS / "fixtures" / "old-resource.yaml")
    wait_until(lambda: ready(cluster), "the worker is ready", PATIENCE)
    found = objects(cluster)
    kinds = sorted(name.partition("/")[0] for name in found)
    expect_equal(
        kinds,
        ["Deployment", "NetworkPolicy"][: 1 + ("NetworkPolicy" in kinds)]
        + ["PersistentVolume"] * 2
        + ["PersistentVolumeClaim"] * 2
        + ["Pod", "ReplicaSet", "Service", "ServiceAccount"],
        "what was made",
    )
    return found


def upgraded(cluster: Cluster, helm: str) -> None:
    """From the previous version: the definition is the new one, and of the worker nothing was even written."""
    archive = run(helm, "package", previous_chart(cluster.folder), "--destination", cluster.folder).split()[-1]
    install(cluster, helm, archive, *VALUES)
    with Operator(cluster):
        before = made(cluster)
    install(cluster, helm, CHART, *VALUES)
    expect("suspend" in fields(cluster), "the upgraded definition does not know suspend")
    with Operator(cluster):
        expect(ready(cluster), "the worker is not ready")
        expect_equal(objects(cluster), before, "the worker's objects")


def another_image(cluster: Cluster, helm: str) -> None:
    """An upgrade that changes the pod's template replaces the pod, and nothing else."""
    kept = ("Deployment", "PersistentVolume", "PersistentVolumeClaim", "Service", "ServiceAccount", "NetworkPolicy")
    before, pods = uids(cluster, *kept), uids(cluster, "Pod")
    install(cluster, helm, CHART, *VALUES, "--set", "worker.image.tag=next")
    expect_equal(uids(cluster, "Pod"), pods, "pods before the new operator runs")
    with Operator(cluster):
        wait_until(lambda: ready(cluster, ":next"), "the worker has the new image", PATIENCE)
    expect_equal(uids(cluster, *kept), before, "UIDs")
    expect(not set(pods.values()) & set(uids(cluster, "Pod").values()), "the pod is the old one")


def rolled_back(cluster: Cluster, helm: str) -> None:
    """`helm rollback` brings the former image back."""
    revisions = re.findall(r"^(\d+)", run(helm, "history", "live-data", "-n", NAMESPACE, env=cluster.env), re.MULTILINE)
    where = ("--namespace", NAMESPACE, "--wait", "--timeout=120s")
    run(helm, "rollback", "live-data", revisions[-2], *where, env=cluster.env)
    with Operator(cluster):
        wait_until(lambda: ready(cluster) and not ready(cluster, ":next"), "the worker has the former image", PATIENCE)


def goes_on_without(cluster: Cluster, helm: str) -> None:
    """Uninstalled under a running operator, the worker goes on untouched; installed again, it still is."""
    operator = Operator(cluster)
    before = objects(cluster)
    run(helm, "uninstall", "live-data", "--namespace", NAMESPACE, "--wait", "--timeout=60s", env=cluster.env)
    # Its account is gone by now, as it would be for a pod that gets its signal.
    operator.end()
    expect_equal(objects(cluster), before, "the worker's objects after uninstalling")
    for kind, name in (("crd", CRD), (RESOURCES, "merlin")):
        expect("deletionTimestamp" not in cluster.metadata(kind, name), f"{kind} {name} is Terminating")
    install(cluster, helm, CHART, *VALUES)
    with Operator(cluster):
        expect(ready(cluster), "the worker is not ready")
        expect_equal(objects(cluster), before, "the worker's objects after installing again")


def released(cluster: Cluster) -> None:
    """Deleted without an operator the resource waits, as announced, until `release` takes its finalizer."""
    cluster.kubectl("delete", RESOURCES, "merlin", "--namespace", NAMESPACE, "--wait=false")
    expect("deletionTimestamp" in cluster.metadata(RESOURCES, "merlin"), "it did not wait")
    env = {**cluster.env, "KUBECONFIG": account(cluster), "POD_NAMESPACE": NAMESPACE}
    answer = run(program(), "release", "--all", env=env)
    expect_in("1 released", answer, "what release says")
    wait_until(lambda: not cluster.metadata(RESOURCES, "merlin"), "the resource is gone", PATIENCE)
    # The volumes are the site's to delete; what has an owner goes by itself.
    wait_until(lambda: set(uids(cluster, "Pod", "Deployment", "PersistentVolumeClaim")) == set(), "the rest is gone")
    left = uids(cluster, "PersistentVolume")
    expect_equal(len(left), 2, "volumes left")
    cluster.kubectl("delete", *left)


def removed(cluster: Cluster, helm: str) -> None:
    """As the README says: resources first, under a running operator, then the definition: nothing is left."""
    with Operator(cluster):
        made(cluster)
        cluster.kubectl("delete", RESOURCES, "--all", "--all-namespaces", "--timeout=100s")
        wait_until(lambda: not objects(cluster), f"nothing is left of the worker, but {objects(cluster)}")
    install(cluster, helm, CHART, *VALUES, "--set", "crds.keep=false")
    run(helm, "uninstall", "live-data", "--namespace", NAMESPACE, "--wait", "--timeout=60s", env=cluster.env)
    wait_until(lambda: cluster.find("crd", CRD) is None, "the definition is gone")


def checks(report: Report, cluster: Cluster, helm: str) -> None:
    """In this order: each builds on the one before."""
    report.check(
        f"{helm}: an upgrade from a previous version writes nothing to a running worker",
        lambda: upgraded(cluster, helm),
    )
    report.check(f"{helm}: another image replaces its pod, and nothing else", lambda: another_image(cluster, helm))
    report.check(f"{helm}: a rollback brings the former one back", lambda: rolled_back(cluster, helm))
    report.check(
        f"{helm}: a running worker outlives uninstall and install untouched", lambda: goes_on_without(cluster, helm)
    )
    report.check(f"{helm}: a deletion without an operator waits for release", lambda: released(cluster))
    report.check(f"{helm}: removed as the README says, nothing is left", lambda: removed(cluster, helm))
    cluster.forget(helm, "live-data")
