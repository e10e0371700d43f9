"""The programs that are measured: started, asked, ended. Nothing here decides what is measured."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

CI = Path(__file__).resolve().parent.parent
BIN = Path(os.environ.get("LIVE_DATA_BIN", "target/release"))


class Failed(RuntimeError):
    """A program did not do what it was asked to."""


def program(name: str) -> str:
    for path in (BIN / name, BIN / "examples" / name):
        if path.exists():
            return str(path)
    raise Failed(f"{name} is not built in {BIN}")


class Engine:
    """The engine in a process of its own, which answers command by command."""

    def __init__(self, **options):
        self.process = subprocess.Popen(
            [program("measure")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.idle = self.ask("new", **options)["rss"]

    def ask(self, name: str, **options) -> dict:
        words = [name, *(f"{key}={value}" for key, value in options.items())]
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"the engine ended at {name}"}
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Kafka:
    """A real broker with topics of ours."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="bench-kafka-")
        self.part = os.path.join(self.folder, "kafka")
        out = subprocess.run(
            [str(CI / "lab" / "kafka"), "up", self.part],
            env={**os.environ, "LAB_OWNER": str(os.getpid())},
            capture_output=True,
            text=True,
        )
        if out.returncode:
            raise Failed(f"the broker did not start: {out.stderr[-500:]}")
        values = dict(line.split("=", 1) for line in out.stdout.splitlines() if "=" in line)
        self.bootstrap = values["KAFKA_BOOTSTRAP"]

    def create(self, instrument: str, partitions: int, **events_config) -> None:
        from confluent_kafka.admin import AdminClient, NewTopic

        topics = [NewTopic(f"{instrument}_events", partitions, 1, config=events_config)]
        topics += [NewTopic(f"{instrument}_{name}", 1, 1) for name in ("runInfo", "sampleEnv", "vetoConfig")]
        # Answers come only while the client lives.
        client = AdminClient({"bootstrap.servers": self.bootstrap})
        for future in client.create_topics(topics).values():
            future.result(60)

    def delete(self, instrument: str) -> None:
        from confluent_kafka.admin import AdminClient

        names = [f"{instrument}_{name}" for name in ("events", "runInfo", "sampleEnv", "vetoConfig")]
        client = AdminClient({"bootstrap.servers": self.bootstrap})
        for future in client.delete_topics(names).values():
            future.result(60)

    def close(self):
        subprocess.run([str(CI / "lab" / "kafka"), "down", self.part], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def simulate(kafka: Kafka, instrument: str, *options: str) -> dict:
    """Sends a simulated stream at full speed: events and seconds."""
    truth = tempfile.NamedTemporaryFile(suffix=".json")
    began = time.monotonic()
    words = ["simulate", "--instrument", instrument, "--kafka-bootstrap-servers", kafka.bootstrap, "--full-speed"]
    out = subprocess.run(
        [program("live-data-worker"), *words, "--truth", truth.name, *options], capture_output=True, text=True
    )
    if out.returncode:
        raise Failed(f"simulate: {out.stderr[-500:]}")
    return {"seconds": time.monotonic() - began, "truth": json.loads(Path(truth.name).read_text())}


def feed(kafka: Kafka, how: str, instrument: str, *more: str) -> dict:
    """Reads a topic: raw, copy or timeline."""
    out = subprocess.run(
        [program("feed"), how, kafka.bootstrap, instrument, *more], capture_output=True, text=True, timeout=600
    )
    if out.returncode:
        raise Failed(f"feed {how}: {out.stderr[-500:]}")
    return json.loads(out.stdout)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Worker:
    """The worker as a pod runs it."""

    def __init__(self, instrument: str, bootstrap: str, output: str, script: str | None = None, **environment):
        self.home = tempfile.mkdtemp(prefix="bench-worker-")
        self.port = free_port()
        self.log = open(os.path.join(self.home, "log"), "w+", encoding="utf-8")
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": self.home,
            "INSTRUMENT": instrument,
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "OUTPUT_DIR": output,
            "WORK_DIR": os.path.join(self.home, "work"),
            "HTTP_ADDR": f"127.0.0.1:{self.port}",
            "VALKEY_HOST": "",
            "ENGINE": "native",
            "LIVE_DATA_VENV": os.environ.get("LIVE_DATA_VENV", ""),
            "RUN_CHECK_INTERVAL": "0.2",
            **{name: str(value) for name, value in environment.items()},
        }
        words = [program("live-data-worker")]
        if script is not None:
            path = os.path.join(self.home, "script.py")
            Path(path).write_text(script, encoding="utf-8")
            words += ["--script-file", path]
        self.began = time.monotonic()
        self.process = subprocess.Popen(words, env=variables, stdout=self.log, stderr=self.log)

    def get(self, path: str):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.read()
        except OSError:
            return None

    def status(self) -> dict | None:
        text = self.get("/status")
        return json.loads(text) if text else None

    def wait(self, what: str, wished, seconds: float = 120, pause: float = 0.02):
        """Waits until `wished()` is true; gives what it gave."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            value = wished()
            if value:
                return value
            if self.process.poll() is not None:
                raise Failed(f"the worker ended while waiting for {what}:\n{self.text()[-2000:]}")
            time.sleep(pause)
        raise Failed(f"{what} did not come in {seconds} s:\n{self.text()[-2000:]}")

    def ready(self, seconds: float = 120) -> float:
        """Seconds from its start until it is ready."""
        self.wait("readiness", lambda: self.get("/readyz") is not None, seconds, 0.005)
        return time.monotonic() - self.began

    def text(self) -> str:
        self.log.flush()
        return Path(self.log.name).read_text(encoding="utf-8", errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
