"""Where the programs and the charts are, and how a program is called. Nothing here judges what it printed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from .report import Failed

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts" / "live-data"
INSTRUMENTS = ROOT / "charts" / "live-data-instruments"
HERE = ROOT / "ci" / "charts"
CACHE = Path(os.environ.get("LIVE_DATA_CACHE") or Path.home() / ".cache" / "live-data")
TOOLS = CACHE / "tools" / "bin"


def environment(**more: str) -> dict[str, str]:
    """The caller's environment with the tools first on PATH, and more."""
    path = f"{TOOLS}:{CACHE / 'venv' / 'bin'}:{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, **more}


def call(
    *command: str | Path,
    stdin: str | None = None,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    seconds: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, whatever its exit code; stdout and stderr as text."""
    try:
        return subprocess.run(
            [str(part) for part in command],
            input=stdin,
            env=env or environment(),
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise Failed(f"{command[0]} is not installed: run ci/setup") from error
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{' '.join(map(str, command))} did not end within {seconds:.0f} s") from error


def run(
    *command: str | Path,
    stdin: str | None = None,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    seconds: float = 300,
) -> str:
    """Runs a program that must succeed; its stdout."""
    done = call(*command, stdin=stdin, env=env, cwd=cwd, seconds=seconds)
    if done.returncode != 0:
        words = (done.stdout + done.stderr).strip()[-3000:]
        raise Failed(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{words}")
    return done.stdout


def promtool() -> Path:
    """The alerts' checker, built once from its pinned module and kept in the cache by the module's content."""
    folder = HERE / "go" / "promtool"
    key = run("sha256sum", folder / "go.mod", folder / "go.sum")
    kept = CACHE / "tools" / "go" / ("promtool-" + "".join(line[:8] for line in key.splitlines())) / "promtool"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        flags = environment(CGO_ENABLED="0", GOFLAGS="-trimpath -mod=readonly -buildvcs=false", GOWORK="off")
        fresh = kept.with_name(f".promtool.{os.getpid()}")
        run(
            "go",
            "build",
            "-tags",
            "remove_all_sd",
            "-ldflags",
            "-s -w",
            "-o",
            fresh,
            "github.com/prometheus/prometheus/cmd/promtool",
            cwd=folder,
            env=flags,
            seconds=1800,
        )
        fresh.rename(kept)
    return kept


def prometheus_definitions() -> list[Path]:
    """The Prometheus operator's own definitions of what the chart creates, from its pinned module."""
    flags = environment(GOWORK="off", GOFLAGS="-mod=readonly")
    answer = run(
        "go",
        "mod",
        "download",
        "-json",
        "github.com/prometheus-operator/prometheus-operator",
        cwd=HERE / "go" / "prometheus-operator",
        env=flags,
        seconds=600,
    )
    folder = Path(json.loads(answer)["Dir"]) / "example" / "prometheus-operator-crd"
    return [
        folder / f"monitoring.coreos.com_{kind}.yaml" for kind in ("servicemonitors", "podmonitors", "prometheusrules")
    ]
