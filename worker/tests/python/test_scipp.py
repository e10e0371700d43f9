"""The same random events, reduced here and by scipp, which shares no code with this project."""

import unittest

import numpy as np
import scipp as sc

from mantid.api import mtd
from mantid.kernel import DateAndTime
from mantid.simpleapi import (
    ConvertUnits,
    CreateSampleWorkspace,
    GroupDetectors,
    Rebin,
    SumSpectra,
)

EVENTS = 20_000
# Mantid's constants, which are older than scipp's and differ from the eighth digit on.
H = sc.scalar(6.62606896e-34, unit="J*s")
M_N = sc.scalar(1.674927211e-27, unit="kg")
MEV = 1.602176487e-22


def energy(speed):
    """The energy of a neutron, in meV of Mantid's size."""
    joules = (0.5 * M_N * speed.to(unit="m/s") ** 2).to(unit="J")
    return joules / sc.scalar(MEV, unit="J") * sc.scalar(1.0, unit="meV")


def slowness(energy_in_mev):
    """The time that a neutron of an energy needs for a metre."""
    return sc.sqrt(M_N / sc.scalar(2 * energy_in_mev * MEV, unit="J")).to(unit="us/m")


class Scipp(unittest.TestCase):
    def setUp(self):
        mtd.clear()
        self.random = np.random.default_rng(20260)
        self.events = CreateSampleWorkspace(
            "Event", NumBanks=2, BankPixelWidth=4, NumEvents=0, BankDistanceFromSample=2.5, OutputWorkspace="events"
        )
        self.rows = self.events.getNumberHistograms()
        for index in range(self.rows):
            self.events.getSpectrum(index).clear(False)
        self.spectrum = self.random.integers(0, self.rows, EVENTS)
        self.tof = np.round(self.random.uniform(1500.0, 19_500.0, EVENTS), 3)
        time = DateAndTime("2026-01-01T00:00:00")
        for index in range(self.rows):
            events = self.events.getSpectrum(index)
            for tof in self.tof[self.spectrum == index]:
                events.addEventQuickly(float(tof), time)
        info = self.events.spectrumInfo()
        self.l1 = sc.scalar(info.l1(), unit="m")
        self.l2 = sc.array(dims=["row"], values=[info.l2(i) for i in range(self.rows)], unit="m")
        self.two_theta = sc.array(dims=["row"], values=[info.twoTheta(i) for i in range(self.rows)], unit="rad")
        # Pixels on the beam scatter by no angle: d-spacing is not defined there.
        self.scattering = [i for i in range(self.rows) if info.twoTheta(i) > 1e-6]
        table = sc.DataArray(
            sc.ones(dims=["event"], shape=[EVENTS], unit="counts", with_variances=True),
            coords={
                "row": sc.array(dims=["event"], values=self.spectrum),
                "tof": sc.array(dims=["event"], values=self.tof, unit="us"),
            },
        )
        binned = table.group(sc.arange("row", self.rows))
        self.binned = binned.assign_coords(l1=self.l1, l2=self.l2, two_theta=self.two_theta)

    def histogram(self, name, edges, unit, binned=None):
        binned = self.binned if binned is None else binned
        return binned.hist({name: sc.array(dims=[name], values=edges, unit=unit)})

    def compare(self, workspace, histogram, rows=None, moved=0):
        """The same counts and errors; `moved` events in all may lie on the other side of an edge."""
        rows = range(workspace.getNumberHistograms()) if rows is None else rows
        ours = np.array([workspace.readY(i) for i in rows])
        errors = np.array([workspace.readE(i) for i in rows])
        theirs = histogram.values[list(rows)]
        self.assertGreater(ours.sum(), 0.5 * EVENTS * len(ours) / self.rows)
        self.assertLessEqual(np.abs(ours - theirs).sum(), 2 * moved)
        if not moved:
            np.testing.assert_allclose(errors, np.sqrt(histogram.variances[list(rows)]), rtol=1e-12)

    def counts(self, workspace, edges, name):
        # One bin for each pair: its width is larger than it is, so that the next edge is the bound.
        params = [float(edges[0])]
        for low, high in zip(edges[:-1], edges[1:], strict=True):
            params += [float(high - low) * 2, float(high)]
        return Rebin(workspace, params, PreserveEvents=False, OutputWorkspace=name)

    def test_histograms(self):
        # Edges halfway between the resolution of the times, of even and of random widths.
        even = np.arange(0.0005, 20_100.0, 100.0)
        odd = np.unique(np.floor(self.random.uniform(1000, 20_000, 50))) + 0.0005
        for edges in (even, odd):
            with self.subTest(len(edges)):
                self.compare(self.counts(self.events, edges, "counts"), self.histogram("tof", edges, "us"))

    def converted(self, target, graph, unit, edges, rows=None, **properties):
        name = target.lower()
        theirs = self.binned.transform_coords(name, graph={name: graph})
        theirs.bins.coords[name] = theirs.bins.coords[name].to(unit=unit)
        ours = ConvertUnits(self.events, target, OutputWorkspace="converted", **properties)
        rows = range(self.rows) if rows is None else rows
        for row in list(rows)[:: max(1, len(rows) // 8)]:
            found = np.sort(ours.getSpectrum(row).getTofs())
            wanted = np.sort(theirs.bins.coords[name]["row", row].values.values)
            finite = wanted[np.isfinite(wanted)]
            found = found[np.abs(found) < 1e300]
            self.assertEqual(len(found), len(finite))
            np.testing.assert_allclose(found, finite, rtol=1e-7, atol=1e-9)
        moved = EVENTS // 1000
        self.compare(self.counts(ours, edges, "counts"), self.histogram(name, edges, unit, theirs), rows, moved)

    def test_wavelength(self):
        def wavelength(tof, l1, l2):
            return (H / M_N * tof / (l1 + l2)).to(unit="angstrom")

        self.converted("Wavelength", wavelength, "angstrom", np.linspace(0.3, 7.0, 60))

    def test_spacing(self):
        def spacing(tof, l1, l2, two_theta):
            return (H / M_N * tof / (l1 + l2) / (2 * sc.sin(two_theta / 2))).to(unit="angstrom")

        rows = self.scattering
        self.converted("dSpacing", spacing, "angstrom", np.geomspace(2.0, 1000.0, 60), rows)

    def test_momentum_transfer(self):
        def transfer(tof, l1, l2, two_theta):
            wavelength = H / M_N * tof / (l1 + l2)
            return (4 * np.pi * sc.sin(two_theta / 2) / wavelength).to(unit="1/angstrom")

        self.converted("MomentumTransfer", transfer, "1/angstrom", np.geomspace(0.001, 2.0, 60), self.scattering)

    def test_energy_transfer_of_a_direct_instrument(self):
        incident = sc.scalar(25.0, unit="meV")

        def transfer(tof, l1, l2):
            late = tof - slowness(25.0) * l1
            late = sc.where(late > sc.scalar(0.0, unit="us"), late, sc.scalar(np.nan, unit="us"))
            return incident - energy(l2 / late)

        edges = np.linspace(-50.0, 24.9, 80)
        self.converted("DeltaE", transfer, "meV", edges, EMode="Direct", EFixed=25.0)

    def test_energy_transfer_of_an_indirect_instrument(self):
        final = sc.scalar(3.32, unit="meV")

        def transfer(tof, l1, l2):
            early = tof - slowness(3.32) * l2
            early = sc.where(early > sc.scalar(0.0, unit="us"), early, sc.scalar(np.nan, unit="us"))
            return energy(l1 / early) - final

        edges = np.linspace(-3.0, 60.0, 80)
        self.converted("DeltaE", transfer, "meV", edges, EMode="Indirect", EFixed=3.32)

    def test_groups(self):
        edges = np.arange(0.0005, 20_100.0, 250.0)
        group = self.random.integers(0, 5, self.rows)
        pattern = ",".join("+".join(str(i) for i in np.flatnonzero(group == g)) for g in range(5))
        ours = GroupDetectors(self.events, GroupingPattern=pattern, OutputWorkspace="grouped")
        labelled = self.binned.assign_coords(group=sc.array(dims=["row"], values=group))
        theirs = labelled.groupby("group").concat("row")
        self.compare(self.counts(ours, edges, "counts"), self.histogram("tof", edges, "us", theirs))
        whole = SumSpectra(self.counts(self.events, edges, "counts"), OutputWorkspace="sum")
        total = self.histogram("tof", edges, "us").sum("row")
        np.testing.assert_array_equal(whole.readY(0), total.values)
        np.testing.assert_allclose(whole.readE(0) ** 2, total.variances, rtol=1e-12)


if __name__ == "__main__":
    unittest.main()
