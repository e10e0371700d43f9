"""All courses on one control plane: Helm 4 always; Helm 3 the main ones, and with --full all of them."""

from __future__ import annotations

from checks.report import Report

from . import access, installs, instruments, prometheus, takeover, uninstalls, upgrades, workers
from .cluster import Cluster


def checks(report: Report, *, full: bool) -> None:
    """Starts the control plane, runs the courses, takes it down."""
    made: list[Cluster] = []
    if not report.check("a control plane starts", lambda: made.append(Cluster())):
        return
    cluster = made[0]
    try:
        cluster.namespace()
        report.check(
            "the Prometheus operator's own definitions are there to install against", lambda: definitions(cluster)
        )
        for helm in ("helm", "helm3"):
            courses = [takeover, upgrades, uninstalls, workers]
            if helm == "helm" or full:
                courses = [installs, access, *courses, instruments]
            for course in courses:
                name = course.__name__.rpartition(".")[2]
                if not report.check(
                    f"{helm}: {name}: begins and ends clean",
                    lambda course=course, helm=helm: course.checks(report, cluster, helm),
                ):
                    return
    finally:
        cluster.end()


def definitions(cluster: Cluster) -> None:
    """ServiceMonitor, PodMonitor and PrometheusRule as the Prometheus operator defines them."""
    for file in prometheus.prometheus_definitions():
        cluster.kubectl("apply", "--server-side", "--filename", file)
    for kind in installs.MONITORS:
        cluster.kubectl("wait", "--for=condition=Established", f"crd/{kind}", "--timeout=60s")
