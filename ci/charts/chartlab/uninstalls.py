"""What stays when a release is uninstalled, and what goes."""

from __future__ import annotations

from checks.kubernetes import CRD, NAMESPACE, RESOURCES
from checks.programs import CHART, CHART_CHECKS, call, run
from checks.report import Report, expect, expect_equal, expect_in, wait_until

from .cluster import Cluster, install

FINALIZER = "live-data.fia.com/cleanup"


def keeps_by_default(cluster: Cluster, helm: str) -> None:
    """The definition and the resource stay, not Terminating; everything else of the release goes."""
    install(cluster, helm, CHART, "--values", CHART / "ci" / "high-availability-values.yaml")
    cluster.kubectl("apply", "--filename", CHART_CHECKS / "fixtures" / "old-resource.yaml")
    cluster.merge({"metadata": {"finalizers": [FINALIZER]}})
    before = cluster.of_release("live-data")
    expect(len(before) >= 10, f"the release's objects are not found by their labels: {before}")
    answer = run(helm, "uninstall", "live-data", "--namespace", NAMESPACE, "--wait", "--timeout=60s", env=cluster.env)
    expect_in("livedataprocessors.fia.com", answer, "what Helm says it kept")
    wait_until(lambda: not cluster.of_release("live-data"), f"nothing is left of {before}")
    expect_equal(cluster.names("secrets", "--namespace", NAMESPACE, "--selector=owner=helm"), [], "Helm's records")
    for kind, name in (("crd", CRD), (RESOURCES, "merlin")):
        found = cluster.find(kind, name, "--namespace", NAMESPACE) or {}
        expect(found, f"{kind} {name} is gone")
        expect("deletionTimestamp" not in found["metadata"], f"{kind} {name} is Terminating")


def taken_up_again(cluster: Cluster, helm: str) -> None:
    """The same release name finds its definition again; another one is told to leave it alone."""
    before = cluster.metadata(RESOURCES, "merlin")
    done = call(helm, "install", "second", CHART, "--namespace", NAMESPACE, env=cluster.env)
    expect(done.returncode != 0, "another release took the definition")
    expect_in("livedataprocessors.fia.com", done.stderr, "the answer")
    install(cluster, helm, CHART, "--set", "crds.enabled=false", release="second")
    run(helm, "uninstall", "second", "--namespace", NAMESPACE, "--wait", env=cluster.env)
    expect(cluster.served(), "the other release took the definition along")
    install(cluster, helm, CHART)
    after = cluster.metadata(RESOURCES, "merlin")
    expect_equal(after["uid"], before["uid"], "the resource's uid")


def goes_where_asked(cluster: Cluster, helm: str) -> None:
    """With crds.keep=false, resources deleted first as the README says: nothing is left, nothing hangs."""
    install(cluster, helm, CHART, "--set", "crds.keep=false")
    # The operator's part: it takes its finalizer away when the worker is gone. No operator runs in this cluster.
    cluster.merge({"metadata": {"finalizers": None}})
    cluster.kubectl("delete", RESOURCES, "--all", "--all-namespaces", "--timeout=60s")
    run(helm, "uninstall", "live-data", "--namespace", NAMESPACE, "--wait", "--timeout=60s", env=cluster.env)
    wait_until(lambda: cluster.find("crd", CRD) is None, "the definition is gone")
    wait_until(lambda: not cluster.of_release("live-data"), "the release's objects are gone")


def what_the_readme_announces(cluster: Cluster, helm: str) -> None:
    """crds.keep=false with a resource still there: it hangs in Terminating until its finalizer is taken away."""
    install(cluster, helm, CHART, "--set", "crds.keep=false")
    cluster.kubectl("apply", "--filename", CHART_CHECKS / "fixtures" / "old-resource.yaml")
    cluster.merge({"metadata": {"finalizers": [FINALIZER]}})
    run(helm, "uninstall", "live-data", "--namespace", NAMESPACE, env=cluster.env)
    for kind, name in (("crd", CRD), (RESOURCES, "merlin")):
        wait_until(
            lambda kind=kind, name=name: "deletionTimestamp" in cluster.metadata(kind, name),
            f"{kind} {name} is Terminating",
        )
    cluster.merge({"metadata": {"finalizers": None}})
    wait_until(lambda: cluster.find("crd", CRD) is None, "both are gone once the finalizer is")


def checks(report: Report, cluster: Cluster, helm: str) -> None:
    """In this order: each builds on the one before."""
    report.check(
        f"{helm}: uninstall keeps the definition and the resources, and nothing else",
        lambda: keeps_by_default(cluster, helm),
    )
    report.check(
        f"{helm}: installed again, the release takes up what it left; another release is refused it",
        lambda: taken_up_again(cluster, helm),
    )
    report.check(
        f"{helm}: crds.keep=false, resources deleted first: nothing is left", lambda: goes_where_asked(cluster, helm)
    )
    report.check(
        f"{helm}: crds.keep=false over a resource with its finalizer: it waits for that, as announced",
        lambda: what_the_readme_announces(cluster, helm),
    )
    cluster.forget(helm, "live-data")
