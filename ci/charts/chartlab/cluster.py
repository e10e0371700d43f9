"""One control plane for one run, and questions to it. Each course leaves it as it found it."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from checks.kubernetes import CRD, NAMESPACE, RESOURCES, RESTRICTED, Kubectl
from checks.programs import ROOT, call, environment, run
from checks.report import expect, wait_until

PROGRAM = ROOT / "ci" / "lab" / "kubernetes"


class Cluster(Kubectl):
    """A control plane in a folder under /tmp, gone with this process however it ends."""

    def __init__(self) -> None:
        """Starts it; some ten seconds."""
        self.folder = Path(tempfile.mkdtemp(prefix="live-data-charts."))
        answer = run(PROGRAM, "up", self.folder, env=environment(LAB_OWNER=str(os.getpid())), seconds=600)
        found = re.search(r"^KUBECONFIG=(.+)$", answer, re.MULTILINE)
        expect(found, f"{PROGRAM} up printed no KUBECONFIG:\n{answer}")
        # Helm keeps what it caches beside the cluster, not in the user's home.
        super().__init__(
            environment(
                KUBECONFIG=found[1] if found else "",
                HELM_CACHE_HOME=str(self.folder / "helm"),
                HELM_CONFIG_HOME=str(self.folder / "helm"),
                HELM_DATA_HOME=str(self.folder / "helm"),
            )
        )

    def end(self) -> None:
        """Takes it down."""
        call(PROGRAM, "down", self.folder, seconds=120)
        shutil.rmtree(self.folder, ignore_errors=True)

    def names(self, *arguments: str) -> list[str]:
        """Names of the objects that a `kubectl get` lists, as kind/name."""
        found = self.find(*arguments)
        return sorted(f"{item['kind']}/{item['metadata']['name']}" for item in (found or {}).get("items", []))

    def metadata(self, kind: str, name: str) -> dict:
        """An object's metadata; empty when there is none."""
        return (self.find(kind, name, "--namespace", NAMESPACE) or {}).get("metadata", {})

    def namespace(self, name: str = NAMESPACE) -> None:
        """A namespace that takes only restricted pods."""
        if self.find("namespace", name) is None:
            self.kubectl("create", "namespace", name)
        self.kubectl("label", "namespace", name, RESTRICTED, "--overwrite")

    def served(self) -> bool:
        """Whether the API serves the resource."""
        return call("kubectl", "get", RESOURCES, "--all-namespaces", env=self.env).returncode == 0

    def of_release(self, release: str) -> list[str]:
        """Every object of a release but the definition, Helm's own records and what the namespace hides."""
        selector = f"--selector=app.kubernetes.io/instance={release},app.kubernetes.io/part-of=live-data"
        kinds = (
            "deployments,replicasets,pods,services,serviceaccounts,roles,rolebindings,configmaps,jobs,"
            "poddisruptionbudgets,networkpolicies"
        )
        found = self.names(kinds, "--all-namespaces", selector)
        found += self.names("clusterroles,clusterrolebindings", selector)
        return found

    def forget(self, helm: str, *releases: str) -> None:
        """The way back to an empty cluster between courses: releases, resources without their finalizers, the CRD."""
        for release in releases:
            call(helm, "uninstall", release, "--namespace", NAMESPACE, "--wait", env=self.env)
        for item in (self.find(RESOURCES, "--all-namespaces") or {}).get("items", []) if self.served() else []:
            where = ("--namespace", item["metadata"]["namespace"])
            self.merge({"metadata": {"finalizers": None}}, item["metadata"]["name"], item["metadata"]["namespace"])
            self.kubectl("delete", RESOURCES, item["metadata"]["name"], *where, "--ignore-not-found")
        self.kubectl("delete", "crd", CRD, "--ignore-not-found", "--timeout=60s")
        self.kubectl("delete", "clusterrole,clusterrolebinding", "live-data-operator", "--ignore-not-found")
        self.kubectl(
            "delete",
            "deployment,serviceaccount",
            "live-data-operator",
            "--namespace",
            NAMESPACE,
            "--ignore-not-found",
            "--timeout=60s",
        )
        wait_until(lambda: not self.served(), "the definition is gone")


def install(cluster: Cluster, helm: str, chart: Path | str, *arguments: str | Path, release: str = "live-data") -> str:
    """`helm upgrade --install` as the README gives it, and waits until it is there."""
    return run(
        helm,
        "upgrade",
        "--install",
        release,
        chart,
        "--namespace",
        NAMESPACE,
        "--create-namespace",
        "--wait",
        "--timeout=120s",
        *arguments,
        env=cluster.env,
    )
