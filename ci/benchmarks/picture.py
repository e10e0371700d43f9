"""The picture: each row as a bar of what it is to reach, and the plots of how cost grows. Plain SVG."""

from __future__ import annotations

import math
from html import escape

from report import Plot, Row, figure

WIDTH = 1000
COLOURS = ("#1668a8", "#c4501b", "#2f8f4e", "#7a4fa3")


def text(x, y, words, size=12, anchor="start", colour="#222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def bars(rows: list[Row], top: float) -> tuple[list[str], float]:
    """A bar of one unit is what is to be reached; scaled by the logarithm, so that far beyond still fits."""
    left, right, height = 430, WIDTH - 150, 20

    def place(share: float) -> float:
        share = min(max(share, 0.05), 20)
        return left + (math.log(share / 0.05) / math.log(400)) * (right - left)

    parts = [text(20, top, "What is measured, as a share of what is to be reached (logarithmic)", 16)]
    y = top + 16
    shown = [row for row in rows if row.share() is not None]
    for row in shown:
        share = row.share() or 0.0
        colour = "#2f8f4e" if row.reached else "#c4501b"
        sign = "≥" if row.at_least else "≤"
        parts.append(text(left - 8, y + 14, f"{row.name} ({row.unit})"[:75], 10, "end"))
        parts.append(
            f'<rect x="{left}" y="{y + 3}" width="{place(share) - left:.1f}" height="{height - 7}" fill="{colour}"/>'
        )
        parts.append(text(right + 8, y + 14, f"{figure(row.median)}  ({sign} {figure(row.reach or 0)})", 10))
        y += height
    parts.append(
        f'<line x1="{place(1):.1f}" y1="{top + 14}" x2="{place(1):.1f}" y2="{y}" stroke="#222" stroke-dasharray="3 3"/>'
    )
    return parts, y + 30


def plot(plot: Plot, x0: float, y0: float, width: float, height: float) -> list[str]:
    points = [point for curve in plot.curves.values() for point in curve]
    if not points:
        return []

    def along(x: float) -> float:
        return math.log10(max(x, 1e-12)) if plot.log_x else x

    low, high = min(along(x) for x, _ in points), max(along(x) for x, _ in points)
    top = max(y for _, y in points) or 1.0
    left, base = x0 + 60, y0 + height - 40

    def place(x: float, y: float) -> tuple[float, float]:
        across = (along(x) - low) / ((high - low) or 1.0)
        return left + across * (width - 90), base - (y / top) * (height - 80)

    parts = [
        text(x0 + 10, y0 + 16, plot.title, 13),
        f'<path d="M{left} {y0 + 30}V{base}H{x0 + width - 20}" fill="none" stroke="#888"/>',
        text(left - 6, place(low, top)[1] + 4, figure(top), 10, "end"),
        text(left - 6, base + 4, "0", 10, "end"),
        text(x0 + width - 20, base + 28, plot.x, 11, "end"),
        text(left + 4, y0 + 30, plot.y, 11),
    ]
    for x in sorted({x for x, _ in points}):
        parts.append(text(place(x, 0)[0], base + 14, figure(x), 9, "middle"))
    for index, (name, curve) in enumerate(plot.curves.items()):
        colour = COLOURS[index % len(COLOURS)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in curve))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for point in curve:
            x, y = place(*point)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
        parts.append(text(x0 + width - 20, y0 + 34 + 14 * index, name, 11, "end", colour))
    return parts


def draw(rows: list[Row], plots: list[Plot]) -> str:
    parts, y = bars(rows, 30)
    width, height = WIDTH / 2, 260
    for index, one in enumerate(plots):
        parts += plot(one, (index % 2) * width, y + (index // 2) * height, width, height)
    total = y + ((len(plots) + 1) // 2) * height + 10
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{total:.0f}" font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{total:.0f}" fill="#fff"/>', *parts, "</svg>"])
