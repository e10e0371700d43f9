"""From a previous version of the chart to this one, and back."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from checks.kubernetes import CRD, NAMESPACE, RESOURCES
from checks.programs import CHART, CHART_CHECKS, run
from checks.report import Failed, Report, expect, expect_equal, expect_in

from .cluster import Cluster, install

# What the previous version's definition did not have, besides a short name that it had and this one has not.
LATER_FIELD = "suspend"


def previous_chart(folder: Path) -> Path:
    """This chart as version 0.0.1 whose definition is older: another short name, one field less."""
    old = folder / "previous"
    shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(CHART, old, ignore=shutil.ignore_patterns("ci", "tests.orig"))
    meta = old / "Chart.yaml"
    text = meta.read_text(encoding="utf-8")
    meta.write_text(re.sub(r"^version: .*$", "version: 0.0.1", text, flags=re.MULTILINE), encoding="utf-8")
    template = old / "templates" / "crd.yaml"
    definition = template.read_text(encoding="utf-8")
    definition, renamed = re.subn(r"^( +)- ldp$", r"\1- olddp", definition, flags=re.MULTILINE)
    lines, kept, depth, cut = definition.splitlines(), [], -1, 0
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if depth >= 0 and (indent > depth or not line.strip()):
            continue
        depth = -1
        if line.strip() == f"{LATER_FIELD}:" and not cut:
            depth, cut = indent, 1
            continue
        kept.append(line)
    expect_equal((renamed, cut), (1, 1), "edits of the definition; adapt previous_chart() to templates/crd.yaml")
    template.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return old


def fields(cluster: Cluster) -> dict:
    """The spec's properties as the API server has them."""
    versions = (cluster.find("crd", CRD) or {})["spec"]["versions"]
    return versions[0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]


def upgraded(cluster: Cluster, helm: str) -> None:
    """The definition is the new one, the resource is the one that was there, the operator's pod goes on."""
    archive = run(helm, "package", previous_chart(cluster.folder), "--destination", cluster.folder).split()[-1]
    install(cluster, helm, archive)
    expect("suspend" not in fields(cluster), "the previous version's definition knows suspend")
    cluster.kubectl("apply", "--filename", CHART_CHECKS / "fixtures" / "old-resource.yaml")
    before = cluster.metadata(RESOURCES, "merlin")
    pods = cluster.names("pods", "--namespace", NAMESPACE)
    install(cluster, helm, CHART)
    expect("suspend" in fields(cluster), "the upgraded definition does not know suspend")
    expect_equal((cluster.find("crd", CRD) or {})["spec"]["names"]["shortNames"], ["ldp"], "short names")
    after = cluster.metadata(RESOURCES, "merlin")
    expect_equal(after["uid"], before["uid"], "the resource's uid")
    expect_equal(cluster.names("pods", "--namespace", NAMESPACE), pods, "pods, since the pod's template is the same")
    cluster.merge({"spec": {"suspend": True}})


def rolled_back(cluster: Cluster, helm: str) -> None:
    """`helm rollback` gives the previous version back, definition and all."""
    run(helm, "rollback", "live-data", "1", "--namespace", NAMESPACE, "--wait", "--timeout=120s", env=cluster.env)
    expect_equal((cluster.find("crd", CRD) or {})["spec"]["names"]["shortNames"], ["olddp"], "short names")
    expect(cluster.find(RESOURCES, "merlin", "--namespace", NAMESPACE), "the resource is gone")
    install(cluster, helm, CHART)


def by_the_other_helm(cluster: Cluster, helm: str) -> None:
    """A release of one Helm is upgraded by the other, and back: a site may have both."""
    other = "helm3" if helm == "helm" else "helm"
    before = cluster.metadata(RESOURCES, "merlin")
    install(cluster, other, CHART, "--set", "logLevel=debug")
    install(cluster, helm, CHART, "--set", "logLevel=warn")
    deployment = cluster.find("deployment", "live-data-operator", "--namespace", NAMESPACE) or {}
    names = [entry["name"] for entry in deployment["spec"]["template"]["spec"]["containers"][0]["env"]]
    expect_equal(len(names), len(set(names)), f"environment: {names}; variables")
    after = cluster.metadata(RESOURCES, "merlin")
    expect_equal(after["uid"], before["uid"], "the resource's uid")


def refused_by_the_definition(cluster: Cluster) -> None:
    """What the definition refuses, it refuses with the field: the instrument cannot be changed."""
    try:
        cluster.merge({"spec": {"instrument": "LET"}})
    except Failed as refused:
        expect_in("instrument cannot be changed", str(refused), "the answer")
    else:
        raise Failed("the instrument was changed")


def checks(report: Report, cluster: Cluster, helm: str) -> None:
    """In this order: each builds on the one before."""
    report.check(
        f"{helm}: an upgrade from a previous version upgrades the definition and restarts nothing",
        lambda: upgraded(cluster, helm),
    )
    report.check(f"{helm}: helm rollback, and forth again", lambda: rolled_back(cluster, helm))
    report.check(f"{helm}: upgraded by the other Helm, and back", lambda: by_the_other_helm(cluster, helm))
    report.check(f"{helm}: the definition's rules are in force", lambda: refused_by_the_definition(cluster))
    cluster.forget(helm, "live-data")
