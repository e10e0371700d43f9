"""What is absent says so: by import, by attribute, by method, by name, and before a script runs."""

import unittest

from livedata import check


class Absent(unittest.TestCase):
    def test_an_import_of_what_is_absent_is_an_import_error_with_the_way_to_get_it(self):
        for module, name in (
            ("simpleapi", "SofTwoThetaTOF"),
            ("api", "PythonAlgorithm"),
            ("kernel", "CompositeValidator"),
        ):
            with self.subTest(name), self.assertRaises(ImportError) as caught:
                exec(f"from mantid.{module} import {name}", {})
            for word in (name, "native engine", "ENGINE=mantid"):
                self.assertIn(word, str(caught.exception))

    def test_an_attribute_that_is_absent_is_an_attribute_error(self):
        import mantid.simpleapi as simpleapi

        with self.assertRaisesRegex(AttributeError, "native engine lacks SofTwoThetaTOF.*ENGINE=mantid"):
            simpleapi.SofTwoThetaTOF
        self.assertFalse(hasattr(simpleapi, "SofTwoThetaTOF"))
        self.assertTrue(hasattr(simpleapi, "CloneWorkspace"))

    def test_a_package_that_is_absent_is_an_import_error(self):
        with self.assertRaises(ImportError):
            import mantid.plots  # noqa: F401

    def test_methods_that_are_absent_name_their_class(self):
        from mantid.api import AlgorithmManager, AnalysisDataService

        with self.assertRaisesRegex(AttributeError, "AlgorithmManager.removeById is not available: the native engine"):
            AlgorithmManager.removeById()
        with self.assertRaisesRegex(AttributeError, "AnalysisDataService.somethingElse"):
            AnalysisDataService.somethingElse

    def test_a_name_after_a_star_import_is_explained(self):
        from livedata import failures

        scope = {}
        try:
            exec("from mantid.simpleapi import *\nSofTwoThetaTOF()", scope)
        except NameError as error:
            text = failures.describe(error)
        self.assertIn("SofTwoThetaTOF is not available: the native engine", text)
        try:
            exec("Undefined()", {})
        except NameError as error:
            self.assertNotIn("native engine", failures.describe(error))

    def test_a_check_lists_what_is_missing_before_a_script_runs(self):
        text = (
            "from mantid.simpleapi import *\n"
            "from mantid.simpleapi import CloneWorkspace, SofTwoThetaTOF as s\n"
            "import mantid.kernel as k\n"
            "import mantid\n"
            "from mantid.plots import nothing\n"
            "import numpy as np\n"
            "def execute():\n"
            "    ws = mtd['lives']\n"
            "    out = CloneWorkspace(ws)\n"
            "    BinMD(out)\n"
            "    k.CompositeValidator()\n"
            "    mantid.simpleapi.FindPeaksMD(ws)\n"
            "    for i in range(3):\n"
            "        try:\n"
            "            np.sum([i for i in range(i)])\n"
            "        except ValueError as error:\n"
            "            print(error, __file__)\n"
        )
        found = check.missing(text)
        names = {name: line for line, name, _ in found}
        self.assertEqual(
            names,
            {"SofTwoThetaTOF": 2, "nothing": 5, "BinMD": 10, "CompositeValidator": 11, "FindPeaksMD": 12},
        )
        self.assertEqual([line for line, _, _ in found], sorted(line for line, _, _ in found))

    def test_a_script_that_uses_only_what_is_there_lists_nothing(self):
        text = (
            "from mantid.simpleapi import CloneWorkspace, mtd, config\n"
            "from mantid.kernel import DateAndTime, V3D\n"
            "from mantid.api import AnalysisDataService as ADS, mtd\n"
            "from mantid.dataobjects import EventWorkspace\n"
            "def execute():\n    print(config['defaultsave.directory'])\n"
        )
        self.assertEqual(check.missing(text), [])
        # Names of another module's star are unknown: nothing is said of them.
        self.assertEqual(check.missing("from mantid.simpleapi import *\nfrom os.path import *\nprint(join('a'))\n"), [])

    def test_a_check_of_what_does_not_parse_raises(self):
        with self.assertRaises(SyntaxError):
            check.missing("def execute(:\n")


if __name__ == "__main__":
    unittest.main(argv=["test_absent"])
