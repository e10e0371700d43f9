"""Pods, processes and programs of the node go away while events flow. `counts` checks the numbers at the end."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from checks.kubernetes import NAMESPACE
from checks.report import Report, expect, expect_equal, expect_in

from .cluster import DEPLOYMENT, OPERATORS, WORKERS, Cluster
from .site import Site

OPERATOR_ACCOUNT = f"system:serviceaccount:{NAMESPACE}:live-data-operator"
# Less than an interpreter takes.
TINY = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "24Mi"}}


def process(site: Site, pod: dict) -> int:
    """The pid, on this machine, of the one process of a pod's container."""
    container = pod["status"]["containerStatuses"][0]["containerID"].rsplit("/", 1)[-1]
    group = site.parts["node"]["NODE_CGROUP"]
    root = next(root for root in (Path("/sys/fs/cgroup/pids") / group, Path("/sys/fs/cgroup") / group) if root.exists())
    for procs in root.rglob(f"{container}/cgroup.procs"):
        found = procs.read_text(encoding="utf-8").split()
        if found:
            return int(found[0])
    raise AssertionError(f"the container {container} has no process below {root}")


def restarts(pod: dict) -> int:
    """How often the pod's container was started again."""
    return pod["status"]["containerStatuses"][0]["restartCount"]


def running(cluster: Cluster, selector: str) -> dict[str, tuple[str, int]]:
    """UID of each pod, with its container and how often that was started again."""
    found = {}
    for pod in cluster.pods(selector):
        container = next(iter(pod["status"].get("containerStatuses", [])), {})
        found[pod["metadata"]["uid"]] = (container.get("containerID", ""), container.get("restartCount", 0))
    return found


def back(cluster: Cluster, before: dict[str, str]) -> None:
    """All is well again, events flow, and every object but pods is the one that was there."""
    cluster.wait(cluster.well, "all is well again")
    cluster.goes_on()
    expect_equal(cluster.identities(), before, "objects and their UIDs")


def operator_writes(site: Site) -> list[str]:
    """What operators have written, by the apiserver's own account, but Lease, Events and the resource's status."""
    found = []
    for line in Path(site.parts["node"]["AUDIT_LOG"]).read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        place = entry.get("objectRef", {})
        told = place.get("resource") in ("leases", "events") or place.get("subresource") == "status"
        if entry["user"]["username"] == OPERATOR_ACCOUNT and entry["verb"] not in ("get", "list", "watch") and not told:
            found.append(f"{entry['verb']} {place.get('resource')}/{place.get('name')}")
    return found


def pod_deleted(site: Site) -> None:
    """The worker's pod is deleted during a run."""
    cluster, before = site.cluster, site.cluster.identities()
    cluster.mid_run()
    old = cluster.worker()["metadata"]["uid"]
    generation = cluster.get("deployment", DEPLOYMENT)["metadata"]["generation"]
    cluster.kubectl("delete", "pod", "--namespace", NAMESPACE, WORKERS, "--wait=false")
    cluster.wait(lambda: old not in running(cluster, WORKERS), "the pod is going")
    back(cluster, before)
    expect(cluster.worker()["metadata"]["uid"] != old, "the pod is the old one")
    found = cluster.get("deployment", DEPLOYMENT)["metadata"]["generation"]
    expect_equal(found, generation, "the Deployment's generation")


def process_killed(site: Site) -> None:
    """The worker's process is killed during a run: its container is started again, in the same pod."""
    cluster, before = site.cluster, site.cluster.identities()
    cluster.mid_run()
    pod = cluster.worker()
    os.kill(process(site, pod), signal.SIGKILL)
    cluster.wait(lambda: restarts(cluster.worker()) == restarts(pod) + 1, "the container was started again")
    back(cluster, before)
    expect_equal(cluster.worker()["metadata"]["uid"], pod["metadata"]["uid"], "the pod's UID")


def out_of_memory(site: Site) -> None:
    """A limit that is far too small: said in words, the old worker goes on, and putting it right needs no new pod."""
    cluster, before = site.cluster, site.cluster.identities()
    cluster.mid_run()
    old = running(cluster, WORKERS)
    cluster.merge({"spec": {"resources": TINY}})
    try:
        cluster.wait(
            lambda: cluster.condition("Degraded").get("reason") == "OutOfMemory", "the status says OutOfMemory", 300
        )
        said = cluster.condition("Degraded")
        expect_equal(said["status"], "True", "Degraded")
        expect_in(
            "using more memory than its limit: raise spec.resources.limits.memory", said["message"], "the message"
        )
        expect(cluster.ready(), "the old worker does not go on")
        cluster.goes_on()
    finally:
        cluster.merge({"spec": {"resources": None}})
    back(cluster, before)
    expect_equal(running(cluster, WORKERS), old, "the worker's pod and container")


def kubelet_restarted(site: Site) -> None:
    """The kubelet is killed and started again during a run: no container notices."""
    cluster, before = site.cluster, site.cluster.identities()
    cluster.mid_run()
    everything = {**running(cluster, WORKERS), **running(cluster, OPERATORS)}
    site.node("restart", "kubelet", "--kill")
    back(cluster, before)
    expect_equal({**running(cluster, WORKERS), **running(cluster, OPERATORS)}, everything, "pods and containers")


def operator_deleted(site: Site) -> None:
    """The operator's pod is deleted during a run: another one takes over and writes nothing that is as it should be."""
    cluster, before = site.cluster, site.cluster.identities()
    cluster.mid_run()
    old, worker = running(cluster, OPERATORS), running(cluster, WORKERS)
    audited = len(operator_writes(site))
    holder = cluster.get("lease", "live-data-operator")["spec"]["holderIdentity"]
    cluster.kubectl("delete", "pod", "--namespace", NAMESPACE, OPERATORS, "--wait=false")
    cluster.wait(
        lambda: cluster.get("lease", "live-data-operator")["spec"].get("holderIdentity") not in (holder, None, ""),
        "another operator holds the lease",
    )
    back(cluster, before)
    expect(not set(running(cluster, OPERATORS)) & set(old), "the operator's pod is the old one")
    expect_equal(running(cluster, WORKERS), worker, "the worker's pod and container")
    expect_equal(operator_writes(site)[audited:], [], "what the operator wrote")


def checks(report: Report, site: Site) -> None:
    """One after another; each leaves all as it was."""
    report.check("the worker's pod is deleted mid-run", lambda: pod_deleted(site))
    report.check("the worker's process is killed mid-run", lambda: process_killed(site))
    report.check("a memory limit far too small: said in words, the old worker goes on", lambda: out_of_memory(site))
    report.check("the node's kubelet is killed and started again", lambda: kubelet_restarted(site))
    report.check("the operator's pod is deleted: nothing is written or made anew", lambda: operator_deleted(site))
