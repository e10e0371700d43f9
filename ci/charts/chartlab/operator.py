"""The operator's program beside a control plane whose nodes run no containers: with the account and the environment that
the chart gives its Deployment."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import urllib.request
from pathlib import Path

from checks.kubernetes import NAMESPACE
from checks.programs import CACHE, run
from checks.report import Failed, expect, expect_equal, wait_until

from .cluster import PROGRAM, Cluster

# A machine that is busy with builds is slow.
PATIENCE = 120


def program() -> Path:
    """The operator that was built last, or the one that LIVE_DATA_OPERATOR names."""
    named = os.environ.get("LIVE_DATA_OPERATOR")
    target = Path(os.environ.get("CARGO_TARGET_DIR") or CACHE / "target")
    path = Path(named) if named else target / "debug" / "live-data-operator"
    if not path.exists():
        raise Failed(f"{path} is missing: run cargo build -p live-data-operator, or name one by LIVE_DATA_OPERATOR")
    return path


def account(cluster: Cluster) -> str:
    """A kubeconfig with a token of the chart's account."""
    config = cluster.folder / "operator.kubeconfig"
    run(PROGRAM, "account", cluster.folder, NAMESPACE, "live-data-operator", config)
    return str(config)


class Operator:
    """One process of it, ended by `end` as a pod is."""

    started = 0

    def __init__(self, cluster: Cluster) -> None:
        """Starts it and waits until it leads and has looked at every resource."""
        Operator.started += 1
        deployment = cluster.find("deployment", "live-data-operator", "--namespace", NAMESPACE) or {}
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        env = {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}
        env |= {
            "KUBECONFIG": account(cluster),
            "POD_NAME": f"live-data-operator-{Operator.started}",
            "POD_NAMESPACE": NAMESPACE,
            "HTTP_ADDR": "127.0.0.1:0",
            "LOG_FORMAT": "text",
        }
        self.log = cluster.folder / f"operator-{Operator.started}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([program()], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(self._has_worked, "the operator leads and has looked at every resource", PATIENCE)
        except Failed as failed:
            self.process.kill()
            raise Failed(f"{failed}; its log:\n{self.log.read_text(encoding='utf-8')[-3000:]}") from failed

    def metric(self, name: str) -> float:
        """The sum of a metric's series; 0 while it does not answer."""
        found = re.search(r"serving.* address=(\S+)", self.log.read_text(encoding="utf-8"))
        if found is None:
            return 0
        try:
            with urllib.request.urlopen(f"http://{found[1]}/metrics", timeout=5) as answer:
                text = answer.read().decode()
        except OSError:
            return 0
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if re.match(rf"{name}(\{{| )", line))

    def _has_worked(self) -> bool:
        expect(self.process.poll() is None, "it ended by itself")
        leads = self.metric("live_data_operator_leader") == 1
        resources = self.metric("live_data_operator_resources")
        return leads and self.metric("live_data_operator_reconciles_total") >= resources

    def end(self) -> None:
        """SIGTERM; it must end well."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            raise Failed("the operator does not end") from error
        expect_equal(code, 0, "the operator's exit code")

    def __enter__(self) -> Operator:
        """For `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it where that was not done."""
        if self.process.poll() is None:
            self.end()
