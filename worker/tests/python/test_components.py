"""The parts of an instrument by index, and the sample."""

import unittest

import numpy as np

from mantid.api import mtd
from mantid.kernel import V3D
from mantid.simpleapi import CreateSampleWorkspace, CreateSingleValuedWorkspace, CreateWorkspace, SetUB


class Components(unittest.TestCase):
    def setUp(self):
        mtd.clear()
        self.ws = CreateSampleWorkspace(NumBanks=2, BankPixelWidth=2, OutputWorkspace="ws")
        self.info = self.ws.componentInfo()

    def test_detectors_come_first_and_the_instrument_last(self):
        info = self.info
        self.assertEqual(len(info), info.size())
        self.assertEqual([info.isDetector(at) for at in (0, 7, 8, info.root())], [True, True, False, False])
        self.assertEqual(info.name(info.root()), "basic_rect")
        self.assertFalse(info.hasParent(info.root()))
        self.assertEqual(info.position(1), self.ws.detectorInfo().position(1))
        with self.assertRaises(IndexError):
            info.position(info.size())
        with self.assertRaises(IndexError):
            info.name(-1)

    def test_the_tree_is_the_same_up_and_down(self):
        info = self.info
        for at in range(info.size() - 1):
            self.assertIn(at, info.children(info.parent(at)))
        bank = info.indexOfAny("bank2")
        self.assertEqual(info.detectorsInSubtree(bank).tolist(), [4, 5, 6, 7])
        columns = sorted(info.children(bank))
        self.assertEqual(sorted(map(info.name, columns)), ["bank2(x=0)", "bank2(x=1)"])
        self.assertEqual(info.componentsInSubtree(bank).tolist(), [4, 5, 6, 7, *columns, bank])
        self.assertEqual(sorted(info.componentsInSubtree(info.root()).tolist()), list(range(info.size())))
        with self.assertRaises(ValueError):
            info.indexOfAny("bank9")
        items = list(info)
        self.assertEqual((items[bank].name(), items[0].isDetector), ("bank2", True))

    def test_source_sample_and_what_is_moved(self):
        info = self.info
        self.assertTrue(info.hasSource() and info.hasSample())
        self.assertEqual((info.l1(), info.name(info.source())), (10.0, "moderator"))
        self.assertEqual(info.samplePosition(), V3D(0, 0, 0))
        bank = info.indexOfAny("bank1")
        info.setPosition(bank, V3D(1, 0, 5))
        self.assertEqual(info.position(bank), V3D(1, 0, 5))
        self.assertEqual(self.ws.detectorInfo().position(0), V3D(1, 0, 5))
        info.setPosition(0, V3D(2, 0, 5))
        self.assertEqual(self.ws.detectorInfo().position(0), V3D(2, 0, 5))
        self.assertEqual(self.ws.detectorInfo().position(1), V3D(1, 0.008, 5))
        empty = CreateWorkspace([0, 1], [1.0], OutputWorkspace="empty").componentInfo()
        self.assertEqual((len(empty), empty.hasSource()), (0, False))
        with self.assertRaises(RuntimeError):
            empty.l1()
        with self.assertRaisesRegex(AttributeError, "ComponentInfo.shape is not available"):
            info.shape


class Samples(unittest.TestCase):
    def test_a_lattice_has_its_documented_matrix(self):
        ws = CreateSingleValuedWorkspace(5)
        sample = ws.sample()
        self.assertFalse(sample.hasOrientedLattice())
        with self.assertRaisesRegex(RuntimeError, "No OrientedLattice has been defined"):
            sample.getOrientedLattice()
        SetUB(ws, a=5, b=6, c=7, alpha=90, beta=90, gamma=90, u="1,1,0", v="0,0,1")
        lattice = ws.sample().getOrientedLattice()
        wanted = [[0, 0, 0.143], [0.128, -0.128, 0], [0.154, 0.107, 0]]
        np.testing.assert_allclose(lattice.getUB(), wanted, atol=5e-4)
        np.testing.assert_allclose(lattice.getU() @ lattice.getB(), lattice.getUB(), atol=1e-12)
        np.testing.assert_allclose(np.diag(lattice.getB()), [1 / 5, 1 / 6, 1 / 7])
        self.assertAlmostEqual(lattice.volume(), 210)
        self.assertAlmostEqual(lattice.d(0, 2, 0), 3)
        self.assertEqual(lattice.hklFromQ(lattice.qFromHKL([1, 2, 3])), V3D(1, 2, 3))
        other = CreateSingleValuedWorkspace(6)
        other.sample().setOrientedLattice(lattice)
        self.assertAlmostEqual(other.sample().getOrientedLattice().c(), 7)
        other.sample().clearOrientedLattice()
        self.assertFalse(other.sample().hasOrientedLattice())
        self.assertTrue(ws.sample().hasOrientedLattice())

    def test_names_and_sizes_are_kept(self):
        ws = CreateSingleValuedWorkspace(5)
        sample = ws.sample()
        self.assertEqual((sample.getName(), sample.getThickness(), sample.getGeometryFlag()), ("", 0, 0))
        sample.setName("V")
        sample.setThickness(2)
        sample.setHeight(30)
        sample.setWidth(8)
        sample.setGeometryFlag(2)
        sample = mtd["ws"].sample()
        self.assertEqual((sample.getName(), sample.getGeometryFlag()), ("V", 2))
        self.assertEqual((sample.getThickness(), sample.getHeight(), sample.getWidth()), (2, 30, 8))
        with self.assertRaises(TypeError):
            sample.setName()


if __name__ == "__main__":
    unittest.main(argv=["test_components"])
