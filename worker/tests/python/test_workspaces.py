"""Workspaces, their spectra, events, logs, instruments and groups."""

import unittest

import numpy as np

from mantid.api import IEventWorkspace, MatrixWorkspace, WorkspaceGroup, mtd
from mantid.dataobjects import EventWorkspace, Workspace2D
from mantid.kernel import V3D, DateAndTime
from mantid.simpleapi import (
    AddSampleLog,
    AddTimeSeriesLog,
    CreateSampleWorkspace,
    CreateSingleValuedWorkspace,
    CreateWorkspace,
    GroupWorkspaces,
)


class Workspaces(unittest.TestCase):
    def setUp(self):
        mtd.clear()

    def test_kinds(self):
        events = CreateSampleWorkspace("Event", OutputWorkspace="events")
        table = CreateSampleWorkspace(OutputWorkspace="table")
        single = CreateSingleValuedWorkspace(3.0)
        group = GroupWorkspaces("events,table")
        self.assertIsInstance(events, (EventWorkspace,))
        self.assertIsInstance(events, IEventWorkspace)
        self.assertIsInstance(events, MatrixWorkspace)
        self.assertIsInstance(table, Workspace2D)
        self.assertNotIsInstance(table, EventWorkspace)
        self.assertIsInstance(group, WorkspaceGroup)
        self.assertEqual([w.id() for w in (events, table, group)], ["EventWorkspace", "Workspace2D", "WorkspaceGroup"])
        self.assertEqual(float(single), 3.0)
        self.assertEqual([w.isGroup() for w in (events, group)], [False, True])
        self.assertEqual(mtd["events"], events)
        self.assertNotEqual(mtd["events"], table)

    def test_shape_units_and_titles(self):
        ws = CreateSampleWorkspace(OutputWorkspace="ws", NumBanks=1, BankPixelWidth=2)
        self.assertEqual((ws.getNumberHistograms(), ws.blocksize(), ws.getNumberBins(0)), (4, 100, 100))
        self.assertTrue(ws.isHistogramData() and ws.isCommonBins() and not ws.isDistribution())
        self.assertEqual(ws.getAxis(0).getUnit().unitID(), "TOF")
        self.assertEqual(ws.getAxis(0).getUnit().caption(), "Time-of-flight")
        ws.getAxis(0).setUnit("Wavelength")
        self.assertEqual(ws.getAxis(0).getUnit().unitID(), "Wavelength")
        ws.getAxis(0).setUnit("Label").setLabel("Shift", "mm")
        self.assertEqual(ws.getAxis(0).getUnit().caption(), "Shift")
        ws.setTitle("a title")
        ws.setYUnit("Counts")
        ws.setDistribution(True)
        self.assertEqual((ws.getTitle(), ws.YUnit(), ws.isDistribution()), ("a title", "Counts", True))
        self.assertEqual(ws.getSpectrumNumbers(), [1, 2, 3, 4])
        self.assertEqual(ws.getAxis(1).extractValues().tolist(), [1, 2, 3, 4])
        self.assertTrue(ws.getAxis(1).isSpectra())
        self.assertEqual(ws.getDimension(0).getNBins(), 100)
        with self.assertRaises(RuntimeError):
            ws.getAxis(2)
        with self.assertRaisesRegex(AttributeError, "Workspace2D.fancyMethod is not available"):
            ws.fancyMethod()

    def test_spectra_and_detectors(self):
        ws = CreateSampleWorkspace(OutputWorkspace="ws", NumBanks=1, BankPixelWidth=2)
        spectrum = ws.getSpectrum(1)
        ids = spectrum.getDetectorIDs()
        self.assertEqual(len(ids), 1)
        self.assertEqual(ws.getIndicesFromDetectorIDs(ids), [1])
        self.assertEqual(ws.getIndexFromSpectrumNumber(2), 1)
        spectrum.setSpectrumNo(77)
        self.assertEqual(ws.getSpectrum(1).getSpectrumNo(), 77)
        detector = ws.getDetector(0)
        self.assertEqual(detector.getID(), ws.getSpectrum(0).getDetectorIDs()[0])
        self.assertFalse(detector.isMonitor())
        instrument = ws.getInstrument()
        self.assertEqual(instrument.getSource().getPos(), V3D(0, 0, -10))
        self.assertAlmostEqual(instrument.getSource().getDistance(instrument.getSample()), 10)
        self.assertIsNone(instrument.getComponentByName("no such part"))
        self.assertIsNotNone(instrument.getComponentByName("bank1"))
        info = ws.spectrumInfo()
        self.assertAlmostEqual(info.l1(), 10)
        self.assertAlmostEqual(info.l2(0), detector.getPos().distance(V3D(0, 0, 0)))
        self.assertAlmostEqual(info.twoTheta(0), ws.detectorTwoTheta(detector))
        self.assertTrue(info.hasDetectors(0) and not info.isMasked(0))
        info.setMasked(0, True)
        self.assertTrue(ws.spectrumInfo().isMasked(0) and ws.getDetector(0).isMasked())
        with self.assertRaises(IndexError):
            ws.getSpectrum(4)
        bare = CreateWorkspace([0, 1], [1], OutputWorkspace="bare")
        with self.assertRaises(RuntimeError):
            bare.getDetector(0)

    def test_events(self):
        ws = CreateSampleWorkspace("Event", OutputWorkspace="ws", NumBanks=1, BankPixelWidth=1)
        events = ws.getSpectrum(0)
        count = ws.getNumberEvents()
        tofs = events.getTofs()
        self.assertEqual((events.getNumberEvents(), len(tofs), len(events.getPulseTimes())), (count,) * 3)
        self.assertEqual((ws.getTofMin(), ws.getTofMax()), (tofs.min(), tofs.max()))
        self.assertEqual((events.getWeights().sum(), events.getEventType()), (count, "TOF"))
        events.addEventQuickly(123.5, DateAndTime("2010-01-01T00:40:00"))
        self.assertEqual(ws.getNumberEvents(), count + 1)
        self.assertIn(123.5, events.getTofs())
        self.assertIn(DateAndTime("2010-01-01T00:40:00"), events.getPulseTimes())
        events.clear()
        self.assertEqual(ws.getNumberEvents(), 0)

    def test_logs(self):
        ws = CreateSampleWorkspace(OutputWorkspace="ws")
        AddSampleLog(ws, "text", "hello")
        AddSampleLog(ws, "number", "2.5", "Number", LogUnit="K")
        for second, value in ((0, 1.0), (10, 3.0), (30, 5.0)):
            AddTimeSeriesLog(ws, "temp", f"2010-01-01T00:00:{second:02}", value)
        run = ws.getRun()
        self.assertEqual(run.getProperty("text").value, "hello")
        self.assertEqual((run["number"].value, run["number"].units), (2.5, "K"))
        log = run.getProperty("temp")
        self.assertEqual(log.value.tolist(), [1, 3, 5])
        self.assertEqual(log.size(), 3)
        self.assertAlmostEqual(log.timeAverageValue(), (10 * 1 + 20 * 3) / 30)
        self.assertAlmostEqual(run.getPropertyAsSingleValue("temp"), log.timeAverageValue())
        self.assertEqual(log.getStatistics().mean, 3)
        self.assertTrue(run.hasProperty("temp") and "temp" in run and "other" not in run)
        self.assertIn("temp", run.keys())
        with self.assertRaisesRegex(RuntimeError, "Unknown property search object other"):
            run.getProperty("other")
        run.addProperty("gd_prtn_chrg", 10.0, True)
        self.assertEqual(run.getProtonCharge(), 10.0)
        run["mine"] = 4
        self.assertEqual(ws.run().getLogData("mine").value, 4)
        with self.assertRaises(RuntimeError):
            run.addProperty("mine", 5, False)
        run.addProperty("copy", log, True)
        self.assertEqual(ws.run()["copy"].value.tolist(), [1, 3, 5])
        self.assertIsNone(run.get("other"))
        run.addProperty("start_time", "2020-02-03T04:05:06", True)
        self.assertEqual(run.startTime(), DateAndTime("2020-02-03T04:05:06"))
        AddSampleLog(ws, "run_number", "MERLIN71617")
        self.assertEqual(ws.getRunNumber(), 71617)
        run.getGoniometer().setR(np.eye(3)[[1, 2, 0]])
        self.assertEqual(ws.run().getGoniometer().getR().tolist(), np.eye(3)[[1, 2, 0]].tolist())

    def test_groups(self):
        for name in ("a", "b", "c"):
            CreateWorkspace([0, 1], [1], OutputWorkspace=name)
        group = GroupWorkspaces("a,b")
        self.assertEqual(
            (len(group), group.getNames(), group.contains("a"), "c" in group), (2, ["a", "b"], True, False)
        )
        self.assertEqual([member.name() for member in group], ["a", "b"])
        group.add("c")
        self.assertEqual(group.getItem(2).name(), "c")
        self.assertEqual(group[-1].name(), "c")
        group.remove("a")
        self.assertEqual(mtd["group"].getNames(), ["b", "c"])
        with self.assertRaises(IndexError):
            group[5]
        mtd.remove("b")
        self.assertEqual(group.getNames(), ["c"])

    def test_history(self):
        ws = CreateWorkspace([0, 1], [1], OutputWorkspace="ws")
        AddSampleLog(ws, "a", "b")
        history = ws.getHistory()
        self.assertEqual([entry.name() for entry in history], ["CreateWorkspace", "AddSampleLog"])
        self.assertEqual(history.lastAlgorithm().getPropertyValue("LogName"), "a")

    def test_the_data_service_holds_what_is_added(self):
        ws = CreateWorkspace([0, 1], [1], StoreInADS=False)
        self.assertEqual(ws.name(), "")
        mtd.addOrReplace("named", ws)
        self.assertEqual((ws.name(), mtd["NAMED"].name()), ("named", "named"))
        with self.assertRaises(RuntimeError):
            mtd.add("named", ws)
        del mtd["named"]
        self.assertNotIn("named", mtd)
        mtd["again"] = ws
        self.assertEqual(len(mtd), 1)


if __name__ == "__main__":
    unittest.main(argv=["test_workspaces"])
