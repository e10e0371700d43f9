"""A newer chart and image while events flow, an image that is not there, and the way back."""

from __future__ import annotations

import threading

from checks.report import Failed, Report, expect, expect_equal, expect_in

from . import release
from .cluster import OPERATORS, WORKERS
from .faults import back, running
from .site import Site


class Gaps:
    """Looks all the time whether the resource is ready: a rollout is to leave no gap."""

    def __init__(self, site: Site) -> None:
        """Begins."""
        self.site = site
        self.looked = 0
        self.found: list[str] = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self) -> None:
        while not self.ended.wait(0.5):
            try:
                condition = self.site.cluster.condition("Ready")
            except Failed:  # the API server is busy, or there is no resource any more
                continue
            self.looked += 1
            if condition.get("status") != "True":
                self.found.append(f"{condition.get('reason')}: {condition.get('message')}")

    def end(self) -> None:
        """Ends, and fails where there was a gap."""
        self.ended.set()
        self.thread.join(timeout=60)
        expect(self.looked > 3, f"looked only {self.looked} times")
        expect_equal(self.found, [], "times at which the resource was not ready")


def images(site: Site) -> tuple[str, str]:
    """The images that the operator and the worker run."""
    found = [site.cluster.pods(selector)[-1]["spec"]["containers"][0]["image"] for selector in (OPERATORS, WORKERS)]
    return found[0], found[1]


def upgraded(site: Site, version: str) -> None:
    """Both pods are replaced by those of the newer version, without a gap, and nothing else is."""
    cluster = site.cluster
    before, old_images = cluster.identities(), images(site)
    old = {**running(cluster, WORKERS), **running(cluster, OPERATORS)}
    cluster.mid_run()
    gaps = Gaps(site)
    release.install(site, version, "--wait", "--timeout=300s")
    cluster.wait(
        lambda: not set(running(cluster, WORKERS)) & set(old) and len(cluster.pods(WORKERS)) == 1,
        "the worker is new",
        300,
    )
    back(cluster, before)
    gaps.end()
    new_images = images(site)
    expect(not set(old_images) & set(new_images), f"images {old_images} before, {new_images} after")
    expect_equal(cluster.status().get("image"), new_images[1], "the image in the status")


def bad_image(site: Site, version: str) -> None:
    """An image that the registry does not have: said in words, the old worker goes on; `helm rollback` puts it right."""
    cluster = site.cluster
    before, old = cluster.identities(), running(cluster, WORKERS)
    cluster.mid_run()
    gaps = Gaps(site)
    release.install(site, version, "--set", f"worker.image.digest=sha256:{'0' * 64}")
    try:
        cluster.wait(
            lambda: cluster.condition("Degraded").get("reason") == "ImagePullFailed", "it says ImagePullFailed"
        )
        said = cluster.condition("Degraded")["message"]
        expect_in("0" * 64, said, "the message")
        expect_in("cannot be pulled: check its name, the registry and the pull secrets", said, "the message")
        expect_in("the old one goes on", cluster.condition("Progressing")["message"], "the message of Progressing")
        cluster.goes_on()
        expect(set(old) <= set(running_started(site)), "the old worker is gone")
    finally:
        release.helm(site, "rollback", release.RELEASE, "--wait", "--timeout=180s")
    back(cluster, before)
    gaps.end()
    expect_equal(running(cluster, WORKERS), old, "the worker's pod and container")


def running_started(site: Site) -> list[str]:
    """UIDs of the workers' pods that are ready."""
    return [
        pod["metadata"]["uid"]
        for pod in site.cluster.pods(WORKERS)
        if any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))
    ]


def checks(report: Report, site: Site, newer: str) -> None:
    """In this order."""
    report.check(
        "an upgrade to a newer chart and image while events flow, without a gap", lambda: upgraded(site, newer)
    )
    report.check("a bad image: the old worker goes on, said in words; helm rollback", lambda: bad_image(site, newer))
    report.check("helm test", lambda: expect_equal(release.helm_test(site), "", "what it said"))
