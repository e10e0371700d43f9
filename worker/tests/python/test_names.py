"""The names that a call's result is assigned to, in the byte code of whichever Python runs this."""

import os
import sys
import unittest

try:
    from livedata import names
except ImportError:
    # A Python of its own, to try its byte code.
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "python"))
    from livedata import names


def probe(*_args, **_kwargs):
    return Answer(names.assigned(names.caller()))


class Answer(tuple):
    """What was found; unpacks into anything, so that targets of any number can be tried."""

    def __iter__(self):
        return iter([self] * max(self[0], 1))

    def __iadd__(self, _other):
        return Answer(names.assigned(names.caller()))

    def __add__(self, _other):
        return Answer(names.assigned(names.caller()))


class Holder:
    method = staticmethod(probe)


class Names(unittest.TestCase):
    def found(self, code, variable, scope=None):
        scope = {"probe": probe, "Holder": Holder, "Answer": Answer} if scope is None else scope
        exec(compile(code, "<script>", "exec"), scope)
        return tuple(scope[variable])

    def raw(self, code, variable):
        scope = {"probe": probe, "Holder": Holder, "Answer": Answer}
        exec(compile(code, "<script>", "exec"), scope)
        value = scope[variable]
        return value[0], value[1]

    def test_one_name_in_a_module_a_function_a_closure_and_exec(self):
        self.assertEqual(self.raw("a = probe()", "a"), (1, ("a",)))
        self.assertEqual(
            self.raw("def f():\n    local = probe(1, x=2)\n    return local\nr = f()", "r"), (1, ("local",))
        )
        code = "def f():\n    cell = probe()\n    def g():\n        return cell\n    return g()\nr = f()"
        self.assertEqual(self.raw(code, "r"), (1, ("cell",)))
        self.assertEqual(self.raw("def f():\n    global g\n    g = probe()\nf()", "g"), (1, ("g",)))
        self.assertEqual(self.raw("exec('inner = probe()', globals())", "inner"), (1, ("inner",)))

    def test_unpacking(self):
        self.assertEqual(self.raw("a, b = probe()", "a"), (2, ("a", "b")))
        self.assertEqual(self.raw("[a, b, c] = probe()", "c"), (3, ("a", "b", "c")))
        code = "def f():\n    x, y = probe()\n    return x\nr = f()"
        self.assertEqual(self.raw(code, "r"), (2, ("x", "y")))
        code = "def f():\n    x, y, z, u = probe()\n    return z\nr = f()"
        self.assertEqual(self.raw(code, "r"), (4, ("x", "y", "z", "u")))

    def test_targets_that_are_no_variables_have_no_name(self):
        code = "h = Holder()\nh.a, b = probe()\nr = b"
        self.assertEqual(self.raw(code, "r"), (2, ("", "b")))
        code = "h = {}\nb, h['k'] = probe()\nr = b"
        self.assertEqual(self.raw(code, "r"), (2, ("b", "")))
        code = "h = Holder()\nh.a = probe()\nr = h.a"
        self.assertEqual(self.raw(code, "r"), (0, ()))

    def test_results_that_are_not_assigned(self):
        for expression in ("list([probe()])[0]", "(lambda: probe())()", "probe() if True else None", "[probe()][0]"):
            with self.subTest(expression):
                count = self.raw(f"r = {expression}", "r")[0]
                self.assertEqual(count, 1 if expression.startswith("probe() if") else 0)
        code = "def f():\n    return probe()\nr = f()"
        self.assertEqual(self.raw(code, "r"), (0, ()))
        code = "def g(x):\n    return x\nr = g(probe())"
        self.assertEqual(self.raw(code, "r"), (0, ()))

    def test_several_targets_and_walrus(self):
        self.assertEqual(self.raw("a = b = probe()", "b"), (1, ("a",)))
        self.assertEqual(self.raw("if (w := probe()):\n    pass", "w"), (1, ("w",)))

    def test_methods_and_calls_with_unpacked_arguments(self):
        self.assertEqual(self.raw("a = Holder().method(1)", "a"), (1, ("a",)))
        self.assertEqual(self.raw("a = probe(*[1, 2], **{'k': 3})", "a"), (1, ("a",)))
        self.assertEqual(self.raw("a = probe(k=1, l=2)", "a"), (1, ("a",)))
        code = "def f(n):\n    out = None\n    for _ in range(n):\n        out = probe()\n    return out\nr = f(200)"
        self.assertEqual(self.raw(code, "r"), (1, ("out",)))

    def test_operators(self):
        self.assertEqual(self.raw("x = probe()\ny = x + 1", "y"), (1, ("y",)))
        self.assertEqual(self.raw("x = probe()\nx += 1", "x"), (1, ("x",)))
        self.assertEqual(self.raw("x = probe()\ny = (x + 1, 0)[0]", "y"), (0, ()))
        code = "def f():\n    x = probe()\n    total = x + 1\n    return total\nr = f()"
        self.assertEqual(self.raw(code, "r"), (1, ("total",)))

    def test_more_names_than_fit_into_one_byte(self):
        many = "\n".join(f"v{i} = {i}.5" for i in range(600))
        self.assertEqual(self.raw(f"{many}\nlast = probe()", "last"), (1, ("last",)))
        body = "\n".join(f"    v{i} = {i}.5" for i in range(600))
        code = f"def f():\n{body}\n    last, other = probe()\n    return last\nr = f()"
        self.assertEqual(self.raw(code, "r"), (2, ("last", "other")))

    def test_statements_within_others(self):
        code = "def f():\n    with open('/dev/null') as _:\n        try:\n            a = probe()\n        finally:\n            pass\n    return a\nr = f()"
        self.assertEqual(self.raw(code, "r"), (1, ("a",)))
        self.assertEqual(self.raw("if True: a = probe()", "a"), (1, ("a",)))
        self.assertEqual(self.raw("a: int = probe()", "a"), (1, ("a",)))

    def test_lhs_info_looks_above_the_function_that_asks(self):
        try:
            from mantid.kernel.funcinspect import lhs_info
        except ImportError:
            from_engine = False
        else:
            from_engine = True
        if not from_engine:
            # Without the engine there is only the byte code to try.
            self.assertNotIn("livedata._engine", sys.modules)
            return
        scope = {"lhs_info": lhs_info}
        exec("def f():\n    return lhs_info('names')\na, b = f()", scope)
        self.assertEqual(scope["a"], "a")
        exec("def f():\n    return lhs_info()\none = f()", scope)
        self.assertEqual(scope["one"], (1, ("one",)))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
