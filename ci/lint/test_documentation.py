"""The checks of documentation comments find what they are for, and pass over what is right."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parent / "documentation"
LOADER = importlib.machinery.SourceFileLoader("documentation", str(PROGRAM))
SPEC = importlib.util.spec_from_loader("documentation", LOADER)
documentation = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(documentation)


@pytest.mark.parametrize(
    "text",
    [
        "pub fn rate() {}",
        "/// What a replay came to.\npub struct Replay;",
        "/// Whether it is ready.\npub fn ready() {}",
        "/// Reason, in words.\npub struct Reason;",
        "/// Rate.\n\n/// The board tells the page.\npub struct Board;",
        "#[derive(\n    Clone,\n)]\npub struct Cli;",
    ],
)
def test_a_fault_is_found(text: str) -> None:
    assert len(documentation.faults(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "/// Events per second.\npub fn rate() {}",
        "pub mod rate;",
        "/// Settings.\n#[derive(\n    Clone,\n)]\n#[serde(default)]\npub struct Settings {\n    pub rate: f64,\n}",
        "/// Instant\n/// when the run began.\npub struct Start;",
        "/// Calls `tell`.\n/// ```\n/// // What follows\n/// ```\npub fn call() {}",
        "#[cfg(test)]\nmod tests {\n    pub fn rate() {}\n}",
        "pub(crate) fn rate() {}",
    ],
)
def test_what_is_right_passes(text: str) -> None:
    assert documentation.faults(text) == []
