"""What the pods may do, seen from inside them and in every object of the API."""

from __future__ import annotations

import base64
import json

from checks.kubernetes import NAMESPACE
from checks.programs import call
from checks.report import Report, expect, expect_equal, expect_in

from .cluster import WORKERS
from .site import TOKEN, Site

# What the operator mounts for writing, and what every container has of its own in /dev.
WRITABLE = {"/output", "/var/lib/live-data", "/home/live-data", "/tmp", "/dev/shm", "/dev/mqueue"}

LOOK_INSIDE = """
import json, os, tempfile
writable = []
for folder, folders, _ in os.walk("/"):
    if folder == "/":
        folders.remove("proc")
    try:
        with tempfile.TemporaryFile(dir=folder):
            writable.append(folder)
    except OSError:
        continue
status = dict(line.rstrip().split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
print(json.dumps({
    "writable": writable,
    "token": os.path.exists("/var/run/secrets/kubernetes.io") or os.path.exists("/run/secrets/kubernetes.io"),
    "status": {name: status[name] for name in ("Uid", "Gid", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")},
    "sysctl": os.access("/proc/sys/kernel/hostname", os.W_OK),
}))
"""


def inside(site: Site) -> dict:
    """What a program of the worker's container finds, as the worker's user."""
    name = site.cluster.worker()["metadata"]["name"]
    return json.loads(
        site.cluster.kubectl("exec", "--namespace", NAMESPACE, name, "--", "python3", "-c", LOOK_INSIDE, seconds=180)
    )


def restricted(site: Site) -> None:
    """The namespace refuses a pod that asks for more, and refused none of ours."""
    done = call(
        *("kubectl", "run", "greedy", "--namespace", NAMESPACE, "--image=none", "--privileged"),
        env=site.cluster.env,
    )
    expect(done.returncode != 0, "a privileged pod was let in")
    expect_in('violates PodSecurity "restricted', done.stderr, "the refusal")
    for deployment in site.cluster.items("deployments"):
        conditions = deployment["status"].get("conditions", [])
        refused = [one["message"] for one in conditions if one["type"] == "ReplicaFailure" and one["status"] == "True"]
        expect_equal(refused, [], f"{deployment['metadata']['name']}: pods that were refused")


def no_token(found: dict, site: Site) -> None:
    """Neither a file nor a volume with a token of the API."""
    expect(not found["token"], "there is a folder of tokens in the worker's container")
    volumes = site.cluster.worker()["spec"]["volumes"]
    expect(not any("projected" in volume for volume in volumes), f"a token is mounted: {volumes}")


def confined(found: dict) -> None:
    """No capability, no new one, filtered calls, and nothing writable but the mounts."""
    status = found["status"]
    expect_equal(status["Uid"].split(), ["1000"] * 4, "user ids")
    expect_equal((int(status["CapEff"], 16), int(status["CapBnd"], 16)), (0, 0), "capabilities")
    expect_equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "no new privileges, and seccomp's mode")
    beyond = [folder for folder in found["writable"] if not any((folder + "/").startswith(f"{m}/") for m in WRITABLE)]
    expect_equal(beyond, [], "folders outside the mounts that can be written")
    expect("/output" in found["writable"], f"/output cannot be written; only {found['writable']}")
    expect(not found["sysctl"], "sysctls can be written")


def nowhere(site: Site) -> None:
    """The GitHub token is in its Secret, and in no other object of whatever kind."""
    kinds = site.cluster.kubectl("api-resources", "--verbs=list", "--output=name").split()
    wanted = (TOKEN, base64.b64encode(TOKEN.encode()).decode())
    places, looked = [], 0
    for kind in kinds:
        done = call("kubectl", "get", kind, "--all-namespaces", "--output=json", env=site.cluster.env)
        if done.returncode != 0:
            continue
        for item in json.loads(done.stdout).get("items", []):
            looked += 1
            text = json.dumps(item)
            # Helm's own records are compressed, and are made from values that hold no token.
            if any(one in text for one in wanted):
                places.append(f"{item['kind']}/{item['metadata']['name']}")
    expect(looked > 100, f"only {looked} objects were looked at")
    expect_equal(places, ["Secret/fia-api"], "objects that hold the token")


def logged_nowhere(site: Site) -> None:
    """Nor in a log of a pod."""
    for selector in (WORKERS, "--selector=app.kubernetes.io/name=live-data-operator"):
        log = site.cluster.kubectl("logs", "--namespace", NAMESPACE, selector, "--tail=-1")
        expect(log.strip(), f"the pods of {selector} log nothing")
        expect(TOKEN not in log, f"the token stands in the log of {selector}")


def checks(report: Report, site: Site) -> None:
    """Reads only."""
    report.check("the namespace enforces restricted pods, and ours comply", lambda: restricted(site))
    found: dict = {}
    report.check("a program can be run in the worker's container", lambda: found.update(inside(site)))
    report.check("inside the worker: no token of the API", lambda: no_token(found, site))
    report.check("inside the worker: no rights, and no writing outside the mounts", lambda: confined(found))
    report.check("the GitHub token is in no object but its Secret", lambda: nowhere(site))
    report.check("the GitHub token is in no pod's log", lambda: logged_nowhere(site))
