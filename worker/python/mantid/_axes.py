"""Axes of workspaces: X, the vertical axis, and replacements of the vertical one."""

import numpy as np

from livedata import _engine
from mantid._absent import absent_method
from mantid._units import Unit, UnitFactory


class NumericAxis:
    """Numbers in a unit, made to replace a vertical axis."""

    def __init__(self, length):
        self._values, self.unit_id = np.zeros(int(length)), "Empty"

    @classmethod
    def create(cls, length):
        return cls(length)

    def setValue(self, index, value):
        self._values[index] = value

    def setUnit(self, name):
        unit = UnitFactory.create(name)
        self.unit_id = name
        return unit

    def getUnit(self):
        return UnitFactory.create(self.unit_id)

    def extractValues(self):
        return self._values.copy()

    def length(self):
        return len(self._values)


class BinEdgeAxis(NumericAxis):
    """Numbers in a unit, one more than spectra."""


class TextAxis:
    """Texts, made to replace a vertical axis."""

    unit_id = "Text"

    def __init__(self, length):
        self._values = [""] * int(length)

    @classmethod
    def create(cls, length):
        return cls(length)

    def setLabel(self, index, text):
        self._values[index] = str(text)

    def extractValues(self):
        return list(self._values)

    def length(self):
        return len(self._values)


class XAxis:
    """The horizontal axis."""

    def __init__(self, cell):
        self._cell = cell

    def getUnit(self):
        return Unit(*self._cell._x_unit(), change=self._label)

    def _label(self, unit):
        self._cell._set_x_unit("Label", unit.caption(), unit.label())

    def setUnit(self, name):
        """Sets the unit of X without converting values."""
        unit = UnitFactory.create(name)
        self._cell._set_x_unit(name, unit.caption(), unit.label())
        return self.getUnit()

    def isSpectra(self):
        return False

    def isNumeric(self):
        return True

    def isText(self):
        return False

    def length(self):
        return len(self._cell.readX(0))

    def extractValues(self):
        return np.array(self._cell.readX(0))

    def getValue(self, index):
        return float(self._cell.readX(0)[index])

    def getMin(self):
        return float(self._cell.readX(0)[0])

    def getMax(self):
        return float(self._cell.readX(0)[-1])

    def title(self):
        return ""

    def label(self, index):
        return str(self.getValue(index))

    def __len__(self):
        return self.length()

    def __getattr__(self, name):
        raise absent_method("Axis", name)


class SpectraAxis:
    """The vertical axis."""

    def __init__(self, cell):
        self._cell = cell
        self._kind, self._unit, self._values = _engine.vertical_axis(cell)

    def getUnit(self):
        return Unit(*self._unit)

    def setUnit(self, name):
        _engine.set_vertical_axis(self._cell, name, self.extractValues())
        self.__init__(self._cell)
        return self.getUnit()

    def isSpectra(self):
        return self._kind == "spectra"

    def isNumeric(self):
        return self._kind == "numeric"

    def isText(self):
        return self._kind == "text"

    def length(self):
        return len(self._values)

    __len__ = length

    def extractValues(self):
        if self._kind == "text":
            return list(self._values)
        return np.array(self._values, dtype=float)

    def getValue(self, index):
        return float(self._values[index])

    def label(self, index):
        return f"spectrum {self._values[index]}" if self._kind == "spectra" else str(self._values[index])

    def getMin(self):
        return float(min(self._values))

    def getMax(self):
        return float(max(self._values))

    def indexOfValue(self, value):
        return int(np.argmin(np.abs(self.extractValues() - value)))

    def title(self):
        return ""

    def __getattr__(self, name):
        raise absent_method("Axis", name)


class Dimension:
    """An axis as dimensions of multidimensional workspaces are described."""

    def __init__(self, cell, index):
        self._axis = cell.getAxis(index)
        self._values = self._axis.extractValues()
        self._bins = cell.blocksize() if index == 0 else cell.getNumberHistograms()

    @property
    def name(self):
        return self._axis.getUnit().caption()

    def getName(self):
        return self.name

    def getUnits(self):
        return str(self._axis.getUnit().symbol())

    def getMinimum(self):
        return float(self._values[0])

    def getMaximum(self):
        return float(self._values[-1])

    def getNBins(self):
        return self._bins
