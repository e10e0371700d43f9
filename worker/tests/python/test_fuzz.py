"""Calls of every algorithm with arguments that make no sense: errors are allowed, faults and hangs are not."""

import random
import time
import unittest

import numpy as np

import mantid.simpleapi as simpleapi
from mantid import _calls
from mantid.api import mtd
from mantid.kernel import ConfigService

# Rounds over all algorithms: at least so many, and more while time is left (seconds).
ROUNDS, TIME = 10, 20
# What these write depends on the folder that the test happens to run in.
WRITES_FILES = {name for name in simpleapi._ALGORITHMS if name.startswith("Save")} | {"Pause"}
# Workspaces of another shape, unit or instrument, with numbers that are none.
ODD = ["points", "other", "turned", "single", "ragged"]
ERRORS = (RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError)


def values(workspaces):
    return [
        None, True, -1, 0, 1, 2, 10**12, -(10**18), 2**70, 0.0, -0.5, 1e308, float("nan"), float("inf"), "", "h", "e",
        "g", "x", "1,2,3", "0,1,10", "-5", "1-3", "äö\x00", [], [1], [1, 2, 3], [0.0, 1.0, 2.0], [float("nan")] * 3,
        ("a",), np.arange(3), np.arange(4.0).reshape(2, 2), np.float32(3), *workspaces, workspaces, object(), {}, b"x",
        range(3), "TOF", "Wavelength", "Direct", "/nowhere/x.nxs", lambda: 0, "bank1", "LIVEDEMO", "1,1,1,1", "0,1,0,1",
        "a,0,1,0,1", "<instrument/>", [1e-300] * 4, [2**31] * 4, np.array([]), np.zeros((0, 3)), "2010-01-01T00:10:00",
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
        workspaces = [self.histograms, self.events, self.group, *self.others]
        given = {}
        for prop in _calls.declaration(name)["properties"]:
            if prop["workspace"] and chance() < 0.8:
                given[prop["name"]] = choice(
                    ["o1", "o2"] if prop["direction"] == "Out" else ["h", "e", "g", *ODD, *workspaces]
                )
            elif chance() < 0.7:
                given[prop["name"]] = choice(values(workspaces))
        return given

    def test_no_call_panics_or_hangs(self):
        names = [name for name in simpleapi._ALGORITHMS if name not in WRITES_FILES]
        succeeded, failed, rounds = set(), set(), 0
        ends = time.monotonic() + TIME
        while rounds < ROUNDS or time.monotonic() < ends:
            rounds += 1
            for name in self.random.sample(names, len(names)):
                (succeeded if self.call(name) else failed).add(name)
                if not all(known in mtd for known in ("h", "e", "g", *ODD)) or len(mtd) > 20:
                    self.begin_anew()
        # Neither must be all there is: then nothing was tried.
        self.assertGreater(len(succeeded), len(names) // 3)
        self.assertGreater(len(failed), len(names) // 2)

    def call(self, name):
        given = self.arguments(name)
        started = time.monotonic()
        try:
            getattr(simpleapi, name)(**given)
            return True
        except ERRORS as error:
            for word in ("fault of its own", "panicked"):
                self.assertNotIn(word, str(error), f"{name}({given})")
            return False
        finally:
            self.assertLess(time.monotonic() - started, 30, f"{name}({given})")

    def begin_anew(self):
        mtd.clear()
        self.histograms = self.make("h", "Histogram")
        self.events = self.make("e", "Event")
        self.group = simpleapi.GroupWorkspaces(["h", "e"], OutputWorkspace="g")
        odd = {"OutputWorkspace": "points", "UnitX": "DeltaE"}
        simpleapi.CreateWorkspace([0.0, 1.0, np.nan], [np.nan, np.inf, -1.0], [0.0, -1.0, np.nan], **odd)
        simpleapi.CreateSampleWorkspace(
            NumBanks=3, BankPixelWidth=1, XUnit="DeltaE", XMin=-10, XMax=9, BinWidth=1, InstrumentName="other",
            OutputWorkspace="other",
        )  # fmt: skip
        simpleapi.Transpose("h", OutputWorkspace="turned")
        simpleapi.CreateSingleValuedWorkspace(0.0, OutputWorkspace="single")
        simpleapi.CreateWorkspace([0.0, 1.0, 2.0, 0.0, 2.0, 1.0], [1.0] * 4, NSpec=2, OutputWorkspace="ragged")
        self.others = [mtd[name] for name in ODD]


if __name__ == "__main__":
    unittest.main(argv=["test_fuzz"])
