"""Operators between workspaces: algorithms whose output is named as the variable that the result is assigned to."""

import numpy as np

from livedata import _engine, names


class Sums:
    """Operators that groups and other workspaces share; each makes a new workspace."""

    # An array on the left would otherwise take a workspace apart element by element.
    __array_ufunc__ = None

    def __add__(self, other):
        return operation("Plus", self, other, names.caller())

    def __sub__(self, other):
        return operation("Minus", self, other, names.caller())

    def __mul__(self, other):
        return operation("Multiply", self, other, names.caller())

    def __truediv__(self, other):
        return operation("Divide", self, other, names.caller())


class Arithmetic(Sums):
    """All operators of a workspace of spectra; the other side may be a number."""

    def __radd__(self, other):
        return operation("Plus", self, other, names.caller(), reverse=True)

    def __iadd__(self, other):
        return operation("Plus", self, other, names.caller(), inplace=True)

    def __rsub__(self, other):
        return operation("Minus", self, other, names.caller(), reverse=True)

    def __isub__(self, other):
        return operation("Minus", self, other, names.caller(), inplace=True)

    def __rmul__(self, other):
        return operation("Multiply", self, other, names.caller(), reverse=True)

    def __imul__(self, other):
        return operation("Multiply", self, other, names.caller(), inplace=True)

    def __rtruediv__(self, other):
        return operation("Divide", self, other, names.caller(), reverse=True)

    def __itruediv__(self, other):
        return operation("Divide", self, other, names.caller(), inplace=True)

    def __pow__(self, exponent):
        return power(self, exponent, names.caller(), False)

    def __ipow__(self, exponent):
        return power(self, exponent, names.caller(), True)


def operation(algorithm, left, right, frame, reverse=False, inplace=False):
    from mantid import _calls

    if isinstance(right, (int, float, np.integer, np.floating)) and not isinstance(right, bool):
        right = _calls.unstored("CreateSingleValuedWorkspace", DataValue=float(right))["OutputWorkspace"]
        if reverse and algorithm in ("Minus", "Divide"):
            right = _spread(right, left)
    elif not isinstance(right, _engine.NativeWorkspace):
        return NotImplemented
    if reverse:
        left, right = right, left
    return _calls.operation(algorithm, left, right, frame, inplace)


def _spread(number, workspace):
    """Workspace of the right operand's shape with one value, as the left operand must not be smaller."""
    from mantid import _calls

    if workspace.id() == "EventWorkspace":
        workspace = _calls.unstored("ConvertToMatrixWorkspace", InputWorkspace=workspace)["OutputWorkspace"]
    nothing = _calls.unstored("CreateSingleValuedWorkspace", DataValue=0.0)["OutputWorkspace"]
    zero = _calls.unstored("Multiply", LHSWorkspace=workspace, RHSWorkspace=nothing)["OutputWorkspace"]
    return _calls.unstored("Plus", LHSWorkspace=zero, RHSWorkspace=number)["OutputWorkspace"]


def power(workspace, exponent, frame, inplace):
    from mantid import _calls

    return _calls.named_operation(
        "Power", frame, workspace if inplace else None, InputWorkspace=workspace, Exponent=float(exponent)
    )
