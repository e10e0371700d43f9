"""The parts that stand for a site, all real but the FIA API: a node, Kafka, Redis, a registry. Gone with this process."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checks.kubernetes import NAMESPACE, RESTRICTED
from checks.programs import ROOT, call, environment, run

from . import definitions
from .cluster import Cluster
from .instrument import Instrument
from .scripts import ScriptApi
from .volume import Volume, Watcher

LAB = ROOT / "ci" / "lab"
# What the secret of the site holds, and nothing else may show.
TOKEN = "ghp_endToEnd0123456789abcdefghijklmnop"

BEFORE_THE_CHART = """
apiVersion: v1
kind: Namespace
metadata: {{name: {namespace}, labels: {{{label}}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: fia-api, namespace: {namespace}}}
stringData: {{fia_github_api_token: {token}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {{name: merlin-output}}
spec:
  capacity: {{storage: 10Gi}}
  accessModes: [ReadWriteMany]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: ""
  hostPath: {{path: {volume}, type: Directory}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: merlin-output, namespace: {namespace}}}
spec:
  accessModes: [ReadWriteMany]
  storageClassName: ""
  volumeName: merlin-output
  resources: {{requests: {{storage: 10Gi}}}}
"""

VALUES = """
site:
  fiaApiUrl: {api}
  kafka: {{bootstrapServers: "{kafka}"}}
  valkey: {{host: "{redis_host}", port: {redis_port}}}
worker:
  script: {{refreshSeconds: 5, runSeconds: 5, timeoutSeconds: 60}}
  storage:
    output: {{persistentVolumeClaim: {{claimName: merlin-output}}}}
    archive: {{none: {{}}}}
    instruments: {{configMap: {{name: {definitions}}}}}
  resources: {{requests: {{cpu: 100m, memory: 256Mi}}, limits: {{memory: 1Gi}}}}
"""


class Site:
    """Started by `begin`, ended by `end`."""

    def __init__(self) -> None:
        """Makes only the folder."""
        self.folder = Path(tempfile.mkdtemp(prefix="live-data-e2e.", dir="/tmp"))
        self.parts: dict[str, dict[str, str]] = {}
        self.instrument: Instrument | None = None
        self.watcher: Watcher | None = None
        self.api: ScriptApi | None = None

    def part(self, program: str, *options: str) -> dict[str, str]:
        """Starts a part of the laboratory; what a client needs to know."""
        owner = environment(LAB_OWNER=str(os.getpid()))
        answer = run(LAB / program, "up", self.folder / program, *options, env=owner, seconds=600)
        self.parts[program] = dict(line.split("=", 1) for line in answer.splitlines())
        return self.parts[program]

    def begin_node(self) -> None:
        """The node, with its control plane."""
        found = self.part("node")
        self.host = found["NODE_HOST"]
        folder = str(self.folder / "helm")
        self.cluster = Cluster(
            environment(
                KUBECONFIG=found["KUBECONFIG"], HELM_CACHE_HOME=folder, HELM_CONFIG_HOME=folder, HELM_DATA_HOME=folder
            )
        )

    def begin(self) -> None:
        """Everything else that a site has before the chart is installed."""
        host = ("--host", self.host)
        with ThreadPoolExecutor() as pool:
            starts = [pool.submit(self.part, program, *host) for program in ("kafka", "redis", "registry")]
            for start in starts:
                start.result()
        self.registry = self.parts["registry"]["REGISTRY"]
        run(LAB / "node", "trust", self.folder / "node", self.registry)
        self.api = ScriptApi(self.host)
        self.volume = Volume(self.folder / "volume")
        self.watcher = Watcher(self.volume)
        text = BEFORE_THE_CHART.format(
            namespace=NAMESPACE, label=RESTRICTED.replace("=", ": "), token=TOKEN, volume=self.volume.path
        )
        self.cluster.kubectl("apply", "--filename=-", stdin=text)
        self.definitions = definitions.folder(self.folder / "instruments")
        # Not by `apply`, which would repeat it all in an annotation.
        self.cluster.kubectl(
            *(
                "create",
                "configmap",
                definitions.CONFIG_MAP,
                "--namespace",
                NAMESPACE,
                f"--from-file={self.definitions}",
            )
        )
        self.values = self.folder / "values.yaml"
        redis = self.parts["redis"]
        self.values.write_text(
            VALUES.format(
                api=self.api.url,
                kafka=self.parts["kafka"]["KAFKA_BOOTSTRAP"],
                redis_host=redis["REDIS_HOST"],
                redis_port=redis["REDIS_PORT"],
                definitions=definitions.CONFIG_MAP,
            ),
            encoding="utf-8",
        )

    def begin_instrument(self, program: Path) -> None:
        """The stream."""
        self.instrument = Instrument(program, self.parts["kafka"]["KAFKA_BOOTSTRAP"], self.folder, self.definitions)

    def node(self, action: str, *arguments: str) -> None:
        """Does something to the node or one of its programs."""
        run(LAB / "node", action, self.folder / "node", *arguments)

    def log_stream(self) -> list[str]:
        """What the scientist's log stream holds, in order: the lines' texts."""
        redis = self.parts["redis"]
        out = run(
            *("redis-cli", "-h", redis["REDIS_HOST"], "-p", redis["REDIS_PORT"], "--json"),
            *("XRANGE", "MERLIN_live_data_processor_logs", "-", "+"),
        )
        return messages(out)

    def diagnosis(self) -> str:
        """What somebody wants to see after a failure."""
        if "node" not in self.parts:
            return ""
        said = []
        for arguments in (
            ("get", "pods,deployments,livedataprocessors", "--output=wide"),
            ("describe", "livedataprocessors"),
            ("describe", "pods"),
            ("get", "events", "--sort-by=.lastTimestamp"),
            ("logs", "--selector=app.kubernetes.io/name=live-data-operator", "--tail=60"),
            ("logs", "--selector=app.kubernetes.io/name=live-data-worker", "--tail=60", "--prefix"),
            ("logs", "--selector=app.kubernetes.io/name=live-data-worker", "--tail=40", "--prefix", "--previous"),
        ):
            done = call("kubectl", *arguments, "--namespace", NAMESPACE, env=self.cluster.env)
            said.append(f"==== kubectl {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        return "\n".join(said)

    def end(self) -> None:
        """Everything, in the order in which nothing waits for what has gone."""
        for part in (self.instrument, self.watcher, self.api):
            if part is not None:
                part.close()
        with ThreadPoolExecutor() as pool:
            # The node takes longest; none needs another to end.
            for program in ("node", "kafka", "redis", "registry"):
                pool.submit(call, LAB / program, "down", self.folder / program)
        shutil.rmtree(self.folder, ignore_errors=True)


def messages(answer: str) -> list[str]:
    """The field `msg` of each entry in the answer of XRANGE."""
    found = []
    for _, fields in json.loads(answer):
        pairs = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2]))
        found.append(pairs["msg"])
    return found
