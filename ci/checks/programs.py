"""Folders of the checkout and of the cache, and calls of programs. Promise: no output is interpreted here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .report import Failed

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "live-data"
INSTRUMENTS = ROOT / "charts" / "live-data-instruments"
CHART_CHECKS = ROOT / "ci" / "charts"
CACHE = Path(os.environ.get("LIVE_DATA_CACHE") or Path.home() / ".cache" / "live-data")
TOOLS = CACHE / "tools" / "bin"


def environment(**more: str) -> dict[str, str]:
    """Environment of the caller with the cache's tools first on PATH, and more variables."""
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
