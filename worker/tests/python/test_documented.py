"""Numbers that Mantid's documentation states for its algorithms, as a script would read them."""

import os
import tempfile
import unittest

import h5py
import numpy as np

from mantid.api import MatrixWorkspace, WorkspaceGroup, mtd
from mantid.simpleapi import (
    AddSampleLog,
    AddTimeSeriesLog,
    CompareWorkspaces,
    ConvertSpectrumAxis,
    ConvertToDistribution,
    ConvertUnits,
    CorrectKiKf,
    CreateSampleWorkspace,
    CreateSingleValuedWorkspace,
    CreateWorkspace,
    CropWorkspace,
    Divide,
    Exponential,
    ExtractMask,
    ExtractSpectra,
    FilterByLogValue,
    FilterByTime,
    GetEi,
    GroupDetectors,
    GroupWorkspaces,
    Integration,
    LoadAscii,
    Logarithm,
    MaskDetectors,
    Max,
    MergeRuns,
    Min,
    Minus,
    MoveInstrumentComponent,
    Multiply,
    NormaliseByCurrent,
    Plus,
    Power,
    Rebin,
    RemoveBins,
    RemoveWorkspaceHistory,
    ReplaceSpecialValues,
    RunPythonScript,
    SaveAscii,
    SaveNXSPE,
    Scale,
    ScaleX,
    SetGoniometer,
    SumSpectra,
    Transpose,
    WeightedMean,
)


def near(test, got, wanted, digits=1e-6):
    np.testing.assert_allclose(np.asarray(got, dtype=float), wanted, rtol=digits, atol=digits, err_msg=test.id())


class Documented(unittest.TestCase):
    def setUp(self):
        mtd.clear()

    def pair(self):
        left = CreateWorkspace(range(10), range(9), range(9), OutputWorkspace="left")
        right = CreateWorkspace(range(10), [2] * 9, [3] * 9, OutputWorkspace="right")
        return left, right

    def test_rebin(self):
        ones = CreateWorkspace(range(10), [1] * 9)
        out = Rebin(ones, 2)
        near(self, out.x(0), [0, 2, 4, 6, 8, 9])
        near(self, out.y(0), [2, 2, 2, 2, 1])
        out = Rebin(ones, 2, FullBinsOnly=True)
        near(self, out.x(0), [0, 2, 4, 6, 8])
        near(self, out.y(0), [2, 2, 2, 2])
        ramp = CreateWorkspace(range(1, 11), range(1, 10))
        out = Rebin(ramp, -0.5)
        near(self, out.x(0)[1:3], [1.5, 2.25])
        out = Rebin(ramp, "1,2,3,3,9")
        near(self, out.x(0), [1, 3, 6, 9])
        out = Rebin(ramp, "1,-1,9", UseReverseLogarithmic=True)
        near(self, out.x(0), [1, 6, 8, 9])
        out = Rebin(ramp, "1,3,10", Power=0.5)
        near(self, out.x(0), [1, 4, 6.12132, 7.85337, 9.35337, 10], 1e-5)
        events = CreateSampleWorkspace("Event", BankPixelWidth=1)
        kept = Rebin(events, 2)
        lost = Rebin(kept, 2, PreserveEvents=False)
        self.assertEqual([kept.id(), lost.id()], ["EventWorkspace", "Workspace2D"])

    def test_arithmetic(self):
        left, right = self.pair()
        sums = [3, 3.16227766, 3.60555128, 4.24264069, 5, 5.83095189, 6.70820393, 7.61577311, 8.54400375]
        for algorithm, y, e in [
            (Plus, np.arange(2, 11), sums),
            (Minus, np.arange(-2, 7), sums),
            (Multiply, np.arange(0, 18, 2), np.arange(9) * 3.60555128),
            (Divide, np.arange(9) / 2, np.arange(9) * 0.90138782),
        ]:
            with self.subTest(algorithm.__name__):
                made = algorithm(left, right, OutputWorkspace="made")
                near(self, made.y(0), y)
                near(self, made.e(0), e)
        single = CreateSingleValuedWorkspace(2.5)
        quotient = left / single
        near(self, quotient.y(0), np.arange(9) * 0.4)
        near(self, quotient.e(0), np.arange(9) * 0.4)
        left += right
        near(self, left.y(0), np.arange(2, 11))
        self.assertEqual(left.name(), "left")

    def test_means_powers_and_merges(self):
        one = CreateWorkspace(range(10), range(9), [1] * 9, OutputWorkspace="one")
        two = CreateWorkspace(range(10), [2] * 9, [3] * 9, OutputWorkspace="two")
        mean = WeightedMean(one, two)
        near(self, [mean.y(0)[0], mean.y(0)[1], mean.y(0)[8], mean.e(0)[4]], [0.2, 1.1, 7.4, 0.9486833])
        four = CreateWorkspace(range(1, 5), range(1, 5))
        squares = Power(four, 2)
        near(self, squares.y(0), [1, 4, 9, 16])
        near(self, (four**2).y(0), [1, 4, 9, 16])
        first = CreateWorkspace(range(1, 6), [6, 15, 21, 9], OutputWorkspace="first")
        CreateWorkspace(range(1, 6), [6, 15, 21, 9], OutputWorkspace="second")
        merged = MergeRuns("first, second")
        near(self, merged.y(0), [12, 30, 42, 18])
        group = GroupWorkspaces("first, second")
        self.assertIsInstance(group, WorkspaceGroup)
        near(self, group[0].y(0), first.y(0))

    def test_grouping(self):
        column = CreateWorkspace([1], list(range(1, 11)), NSpec=10)
        out = GroupDetectors(column, GroupingPattern="0+1,3,4-6,7:9")
        near(self, [out.y(index)[0] for index in range(6)], [3, 4, 18, 8, 9, 10])
        out = GroupDetectors(column, SpectraList=[1, 2, 3], KeepUngroupedSpectra=True)
        self.assertEqual(out.getNumberHistograms(), 8)
        near(self, [out.y(0)[0], out.y(1)[0]], [6, 4])
        sample = CreateSampleWorkspace()
        out = GroupDetectors(sample, WorkspaceIndexList=[1, 3])
        ids = out.getSpectrum(0).getDetectorIDs()
        self.assertEqual((str(ids), len(ids), ids[1], list(ids)), ("set(101,103)", 2, 103, [101, 103]))

    def test_ranges_and_sums(self):
        sample = CreateSampleWorkspace()
        some = ExtractSpectra(sample, 200, 1300, WorkspaceIndexList=[1, 3, 5])
        self.assertEqual((some.blocksize(), some.getNumberHistograms()), (5, 3))
        small = CreateSampleWorkspace(NumBanks=1, BankPixelWidth=1, BinWidth=10, XMax=50)
        cropped = CropWorkspace(small, XMin=10.0, XMax=40.0)
        near(self, cropped.x(0), [10, 20, 30, 40])
        flat = CreateSampleWorkspace("Histogram", "Flat background")
        total = Integration(flat, StartWorkspaceIndex=11, EndWorkspaceIndex=20)
        self.assertEqual(total.getNumberHistograms(), 10)
        near(self, [total.y(9)[0], *total.x(9)], [100, 0, 20000])
        sums = SumSpectra(flat, ListOfWorkspaceIndices="0-3, 10-13")
        self.assertEqual((sums.getNumberHistograms(), sums.y(0)[0]), (1, 8))
        several = CreateSampleWorkspace("Histogram", "Multiple Peaks")
        several = Integration(several)
        several = SumSpectra(several)
        self.assertEqual(int(several.y(0)[0]), 9599)

    def test_scales(self):
        sample = CreateSampleWorkspace(BankPixelWidth=1)
        raised = Scale(sample, 2, "Add")
        near(self, raised.y(0)[[0, 50]], [2.3, 12.3])
        near(self, (sample * 10).y(0)[[0, 50]], [3, 103])
        x = np.arange(-1, 1, 0.01)
        peak = CreateWorkspace(x, np.exp(-((x - 0.3) ** 2) / (2 * 0.2**2)))
        centred = ScaleX(peak, Factor=-0.3, Operation="Add")
        narrow = ScaleX(centred, Factor=0.5, Operation="Multiply")
        y = peak.y(0) / peak.y(0).sum()
        self.assertAlmostEqual(abs((centred.x(0) * y).sum()), 0, 2)
        self.assertAlmostEqual(np.sqrt((narrow.x(0) ** 2 * y).sum()), 0.10, 2)

    def test_units_and_energies(self):
        sample = CreateSampleWorkspace(NumBanks=1, BankPixelWidth=1)
        converted = ConvertUnits(sample, Target="Wavelength")
        near(self, [sample.x(0)[99], converted.x(0)[99]], [19800, 5.22196485301], 1e-11)
        several = CreateSampleWorkspace("Histogram", "Multiple Peaks")
        ConvertToDistribution(several)
        near(self, several.y(0)[[0, 60]], [0.0015, 0.0415])
        sample = CreateSampleWorkspace()
        energy = ConvertUnits(sample, "DeltaE", EMode="Direct", EFixed=7.5)
        corrected = CorrectKiKf(energy, EMode="Direct", EFixed=7.5)
        self.assertEqual([round(value, 2) for value in corrected.y(0)[:5]], [0.01, 0.02, 0.04, 0.05, 0.07])

    def test_special_values(self):
        sample = CreateSampleWorkspace(BankPixelWidth=1)
        odd = np.array(sample.y(0))
        odd[:5] = [8e80, np.inf, -np.inf, np.nan, 8e-7]
        sample.setSharedY(0, odd)
        out = ReplaceSpecialValues(
            sample,
            NaNValue=0,
            InfinityValue=1000,
            BigNumberThreshold=1000,
            BigNumberValue=1000,
            SmallNumberThreshold=1e-6,
            SmallNumberValue=200,
        )
        near(self, out.y(0)[:6], [1000, 1000, 1000, 0, 200, 0.3])

    def test_logs_and_filters(self):
        ws = CreateWorkspace(range(3), (17, 12))
        AddSampleLog(ws, "gd_prtn_chrg", "10.0", "Number")
        AddSampleLog(ws, "whole", "1", "Number")
        AddSampleLog(ws, "many", "2", "Number Series")
        out = NormaliseByCurrent(ws)
        near(self, out.y(0), [1.7, 1.2])
        run = out.run()
        self.assertEqual(run["NormalizationFactor"].value, 10)
        self.assertEqual((run["whole"].value, list(run["many"].value)), (1, [2]))
        events = CreateSampleWorkspace("Event", BankPixelWidth=1)
        for minute, charge in zip(range(0, 60, 10), (100, 100, 100, 100, 15, 100)):
            AddTimeSeriesLog(events, "proton_charge", f"2010-01-01T00:{minute:02}:00", charge)
        self.assertEqual(events.getNumberEvents(), 1900)
        good = FilterByLogValue(events, "proton_charge", MinimumValue=75, MaximumValue=150)
        self.assertEqual(good.getNumberEvents(), 950)
        early = FilterByTime(events, StartTime=0, StopTime=1800)
        self.assertEqual(early.getNumberEvents(), good.getNumberEvents())

    def test_instruments_and_masks(self):
        sample = CreateSampleWorkspace()

        def place():
            return list(sample.getInstrument().getComponentByName("bank1").getPos())

        self.assertEqual(place(), [0, 0, 5])
        MoveInstrumentComponent(sample, "bank1", X=1, RelativePosition=False, Z=5)
        self.assertEqual(place(), [1, 0, 5])
        MoveInstrumentComponent(sample, "bank1", X=2)
        self.assertEqual(place(), [3, 0, 5])
        MoveInstrumentComponent(sample, "bank1", X=1, Y=2, Z=3, RelativePosition=False)
        self.assertEqual(place(), [1, 2, 3])
        MaskDetectors(sample, ComponentList="bank1/bank1(x=2), bank2")
        masked = [detector for detector in range(100, 300) if sample.getInstrument().getDetector(detector).isMasked()]
        self.assertEqual(masked, [*range(120, 130), *range(200, 300)])
        mask, detectors = ExtractMask(sample)
        self.assertEqual((list(detectors), mask.blocksize()), (masked, 1))
        self.assertEqual((mask.y(19)[0], mask.y(20)[0]), (0, 1))

    def test_histories_and_kinds(self):
        ws = CreateSampleWorkspace(NumBanks=1, BankPixelWidth=1)
        ws = Rebin(ws, 500)
        ws *= ws
        self.assertEqual([step.name() for step in ws.getHistory()], ["CreateSampleWorkspace", "Rebin", "Multiply"])
        RemoveWorkspaceHistory(ws)
        self.assertEqual([step.name() for step in ws.getHistory()], ["RemoveWorkspaceHistory"])
        self.assertEqual(f"{type(ws).__module__}.{type(ws).__name__}", "mantid.dataobjects._dataobjects.Workspace2D")
        self.assertEqual(f"{WorkspaceGroup.__module__}", "mantid.api._api")
        self.assertIsInstance(ws, MatrixWorkspace)

    def test_text_files_give_back_what_they_were_given(self):
        points = CreateWorkspace(range(9), range(9), [1] * 9)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "points.txt")
            SaveAscii(points, path)
            back = LoadAscii(path, Unit="Label")
        same = CompareWorkspaces(points, back)
        self.assertEqual((same[0], same.Messages.rowCount()), (True, 0))
        self.assertTrue(points.equals(back, 1e-8))
        back.setSharedE(0, [2.0] * 9)
        other = CompareWorkspaces(points, back)
        row = {"Message": "Data mismatch", "Workspace 1": "points", "Workspace 2": "back"}
        self.assertEqual((other.Result, list(other.Messages)), (False, [row]))
        self.assertEqual((other.Messages.cell(0, 2), other.Messages.cell("Message", 0)), ("back", "Data mismatch"))
        self.assertFalse(points.equals(back, 1e-8))

    def test_axes_turns_and_energies(self):
        small = CreateSampleWorkspace(NumBanks=1, BankPixelWidth=2)
        for version in (1, 2):
            angles = ConvertSpectrumAxis(small, Target="theta", Version=version)
            self.assertEqual((angles.getAxis(1).length(), round(angles.getAxis(1).getValue(3), 6)), (4, 0.129645))
        q = ConvertSpectrumAxis(small, Target="ElasticQ", EFixed=15.0, EMode="Direct")
        self.assertEqual(round(q.getAxis(1).getValue(3), 6), 0.006088)
        two = CreateSampleWorkspace(BankPixelWidth=2)
        turned = Transpose(two)
        self.assertEqual((turned.getNumberHistograms(), turned.blocksize()), (100, 8))
        fine = CreateSampleWorkspace(BankPixelWidth=1, BinWidth=10)
        found = GetEi(fine, Monitor1Spec=1, Monitor2Spec=2, EnergyEstimate=15.0, FixEi=True)
        near(self, found, [15, 8854.69, 0, 0], 1e-2 / 8854)
        wg = CreateSingleValuedWorkspace()
        AddSampleLog(wg, "Motor1", "45.", "Number")
        SetGoniometer(wg, Axis0="Motor1,0,1,0,1", Axis1="5,0,1,0,1")
        self.assertEqual(list(wg.run().keys()), ["Motor1", "GoniometerAxis1_FixedValue"])
        self.assertEqual(str(wg.run().getGoniometer().getEulerAngles("YZY")), "[50,0,0]")
        SetGoniometer(wg)
        self.assertEqual(str(wg.run().getGoniometer().getEulerAngles("YZY")), "[0,0,0]")

    def test_scripts_and_ranges(self):
        peaks = CreateSampleWorkspace("Histogram", "Multiple Peaks")
        code = "whole = Integration(InputWorkspace=input)\noutput = SumSpectra(whole)"
        summed = RunPythonScript(InputWorkspace=peaks, Code=code)
        self.assertEqual(int(summed.y(0)[0]), 9599)
        top = Max(peaks)
        self.assertEqual((list(top.x(0)), top.y(0)[0]), ([6000, 6200], 10.3))
        late = Max(peaks, RangeLower=7000)
        self.assertEqual((list(late.x(0)), late.y(0)[0]), ([12000, 12200], 8.3))
        low = Min(peaks)
        self.assertEqual(low.y(0)[0], 0.3)
        five = CreateSampleWorkspace(NumBanks=1, BankPixelWidth=1, BinWidth=10, XMax=50)
        left = RemoveBins(five, 20, 35)
        near(self, left.y(0), [10.3, 0, 0, 0.15, 0.3])
        ten = CreateWorkspace(list(range(10)), [-10, 10, *[1] * 8], [1] * 10)
        logs = Logarithm(ten, Filler=-1, Natural="0")
        near(self, logs.y(0), [-1, 1, *[0] * 8])
        near(self, logs.e(0)[:3], [0, 0.0434, 0.434])
        powers = Exponential(five)
        self.assertTrue(np.all(powers.y(0) == np.exp(five.y(0))))

    def test_grouping_in_place_and_by_map(self):
        sample = CreateSampleWorkspace()
        for listed in (
            {"SpectraList": [1, 3, 5]},
            {"DetectorList": [100, 102, 104]},
            {"WorkspaceIndexList": [0, 2, 4]},
        ):
            ws = sample.clone()
            self.assertEqual(GroupDetectors(ws, Version=1, **listed), 0)
            sizes = [len(ws.getSpectrum(index).getDetectorIDs()) for index in range(6)]
            self.assertEqual((ws.getNumberHistograms(), sizes), (200, [3, 1, 0, 1, 0, 1]))
        column = CreateWorkspace([1], list(range(1, 11)), NSpec=10)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "four.map")
            with open(path, "w") as file:
                file.write("4\n1\n3\n1 2 3\n2\n3\n4 5 6\n3\n2\n7 8\n4\n2\n9 10\n")
            mapped = GroupDetectors(column, MapFile=path)
        near(self, [mapped.y(index)[0] for index in range(4)], [6, 15, 15, 19])

    def test_energy_transfer_is_saved_for_other_programs(self):
        sample = CreateSampleWorkspace(NumBanks=1, BankPixelWidth=2)
        energy = ConvertUnits(sample, "DeltaE", EMode="Direct", EFixed=7.5)
        energy = Rebin(energy, "-5,1,5")
        AddSampleLog(energy, "Ei", "7.5", "Number")
        MaskDetectors(energy, WorkspaceIndexList=[2])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out.nxspe")
            SaveNXSPE(energy, path, Efixed=3.0, Psi=32)
            with h5py.File(path) as file:
                entry = file["energy"]
                info = entry["NXSPE_info"]
                self.assertEqual(
                    [info[name][0] for name in ("fixed_energy", "psi", "ki_over_kf_scaling")], [7.5, 32, 1]
                )
                self.assertEqual((entry.attrs["NX_class"], entry["definition"].asstr()[()]), (b"NXentry", "NXSPE"))
                data = entry["data"]
                near(self, data["energy"], np.arange(-5, 6))
                for index in (0, 1, 3):
                    near(self, data["data"][index], energy.y(index))
                    near(self, data["error"][index], energy.e(index))
                self.assertTrue(np.all(data["data"][2] == -1e30))
                near(self, data["polar"][1], np.degrees(energy.spectrumInfo().twoTheta(1)))
                near(self, data["distance"], [energy.spectrumInfo().l2(index) for index in range(4)])
                self.assertEqual(data["azimuthal_width"].shape, (4,))
        with self.assertRaisesRegex(ValueError, "units of DeltaE"):
            SaveNXSPE(sample, "never.nxspe")


if __name__ == "__main__":
    unittest.main(argv=["test_documented"])
