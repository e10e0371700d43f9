"""Questions to the cluster, and changes of the one resource. Judges nothing but that kubectl works."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

from checks.kubernetes import NAMESPACE, RESOURCES, Kubectl
from checks.programs import call
from checks.report import Failed, expect

from .instrument import RUN_SECONDS

WORKERS = "--selector=app.kubernetes.io/name=live-data-worker"
OPERATORS = "--selector=app.kubernetes.io/name=live-data-operator"
DEPLOYMENT = "livedataprocessor-merlin-deployment"
# Kinds whose objects are to live through everything that happens to pods.
LASTING = (
    "deployments,services,serviceaccounts,persistentvolumeclaims,persistentvolumes,roles,rolebindings,clusterroles,"
    f"clusterrolebindings,configmaps,secrets,{RESOURCES}"
)


class Cluster(Kubectl):
    """The site's cluster, as its administrator sees it."""

    def get(self, *arguments: str) -> dict:
        """Object or list of the namespace as JSON; empty without such an object."""
        return self.find(*arguments, "--namespace", NAMESPACE) or {}

    def items(self, *arguments: str) -> list[dict]:
        """The objects of a list."""
        return self.get(*arguments).get("items", [])

    def status(self) -> dict:
        """The resource's status."""
        return self.get(RESOURCES, "merlin").get("status", {})

    def condition(self, kind: str) -> dict:
        """One condition of the resource; empty where there is none."""
        return next((one for one in self.status().get("conditions", []) if one["type"] == kind), {})

    def ready(self) -> bool:
        """Whether the resource is ready."""
        return self.condition("Ready").get("status") == "True"

    def well(self) -> bool:
        """Whether all is as it should be: ready, rolled out, nothing wrong, storage ready."""
        found = {one["type"]: one["status"] for one in self.status().get("conditions", [])}
        return found == {"Ready": "True", "Progressing": "False", "Degraded": "False", "StorageReady": "True"}

    def pods(self, selector: str) -> list[dict]:
        """Pods that are not being deleted, the oldest first."""
        pods = [pod for pod in self.items("pods", selector) if "deletionTimestamp" not in pod["metadata"]]
        return sorted(pods, key=lambda pod: pod["metadata"]["creationTimestamp"])

    def worker(self) -> dict:
        """The one worker's pod."""
        pods = self.pods(WORKERS)
        expect(len(pods) == 1, f"one worker's pod was expected: {[pod['metadata']['name'] for pod in pods]}")
        return pods[0]

    def identities(self) -> dict[str, str]:
        """Name and UID of every object that is to stay, but what the cluster itself and Helm keep."""
        found = {}
        for item in self.items(LASTING):
            name = item["metadata"]["name"]
            if not name.startswith(("system:", "kube-", "sh.helm.release")):
                found[f"{item['kind']}/{name}"] = item["metadata"]["uid"]
        return found

    def wait(self, condition: Callable[[], object], what: str, seconds: float = 180) -> None:
        """Waits for a condition; fails with the resource's own words when it does not come."""
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                said = json.dumps(self.status(), indent=1)
                pods = call("kubectl", "get", "pods", "--namespace", NAMESPACE, "--output=wide", env=self.env).stdout
                raise Failed(f"after {seconds:.0f} s still not so: {what}\n{said}\n{pods}")
            time.sleep(0.5)

    def mid_run(self) -> str:
        """Waits until a run is well under way and not about to end; its number."""
        found: list[str] = []

        def under_way() -> bool:
            run_now = self.status().get("run") or {}
            if not run_now.get("startTime"):
                return False
            began = datetime.fromisoformat(run_now["startTime"])
            age = (datetime.now(UTC) - began).total_seconds()
            found[:] = [run_now["number"]]
            return 3 <= age <= RUN_SECONDS - 10

        self.wait(under_way, "a run is under way", 120)
        return found[0]

    def goes_on(self) -> None:
        """Waits until the status shows that events of the present are counted."""
        before = self.status().get("workerReportTime")

        def fresh() -> bool:
            status = self.status()
            return self.ready() and status.get("workerReportTime") != before and (status.get("rate") or 0) > 0

        self.wait(fresh, "the status goes on with events")
