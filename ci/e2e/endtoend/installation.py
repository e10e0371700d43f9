"""From nothing to a worker that reduces: the install, what kubectl shows, the file, the log."""

from __future__ import annotations

import re
import time

from checks.kubernetes import NAMESPACE
from checks.report import Report, expect, expect_equal

from . import release
from .site import TOKEN, Site

# Limit in seconds on an idle machine. On a busy one the wait is longer, and the time is only reported.
SECONDS = 60
PATIENCE = 300
QUIET = 1.5


def columns(site: Site) -> dict[str, str]:
    """The line of `kubectl get ldp merlin` by its heads."""
    lines = site.cluster.kubectl("get", "ldp", "merlin", "--namespace", NAMESPACE, "--ignore-not-found").splitlines()
    if len(lines) != 2:
        return {}
    heads = [(found.start(), found[0]) for found in re.finditer(r"\S+", lines[0])]
    ends = [start for start, _ in heads[1:]] + [None]
    return {name: lines[1][start:end].strip() for (start, name), end in zip(heads, ends)}


def shows_all(line: dict[str, str]) -> bool:
    """Whether it shows a ready worker with a run, events and a rate."""
    return (
        line.get("READY") == "True"
        and line.get("RUN", "").isdigit()
        and int(line.get("EVENTS") or 0) > 0
        and int(line.get("RATE") or 0) > 0
    )


def load() -> float:
    """Processes that waited for a processor during the last minute."""
    with open("/proc/loadavg", encoding="utf-8") as file:
        return float(file.read().split()[0])


def installed(site: Site, version: str) -> float:
    """Installs both charts and waits until kubectl shows a ready worker; the seconds that it took."""
    began = time.monotonic()
    busy = load() > QUIET
    release.install(site, version)
    release.install_instruments(site, version)
    site.cluster.wait(
        lambda: shows_all(columns(site)), "kubectl get ldp shows READY True, RUN, EVENTS and RATE", PATIENCE
    )
    took = time.monotonic() - began
    expect(busy or took <= SECONDS, f"it took {took:.0f} s; {SECONDS} s are allowed")
    return took


def reduced(site: Site) -> None:
    """A run that ended has its file, with a line in the log that tells as many events as the file holds."""
    site.cluster.wait(lambda: finished(site), "a run has had its final execution", 180)
    run = finished(site)[0]
    held = sum(site.volume.counts(run))
    expect(held > 0, f"{run}.nxs holds no event")
    wanted = f"reduced run {run} with {held} events"
    site.cluster.wait(lambda: any(wanted in line for line in site.log_stream()), f"the log stream holds {wanted!r}", 60)
    expect_equal(site.volume.strangers(), [], "files beside the reduced ones")


def finished(site: Site) -> list[str]:
    """Runs with a completion marker, in order."""
    return sorted(name for name in site.volume.markers() if name != "first")


def script_from_the_api(site: Site) -> None:
    """The script came by HTTP, under the instrument's name."""
    expect("/live-data/merlin/script" in site.api.requested, f"the API was asked for {site.api.requested[:3]}")
    script = site.cluster.status().get("script", {})
    expect_equal((script.get("state"), script.get("lastError")), ("Succeeded", None), "the script's state and error")


def token_is_given_and_hidden(site: Site) -> None:
    """The script has the token; what it prints of it is hidden."""
    lines = [line for line in site.log_stream() if "the token is" in line]
    expect(lines and not any("missing" in line for line in lines), f"the script was given no token: {lines[:2]}")
    expect(not any(TOKEN in line for line in site.log_stream()), "the token stands in the log stream")


def checks(report: Report, site: Site, version: str) -> None:
    """In this order; the first is what all others need."""
    took: list[float] = []
    report.check(
        f"install from the registry: READY True with run, events and rate within {SECONDS} s",
        lambda: took.append(installed(site, version)),
    )
    if took:
        print(f"      from helm upgrade --install to READY True: {took[0]:.1f} s", flush=True)
    report.check("the reduced file of an ended run, and the script's output in the log stream", lambda: reduced(site))
    report.check("the script came from the FIA API", lambda: script_from_the_api(site))
    report.check("a script has the GitHub token, and cannot print it", lambda: token_is_given_and_hidden(site))
    report.check(
        "conditions in words: nothing is wrong",
        lambda: site.cluster.wait(site.cluster.well, "Ready, rolled out, not Degraded, storage ready", 60),
    )
    report.check("the resource's events say what was made", lambda: told(site))


def told(site: Site) -> None:
    """Events on the resource, each with a reason."""
    events = site.cluster.items("events", "--field-selector=involvedObject.kind=LiveDataProcessor")
    expect(events and all(event.get("reason") and event.get("message") for event in events), f"events: {events}")
