"""Workspaces: MatrixWorkspace and its kinds, groups, spectra and axes."""

import numpy as np

from livedata import _engine, names
from mantid._absent import absent_method
from mantid._instrument import Detector, DetectorInfo, Instrument, SpectrumInfo
from mantid._run import Run
from mantid._times import DateAndTime
from mantid._units import Unit, UnitFactory


class Workspace(_engine.Cell):
    """Anything that has a name in the data service."""

    def __new__(cls, cell):
        return super().__new__(cls, cell)

    def isGroup(self):
        return False

    def threadSafe(self):
        return True

    def getHistory(self):
        return WorkspaceHistory(self)

    def isDirty(self, number=1):
        return False

    def __eq__(self, other):
        return isinstance(other, _engine.Cell) and self._number() == other._number()

    def __hash__(self):
        return hash(self._number())

    def __str__(self):
        return self.name()

    def __repr__(self):
        return f"{type(self).__name__}({self.name()!r})"

    def __getattr__(self, name):
        raise absent_method(type(self).__name__, name)


class MatrixWorkspace(Workspace):
    """Spectra over a common kind of X: histograms, points or events."""

    def getAxis(self, index):
        """0: X; 1: the vertical axis."""
        if index not in (0, 1):
            raise RuntimeError(f"Axis index {index} is out of range: a workspace has axes 0 and 1")
        return XAxis(self) if index == 0 else SpectraAxis(self)

    def axes(self):
        return 2

    def getDimension(self, index):
        return Dimension(self, index)

    def getXDimension(self):
        return Dimension(self, 0)

    def getYDimension(self):
        return Dimension(self, 1)

    def getNumDims(self):
        return 2

    def getNPoints(self):
        return sum(self.getNumberBins(index) for index in range(self.getNumberHistograms()))

    size = getNPoints

    def getSignalAt(self, index):
        width = self.blocksize()
        return float(self.readY(index // width)[index % width])

    def getSpectrum(self, index):
        self._check(index)
        return Spectrum(self, index)

    def _check(self, index):
        count = self.getNumberHistograms()
        if not 0 <= index < count:
            raise IndexError(f"workspace index {index} is out of range: the workspace has {count}, counted from 0")

    def getDetector(self, index):
        """The detectors of a spectrum; a RuntimeError when it has none."""
        self._check(index)
        return Detector(self, self._detector_ids(index))

    def spectrumInfo(self):
        return SpectrumInfo(self)

    def detectorInfo(self):
        return DetectorInfo(self)

    def componentInfo(self):
        raise absent_method("MatrixWorkspace", "componentInfo")

    def detectorTwoTheta(self, detector):
        """Radians."""
        return detector._mean(5)

    def detectorSignedTwoTheta(self, detector):
        return detector._mean(7)

    def getInstrument(self):
        return Instrument(self)

    def run(self):
        return Run(self)

    def getRun(self):
        return Run(self)

    def mutableRun(self):
        return Run(self)

    def sample(self):
        raise absent_method("MatrixWorkspace", "sample")

    def getEFixed(self, detector=None):
        """The fixed energy, meV: the log Ei, or the instrument's parameter Efixed."""
        run = self.run()
        if run.hasProperty("Ei"):
            return float(run.getPropertyAsSingleValue("Ei"))
        held = _engine.parameter(self, "Efixed", None) or _engine.parameter(self, "EFixed", None)
        if held is None or held[1] is None:
            raise RuntimeError("Could not retrieve incident energy from run object")
        return held[1]

    def getMonitorWorkspace(self):
        held = _engine.monitor_workspace(self)
        if held is None:
            raise RuntimeError(f"workspace {self.name()} has no monitor workspace")
        return wrap(held)

    def setMonitorWorkspace(self, workspace):
        _engine.set_monitor_workspace(self, workspace)

    def clearMonitorWorkspace(self):
        _engine.set_monitor_workspace(self, None)

    def hasMaskedBins(self, index):
        return False

    def yIndexOfX(self, x, index=0, tolerance=0.0):
        """The bin that holds a value of X."""
        edges = self.readX(index)
        at = int(np.searchsorted(edges, x, side="right")) - 1
        if not 0 <= at < self.getNumberBins(index):
            raise IndexError(f"{x} is outside of the X of spectrum {index}: {edges[0]} to {edges[-1]}")
        return at

    def isRaggedWorkspace(self):
        widths = {self.getNumberBins(index) for index in range(self.getNumberHistograms())}
        return len(widths) > 1

    def isCommonLogBins(self):
        steps = np.diff(np.log(self.readX(0)))
        return bool(self.isCommonBins() and np.allclose(steps, steps[0]))

    def getIntegratedCountsForWorkspaceIndices(self, indices, min_x=None, max_x=None, entire_range=True):
        return [float(self.readY(index).sum()) for index in indices]

    def findY(self, value, start=(0, 0)):
        """(spectrum, bin) of the first value of Y that equals `value`; (-1, -1) when there is none."""
        first = tuple(start)
        for index in range(first[0], self.getNumberHistograms()):
            y = self.readY(index)
            found = np.isnan(y) if np.isnan(value) else y == value
            hits = np.flatnonzero(found)
            hits = hits[hits >= first[1]] if index == first[0] else hits
            if hits.size:
                return index, int(hits[0])
        return -1, -1

    def replaceAxis(self, index, axis):
        """Takes the unit and values of an axis that was made with NumericAxis.create or TextAxis.create."""
        if index == 0:
            self.getAxis(0).setUnit(axis.getUnit().unitID())
        else:
            _engine.set_vertical_axis(self, axis.unit_id, axis.extractValues())

    # Arithmetic: algorithms whose output is named as the variable that the result is assigned to.
    def __add__(self, other):
        return _operation("Plus", self, other, names.caller())

    def __radd__(self, other):
        return _operation("Plus", self, other, names.caller(), reverse=True)

    def __iadd__(self, other):
        return _operation("Plus", self, other, names.caller(), inplace=True)

    def __sub__(self, other):
        return _operation("Minus", self, other, names.caller())

    def __rsub__(self, other):
        return _operation("Minus", self, other, names.caller(), reverse=True)

    def __isub__(self, other):
        return _operation("Minus", self, other, names.caller(), inplace=True)

    def __mul__(self, other):
        return _operation("Multiply", self, other, names.caller())

    def __rmul__(self, other):
        return _operation("Multiply", self, other, names.caller(), reverse=True)

    def __imul__(self, other):
        return _operation("Multiply", self, other, names.caller(), inplace=True)

    def __truediv__(self, other):
        return _operation("Divide", self, other, names.caller())

    def __rtruediv__(self, other):
        return _operation("Divide", self, other, names.caller(), reverse=True)

    def __itruediv__(self, other):
        return _operation("Divide", self, other, names.caller(), inplace=True)

    def __pow__(self, exponent):
        return _power(self, exponent, names.caller(), False)

    def __ipow__(self, exponent):
        return _power(self, exponent, names.caller(), True)

    # An array on the left would otherwise take a workspace apart element by element.
    __array_ufunc__ = None


class Workspace2D(MatrixWorkspace):
    """Histograms or points."""


class WorkspaceSingleValue(MatrixWorkspace):
    """One number with its standard deviation."""

    def __float__(self):
        return float(self.readY(0)[0])


class IEventWorkspace(MatrixWorkspace):
    """Events, binned when they are read."""

    def getNumberEvents(self):
        return _engine.number_of_events(self)

    def _range(self):
        return _engine.range_of_events(self)

    def getTofMin(self):
        """The smallest value of all events, in the unit of X."""
        held = self._range()
        return held[0] if held else 0.0

    def getTofMax(self):
        held = self._range()
        return held[1] if held else 0.0

    def getEventXMin(self):
        return self.getTofMin()

    def getEventXMax(self):
        return self.getTofMax()

    def getEventType(self):
        return _engine.event_type(self)


class EventWorkspace(IEventWorkspace):
    """Events, binned when they are read."""

    def getSpectrum(self, index):
        self._check(index)
        return EventList(self, index)

    getEventList = getSpectrum


class WorkspaceGroup(Workspace):
    """Other workspaces, in order."""

    def isGroup(self):
        return True

    def getNumberOfEntries(self):
        return len(self._members())

    def size(self):
        return len(self._members())

    def __len__(self):
        return len(self._members())

    def getNames(self):
        return self._member_names()

    def getItem(self, which):
        """By index or by name."""
        if isinstance(which, str):
            for member in self._members():
                if member.name() == which:
                    return wrap(member)
            raise ValueError(f"Workspace {which} not contained in the group")
        members = self._members()
        if not -len(members) <= which < len(members):
            raise IndexError(f"group index {which} is out of range: the group has {len(members)}")
        return wrap(members[which])

    __getitem__ = getItem

    def __iter__(self):
        return iter([wrap(member) for member in self._members()])

    def __contains__(self, which):
        return self.contains(which)

    def contains(self, which):
        if isinstance(which, str):
            return which in self._member_names()
        return any(member._number() == which._number() for member in self._members())

    def add(self, name):
        self._add_member(_engine.retrieve(name))

    def addWorkspace(self, workspace):
        self._add_member(workspace)

    def remove(self, name):
        self._remove_member(name)

    def sortByName(self):
        members = sorted(self._members(), key=lambda member: member.name())
        for member in members:
            self._remove_member(member.name())
        for member in members:
            self._add_member(member)

    def sortMembersByName(self):
        self.sortByName()

    def isMultiPeriod(self):
        return False

    def __add__(self, other):
        return _operation("Plus", self, other, names.caller())

    def __sub__(self, other):
        return _operation("Minus", self, other, names.caller())

    def __mul__(self, other):
        return _operation("Multiply", self, other, names.caller())

    def __truediv__(self, other):
        return _operation("Divide", self, other, names.caller())

    __array_ufunc__ = None


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
        """States the unit of X; converts nothing."""
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


class Spectrum:
    """One spectrum's number and detectors."""

    def __init__(self, cell, index):
        self._cell, self._index = cell, index

    def getSpectrumNo(self):
        return self._cell._spectrum_number(self._index)

    def setSpectrumNo(self, number):
        self._cell._set_spectrum_number(self._index, int(number))

    def getDetectorIDs(self):
        return self._cell._detector_ids(self._index)

    def hasDetectorID(self, number):
        return number in self.getDetectorIDs()

    def setDetectorID(self, number):
        self._cell._set_detector_ids(self._index, [int(number)])

    def addDetectorID(self, number):
        self._cell._set_detector_ids(self._index, [*self.getDetectorIDs(), int(number)])

    def clearDetectorIDs(self):
        self._cell._set_detector_ids(self._index, [])

    def getX(self):
        return np.array(self._cell.readX(self._index))

    def __getattr__(self, name):
        raise absent_method(type(self).__name__, name)


class EventType:
    """Kinds of events."""

    TOF, WEIGHTED, WEIGHTED_NOTIME = "TOF", "WEIGHTED", "WEIGHTED_NOTIME"


class EventList(Spectrum):
    """The events of one spectrum; times of flight in µs, or in the unit of X."""

    def getNumberEvents(self):
        return _engine.number_of_events_at(self._cell, self._index)

    def getTofs(self):
        return _engine.event_column(self._cell, self._index, "tof")

    def getWeights(self):
        return _engine.event_column(self._cell, self._index, "weight")

    def getWeightErrors(self):
        return _engine.event_column(self._cell, self._index, "error")

    def getPulseTimes(self):
        """The pulse of each event: a list of DateAndTime."""
        return [DateAndTime(int(time)) for time in _engine.pulse_times(self._cell, self._index)]

    def getPulseTimesAsNumpy(self):
        from mantid._times import times_array

        return times_array(_engine.pulse_times(self._cell, self._index))

    def getTofMin(self):
        tofs = self.getTofs()
        return float(tofs.min()) if len(tofs) else 0.0

    def getTofMax(self):
        tofs = self.getTofs()
        return float(tofs.max()) if len(tofs) else 0.0

    def integrate(self, minimum, maximum, entire_range):
        tofs, weights = self.getTofs(), self.getWeights()
        if entire_range:
            return float(np.sum(weights))
        return float(np.sum(weights[(tofs >= minimum) & (tofs <= maximum)]))

    def getEventType(self):
        return _engine.event_type(self._cell)

    def addEventQuickly(self, tof, pulsetime):
        _engine.add_event(self._cell, self._index, float(tof), DateAndTime(pulsetime).totalNanoseconds())

    def clear(self, removeDetIDs=True):
        _engine.clear_events(self._cell, self._index)
        if removeDetIDs:
            self.clearDetectorIDs()


class AlgorithmHistory:
    """One execution of an algorithm."""

    def __init__(self, row):
        self._name, self._version, self._time, self._seconds, self._properties = row

    def name(self):
        return self._name

    def version(self):
        return self._version

    def executionDate(self):
        return DateAndTime(self._time)

    def executionDuration(self):
        return self._seconds

    def getProperties(self):
        return [PropertyHistory(*row) for row in self._properties]

    def getPropertyValue(self, name):
        for known, value, _ in self._properties:
            if known.lower() == name.lower():
                return value
        raise RuntimeError(f"Could not find the specified property: {name}")

    def getChildHistories(self):
        return []

    def childHistorySize(self):
        return 0


class PropertyHistory:
    """One property of an execution."""

    def __init__(self, name, value, default):
        self._name, self._value, self._default = name, value, default

    def name(self):
        return self._name

    def value(self):
        return self._value

    def isDefault(self):
        return self._default


class WorkspaceHistory:
    """The executions that made a workspace, oldest first."""

    def __init__(self, cell):
        self._entries = [AlgorithmHistory(row) for row in cell._history()] if not cell.isGroup() else []

    def getAlgorithmHistories(self):
        return list(self._entries)

    def getAlgorithmHistory(self, index):
        return self._entries[index]

    def size(self):
        return len(self._entries)

    __len__ = size

    def empty(self):
        return not self._entries

    def lastAlgorithm(self):
        if not self._entries:
            raise RuntimeError("the history is empty")
        return self._entries[-1]

    def __getitem__(self, index):
        return self._entries[index]

    def __iter__(self):
        return iter(self._entries)


_KINDS = {
    "EventWorkspace": EventWorkspace,
    "Workspace2D": Workspace2D,
    "WorkspaceSingleValue": WorkspaceSingleValue,
    "WorkspaceGroup": WorkspaceGroup,
}


def wrap(cell):
    """The workspace of a bare cell."""
    return _KINDS.get(cell.id(), MatrixWorkspace)(cell)


def _operation(algorithm, left, right, frame, reverse=False, inplace=False):
    from mantid import _calls

    if isinstance(right, (int, float, np.integer, np.floating)) and not isinstance(right, bool):
        right = _calls.unstored("CreateSingleValuedWorkspace", DataValue=float(right))["OutputWorkspace"]
        if reverse and algorithm in ("Minus", "Divide"):
            right = _spread(right, left)
    elif not isinstance(right, _engine.Cell):
        return NotImplemented
    if reverse:
        left, right = right, left
    return _calls.operation(algorithm, left, right, frame, inplace)


def _spread(number, workspace):
    """A number in the shape of a workspace: the left side of an operation must not be smaller than the right."""
    from mantid import _calls

    if isinstance(workspace, EventWorkspace):
        workspace = _calls.unstored("ConvertToMatrixWorkspace", InputWorkspace=workspace)["OutputWorkspace"]
    nothing = _calls.unstored("CreateSingleValuedWorkspace", DataValue=0.0)["OutputWorkspace"]
    zero = _calls.unstored("Multiply", LHSWorkspace=workspace, RHSWorkspace=nothing)["OutputWorkspace"]
    return _calls.unstored("Plus", LHSWorkspace=zero, RHSWorkspace=number)["OutputWorkspace"]


def _power(workspace, exponent, frame, inplace):
    from mantid import _calls

    return _calls.named_operation(
        "Power", frame, workspace if inplace else None, InputWorkspace=workspace, Exponent=float(exponent)
    )
