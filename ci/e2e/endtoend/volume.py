"""The folder that stands for the site's storage: reduced files, completion markers, and whoever looks at them meanwhile."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import h5py

from .instrument import NAME


class Volume:
    """A folder that belongs to the workers' user."""

    def __init__(self, path: Path) -> None:
        """Makes it."""
        path.mkdir()
        os.chown(path, 1000, 1000)
        self.path = path

    def counts(self, run: str) -> list[int]:
        """The events of each spectrum in a run's reduced file, in order."""
        return counts(self.path / f"{run}.nxs")

    def has(self, run: str) -> bool:
        """Whether a run has a reduced file."""
        return (self.path / f"{run}.nxs").exists()

    def markers(self) -> dict[str, dict]:
        """The completion markers by the run's number; the first worker's under `first`."""
        found = {}
        for file in (self.path / ".live-data" / "runs").glob("*.json"):
            marker = json.loads(file.read_text(encoding="utf-8"))
            first = marker["identity"] == "first-worker"
            found["first" if first else marker["runName"].removeprefix(NAME)] = marker
        return found

    def strangers(self) -> list[str]:
        """Files that neither are reduced files nor belong to the worker's hidden folder."""
        return sorted(path.name for path in self.path.iterdir() if path.suffix != ".nxs" and path.name != ".live-data")


def counts(file: Path) -> list[int]:
    """The sum of each row of a processed file, as h5py reads it."""
    with h5py.File(file, "r") as opened:
        return [int(total) for total in opened["mantid_workspace_1/workspace/values"][()].sum(axis=1)]


class Watcher:
    """Reads every file that appears or changes, all the time: what a scientist's program would see."""

    def __init__(self, volume: Volume) -> None:
        """Begins."""
        self.volume = volume
        self.read = 0
        self.rows: set[int] = set()
        self.broken: list[str] = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        seen: dict[Path, int] = {}
        while not self.ended.wait(0.2):
            for file in self.volume.path.glob("*.nxs"):
                try:
                    changed = file.stat().st_mtime_ns
                    if seen.get(file) == changed:
                        continue
                    seen[file] = changed
                    self.rows.add(len(counts(file)))
                    self.read += 1
                except Exception as error:
                    self.broken.append(f"{file.name}: {error}")

    def close(self) -> None:
        """Ends."""
        self.ended.set()
        self.thread.join(timeout=30)
