"""One line a check, a count at the end. A check that raises has failed; it never ends the run."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable


class Failed(Exception):
    """What was expected and what was found instead."""


class Report:
    """Counts checks and prints each as it ends."""

    def __init__(self) -> None:
        """Starts with nothing counted."""
        self.passed = 0
        self.failed: list[str] = []

    def check(self, name: str, body: Callable[[], object]) -> bool:
        """Runs one check and prints its line; says whether it passed."""
        started = time.monotonic()
        try:
            body()
        except Failed as failure:
            self.failed.append(name)
            print(f"FAIL  {name}\n      " + str(failure).replace("\n", "\n      "), flush=True)
            return False
        except Exception:  # a broken check is a failed one, with its place
            self.failed.append(name)
            print(f"FAIL  {name}\n{traceback.format_exc()}", flush=True)
            return False
        self.passed += 1
        print(f"ok    {name} ({time.monotonic() - started:.1f} s)", flush=True)
        return True

    def end(self) -> int:
        """Prints the count; returns the exit code."""
        for name in self.failed:
            print(f"failed: {name}", file=sys.stderr)
        print(f"{self.passed} passed, {len(self.failed)} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


def expect(condition: object, words: str) -> None:
    """Fails with the words unless the condition holds."""
    if not condition:
        raise Failed(words)


def expect_equal(found: object, wanted: object, what: str) -> None:
    """Fails, showing both, unless they are equal."""
    if found != wanted:
        raise Failed(f"{what}: expected {wanted!r}, found {found!r}")


def expect_in(part: str, whole: str, what: str) -> None:
    """Fails, showing the whole, unless the part is in it."""
    if part not in whole:
        raise Failed(f"{what}: {part!r} is not in:\n{whole.strip()[:2000]}")


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Waits for a condition; fails with the words when it does not come."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise Failed(f"after {seconds:.0f} s still not so: {what}")
        time.sleep(0.2)
