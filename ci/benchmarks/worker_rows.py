"""The worker as a process: start, replay, a busy script, files and arrays."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time

from ingest_rows import fill
from programs import CI, Kafka, Worker, feed, program
from report import Row, paired, quantity

NOTHING = "def execute():\n    pass\n"
BUSY = "def execute():\n    while True:\n        pass\n"

# Runs in the worker's interpreter: h5py and NumPy do the same beside it.
ARRAYS = r"""
import json, os, sys, tempfile, time
import h5py, numpy as np
from mantid.simpleapi import CreateSampleWorkspace, Rebin, SaveNexusProcessed, mtd

def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

rounds = ROUNDS
ws = CreateSampleWorkspace(WorkspaceType='Event', NumBanks=1, BankPixelWidth=264, NumEvents=2, XMin=0, XMax=20000, BinWidth=20)
ws = Rebin(ws, '0,20,20000', PreserveEvents=False)
folder = tempfile.mkdtemp(dir=os.environ.get('OUTPUT_DIR'))
shape = (ws.getNumberHistograms(), ws.blocksize())
found = {'shape': shape, 'extract': [], 'fill': [], 'save': [], 'h5py': []}
def two_arrays():
    return np.full(shape, 1.5), np.full(shape, 2.5)
x, y, e = ws.extractX(), ws.extractY(), ws.extractE()
for _ in range(rounds):
    # Memory that a virtual machine has not had for a while costs ten times as much as its use: both get some that was
    # used a moment before.
    two_arrays()
    found['extract'].append(timed(lambda: (ws.extractY(), ws.extractE())))
    two_arrays()
    found['fill'].append(timed(two_arrays))
    path = os.path.join(folder, 'ours.nxs')
    found['save'].append(timed(lambda: SaveNexusProcessed(ws, path)))
    other = os.path.join(folder, 'peer.h5')
    def peer():
        with h5py.File(other, 'w') as file:
            for name, data in (('values', y), ('errors', e)):
                file.create_dataset(name, data=data)
            file.create_dataset('axis1', data=x[0])
            file.flush()
        with open(other, 'rb') as file:
            os.fsync(file.fileno())
    found['h5py'].append(timed(peer))
    os.remove(path)
    os.remove(other)
os.rmdir(folder)
print('RESULT ' + json.dumps(found))
"""


def script_rows(options) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-script-") as folder:
        path = os.path.join(folder, "arrays.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(ARRAYS.replace("ROUNDS", str(options.rounds)))
        environment = {**os.environ, "OUTPUT_DIR": folder, "ENGINE": "native"}
        out = subprocess.run(
            [program("live-data-worker"), "python", path], capture_output=True, text=True, env=environment, timeout=600
        )
        lines = [line for line in (out.stdout + out.stderr).splitlines() if "RESULT " in line]
        if not lines:
            raise RuntimeError(f"the script gave no result: {(out.stdout + out.stderr)[-1500:]}")
    found = json.loads(lines[-1].split("RESULT ", 1)[1])
    named = f"{found['shape'][0]:,} × {found['shape'][1]:,}"

    def median(values):
        return quantity(sorted(values)[len(values) // 2], "s")

    return [
        Row(
            "worker",
            f"extractY + extractE of {named}, of filling two NumPy arrays",
            [a / b for a, b in zip(found["extract"], found["fill"])],
            "×",
            1.5,
            at_least=False,
            ours=median(found["extract"]),
            peer=median(found["fill"]),
        ),
        Row(
            "worker",
            f"SaveNexusProcessed of {named}",
            paired(found["save"], found["h5py"], times=True),
            "× h5py",
            1.0,
            ours=median(found["save"]),
            peer=median(found["h5py"]),
            note="both with fsync, neither compressed by request",
        ),
    ]


def start_rows(options, kafka: Kafka) -> list[Row]:
    rows = []
    cases = [("start to ready on an idle topic", "IDLE", {}, 0.5)]
    instruments = CI.parent.parent / "shared" / "instruments"
    if instruments.is_dir():
        cases.append(("the same with a MERLIN instrument", "MERLIN", {"INSTRUMENT_DIR": str(instruments)}, 1.5))
    for name, instrument, environment, reach in cases:
        kafka.create(instrument, 1)
        figures = []
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory(prefix="bench-out-") as output:
                with Worker(instrument, kafka.bootstrap, output, NOTHING, **environment) as worker:
                    figures.append(worker.ready())
        rows.append(Row("worker", name, figures, "s", reach, at_least=False))
    if len(cases) == 1:
        rows.append(Row("worker", "start with a MERLIN instrument", [], "s", 1.5, note=f"no folder {instruments}"))
    return rows


def taken_in(worker: Worker) -> int:
    """Events of the run so far, as the worker says a few times a second."""
    return ((worker.status() or {}).get("run") or {}).get("events", 0)


def replay_rows(options, kafka: Kafka) -> list[Row]:
    """A worker is killed in the middle of a run and started again: how fast it reads the run anew."""
    name, events = "REPLAY", options.replay_events
    fill(kafka, name, "ev44", 4, 2000, events)
    ours, peer, since_start = [], [], []
    for _ in range(min(options.rounds, 3)):
        taken = feed(kafka, "timeline", name)
        peer.append(taken["events"] / taken["seconds"])
        with tempfile.TemporaryDirectory(prefix="bench-out-") as output:
            with Worker(name, kafka.bootstrap, output, NOTHING) as worker:
                worker.wait("events", lambda: taken_in(worker) > events / 4)
                worker.kill()
            with Worker(name, kafka.bootstrap, output, NOTHING) as worker:
                # The clock begins with the first events, as the peer's does.
                first = worker.wait("the first events", lambda: taken_in(worker), pause=0.002)
                began = time.monotonic()
                since_start.append(worker.ready())
                ours.append((events - first) / (time.monotonic() - began))
    kafka.delete(name)
    return [
        Row(
            "worker",
            f"replay after a kill, {events / 1e6:.0f} M events in Kafka",
            paired(ours, peer, times=False),
            "× ingest",
            0.9,
            ours=f"{sorted(ours)[len(ours) // 2] / 1e6:.0f} M/s",
            peer=f"{sorted(peer)[len(peer) // 2] / 1e6:.0f} M/s",
            note=f"ready {sorted(since_start)[len(since_start) // 2]:.2f} s after the program was started",
        )
    ]


def busy_rows(options, kafka: Kafka) -> list[Row]:
    """A script that never ends while events come in: what the ingest thread still takes."""
    rates: dict[str, list[float]] = {"with": [], "without": []}
    lags = []
    for number in range(min(options.rounds, 2)):
        for how, script in (("without", NOTHING), ("with", BUSY)):
            name = f"BUSY{number}{how.upper()}"
            kafka.create(name, 1)
            with tempfile.TemporaryDirectory(prefix="bench-out-") as output:
                with Worker(name, kafka.bootstrap, output, script, SCRIPT_RUN_INTERVAL=1) as worker:
                    worker.ready()
                    process = subprocess.Popen(
                        [
                            *(program("live-data-worker"), "simulate", "--instrument", name),
                            *(
                                "--kafka-bootstrap-servers",
                                kafka.bootstrap,
                                "--rate",
                                "10e6",
                                "--events-per-message",
                                "2000",
                            ),
                            *("--run-seconds", str(options.busy_seconds), "--runs", "1"),
                        ],
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                    )
                    began, first, last, lag = None, 0, 0, 0.0
                    while process.poll() is None:
                        status = worker.status() or {}
                        events = (status.get("run") or {}).get("events", 0)
                        if events and began is None:
                            began, first = time.monotonic(), events
                        if events:
                            last, end = events, time.monotonic()
                            lag = max(lag, status.get("lagSeconds") or 0.0)
                        time.sleep(0.25)
            if began:
                rates[how].append((last - first) / max(end - began, 0.1))
                if how == "with":
                    lags.append(lag)
            kafka.delete(name)
    return [
        Row(
            "worker",
            "a script in a busy loop, 10 M events/s: ingest of that without a script",
            paired(rates["with"], rates["without"], times=False),
            "×",
            0.9,
            ours=f"{max(rates['with'], default=0) / 1e6:.1f} M/s, lag at most {max(lags, default=0):.2f} s",
            peer=f"{max(rates['without'], default=0) / 1e6:.1f} M/s",
            note="simulator, broker, ingest and script share the cores",
        )
    ]


def rows(options) -> list[Row]:
    found = script_rows(options)
    with Kafka() as kafka:
        found += start_rows(options, kafka)
        if not options.quick:
            found += replay_rows(options, kafka)
            found += busy_rows(options, kafka)
    return found
