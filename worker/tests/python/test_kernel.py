"""Times, vectors, units, the configuration, the logger, files and the data service."""

import math
import os
import tempfile
import unittest

import numpy as np

from mantid.api import AnalysisDataService, FileFinder, mtd
from mantid.kernel import V3D, ConfigService, DateAndTime, FloatTimeSeriesProperty, Logger, UnitFactory, config, logger


class Kernel(unittest.TestCase):
    def test_times_count_nanoseconds_since_1990(self):
        self.assertEqual(DateAndTime("1990-01-01T00:00:00").totalNanoseconds(), 0)
        time = DateAndTime("2019-07-05T12:30:00.5")
        self.assertEqual(str(time), "2019-07-05T12:30:00.5")
        self.assertEqual(time.to_datetime64(), np.datetime64("2019-07-05T12:30:00.500000000"))
        self.assertEqual(DateAndTime(np.datetime64("2019-07-05T12:30:00.5")), time)
        self.assertEqual((time + 1_500_000_000) - time, DateAndTime(1_500_000_000) - DateAndTime(0))
        self.assertEqual((DateAndTime(3_000_000_000) - DateAndTime(0)).total_seconds(), 3)
        self.assertLess(DateAndTime(1), DateAndTime(2))
        self.assertEqual(DateAndTime(2, 5).totalNanoseconds(), 2_000_000_005)
        with self.assertRaises(ValueError):
            DateAndTime("yesterday")
        self.assertEqual(len({DateAndTime(1), DateAndTime(1)}), 1)
        self.assertEqual(str(DateAndTime(2**70)), str(DateAndTime(2**63 - 1)))

    def test_vectors(self):
        a, b = V3D(1, 0, 0), V3D(0, 2, 0)
        self.assertEqual(a + b, V3D(1, 2, 0))
        self.assertEqual(a.cross_prod(b), V3D(0, 0, 2))
        self.assertAlmostEqual(a.angle(b), math.pi / 2)
        self.assertEqual((b * 2).norm(), 4)
        self.assertEqual(str(V3D(1, 0.5, -2)), "[1,0.5,-2]")
        self.assertEqual([*b], [0, 2, 0])
        self.assertEqual(b.Y(), b[1])
        c = V3D()
        c.spherical(2, 90, 0)
        self.assertEqual(c, V3D(2, 0, 0))
        with self.assertRaises(RuntimeError):
            V3D().normalize()

    def test_units(self):
        unit = UnitFactory.create("Wavelength")
        self.assertEqual(
            (unit.unitID(), unit.caption(), unit.symbol().ascii()), ("Wavelength", "Wavelength", "Angstrom")
        )
        with self.assertRaises(RuntimeError):
            UnitFactory.create("Parsec")

    def test_configuration(self):
        config["my.key"] = 3
        self.assertEqual(config["my.key"], "3")
        self.assertEqual(ConfigService.Instance()["my.key"], "3")
        self.assertEqual(config["no.such.key"], "")
        config.setDataSearchDirs(["/a", "/b"])
        config.appendDataSearchDir("/c")
        config.appendDataSearchDir("/c")
        self.assertEqual(config.getDataSearchDirs(), ["/a", "/b", "/c"])
        self.assertEqual(config.getInstrument("merlin").shortName(), "MER")
        self.assertIn("LET", [i.name() for i in config.getFacility().instruments()])
        config["default.instrument"] = ""
        with self.assertRaises(RuntimeError):
            config.getInstrument()

    def test_files_are_found_in_the_search_folders(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "MER123.nxs")
            open(path, "w").close()
            config.setDataSearchDirs(folder)
            self.assertEqual(FileFinder.getFullPath("MER123.nxs"), path)
            self.assertEqual(FileFinder.findRuns("MER123"), [path])
            self.assertEqual(FileFinder.getFullPath("other.nxs"), "")
            with self.assertRaises(RuntimeError):
                FileFinder.findRuns("other")

    def test_the_logger_takes_anything(self):
        for level in ("fatal", "error", "warning", "notice", "information", "debug"):
            getattr(logger, level)(f"{level} ä \udc80" if level == "debug" else level)
            getattr(Logger("mine"), level)(12)
        ConfigService.setLogLevel("debug")
        ConfigService.setLogLevel(3)
        self.assertEqual(config.getLogLevel(), "error")
        with self.assertRaises(ValueError):
            ConfigService.setLogLevel("loud")
        ConfigService.setLogLevel("notice")

    def test_the_data_service_raises_key_errors(self):
        mtd.clear()
        with self.assertRaises(KeyError):
            mtd["nothing"]
        with self.assertRaises(KeyError):
            AnalysisDataService.retrieve("nothing")
        with self.assertRaises(TypeError):
            mtd[3]
        self.assertNotIn("nothing", mtd)
        self.assertNotIn(3, mtd)
        mtd.remove("nothing")
        self.assertEqual((len(mtd), mtd.size(), mtd.getObjectNames()), (0, 0, []))
        self.assertTrue(mtd.unique_name(5, "a_").startswith("a_"))

    def test_time_series_stand_alone(self):
        log = FloatTimeSeriesProperty("temp")
        self.assertEqual(log.size(), 0)
        log.addValue("2020-01-01T00:00:10", 2.0)
        log.addValue("2020-01-01T00:00:00", 1.0)
        log.addValue("2020-01-01T00:00:30", 9.0)
        self.assertEqual(log.value.tolist(), [1.0, 2.0, 9.0])
        self.assertEqual(log.times[0], np.datetime64("2020-01-01T00:00:00"))
        self.assertEqual((log.firstValue(), log.lastValue(), log.nthValue(1)), (1.0, 2.0 + 7, 2.0))
        self.assertAlmostEqual(log.timeAverageValue(), (10 * 1 + 20 * 2) / 30)
        self.assertEqual(log.getStatistics().maximum, 9.0)
        with self.assertRaises(RuntimeError):
            FloatTimeSeriesProperty("empty").lastValue()


if __name__ == "__main__":
    unittest.main(argv=["test_kernel"])
