"""The second chart: a list of instruments on a cluster that has the first."""

from __future__ import annotations

from checks.kubernetes import NAMESPACE, RESOURCES
from checks.programs import CHART, INSTRUMENTS, call, run
from checks.report import Report, expect, expect_equal, expect_in, wait_until

from .cluster import Cluster, install
from .static import matrix

RELEASE = "live-data-instruments"


def found(cluster: Cluster) -> list[str]:
    """The resources' names."""
    return [name.partition("/")[2] for name in cluster.names(RESOURCES, "--all-namespaces")]


def needs_the_definition(cluster: Cluster, helm: str) -> None:
    """Without the first chart Helm says which kind is missing, and installs nothing."""
    done = call(
        helm,
        "install",
        RELEASE,
        INSTRUMENTS,
        "--namespace",
        NAMESPACE,
        "--set",
        "instruments={merlin}",
        env=cluster.env,
    )
    expect(done.returncode != 0, "it was installed without the definition")
    expect_in("LiveDataProcessor", done.stderr, "the answer")
    call(helm, "uninstall", RELEASE, "--namespace", NAMESPACE, env=cluster.env)


def with_file(cluster: Cluster, helm: str, file: str) -> None:
    """Every entry of every form passes the API server's own validation."""
    install(cluster, helm, INSTRUMENTS, "--reset-values", "--values", INSTRUMENTS / "ci" / file, release=RELEASE)
    wanted = {
        "default-values.yaml": [],
        "everything-values.yaml": ["loki-test", "merlin", "sandals"],
        "names-values.yaml": ["let", "mari", "merlin"],
    }
    expect(file in wanted, f"say in instruments.py what {file} makes")
    expect(set(wanted[file]) <= set(found(cluster)), f"found {found(cluster)}, wanted {wanted[file]}")


def list_is_followed(cluster: Cluster, helm: str) -> None:
    """An instrument that leaves the list goes, one that is added comes, the others stay as they are."""
    install(cluster, helm, INSTRUMENTS, "--reset-values", "--set", "instruments={merlin,mari}", release=RELEASE)
    before = cluster.metadata(RESOURCES, "merlin")
    install(cluster, helm, INSTRUMENTS, "--reset-values", "--set", "instruments={merlin,let}", release=RELEASE)
    wait_until(lambda: found(cluster) == ["let", "merlin"], "the resources are those of the list")
    after = cluster.metadata(RESOURCES, "merlin")
    expect_equal(
        (after["uid"], after["generation"]), (before["uid"], before["generation"]), "merlin's uid and generation"
    )
    run(helm, "uninstall", RELEASE, "--namespace", NAMESPACE, "--wait", env=cluster.env)
    wait_until(lambda: found(cluster) == [], "the resources are gone")


def kept_where_asked(cluster: Cluster, helm: str) -> None:
    """With keep the resources stay when the release goes."""
    install(cluster, helm, INSTRUMENTS, "--set", "instruments={merlin}", "--set", "keep=true", release=RELEASE)
    run(helm, "uninstall", RELEASE, "--namespace", NAMESPACE, "--wait", env=cluster.env)
    expect_equal(found(cluster), ["merlin"], "resources")


def checks(report: Report, cluster: Cluster, helm: str) -> None:
    """In this order: each builds on the one before."""
    report.check(f"{helm}: instruments need the definition first", lambda: needs_the_definition(cluster, helm))
    install(cluster, helm, CHART)
    for file in matrix(INSTRUMENTS):
        report.check(f"{helm}: instruments with {file.name}", lambda name=file.name: with_file(cluster, helm, name))
    cluster.kubectl("delete", RESOURCES, "--all", "--all-namespaces")
    call(helm, "uninstall", RELEASE, "--namespace", NAMESPACE, "--wait", env=cluster.env)
    report.check(f"{helm}: the resources follow the list", lambda: list_is_followed(cluster, helm))
    report.check(f"{helm}: with keep they outlive the release", lambda: kept_where_asked(cluster, helm))
    cluster.forget(helm, RELEASE, "live-data")
