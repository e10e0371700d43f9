"""Parameters of instruments, from a file beside the definition, as scripts read them."""

import pathlib
import tempfile
import unittest

from mantid.api import mtd
from mantid.simpleapi import LoadEmptyInstrument

DEFINITION = """<instrument name="GASTUBE" valid-from="1990-01-01 00:00:00">
<component type="source"><location z="-10"/></component><type name="source" is="Source"/>
<component type="sample"><location/></component><type name="sample" is="SamplePos"/>
<component type="bank" idlist="ids"><location x="1" name="left"/><location x="-1" name="right"/></component>
<type name="bank"><component type="pixel"><location z="3" name="pixel1"/><location z="4" name="pixel2"/></component></type>
<type name="pixel" is="detector"/><idlist idname="ids"><id start="1" end="4"/></idlist></instrument>"""

PARAMETERS = """<parameter-file instrument="GASTUBE">
<component-link name="GASTUBE"><parameter name="TubePressure"><value val="10.0"/></parameter>
<parameter name="sum_runs" type="bool"><value val="True"/></parameter>
<parameter name="spectra" type="int"><value val="69634"/></parameter>
<parameter name="map_file" type="string"><value val="one2one.map"/></parameter></component-link>
<component-link name="left"><parameter name="TubePressure"><value val="6.4"/></parameter></component-link>
<component-link id="4"><parameter name="TubePressure"><value val="2.5"/></parameter></component-link>
</parameter-file>"""


class Parameters(unittest.TestCase):
    def setUp(self):
        mtd.clear()
        with tempfile.TemporaryDirectory() as folder:
            definition = pathlib.Path(folder) / "GASTUBE_Definition.xml"
            definition.write_text(DEFINITION)
            (pathlib.Path(folder) / "GASTUBE_Parameters.xml").write_text(PARAMETERS)
            self.workspace = LoadEmptyInstrument(str(definition), OutputWorkspace="empty")
        self.instrument = self.workspace.getInstrument()

    def test_the_types_that_they_were_given(self):
        instrument = self.instrument
        self.assertEqual(instrument.getNumberParameter("TubePressure"), [10.0])
        self.assertEqual(instrument.getBoolParameter("sum_runs"), [True])
        self.assertEqual(instrument.getIntParameter("spectra"), [69634])
        self.assertEqual(instrument.getStringParameter("map_file"), ["one2one.map"])
        types = [instrument.getParameterType(n) for n in ("TubePressure", "sum_runs", "spectra", "map_file", "none")]
        self.assertEqual(types, ["double", "bool", "int", "string", ""])
        self.assertEqual((instrument.getNumberParameter("none"), instrument.getBoolParameter("spectra")), ([], []))
        self.assertTrue(instrument.hasParameter("tubepressure"))
        self.assertFalse(instrument.hasParameter("none"))

    def test_the_nearest_counts(self):
        pressure = [self.instrument.getDetector(i).getNumberParameter("TubePressure") for i in (1, 3, 4)]
        self.assertEqual(pressure, [[6.4], [10.0], [2.5]])
        self.assertEqual(self.instrument.getComponentByName("left").getNumberParameter("TubePressure"), [6.4])
        self.assertEqual(self.instrument.getComponentByName("right").getNumberParameter("TubePressure"), [10.0])


if __name__ == "__main__":
    unittest.main()
