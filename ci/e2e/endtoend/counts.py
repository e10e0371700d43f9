"""After everything: what was reduced is what was produced, run by run and spectrum by spectrum."""

from __future__ import annotations

import json

from checks.report import Report, expect, expect_equal

from .cluster import OPERATORS, WORKERS
from .site import Site

SELECTORS = {"operator": OPERATORS, "worker": WORKERS}


def ended(site: Site, truth: dict[str, list[int]]) -> None:
    """Stops the instrument and waits until the last run that it ended has had its final execution."""
    assert site.instrument
    truth.update(site.instrument.stop())
    last = max(truth)
    site.cluster.wait(lambda: last in site.volume.markers(), f"run {last} has had its final execution", 180)


def first(site: Site) -> str:
    """The run that the first worker began with: earlier ones are not executed."""
    return min(name for name in site.volume.markers() if name != "first")


def every_run(site: Site, truth: dict[str, list[int]], runs: int) -> None:
    """No execution was missed, none failed, of at least this many runs."""
    markers = site.volume.markers()
    wanted = [run for run in sorted(truth) if run >= first(site)]
    expect(len(wanted) >= runs, f"only {wanted} were to be executed")
    missing = [run for run in wanted if run not in markers]
    expect_equal(missing, [], "runs without a final execution")
    failed = {run: markers[run]["error"] for run in wanted if markers[run].get("error")}
    expect_equal(failed, {}, "final executions that failed")


def exact(site: Site, truth: dict[str, list[int]]) -> None:
    """Each file holds exactly the events of its run, spectrum by spectrum."""
    compared = 0
    for run in (run for run in sorted(truth) if run >= first(site)):
        held = site.volume.counts(run)
        wrong = [
            f"spectrum {number}: {want} produced, {have} reduced"
            for number, (want, have) in enumerate(zip(truth[run], held, strict=True), start=1)
            if want != have
        ]
        expect(not wrong, f"run {run}, {sum(truth[run])} produced and {sum(held)} reduced:\n" + "\n".join(wrong[:5]))
        expect(sum(held) > 0, f"run {run} is empty")
        compared += 1
    print(
        f"      {compared} runs, {sum(sum(counts) for run, counts in truth.items() if run >= first(site))} events",
        flush=True,
    )


def whole(site: Site, truth: dict[str, list[int]]) -> None:
    """Nobody ever saw half a file: each could be read and had every spectrum."""
    assert site.watcher
    expect(site.watcher.read > 10, f"only {site.watcher.read} versions of files were seen")
    expect_equal(site.watcher.broken, [], "files that could not be read when they were looked at")
    expect_equal(
        site.watcher.rows, {len(counts) for counts in truth.values()}, "numbers of spectra in what was looked at"
    )


def memory(site: Site) -> None:
    """What the two pods use, for whoever writes it down."""
    used: dict[str, int] = {}
    pods = {name: site.cluster.pods(selector)[-1]["metadata"]["name"] for name, selector in SELECTORS.items()}

    def told() -> bool:
        summary = json.loads(site.cluster.kubectl("get", "--raw", "/api/v1/nodes/node-1/proxy/stats/summary"))
        used.update(
            {pod["podRef"]["name"]: pod.get("memory", {}).get("workingSetBytes", 0) >> 20 for pod in summary["pods"]}
        )
        return all(used.get(pod) for pod in pods.values())

    # Of new pods it tells after its next round.
    site.cluster.wait(told, "the node tells the memory of both pods", 90)
    for name, pod in pods.items():
        print(f"      memory of the {name}'s pod (its working set): {used[pod]} MiB", flush=True)


def checks(report: Report, site: Site, runs: int) -> None:
    """Stops the instrument, then compares; at least `runs` runs have to be there."""
    report.check("the node tells the memory of both pods", lambda: memory(site))
    truth: dict[str, list[int]] = {}
    report.check("the last run ends", lambda: ended(site, truth))
    report.check("no execution was missed through all of it", lambda: every_run(site, truth, runs))
    report.check("every file holds exactly the produced events", lambda: exact(site, truth))
    report.check("no file was ever partial", lambda: whole(site, truth))
