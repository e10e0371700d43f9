"""kubectl against one cluster, with the project's names of its objects. Must not judge an answer."""

from __future__ import annotations

import json
from pathlib import Path

from .programs import call, run
from .report import expect

NAMESPACE = "fia"
# Plural and group of the resource, which is also the name of its CustomResourceDefinition.
RESOURCES = CRD = "livedataprocessors.fia.com"
# A namespace with this label refuses pods outside the restricted Pod Security Standard.
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


class Kubectl:
    """kubectl with one environment, which names the cluster by KUBECONFIG."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env

    def kubectl(self, *arguments: str | Path, stdin: str | None = None, seconds: float = 300) -> str:
        """Output of a kubectl command; raises Failed unless it exits with 0."""
        return run("kubectl", *arguments, stdin=stdin, env=self.env, seconds=seconds)

    def find(self, *arguments: str) -> dict | None:
        """Object or list that `kubectl get` prints as JSON; None without such an object or kind."""
        done = call("kubectl", "get", *arguments, "--ignore-not-found", "--output=json", env=self.env)
        if done.returncode != 0 and "the server doesn't have a resource type" in done.stderr:
            return None
        expect(done.returncode == 0, f"kubectl get {' '.join(arguments)}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def merge(self, change: dict, name: str = "merlin", namespace: str = NAMESPACE) -> None:
        """Applies a JSON merge patch to a LiveDataProcessor; raises Failed where the API server refuses it."""
        where = ("--namespace", namespace, "--type=merge")
        self.kubectl("patch", RESOURCES, name, *where, "--patch", json.dumps(change))
