"""The calling convention: arguments, names of outputs, results, errors."""

import inspect
import unittest

import numpy as np

import mantid.simpleapi as simpleapi
from mantid.api import AlgorithmManager, mtd
from mantid.simpleapi import CloneWorkspace, CreateWorkspace, DeleteWorkspace, ExtractSpectra, Rebin, Scale, SumSpectra


def histogram(spectra=1, name="ws"):
    y = np.ones(9 * spectra)
    return CreateWorkspace(DataX=np.arange(10.0), DataY=y, DataE=y, NSpec=spectra, UnitX="TOF", OutputWorkspace=name)


class Calls(unittest.TestCase):
    def setUp(self):
        mtd.clear()

    def test_outputs_are_named_as_the_variable(self):
        source = histogram()
        copy = CloneWorkspace(source)
        self.assertEqual(copy.name(), "copy")
        self.assertIn("copy", mtd)
        explicit = CloneWorkspace(source, OutputWorkspace="other")
        self.assertEqual(explicit.name(), "other")
        self.assertNotIn("explicit", mtd)
        scope = {"CloneWorkspace": CloneWorkspace}
        exec("from_exec = CloneWorkspace('ws')", scope)
        self.assertEqual(scope["from_exec"].name(), "from_exec")

    def test_arguments_go_by_place_name_and_any_case(self):
        histogram(name="ws")
        a = Rebin("ws", 2)
        self.assertEqual(a.readX(0).tolist(), [0, 2, 4, 6, 8, 9])
        b = Rebin("ws", Params=[0.0, 3.0, 9.0])
        self.assertEqual(b.readX(0).tolist(), [0, 3, 6, 9])
        c = Rebin(inputworkspace="ws", params="0,3,9")
        self.assertEqual(c.readX(0).tolist(), [0, 3, 6, 9])
        d = Rebin(mtd["ws"], np.array([0, 3, 9]))
        self.assertEqual(d.readY(0).tolist(), [3, 3, 3])
        e = Rebin("ws", (0, np.float64(4.5), np.int64(9)))
        self.assertEqual(e.readX(0).tolist(), [0, 4.5, 9])
        f = ExtractSpectra("ws", 2, 6)
        self.assertEqual(f.readX(0).tolist(), [2, 3, 4, 5, 6])
        none = Rebin("ws", 2, PreserveEvents=None)
        self.assertEqual(none.blocksize(), 5)

    def test_results_are_objects_tuples_or_none(self):
        histogram()
        self.assertIsNone(DeleteWorkspace("ws"))
        histogram()
        with self.assertRaisesRegex(
            RuntimeError, r"CloneWorkspace is trying to return 1 output\(s\) but you have provided 2 variable\(s\)"
        ):
            a, b = CloneWorkspace("ws")

    def test_a_result_without_a_name_is_refused(self):
        histogram()
        with self.assertRaisesRegex(
            RuntimeError, "(?s)Rebin-v1: .*OutputWorkspace: Enter a name for the Output workspace"
        ):
            Rebin("ws", 2)
        with self.assertRaisesRegex(RuntimeError, "SumSpectra-v1|Rebin-v1"):
            out = SumSpectra(Rebin("ws", 2))

    def test_store_in_ads_can_be_switched_off(self):
        histogram()
        kept = Rebin("ws", 2, StoreInADS=False)
        self.assertEqual((kept.blocksize(), mtd.getObjectNames()), (5, ["ws"]))
        chained = SumSpectra(Rebin("ws", 2, StoreInADS=False), StoreInADS=False)
        self.assertEqual(chained.readY(0).tolist(), [2, 2, 2, 2, 1])
        quiet = Rebin("ws", 2, EnableLogging=False, Version=1)
        self.assertEqual(quiet.name(), "quiet")

    def test_errors_have_mantids_classes_and_words(self):
        histogram()
        with self.assertRaisesRegex(TypeError, "'Foo' is an invalid keyword argument for Rebin-v1"):
            out = Rebin("ws", 2, Foo=1)
        with self.assertRaisesRegex(ValueError, 'Problem setting "Params" in Rebin-v1: '):
            out = Rebin("ws", "a,b")
        with self.assertRaisesRegex(ValueError, "must be odd"):
            out = Rebin("ws", "5,1")
        histogram(3, "three")
        with self.assertRaisesRegex(RuntimeError, "^Minus-v1: "):
            out = simpleapi.Minus("ws", "three")
        self.assertNotIn("out", mtd)
        with self.assertRaisesRegex(ValueError, 'Problem setting "InputWorkspace" in Rebin-v1'):
            out = Rebin("nothing", 2)
        with self.assertRaisesRegex(TypeError, "Problem setting|cannot be a property"):
            out = Rebin("ws", object())
        with self.assertRaisesRegex(RuntimeError, "version 99"):
            out = Rebin("ws", 2, Version=99)
        given_by_name = Rebin("ws", True, Params=2)
        self.assertEqual(given_by_name.blocksize(), 5)
        with self.assertRaises(TypeError):
            out = CloneWorkspace(*["ws"] * 30)

    def test_in_place_keeps_the_handle(self):
        ws = histogram()
        ws = Rebin(ws, 3)
        self.assertEqual((ws.name(), mtd["ws"].blocksize()), ("ws", 3))
        held = mtd["ws"]
        Scale(held, 10.0, OutputWorkspace="ws")
        self.assertEqual(held.readY(0).tolist(), [30, 30, 30])

    def test_help_and_signature_come_from_the_declaration(self):
        self.assertIn("InputWorkspace", Rebin.__doc__)
        parameters = list(inspect.signature(Rebin).parameters)
        self.assertEqual(parameters[:2], ["InputWorkspace", "Params"])
        self.assertIn("OutputWorkspace", parameters)
        self.assertEqual(Rebin.__name__, "Rebin")
        for name in simpleapi._ALGORITHMS:
            with self.subTest(name):
                function = getattr(simpleapi, name)
                self.assertTrue(function.__doc__.strip())
                inspect.signature(function)

    def test_operators_name_their_result(self):
        a, b = histogram(name="a"), histogram(name="b")
        total = a + b
        self.assertEqual((total.name(), total.readY(0)[0]), ("total", 2.0))
        scaled = a * 3
        self.assertEqual((scaled.name(), scaled.readY(0)[0]), ("scaled", 3.0))
        other = 6 / (a + 1) - np.float64(1)
        self.assertEqual((other.name(), other.readY(0)[0]), ("other", 2.0))
        self.assertEqual([n for n in mtd.getObjectNames() if n.startswith("__")], [])
        self.assertEqual((2 - a).readY(0).tolist(), [1.0] * 9)
        held = 6 / (a + a)
        self.assertEqual(held.readY(0)[0], 3.0)
        self.assertAlmostEqual(held.readE(0)[0], 3.0 / np.sqrt(2))
        a += 1
        self.assertEqual((a.name(), mtd["a"].readY(0)[0]), ("a", 2.0))
        a /= b
        self.assertEqual(mtd["a"].readY(0)[0], 2.0)
        self.assertNotIn("b_", mtd)
        with self.assertRaises(TypeError):
            a + "text"
        with self.assertRaises(TypeError):
            np.ones(3) + a

    def test_algorithms_as_objects(self):
        histogram()
        algorithm = AlgorithmManager.createUnmanaged("Rebin")
        algorithm.initialize()
        algorithm.setChild(True)
        algorithm.setProperty("InputWorkspace", "ws")
        algorithm.setProperty("Params", 2)
        algorithm.setProperty("OutputWorkspace", "unused")
        self.assertTrue(algorithm.execute() and algorithm.isExecuted())
        self.assertEqual(algorithm.getProperty("OutputWorkspace").value.blocksize(), 5)
        self.assertNotIn("unused", mtd)
        with self.assertRaises(RuntimeError):
            algorithm.setProperty("Nothing", 1)
        with self.assertRaisesRegex(RuntimeError, "native engine"):
            AlgorithmManager.create("NoSuchAlgorithm")
        self.assertEqual(AlgorithmManager.runningInstancesOf("Rebin"), [])

    def test_pieces_of_python_run_as_an_algorithm(self):
        ws = histogram()
        out = simpleapi.RunPythonScript(InputWorkspace=ws, Code="Scale(input, 2.0, OutputWorkspace=output)")
        self.assertEqual((out.name(), out.readY(0)[0]), ("out", 2.0))
        code = "halved = Scale(InputWorkspace=input, Factor=0.5)\nRenameWorkspace(halved, OutputWorkspace=output)"
        simpleapi.RunPythonScript(Code=code, InputWorkspace="ws", OutputWorkspace="named")
        self.assertEqual(mtd["named"].readY(0)[0], 0.5)
        for code in (
            "output = Scale(input, 2.0)",
            "double = Scale(input, 2.0)\noutput = 'double'",
            "output = mtd['double']",
        ):
            out = simpleapi.RunPythonScript(InputWorkspace=ws, Code=code)
            self.assertEqual(out.name(), "out")
            self.assertEqual(list(out.readY(0)), [2 * y for y in ws.readY(0)])
            simpleapi.DeleteWorkspace(out)
        with self.assertRaisesRegex(RuntimeError, "Invalid type assigned to 'output' variable: int"):
            simpleapi.RunPythonScript(Code="output = 1", OutputWorkspace="out")
        simpleapi.RunPythonScript("made = CreateWorkspace([0, 1], [1])")
        self.assertIn("made", mtd)
        for code, words in (
            ("", "Python script is empty"),
            (None, "Must specify python"),
            ("1/0", "ZeroDivisionError"),
        ):
            with self.assertRaisesRegex(RuntimeError, words):
                simpleapi.RunPythonScript(Code=code)
        with self.assertRaisesRegex(RuntimeError, "no workspace nowhere"):
            simpleapi.RunPythonScript(Code="pass", OutputWorkspace="nowhere")

    def test_groups_are_processed_member_by_member(self):
        histogram(name="g1"), histogram(name="g2")
        group = simpleapi.GroupWorkspaces("g1,g2")
        self.assertEqual((group.name(), group.getNames()), ("group", ["g1", "g2"]))
        rebinned = Rebin(group, 3)
        self.assertEqual(rebinned.getNumberOfEntries(), 2)
        self.assertEqual([member.blocksize() for member in rebinned], [3, 3])


if __name__ == "__main__":
    unittest.main(argv=["test_calls"])
