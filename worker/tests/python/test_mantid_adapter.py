"""The adapter to the real Mantid, against a stand-in that refuses what Mantid's documentation doesn't have."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "strict_mantid"))
sys.path.insert(1, os.path.join(HERE, "..", "..", "python"))

import numpy as np

import mantid
from livedata.mantid_adapter import LiveWorkspaces
from mantid.api import AnalysisDataService

NUMBERS = [5, 7, 9]
DETECTORS = [[1001, 1002], [1003], [1004, 1010]]


def columns(*events):
    return np.array([tof for tof, _ in events], dtype=float), np.array([time for _, time in events], dtype=np.int64)


class Adapter(unittest.TestCase):
    def setUp(self):
        AnalysisDataService.clear()
        self.live = LiveWorkspaces()

    def prepared(self, detectors=DETECTORS):
        return self.live.prepare("lives", "STRICT", NUMBERS, detectors)

    def events(self):
        return [sorted(spectrum.events) for spectrum in AnalysisDataService.retrieve("lives").spectra]

    def test_spectra_are_those_of_the_map(self):
        self.assertEqual(self.prepared(), (True, []))
        workspace = AnalysisDataService.retrieve("lives")
        self.assertEqual(workspace.getSpectrumNumbers(), NUMBERS)
        self.assertEqual([spectrum.getDetectorIDs() for spectrum in workspace.spectra], DETECTORS)

    def test_events_are_added_and_kept(self):
        self.prepared()
        self.live.add_events("lives", 0, *columns((100.0, 10), (200.5, 10)))
        self.live.add_events("lives", 2, *columns((50.0, 20)))
        self.live.finish("lives", 50.0, 200.6)
        self.assertEqual(self.prepared(), (False, []))
        self.live.add_events("lives", 0, *columns((300.0, 30)))
        self.live.finish("lives", 50.0, 300.1)
        self.assertEqual(self.events(), [[(100.0, 10), (200.5, 10), (300.0, 30)], [], [(50.0, 20)]])
        self.assertEqual(AnalysisDataService.retrieve("lives").x, (50.0, 300.1))
        self.live.clear_events("lives", 0)
        self.assertEqual(self.events()[0], [])
        self.assertEqual(AnalysisDataService.retrieve("lives").spectra[0].getDetectorIDs(), [1001, 1002])

    def test_what_a_script_changed_is_made_anew(self):
        self.prepared()
        self.live.add_events("lives", 0, *columns((100.0, 10)))
        self.live.finish("lives", 0.0, 200.0)
        AnalysisDataService.retrieve("lives").history.append("Scale")
        self.assertEqual(self.prepared(), (True, []))
        self.assertEqual(self.events(), [[], [], []])
        self.live.finish("lives", 0.0, 0.0)
        AnalysisDataService.retrieve("lives").spectra[0].events.append((1.0, 1))
        self.assertEqual(self.prepared()[0], True)
        AnalysisDataService.remove("lives")
        self.assertEqual(self.prepared()[0], True)
        self.assertEqual(self.live.prepare("lives", "STRICT", [1, 2, 3], DETECTORS)[0], True)

    def test_spectra_that_the_instrument_lacks_are_named(self):
        self.assertEqual(self.prepared([[1001], [9999], [1002]]), (True, [1]))
        self.live.add_events("lives", 1, *columns((1.0, 1)))
        self.live.add_events("lives", 2, *columns((2.0, 1)))
        self.assertEqual(self.events(), [[], [(2.0, 1)]])
        self.assertEqual(AnalysisDataService.retrieve("lives").getSpectrumNumbers(), [5, 9])
        self.live.finish("lives", 1.0, 3.0)
        self.assertEqual(self.prepared([[1001], [9999], [1002]]), (False, [1]))
        with self.assertRaisesRegex(RuntimeError, "none of the detectors"):
            self.prepared([[1], [2], [3]])

    def test_logs_are_set_in_one_go(self):
        self.prepared()
        logs = [
            ("run_number", "71617", "", None),
            ("gd_prtn_chrg", 1.5, "uA.hour", None),
            ("nperiods", 1, "", None),
            ("temp", [1.0, 2.0], "K", [10, 20]),
            ("count", [1, 2], "", [10, 20]),
            ("state", ["a", "b"], "", [10, 20]),
            ("open", [True, False], "", [10, 20]),
        ]
        self.live.set_logs("lives", "a title", logs)
        self.live.set_logs("lives", "a title", logs)
        held = AnalysisDataService.retrieve("lives").logs.logs
        self.assertEqual((held["run_number"], held["gd_prtn_chrg"]), ("71617", 1.5))
        self.assertEqual((held["temp"].values, held["temp"].units), ([(10, 1.0), (20, 2.0)], "K"))
        self.assertEqual(
            [type(held[name]).__name__ for name in ("temp", "count", "state", "open")],
            [kind + "TimeSeriesProperty" for kind in ("Float", "Int64", "String", "Bool")],
        )

    def test_periods_are_a_group(self):
        for name in ("lives_1", "lives_2"):
            self.live.prepare(name, "STRICT", NUMBERS, DETECTORS)
        for _ in range(2):
            self.live.group("lives", ["lives_1", "lives_2"])
        self.assertEqual(AnalysisDataService.retrieve("lives").names, ["lives_1", "lives_2"])
        self.assertEqual([name for name, _, _ in self.live.workspaces()], ["lives_1", "lives_2", "lives"])
        self.live.clear()
        self.assertEqual(self.live.workspaces(), [])

    def test_the_stand_in_refuses_what_is_not_documented(self):
        from mantid import simpleapi
        from mantid.kernel import DateAndTime, FloatTimeSeriesProperty

        self.prepared()
        workspace = AnalysisDataService.retrieve("lives")
        for wrong in (
            lambda: workspace.addEvents([]),
            lambda: simpleapi.LoadEmptyInstrument("STRICT"),
            lambda: simpleapi.Fit(),
            lambda: DateAndTime(np.int64(1)),
            lambda: workspace.getSpectrum(0).addEventQuickly(np.float64(1), DateAndTime(1)),
            lambda: FloatTimeSeriesProperty("a").addValue(DateAndTime(1), 1),
        ):
            with self.assertRaises(mantid.NotDocumented):
                wrong()


if __name__ == "__main__":
    unittest.main(argv=["test_mantid_adapter"])
