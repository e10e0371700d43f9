"""What of a machine a node could leave behind. Reads only."""

from __future__ import annotations

import os
from pathlib import Path

from checks.programs import run

SYSCTLS = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/route_localnet",
    "net/netfilter/nf_conntrack_max",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)


def others() -> tuple[str, ...]:
    """What the names of nodes hold that others have up on this machine: they come and go as they like."""
    found: list[str] = []
    for kept in Path(f"/tmp/live-data-lab-ports.{os.getuid()}").glob("node-*"):
        if Path(kept.read_text(encoding="utf-8")).is_dir():
            n = kept.name.removeprefix("node-")
            found += [f"live-data-{n}", f"live-data-node-{n}", f"10.213.{n}.", f"10.214.{n}."]
    return tuple(found)


def snapshot() -> dict[str, set[str]]:
    """Links, routes, rules, mounts, control groups, sysctls and programs of a node, each as a set of lines."""
    rules = run("iptables-save") + run("ip6tables-save")
    names = others()
    found = {
        "links": set(os.listdir("/sys/class/net")),
        "routes": set(run("ip", "route").splitlines()),
        "firewall rules": {line for line in rules.splitlines() if line.startswith("-A")},
        "mounts": {line.split()[1] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()},
        "control groups": {folder for folder, _, _ in os.walk("/sys/fs/cgroup")},
        "sysctls": {f"{name} = {value(Path('/proc/sys') / name)}" for name in SYSCTLS},
        "programs": programs(),
        "files": {str(path) for folder in ("/run", "/var/lib", "/var/log", "/etc") for path in Path(folder).glob("*")},
    }
    return {kind: {line for line in lines if not any(name in line for name in names)} for kind, lines in found.items()}


def value(path: Path) -> str:
    """A sysctl's value; some kernels lack some."""
    return path.read_text(encoding="utf-8").strip() if path.exists() else "none"


def programs() -> set[str]:
    """Processes that a node consists of."""
    wanted = {"containerd", "containerd-shim", "kubelet", "kube-proxy", "coredns", "pause", "runc"}
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name = (folder / "comm").read_text(encoding="utf-8").strip()
            group = (folder / "cgroup").read_text(encoding="utf-8").rsplit(":", 1)[-1].strip()
        except OSError:
            continue
        if name in wanted:
            found.add(f"{name} {folder.name} in {group}")
    return found


def left_behind(before: dict[str, set[str]], after: dict[str, set[str]]) -> list[str]:
    """What is there now and was not, and what was a sysctl's or a rule's former line and is not there any more."""
    found = [f"{kind}: + {line}" for kind, lines in after.items() for line in sorted(lines - before[kind])]
    lasting = ("sysctls", "firewall rules", "links", "routes")
    return found + [f"{kind}: - {line}" for kind in lasting for line in sorted(before[kind] - after[kind])]
