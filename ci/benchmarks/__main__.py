"""Measures and reports; started by ci/bench."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback

import ingest_rows
import kernel_rows
import picture
import report
import soak
import worker_rows

GROUPS = ("kernels", "ingest", "worker", "growth")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ci/bench", description="Measures the worker beside its peers, in one run.")
    parser.add_argument("--quick", action="store_true", help="two minutes, a fifth of the events")
    parser.add_argument("--soak", action="store_true", help="the long rows alone")
    parser.add_argument("--soak-seconds", type=float, default=600.0)
    parser.add_argument("--rounds", type=int, default=None)
    parser.add_argument("--only", action="append", choices=GROUPS, help="one group of rows; may be repeated")
    parser.add_argument(
        "--processor-time", action="store_true", help="judge kernels by processor time: for a machine with other work"
    )
    parser.add_argument("--output", default=os.path.join(os.environ.get("CARGO_TARGET_DIR", "target"), "bench"))
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.events = 20_000_000 if options.quick else 100_000_000
    options.memory_events = 60_000_000 if options.quick else 300_000_000
    options.feed_events = 20_000_000 if options.quick else 100_000_000
    options.replay_events = 200_000_000
    options.loop_events = 500_000 if options.quick else 2_000_000
    options.seconds = 1.0 if options.quick else 3.0
    options.busy_seconds = 8
    return options


def measure(options) -> tuple[list[report.Row], list[report.Plot], list[str]]:
    """Every group, one after the other: one that fails does not take the others' figures with it."""
    rows: list[report.Row] = []
    plots: list[report.Plot] = []
    failed: list[str] = []

    def take(name, work):
        began = time.monotonic()
        print(f"bench: {name} …", file=sys.stderr, flush=True)
        try:
            found = work()
        except Exception:
            traceback.print_exc()
            failed.append(name)
            return
        more_rows, more_plots = found if isinstance(found, tuple) else (found, [])
        rows.extend(more_rows)
        # At once: a run that is interrupted has shown what it measured.
        print(report.table(more_rows), file=sys.stderr, flush=True)
        plots.extend(more_plots)
        print(f"bench: {name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    if options.soak:
        take("soak", lambda: soak.rows(options))
        return rows, plots, failed
    wanted = options.only or GROUPS
    if "kernels" in wanted:
        take("histograms", lambda: kernel_rows.histograms(options))
        take("memory and snapshots", lambda: kernel_rows.memory(options))
        take("run changes", lambda: kernel_rows.changes(options))
    if "ingest" in wanted:
        take("ingest", lambda: ingest_rows.rows(options))
    if "worker" in wanted:
        take("worker", lambda: worker_rows.rows(options))
    if "growth" in wanted and not options.quick:
        take("how cost grows", lambda: ([], kernel_rows.growth(options)))
    return rows, plots, failed


def main() -> int:
    options = arguments()
    began = time.monotonic()
    rows, plots, failed = measure(options)
    print(report.table(rows))
    os.makedirs(options.output, exist_ok=True)
    name = "soak" if options.soak else "bench"
    report.write(os.path.join(options.output, f"{name}.json"), rows, plots, vars(options))
    with open(os.path.join(options.output, f"{name}.svg"), "w", encoding="utf-8") as file:
        file.write(picture.draw(rows, plots))
    reached = sum(1 for row in rows if row.reached)
    asked = sum(1 for row in rows if row.reached is not None)
    print(
        f"\n{reached} of {asked} reached, {time.monotonic() - began:.0f} s, load at the end {os.getloadavg()[0]:.1f}; "
        f"{options.output}/{name}.json, {name}.svg"
    )
    if failed:
        print(f"could not be measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


sys.exit(main())
