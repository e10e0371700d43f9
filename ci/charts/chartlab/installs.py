"""The first install with no values, every file of the matrix, and `helm test`."""

from __future__ import annotations

from checks.kubernetes import CRD, NAMESPACE, RESOURCES
from checks.programs import CHART, call, run
from checks.report import Failed, Report, expect, expect_equal, expect_in

from .cluster import Cluster, install
from .static import matrix

MONITORS = (
    "servicemonitors.monitoring.coreos.com",
    "podmonitors.monitoring.coreos.com",
    "prometheusrules.monitoring.coreos.com",
)


def with_no_values(cluster: Cluster, helm: str) -> None:
    """The command of the README, on a cluster that knows nothing of this project."""
    notes = install(cluster, helm, CHART)
    expect_in("helm test live-data --namespace fia", notes, "the notes")
    expect_in("site.kafka.bootstrapServers", notes, "what the notes say is not set")
    expect(cluster.served(), "the API does not serve livedataprocessors")
    deployment = cluster.find("deployment", "live-data-operator", "--namespace", NAMESPACE)
    expect(deployment, "there is no Deployment live-data-operator")
    expect_equal((deployment or {})["status"].get("availableReplicas"), 1, "operators available")
    definition = cluster.find("crd", CRD) or {}
    expect_equal(definition["metadata"]["annotations"].get("helm.sh/resource-policy"), "keep", "the CRD's policy")
    columns = cluster.kubectl("get", RESOURCES, "--namespace", NAMESPACE)
    expect_equal(columns, "", "resources in a new cluster")


def again_changes_nothing(cluster: Cluster, helm: str) -> None:
    """The same command a second time leaves the Deployment's generation and its pod as they are."""
    before = cluster.metadata("deployment", "live-data-operator")
    pods = cluster.names("pods", "--namespace", NAMESPACE)
    install(cluster, helm, CHART)
    after = cluster.metadata("deployment", "live-data-operator")
    expect_equal((after["uid"], after["generation"]), (before["uid"], before["generation"]), "uid and generation")
    expect_equal(cluster.names("pods", "--namespace", NAMESPACE), pods, "pods")


def tested(cluster: Cluster, helm: str) -> None:
    """`helm test` runs its Job and clears it up."""
    answer = run(helm, "test", "live-data", "--namespace", NAMESPACE, "--timeout=120s", env=cluster.env)
    expect_in("Succeeded", answer, "helm test")
    expect_equal(cluster.names("jobs", "--namespace", NAMESPACE), [], "Jobs left by a test that succeeded")


def with_file(cluster: Cluster, helm: str, file: str) -> None:
    """One file of the matrix as an upgrade of what is there."""
    install(cluster, helm, CHART, "--reset-values", "--values", CHART / "ci" / file)
    deployment = cluster.find("deployment", "live-data-operator", "--namespace", NAMESPACE) or {}
    expect_equal(deployment["status"].get("unavailableReplicas"), None, "operators unavailable")
    if file == "monitoring-values.yaml":
        for kind, name in zip(MONITORS, ("live-data-operator", "live-data-workers", "live-data-operator"), strict=True):
            expect(cluster.find(kind, name, "--namespace", NAMESPACE), f"there is no {kind} {name}")
        boards = (cluster.find("configmap", "live-data-dashboards", "--namespace", NAMESPACE) or {}).get("data", {})
        expect("live-data-workers.json" in boards, f"dashboards: {sorted(boards)}")
    if file == "second-release-values.yaml":
        # Helm keeps what it no longer manages, for its policy says so.
        expect(cluster.served(), "the definition went when crds.enabled became false")


def wrong_values_change_nothing(cluster: Cluster, helm: str) -> None:
    """An upgrade with a wrong value is refused before it touches the release."""
    done = call(
        helm, "upgrade", "live-data", CHART, "--namespace", NAMESPACE, "--set", "site.valkey.port=0", env=cluster.env
    )
    expect(done.returncode != 0, "port 0 was taken")
    expect_in("/site/valkey/port", done.stderr, "the answer")
    history = run(helm, "history", "live-data", "--namespace", NAMESPACE, env=cluster.env)
    expect("failed" not in history, f"a release failed:\n{history}")


def checks(report: Report, cluster: Cluster, helm: str) -> None:
    """In this order: each builds on the one before."""
    # What cannot be installed makes every later check wait for its time limit and say the same.
    if not report.check(
        f"{helm}: installs with no values, in a restricted namespace", lambda: with_no_values(cluster, helm)
    ):
        raise Failed("nothing further is tried")
    report.check(f"{helm}: the same install again changes nothing", lambda: again_changes_nothing(cluster, helm))
    report.check(f"{helm}: helm test", lambda: tested(cluster, helm))
    for file in matrix(CHART):
        report.check(
            f"{helm}: upgrade --install with {file.name}", lambda name=file.name: with_file(cluster, helm, name)
        )
    report.check(
        f"{helm}: a wrong value is refused and changes nothing", lambda: wrong_values_change_nothing(cluster, helm)
    )
    cluster.forget(helm, "live-data")
