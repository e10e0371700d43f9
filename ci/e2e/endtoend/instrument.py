"""The simulated MERLIN: one run after another into Kafka, until it is stopped; then what it really produced."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

from checks.report import Failed

RUN_SECONDS = 25
GAP_SECONDS = 2
FIRST_RUN = 71000
NAME = "MERLIN"
RATE = 20_000


class Instrument:
    """The process of `live-data-worker simulate`; it cannot outlive this one."""

    def __init__(self, program: Path, brokers: str, folder: Path, definitions: Path) -> None:
        """Begins with the first run."""
        self.truth_file = folder / "truth.json"
        self.log = folder / "instrument.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", program, "simulate"]
                + [
                    "--instrument",
                    NAME,
                    "--instrument-dir",
                    definitions,
                    "--kafka-bootstrap-servers",
                    brokers,
                    "--create-topics",
                    "--partitions",
                    "2",
                ]
                + ["--rate", str(RATE), "--runs", "0", "--first-run", str(FIRST_RUN), "--truth", self.truth_file]
                + ["--run-seconds", str(RUN_SECONDS), "--gap-seconds", str(GAP_SECONDS)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def words(self) -> str:
        """The end of what it said."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def produces(self) -> bool:
        """Whether events have been sent; fails when it ended."""
        if self.process.poll() is not None:
            raise Failed(f"the simulated instrument ended with {self.process.returncode}:\n{self.words()}")
        return f"run {NAME}{FIRST_RUN}" in self.words()

    def stop(self) -> dict[str, list[int]]:
        """Ends it; the events of each spectrum, in order, of each run that has ended."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"the simulated instrument does not end:\n{self.words()}") from error
        if self.process.returncode != 0:
            raise Failed(f"the simulated instrument ended with {self.process.returncode}:\n{self.words()}")
        truth = json.loads(self.truth_file.read_text(encoding="utf-8"))
        return {run["run_name"].removeprefix(NAME): summed(run["periods"]) for run in truth["runs"] if run["stop_sent"]}

    def close(self) -> None:
        """Ends it at once."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def summed(periods: list[dict]) -> list[int]:
    """Counts of each spectrum over all periods."""
    return [sum(column) for column in zip(*(period["counts"] for period in periods))]
