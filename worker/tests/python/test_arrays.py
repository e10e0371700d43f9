"""Arrays: read-only views, copies on write, and what is written is seen."""

import gc
import unittest

import numpy as np

from mantid.api import mtd
from mantid.simpleapi import CloneWorkspace, CreateSampleWorkspace, CreateWorkspace, Rebin, Scale


def histogram(spectra=3, name="ws"):
    y = np.arange(4.0 * spectra)
    return CreateWorkspace(np.arange(5.0), y, np.sqrt(y), NSpec=spectra, OutputWorkspace=name)


class Arrays(unittest.TestCase):
    def setUp(self):
        mtd.clear()

    def test_what_is_read_cannot_be_written(self):
        ws = histogram()
        for row in (ws.readX(0), ws.readY(1), ws.readE(2)):
            self.assertEqual(row.dtype, np.float64)
            self.assertFalse(row.flags.writeable)
            with self.assertRaises(ValueError):
                row[0] = 1
            with self.assertRaises(ValueError):
                row.setflags(write=True)

    def test_a_row_outlives_its_workspace(self):
        ws = histogram()
        row = ws.readY(1)
        del ws
        mtd.clear()
        gc.collect()
        self.assertEqual(row.tolist(), [4, 5, 6, 7])

    def test_a_row_that_was_read_does_not_change(self):
        ws = histogram()
        before = ws.readY(0)
        ws = Scale(ws, 10.0)
        ws.dataY(0)[:] = 7
        self.assertEqual(before.tolist(), [0, 1, 2, 3])

    def test_what_is_written_is_seen_by_all_who_read(self):
        ws = histogram()
        y = ws.dataY(1)
        y[:] = 5
        self.assertEqual(ws.readY(1).tolist(), [5] * 4)
        self.assertEqual(mtd["ws"].extractY()[1].tolist(), [5] * 4)
        y[0] = 9
        self.assertEqual(ws.readY(1)[0], 9)
        self.assertIs(ws.dataY(1), y)
        ws.dataE(0)[2] = 3
        self.assertEqual(ws.readE(0)[2], 3)
        doubled = Scale(ws, 2.0)
        self.assertEqual(doubled.readY(1).tolist(), [18, 10, 10, 10])
        y[:] = 0
        self.assertEqual(doubled.readY(1)[0], 18)

    def test_a_copy_does_not_share_what_is_written(self):
        ws = histogram()
        copy = CloneWorkspace(ws)
        copy.dataY(0)[:] = -1
        self.assertEqual(ws.readY(0).tolist(), [0, 1, 2, 3])
        third = CloneWorkspace(copy)
        copy.dataY(0)[:] = -2
        self.assertEqual(third.readY(0)[0], -1)

    def test_x_is_written_back(self):
        ws = histogram()
        x = ws.dataX(1)
        x += 10
        self.assertEqual(ws.readX(1).tolist(), [10, 11, 12, 13, 14])
        self.assertEqual(ws.readX(0).tolist(), [0, 1, 2, 3, 4])
        x[0] = 9
        rebinned = Rebin(ws, "9,5,14")
        # Edges 9, 11, 12, 13, 14 with 4, 5, 6, 7: all of it lies in the one bin.
        self.assertEqual(rebinned.readY(1).tolist(), [22.0])
        self.assertEqual(ws.readX(1)[0], 9)
        x *= 0
        ws.setX(1, np.arange(5))
        self.assertEqual(ws.readX(1).tolist(), [0, 1, 2, 3, 4])

    def test_rows_are_set_from_anything_that_is_numbers(self):
        ws = histogram()
        ws.setY(0, [1, 2, 3, 4])
        ws.setE(0, (0, 0, 0, 1))
        ws.setX(0, np.arange(10)[::2])
        self.assertEqual((ws.readY(0).tolist(), ws.readE(0).tolist()), ([1, 2, 3, 4], [0, 0, 0, 1]))
        self.assertEqual(ws.readX(0).tolist(), [0, 2, 4, 6, 8])
        for wrong in ([1, 2], [1] * 9):
            with self.assertRaises(ValueError):
                ws.setY(0, wrong)
        with self.assertRaises((ValueError, TypeError)):
            ws.setY(0, "text")

    def test_indices_outside_are_index_errors(self):
        ws = histogram()
        for method in (ws.readX, ws.readY, ws.readE, ws.dataX, ws.dataY, ws.dataE):
            for index in (3, -1, 10**9):
                with self.subTest(method=method.__name__, index=index), self.assertRaises(IndexError):
                    method(index)
        with self.assertRaises(TypeError):
            ws.readY("a")
        with self.assertRaises((OverflowError, IndexError)):
            ws.readY(10**30)

    def test_extraction_makes_new_arrays(self):
        ws = histogram()
        y = ws.extractY()
        self.assertEqual((y.shape, ws.extractX().shape, ws.extractE().shape), ((3, 4), (3, 5), (3, 4)))
        y[:] = 0
        self.assertEqual(ws.readY(1)[0], 4)

    def test_events_have_no_y_to_write(self):
        ws = CreateSampleWorkspace("Event", NumBanks=1, BankPixelWidth=2, OutputWorkspace="ws")
        self.assertEqual(len(ws.readY(0)), ws.blocksize())
        with self.assertRaises(RuntimeError):
            ws.dataY(0)
        with self.assertRaises(RuntimeError):
            ws.setY(0, ws.readY(0))
        self.assertAlmostEqual(ws.extractY().sum(), ws.getNumberEvents())

    def test_many_written_rows_are_let_go(self):
        ws = histogram(spectra=500)
        for index in range(500):
            ws.dataX(index)[0] -= 1
            ws.dataY(index)[0] = index
        self.assertEqual(ws.readX(499)[0], -1)
        self.assertEqual(ws.extractY()[:, 0].tolist(), list(map(float, range(500))))


if __name__ == "__main__":
    unittest.main(argv=["test_arrays"])
