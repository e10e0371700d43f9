"""Every name of Mantid's objects that the engine promises, touched once, with the value that it must have."""

import tempfile
import unittest

import numpy as np

from mantid import config
from mantid.api import AlgorithmManager, AnalysisDataService, FileFinder, NumericAxis, WorkspaceGroup, mtd
from mantid.dataobjects import EventWorkspace, TableWorkspace, Workspace2D
from mantid.kernel import (
    V3D,
    ConfigService,
    DateAndTime,
    DeltaEModeType,
    Logger,
    UnitConversion,
    UnitParams,
    funcinspect,
)
from mantid.simpleapi import (
    AddTimeSeriesLog,
    CreateEmptyTableWorkspace,
    CreateSampleWorkspace,
    FindEPP,
    GroupWorkspaces,
    MaskBins,
)

START = DateAndTime("2010-01-01T00:00:00")


class Names(unittest.TestCase):
    def setUp(self):
        mtd.clear()

    def sample(self, name="ws", kind="Histogram"):
        return CreateSampleWorkspace(kind, NumBanks=1, BankPixelWidth=2, OutputWorkspace=name)

    def test_data_service(self):
        self.assertIs(mtd, AnalysisDataService)
        ws = self.sample()
        mtd.add("second", self.sample("first"))
        mtd.addOrReplace("ws", self.sample("third"))
        self.assertEqual((mtd.doesExist("second"), "second" in mtd, "none" in mtd), (True, True, False))
        self.assertEqual(mtd.retrieve("ws"), mtd["ws"])
        self.assertNotEqual(mtd["ws"], ws)
        self.assertEqual(len(mtd), mtd.size())
        self.assertIn("second", mtd.getObjectNames())
        del mtd["second"]
        mtd.remove("ws")
        self.assertTrue(mtd.unique_name(4, "x").startswith("x"))
        for name in ("second", "ws"):
            with self.assertRaises(KeyError):
                mtd[name]
        mtd.clear()
        self.assertEqual(mtd.getObjectNames(), [])

    def test_matrix_workspaces(self):
        ws = self.sample()
        self.assertEqual(
            (ws.getNumberHistograms(), ws.blocksize(), ws.getNumberBins(1), ws.id(), ws.name(), ws.isGroup()),
            (4, 100, 100, "Workspace2D", "ws", False),
        )
        self.assertIsInstance(ws, Workspace2D)
        self.assertEqual([ws.readX(0)[1], ws.readY(0)[50], ws.readE(0)[50] ** 2], [200, 10.3, 10.3])
        for data, read in ((ws.dataX, ws.readX), (ws.dataY, ws.readY), (ws.dataE, ws.readE)):
            data(2)[0] = 7.5
            self.assertEqual(read(2)[0], 7.5)
        for change, read, width in ((ws.setX, ws.readX, 101), (ws.setY, ws.readY, 100), (ws.setE, ws.readE, 100)):
            change(3, np.arange(width))
            self.assertEqual(read(3)[9], 9)
        self.assertEqual(
            [a.shape for a in (ws.extractX(), ws.extractY(), ws.extractE())], [(4, 101), (4, 100), (4, 100)]
        )
        ws.setYUnit("Counts")
        ws.setYUnitLabel("how many")
        self.assertEqual((ws.YUnit(), ws.YUnitLabel()), ("Counts", "how many"))
        ws.setDistribution(True)
        self.assertEqual((ws.isDistribution(), ws.isHistogramData(), ws.isCommonBins()), (True, True, False))
        self.assertEqual((ws.getSpectrumNumbers(), ws.getIndexFromSpectrumNumber(3)), ([1, 2, 3, 4], 2))
        self.assertEqual(ws.getIndicesFromDetectorIDs([6, 4]), [2, 0])
        self.assertEqual((ws.getSpectrum(1).getSpectrumNo(), ws.getDetector(1).getID()), (2, 5))
        angle = np.arctan2(0.008, 5)
        for two_theta in (
            ws.detectorTwoTheta(ws.getDetector(1)),
            ws.spectrumInfo().twoTheta(1),
            ws.detectorInfo().twoTheta(1),
        ):
            self.assertAlmostEqual(two_theta, angle)
        axis = NumericAxis.create(4)
        for index in range(4):
            axis.setValue(index, index / 2)
        ws.replaceAxis(1, axis)
        self.assertEqual(ws.getAxis(1).extractValues().tolist(), [0, 0.5, 1, 1.5])
        ws.setTitle("a title")
        self.assertEqual((ws.getTitle(), ws.getEMode(), ws.getRunNumber()), ("a title", "Elastic", 0))
        self.assertEqual(ws.getHistory().lastAlgorithm().name(), "CreateSampleWorkspace")
        self.assertGreaterEqual(ws.getMemorySize(), 4 * 300 * 8)
        self.assertEqual(ws.sample().getName(), "")
        for run in (ws.getRun(), ws.run(), ws.mutableRun()):
            self.assertIn("run_title", run)
        ws.setEFixed(5, 3.5)
        self.assertEqual((ws.getEFixed(5), ws.getEFixed(ws.getDetector(1))), (3.5, 3.5))
        with self.assertRaises(RuntimeError):
            ws.getEFixed(4)
        ws.setMonitorWorkspace(self.sample("monitors"))
        self.assertEqual(ws.getMonitorWorkspace().name(), "monitors")
        ws.clearMonitorWorkspace()
        with self.assertRaises(RuntimeError):
            ws.getMonitorWorkspace()

    def test_masked_bins(self):
        ws = MaskBins(self.sample(), XMin=300, XMax=700, InputWorkspaceIndexSet=[2])
        self.assertEqual([ws.hasMaskedBins(index) for index in range(4)], [False, False, True, False])
        self.assertEqual((list(ws.maskedBinsIndices(2)), ws.hasAnyMaskedBins()), ([1, 2, 3], True))
        self.assertEqual(ws.maskedBinsIndices(0), [])

    def test_methods_are_algorithms(self):
        ws = self.sample()
        wide = ws.rebin(400)
        self.assertEqual((wide.blocksize(), wide.name()), (50, "wide"))
        copy = ws.clone()
        ws.maskDetectors(WorkspaceIndexList=[1])
        self.assertEqual([w.spectrumInfo().isMasked(1) for w in (ws, copy)], [True, False])
        lengths = copy.convertUnits("Wavelength")
        self.assertEqual(lengths.getAxis(0).getUnit().unitID(), "Wavelength")
        copy.delete()
        self.assertNotIn("copy", mtd)

    def test_instruments(self):
        ws = self.sample()
        instrument = ws.getInstrument()
        self.assertEqual(instrument.getName(), "basic_rect")
        self.assertEqual((instrument.getSource().getPos(), instrument.getSample().getPos()), (V3D(0, 0, -10), V3D()))
        self.assertEqual(instrument.getComponentByName("bank1").getPos(), V3D(0, 0, 5))
        self.assertEqual((instrument.getDetector(6).getID(), instrument.getParameterNames()), (6, []))
        ws.setEFixed(6, 1.0)
        self.assertEqual(instrument.getDetector(6).getParameterNames(), ["Efixed"])
        self.assertEqual(instrument.getDetector(5).getParameterNames(), [])

    def test_events(self):
        ws = self.sample(kind="Event")
        self.assertIsInstance(ws, EventWorkspace)
        events = ws.getSpectrum(0)
        events.clear(removeDetIDs=False)
        for tof, second in ((150.0, 2), (50.0, 1)):
            events.addEventQuickly(tof, START + second * 1_000_000_000)
        self.assertEqual((events.getNumberEvents(), events.getTofMin(), events.getTofMax()), (2, 50, 150))
        self.assertEqual((events.getPulseTimeMin(), events.getPulseTimeMax()), (START + 10**9, START + 2 * 10**9))
        self.assertEqual(sorted(events.getTofs()), [50, 150])
        self.assertEqual((list(events.getWeights()), list(events.getWeightErrors())), ([1, 1], [1, 1]))
        self.assertEqual(len(events.getPulseTimes()), 2)
        self.assertEqual(events.getEventType(), "TOF")
        events.switchTo("WEIGHTED")
        self.assertEqual((events.getEventType(), events.getNumberEvents()), ("WEIGHTED", 2))
        with self.assertRaises(RuntimeError):
            events.switchTo("TOF")
        events.switchTo("WEIGHTED_NOTIME")
        self.assertEqual((events.getEventType(), sorted(events.getTofs())), ("WEIGHTED_NOTIME", [50, 150]))
        self.assertGreater(ws.getTofMax(), ws.getTofMin())

    def test_runs_and_series(self):
        ws = self.sample()
        for second, value in ((0, 1.0), (10, 3.0), (30, 8.0)):
            AddTimeSeriesLog(ws, "temp", f"2010-01-01T00:00:{second:02}", value)
        run = ws.run()
        run.addProperty("gd_prtn_chrg", 2.5, "uA.hour", True)
        self.assertEqual((run.getProtonCharge(), run.getLogData("gd_prtn_chrg").units), (2.5, "uA.hour"))
        self.assertEqual((run.hasProperty("temp"), "temp" in run, run.get("none")), (True, True, None))
        self.assertEqual(
            list(run.keys()), ["run_title", "start_time", "end_time", "run_start", "run_end", "temp"] + ["gd_prtn_chrg"]
        )
        self.assertEqual((run.startTime(), run.endTime()), (START, DateAndTime("2010-01-01T01:00:00")))
        self.assertEqual(dict(run.items())["gd_prtn_chrg"].value, 2.5)
        self.assertEqual(str(run.getGoniometer().getEulerAngles("YZY")), "[0,0,0]")
        log = run["temp"]
        self.assertEqual((log.size(), list(log.value), log.units, log.name), (3, [1, 3, 8], "", "temp"))
        self.assertEqual((list(log.filtered_value), len(log.filtered_times)), ([1, 3, 8], 3))
        self.assertEqual((log.firstValue(), log.lastValue(), log.nthValue(1)), (1, 8, 3))
        self.assertEqual((log.firstTime(), log.lastTime()), (START, START + 30 * 10**9))
        self.assertEqual(log.times[1], np.datetime64("2010-01-01T00:00:10"))
        self.assertEqual((log.getStatistics().mean, log.timeAverageValue()), (4, (10 + 60) / 30))
        self.assertEqual(log.valueAsString().splitlines()[1], "2010-Jan-01 00:00:10  3")

    def test_groups(self):
        self.sample("a"), self.sample("b"), self.sample("c")
        group = GroupWorkspaces("a,b")
        self.assertIsInstance(group, WorkspaceGroup)
        group.add("c")
        self.assertEqual((group.getNumberOfEntries(), len(group), group.getNames()), (3, 3, ["a", "b", "c"]))
        group.remove("a")
        self.assertEqual((group.contains("a"), group.contains("c"), group.getItem(0).name()), (False, True, "b"))
        self.assertEqual([member.name() for member in group], ["b", "c"])

    def test_kernel(self):
        self.assertEqual((START.total_nanoseconds(), START.totalNanoseconds()), (631152000000000000,) * 2)
        self.assertEqual(START.to_datetime64(), np.datetime64("2010-01-01T00:00:00"))
        self.assertIs(config, ConfigService)
        config.setFacility("ISIS")
        self.assertEqual((config.getFacility().name(), config.getInstrument("MARI").shortName()), ("ISIS", "MAR"))
        Logger("test").notice("a line")
        with tempfile.NamedTemporaryFile(suffix=".nxs") as file:
            self.assertEqual(FileFinder.getFullPath(file.name), file.name)

        def told():
            return funcinspect.lhs_info("both")

        count, names = told()
        self.assertEqual((count, names), (2, ("count", "names")))
        tof = UnitConversion.run("Energy", "TOF", 23.0, 10.0, 5.0, 0.0, DeltaEModeType.Direct, 23.0)
        self.assertAlmostEqual(tof, 15 * np.sqrt(5.2270384 * 1e6 / 23.0), 1)
        same = UnitConversion.run(
            "Energy", "TOF", 23.0, 10.0, DeltaEModeType.Direct, {UnitParams.l2: 5.0, UnitParams.efixed: 23.0}
        )
        self.assertEqual(same, tof)
        with self.assertRaises(RuntimeError):
            UnitConversion.run("Parsec", "TOF", 1.0, 1.0, 1.0, 0.0, 0, 0.0)

    def test_algorithm_manager(self):
        algorithm = AlgorithmManager.createUnmanaged("CreateSampleWorkspace")
        algorithm.initialize()
        algorithm.setProperty("OutputWorkspace", "made")
        self.assertTrue(algorithm.execute())
        self.assertEqual((mtd["made"].getNumberHistograms(), algorithm.isExecuted()), (200, True))
        self.assertEqual(AlgorithmManager.runningInstancesOf("MonitorLiveData"), [])
        self.assertIsNone(AlgorithmManager.newestInstanceOf("MonitorLiveData"))
        AlgorithmManager.shutdown()

    def test_tables(self):
        table = CreateEmptyTableWorkspace()
        self.assertIsInstance(table, TableWorkspace)
        self.assertEqual((table.id(), mtd["table"].rowCount()), ("TableWorkspace", 0))
        for kind, name in (("int", "n"), ("double", "x"), ("str", "word")):
            self.assertTrue(table.addColumn(kind, name))
        self.assertFalse(table.addColumn("int", "n"))
        table.addRow([1, 0.5, "one"])
        table.addRow({"word": "two", "n": 2, "x": 1.5})
        self.assertEqual((table.rowCount(), table.columnCount(), len(table)), (2, 3, 2))
        self.assertEqual((table.getColumnNames(), table.columnTypes()), (["n", "x", "word"], ["int", "double", "str"]))
        self.assertEqual((table.cell("word", 1), table.cell(0, 1)), ("two", 0.5))
        self.assertEqual((table.row(1), table.column("n")), ({"n": 2, "x": 1.5, "word": "two"}, [1, 2]))
        table.setCell("x", 0, 9)
        table.setCell(1, 2, "deux")
        self.assertEqual(table.toDict(), {"n": [1, 2], "x": [9, 1.5], "word": ["one", "deux"]})
        table.removeRow(0)
        self.assertEqual([row["n"] for row in table], [2])
        for call in (
            lambda: table.addRow([1]),
            lambda: table.cell(5, 0),
            lambda: table.row(1),
            lambda: table.cell(0, 7),
            lambda: table.addRow({"n": 1}),
        ):
            with self.assertRaises((ValueError, KeyError)):
                call()
        with self.assertRaises(RuntimeError):
            table.readY(0)

    def test_elastic_peaks_are_found(self):
        ws = CreateSampleWorkspace(
            Function="User Defined",
            UserDefinedFunction="name=LinearBackground, A0=0.3;name=Gaussian, PeakCentre=6000, Height=5, Sigma=75",
            NumBanks=2,
            BankPixelWidth=1,
            XMin=4005.75,
            XMax=7995.75,
            BinWidth=10.5,
            BankDistanceFromSample=4.0,
        )
        table = FindEPP(ws)
        row = table.row(0)
        self.assertEqual(row["FitStatus"], "success")
        self.assertEqual((round(row["PeakCentre"], 2), round(row["Height"], 2)), (6005.25, 4.84))


if __name__ == "__main__":
    unittest.main(argv=["test_names_of_the_api"])
