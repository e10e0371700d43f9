"""What is published, and Helm, which installs it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from checks.kubernetes import NAMESPACE
from checks.programs import CACHE, ROOT, call, environment, run

from .site import Site

RELEASE = "live-data"
IMAGES = CACHE / "images"
# A folder with both programs, where they are not to be built.
PROGRAMS = os.environ.get("LIVE_DATA_PROGRAMS")
# Set where the images of both versions are there and are to be taken as they are.
BUILT = os.environ.get("LIVE_DATA_BUILT")


def workspace_version() -> str:
    """The version of this checkout."""
    text = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "(.+)"$', text, re.MULTILINE)
    assert found, "Cargo.toml has no version"
    return found[1]


def next_version() -> str:
    """A newer one, for the upgrade."""
    major, minor, patch = workspace_version().split("-")[0].split(".")
    return f"{major}.{minor}.{int(patch) + 1}"


def publish(site: Site, version: str) -> dict:
    """Publishes this checkout under a version to the site's registry; what `ci/publish` says of it."""
    # Each version's images are kept, so that what is unchanged is not made again.
    results = IMAGES if version == workspace_version() else IMAGES / "newer"
    answer = run(
        *(ROOT / "ci" / "publish", "--registry", site.registry, "--plain-http", "--version", version),
        *(("--programs", PROGRAMS) if PROGRAMS else ()),
        *(("--built",) if BUILT else ()),
        env=environment(LIVE_DATA_IMAGES=str(results)),
        seconds=2400,
    )
    return json.loads(answer[answer.index("{") :])


def worker_program() -> Path:
    """The worker on this machine, of which the image was made: it simulates the instrument."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or CACHE / "target")
    folder = "debug" if os.environ.get("LIVE_DATA_PROFILE") == "dev" else "release"
    return Path(PROGRAMS or target / folder) / "live-data-worker"


def helm(site: Site, *arguments: str | Path, seconds: float = 300) -> str:
    """Helm in the site's namespace; must succeed."""
    return run("helm", *arguments, "--namespace", NAMESPACE, env=site.cluster.env, seconds=seconds)


def install(site: Site, version: str, *arguments: str) -> str:
    """`helm upgrade --install` of the operator's chart from the registry, as the README gives it, without a checkout."""
    return helm(
        site,
        *("upgrade", "--install", RELEASE, f"oci://{site.registry}/charts/live-data", "--version", version),
        *("--plain-http", "--values", site.values, "--create-namespace", *arguments),
    )


def install_instruments(site: Site, version: str) -> str:
    """The same for the list of instruments, with one in it."""
    return helm(
        site,
        *("upgrade", "--install", f"{RELEASE}-instruments", f"oci://{site.registry}/charts/live-data-instruments"),
        *("--version", version, "--plain-http", "--set", "instruments={merlin}"),
    )


def uninstall(site: Site, release: str) -> None:
    """`helm uninstall`."""
    helm(site, "uninstall", release, "--wait", "--timeout=120s")


def helm_test(site: Site) -> str:
    """`helm test`, with what it printed when it failed."""
    done = call("helm", "test", RELEASE, "--namespace", NAMESPACE, "--timeout=180s", env=site.cluster.env)
    return "" if done.returncode == 0 else done.stdout + done.stderr
