"""Calls of every algorithm with arguments that make no sense: errors are allowed, faults and hangs are not."""

import random
import time
import unittest

import numpy as np

import mantid.simpleapi as simpleapi
from mantid import _calls
from mantid.api import mtd
from mantid.kernel import ConfigService

CALLS = 3000
# What these write depends on the folder that the test happens to run in.
WRITES_FILES = {name for name in simpleapi._ALGORITHMS if name.startswith("Save")} | {"Pause"}
ERRORS = (RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError)


def values(workspaces):
    return [
        None, True, -1, 0, 1, 2, 10**12, -(10**18), 2**70, 0.0, -0.5, 1e308, float("nan"), float("inf"), "", "h", "e",
        "g", "x", "1,2,3", "0,1,10", "-5", "1-3", "äö\x00", [], [1], [1, 2, 3], [0.0, 1.0, 2.0], [float("nan")] * 3,
        ("a",), np.arange(3), np.arange(4.0).reshape(2, 2), np.float32(3), *workspaces, workspaces, object(), {}, b"x",
        range(3), "TOF", "Wavelength", "Direct", "/nowhere/x.nxs", lambda: 0,
    ]  # fmt: skip


class Fuzz(unittest.TestCase):
    def setUp(self):
        ConfigService.setLogLevel("fatal")
        self.random = random.Random(20)
        self.begin_anew()

    def make(self, name, kind):
        return simpleapi.CreateSampleWorkspace(kind, NumBanks=1, BankPixelWidth=2, OutputWorkspace=name)

    def arguments(self, name):
        choice, chance = self.random.choice, self.random.random
        workspaces = [self.histograms, self.events, self.group]
        given = {}
        for prop in _calls.declaration(name)["properties"]:
            if prop["workspace"] and chance() < 0.8:
                given[prop["name"]] = choice(
                    ["o1", "o2"] if prop["direction"] == "Out" else ["h", "e", "g", *workspaces]
                )
            elif chance() < 0.7:
                given[prop["name"]] = choice(values(workspaces))
        return given

    def test_no_call_panics_or_hangs(self):
        names = [name for name in simpleapi._ALGORITHMS if name not in WRITES_FILES]
        succeeded = failed = 0
        for _ in range(CALLS):
            name = self.random.choice(names)
            given = self.arguments(name)
            started = time.monotonic()
            try:
                getattr(simpleapi, name)(**given)
                succeeded += 1
            except ERRORS as error:
                failed += 1
                self.assertNotIn("fault of its own", str(error), f"{name}({given})")
            self.assertLess(time.monotonic() - started, 20, f"{name}({given})")
            if "h" not in mtd or "e" not in mtd or "g" not in mtd or len(mtd) > 20:
                self.begin_anew()
        # Neither must be all there is: then nothing was tried.
        self.assertGreater(succeeded, CALLS // 50)
        self.assertGreater(failed, CALLS // 50)

    def begin_anew(self):
        mtd.clear()
        self.histograms = self.make("h", "Histogram")
        self.events = self.make("e", "Event")
        self.group = simpleapi.GroupWorkspaces(["h", "e"], OutputWorkspace="g")


if __name__ == "__main__":
    unittest.main(argv=["test_fuzz"])
