"""What of a machine a node could leave behind. Reads only."""

from __future__ import annotations

import os
from pathlib import Path

from chartlab.tools import run

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


def snapshot() -> dict[str, set[str]]:
    """Links, routes, rules, mounts, control groups, sysctls and programs of a node, each as a set of lines."""
    rules = run("iptables-save") + run("ip6tables-save")
    return {
        "links": set(os.listdir("/sys/class/net")),
        "routes": set(run("ip", "route").splitlines()),
        "firewall rules": {line for line in rules.splitlines() if line.startswith("-A")},
        "mounts": {line.split()[1] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()},
        "control groups": {folder for folder, _, _ in os.walk("/sys/fs/cgroup")},
        "sysctls": {f"{name} = {value(Path('/proc/sys') / name)}" for name in SYSCTLS},
        "programs": programs(),
        "files": {str(path) for folder in ("/run", "/var/lib", "/var/log", "/etc") for path in Path(folder).glob("*")},
    }


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
        except OSError:
            continue
        if name in wanted:
            found.add(f"{name} {folder.name}")
    return found


def left_behind(before: dict[str, set[str]], after: dict[str, set[str]]) -> list[str]:
    """What is there now and was not, and what was a sysctl's or a rule's former line and is not there any more."""
    found = [f"{kind}: + {line}" for kind, lines in after.items() for line in sorted(lines - before[kind])]
    lasting = ("sysctls", "firewall rules", "links", "routes")
    return found + [f"{kind}: - {line}" for kind in lasting for line in sorted(before[kind] - after[kind])]
