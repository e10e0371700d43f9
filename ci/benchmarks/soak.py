"""The long rows: a script every two seconds while events come in, and a memory limit that is reached on purpose."""

from __future__ import annotations

import re
import statistics
import subprocess
import tempfile
import time

from programs import Kafka, Worker, program
from report import Plot, Row

# What a scientist's script does, and how long each part took.
SCRIPT = """
import os, time
from mantid.simpleapi import mtd, Rebin, SumSpectra, SaveNexusProcessed

def execute():
    began = time.perf_counter()
    ws = Rebin('lives', '0,20,20000', PreserveEvents=False)
    total = SumSpectra(ws)
    SaveNexusProcessed(total, os.path.join(OUTPUT, 'sum.nxs'))
    print('EXECUTED %.4f' % (time.perf_counter() - began), flush=True)
"""

EXECUTED = re.compile(r"EXECUTED ([0-9.]+)")


def watch(kafka: Kafka, instrument: str, seconds: float, rate: float, **environment) -> dict:
    """Runs a worker beside a simulated instrument: what its executions took, its lag, its memory, second by second."""
    # As much of the topic is kept as half a minute brings: a worker that falls behind loses records and says so.
    kafka.create(instrument, 1, **{"retention.bytes": str(int(rate * 8 * 30)), "segment.bytes": str(64 << 20)})
    found: dict = {"time": [], "lag": [], "rss": [], "event_bytes": [], "events": [], "degraded": set(), "run_ends": 0}
    with tempfile.TemporaryDirectory(prefix="bench-soak-") as output:
        script = f"OUTPUT = {output!r}\n{SCRIPT}"
        with Worker(instrument, kafka.bootstrap, output, script, SCRIPT_RUN_INTERVAL=2, **environment) as worker:
            worker.ready()
            process = subprocess.Popen(
                [
                    *(program("live-data-worker"), "simulate", "--instrument", instrument),
                    *("--kafka-bootstrap-servers", kafka.bootstrap, "--rate", str(rate), "--runs", "1"),
                    *("--run-seconds", str(seconds), "--gap-seconds", "12"),
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            began = time.monotonic()
            while process.poll() is None and time.monotonic() - began < seconds + 60:
                status = worker.status()
                if status and (status.get("run") or {}).get("events"):
                    memory = status.get("memory") or {}
                    found["time"].append(time.monotonic() - began)
                    found["lag"].append(status.get("lagSeconds") or 0.0)
                    found["rss"].append(memory.get("rssBytes") or 0)
                    found["event_bytes"].append(memory.get("eventBytes") or 0)
                    found["events"].append(status["run"]["events"])
                    found["degraded"] |= {entry.get("reason", "") for entry in status.get("degraded") or []}
                    found["kept"] = memory.get("eventsKept")
                time.sleep(1)
            if process.poll() is None:
                process.terminate()
            found["alive"] = worker.process.poll() is None
            found["executions"] = [float(value) for value in EXECUTED.findall(worker.text())]
    kafka.delete(instrument)
    return found


def rows(options) -> tuple[list[Row], list[Plot]]:
    seconds, rate = options.soak_seconds, 2e6
    with Kafka() as kafka:
        long = watch(kafka, "SOAK", seconds, rate)
        # 2 GiB are reached in little more than two minutes at 16 MB/s; a shortened soak reaches less.
        name, limit = ("2GiB", 2 << 30) if seconds >= 300 else ("256MiB", 256 << 20)
        limited = watch(kafka, "LIMIT", min(seconds, 300), rate, MEMORY_LIMIT=name)
    if "MemoryLimitReached" not in limited["degraded"]:
        raise RuntimeError(f"the memory limit of {name} was not reached, so nothing is shown: {limited['degraded']}")
    times = long["executions"]
    # The first execution has the fewest events and pays for what is made once; the second is the first of the kind.
    first = statistics.median(times[1:6]) if len(times) > 6 else float("nan")
    third = max(len(times) // 3, 1)
    found = [
        Row(
            "soak",
            f"slowest of {len(times)} executions in {seconds:.0f} s at 2 M events/s, of the first ones",
            [max(times[1:], default=float("nan")) / first],
            "×",
            2.0,
            at_least=False,
            ours=f"slowest {max(times[1:], default=0) * 1e3:.0f} ms, median {statistics.median(times or [0]) * 1e3:.0f} ms",
            peer=f"first ones {first * 1e3:.0f} ms",
        ),
        Row(
            "soak",
            "last third of the executions, of the first third (medians)",
            [statistics.median(times[-third:] or [0]) / (statistics.median(times[1 : third + 1] or [1]) or 1)],
            "×",
            1.25,
            at_least=False,
        ),
        Row("soak", "lag, longest", [max(long["lag"], default=float("nan"))], "s", 1.0, at_least=False),
        Row(
            "soak",
            f"memory with MEMORY_LIMIT={name}, of the limit",
            [max(limited["rss"], default=float("nan")) / limit],
            "×",
            1.0,
            at_least=False,
            ours=f"{limited['events'][-1] / 1e6 if limited['events'] else 0:.0f} M events counted, {(limited.get('kept') or 0) / 1e6:.0f} M kept",
            note=f"said: {', '.join(sorted(limited['degraded'])) or 'nothing'}; the worker {'went on' if limited['alive'] else 'ENDED'}",
        ),
    ]
    plots = [
        Plot("executions of the soak", "execution", "s", {"each": [(i, value) for i, value in enumerate(times)]}),
        Plot(
            "memory of the soak",
            "s",
            "GB",
            {
                "no limit": [(t, rss / 1e9) for t, rss in zip(long["time"], long["rss"])],
                f"MEMORY_LIMIT={name}": [(t, rss / 1e9) for t, rss in zip(limited["time"], limited["rss"])],
            },
        ),
    ]
    return found, plots
