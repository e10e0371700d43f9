"""Rows of the table: what was measured round by round, beside its peer, and what is to be reached."""

from __future__ import annotations

import json
import os
import platform
import statistics
from dataclasses import dataclass, field


@dataclass
class Row:
    """One line of the table. `figures` is what is compared with `reach`, one a round, ours and the peer's taken in turns."""

    group: str
    name: str
    figures: list[float]
    unit: str
    reach: float | None = None
    at_least: bool = True
    ours: str = ""
    peer: str = ""
    note: str = ""
    values: dict[str, list[float]] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return statistics.median(self.figures) if self.figures else float("nan")

    @property
    def reached(self) -> bool | None:
        if self.reach is None or not self.figures:
            return None
        return self.median >= self.reach if self.at_least else self.median <= self.reach

    def share(self) -> float | None:
        """How much of the reach: 1 and more is reached."""
        if self.reach is None or not self.figures or not self.median:
            return None
        return self.median / self.reach if self.at_least else self.reach / self.median


@dataclass
class Plot:
    """How something grows: curves of points over one axis."""

    title: str
    x: str
    y: str
    curves: dict[str, list[tuple[float, float]]]
    log_x: bool = False


def figure(value: float) -> str:
    if value != value:
        return "-"
    for limit, divisor, suffix in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= limit:
            return f"{value / divisor:.3g}{suffix}"
    return f"{value:.3g}"


def quantity(value: float, unit: str) -> str:
    """A number with its unit, as people read it."""
    if unit == "s" and abs(value) < 0.1:
        return f"{value * 1e3:.3g} ms"
    return f"{figure(value)} {unit}"


def paired(ours: list[float], peer: list[float], times: bool) -> list[float]:
    """How many times faster than the peer, round by round: of times the peer's over ours, of rates ours over the peer's."""
    if times:
        return [b / a for a, b in zip(ours, peer) if a]
    return [a / b for a, b in zip(ours, peer) if b]


def table(rows: list[Row]) -> str:
    lines = [("row", "figure", "spread", "reach", "", "ours", "peer")]
    for row in rows:
        spread = f"{figure(min(row.figures))}-{figure(max(row.figures))}" if len(row.figures) > 1 else ""
        sign = "≥" if row.at_least else "≤"
        reach = f"{sign} {figure(row.reach)}" if row.reach is not None else ""
        verdict = {True: "reached", False: "NOT REACHED", None: ""}[row.reached]
        lines.append((row.name, f"{figure(row.median)} {row.unit}", spread, reach, verdict, row.ours, row.peer))
    widths = [max(len(line[i]) for line in lines) for i in range(7)]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths))
    notes = [f"  {row.name}: {row.note}" for row in rows if row.note]
    return "\n".join(text + (["", *notes] if notes else []))


def machine() -> dict:
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"cores": os.cpu_count(), "processor": model, "system": platform.platform(), "load": os.getloadavg()[0]}


def write(path: str, rows: list[Row], plots: list[Plot], options: dict) -> None:
    document = {
        "machine": machine(),
        "options": options,
        "rows": [
            {
                "group": row.group,
                "name": row.name,
                "figure": row.median,
                "unit": row.unit,
                "rounds": row.figures,
                "reach": row.reach,
                "atLeast": row.at_least,
                "reached": row.reached,
                "ours": row.ours,
                "peer": row.peer,
                "note": row.note,
                "values": row.values,
            }
            for row in rows
        ],
        "plots": [vars(plot) for plot in plots],
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
