"""Prometheus' own checker and the definitions of its operator, from pinned Go modules."""

from __future__ import annotations

import json
import os
from pathlib import Path

from checks.programs import CACHE, environment, run

FOLDER = Path(__file__).resolve().parents[1]  # ci/charts


def promtool() -> Path:
    """The alerts' checker, built once from its pinned module and kept in the cache by the module's content."""
    folder = FOLDER / "go" / "promtool"
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
        cwd=FOLDER / "go" / "prometheus-operator",
        env=flags,
        seconds=600,
    )
    folder = Path(json.loads(answer)["Dir"]) / "example" / "prometheus-operator-crd"
    return [
        folder / f"monitoring.coreos.com_{kind}.yaml" for kind in ("servicemonitors", "podmonitors", "prometheusrules")
    ]
