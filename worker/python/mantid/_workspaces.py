"""Workspaces of spectra: MatrixWorkspace and its kinds."""

import numpy as np

from livedata import _engine
from mantid import _methods
from mantid._absent import absent_method
from mantid._arithmetic import Arithmetic
from mantid._axes import Dimension, SpectraAxis, XAxis
from mantid._components import ComponentInfo, Sample
from mantid._history import WorkspaceHistory
from mantid._instrument import Detector, DetectorInfo, Instrument, SpectrumInfo
from mantid._run import Run
from mantid._spectra import EventList, Spectrum
from mantid._wrap import kind, wrap


class Workspace(_engine.NativeWorkspace):
    """Base class of everything that the data service holds."""

    __module__ = "mantid.api._api"

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
        return isinstance(other, _engine.NativeWorkspace) and self._number() == other._number()

    def __hash__(self):
        return hash(self._number())

    def __str__(self):
        return self.name()

    def __repr__(self):
        return f"{type(self).__name__}({self.name()!r})"

    def __getattr__(self, name):
        raise absent_method(type(self).__name__, name)


_methods.attach(Workspace)


@kind("MatrixWorkspace")
class MatrixWorkspace(Arithmetic, Workspace):
    """Spectra over X of one unit: histograms, points or events."""

    __module__ = "mantid.api._api"

    def x(self, index):
        """X of a spectrum: a read-only array."""
        return self.readX(index)

    def y(self, index):
        """Y of a spectrum: a read-only array."""
        return self.readY(index)

    def e(self, index):
        """E of a spectrum: a read-only array."""
        return self.readE(index)

    def setSharedX(self, index, values):
        """Sets X of a spectrum to a copy of an array."""
        self.setX(index, values)

    def setSharedY(self, index, values):
        """Sets Y of a spectrum to a copy of an array."""
        self.setY(index, values)

    def setSharedE(self, index, values):
        """Sets E of a spectrum to a copy of an array."""
        self.setE(index, values)

    def hasDx(self, index):
        """False: the native engine has no uncertainties of X."""
        return False

    def getAxis(self, index):
        """Axis 0 (X) or 1 (vertical)."""
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
        """Detectors of a spectrum; RuntimeError for a spectrum without one."""
        self._check(index)
        return Detector(self, self._detector_ids(index))

    def spectrumInfo(self):
        return SpectrumInfo(self)

    def detectorInfo(self):
        return DetectorInfo(self)

    def componentInfo(self):
        return ComponentInfo(self)

    def detectorTwoTheta(self, detector):
        """Angle in radians."""
        return detector._mean(5)

    def detectorSignedTwoTheta(self, detector):
        return detector._mean(7)

    def getInstrument(self):
        return Instrument(self)

    def run(self):
        return Run(self)

    def getRun(self):
        return Run(self)

    def getSampleDetails(self):
        return Run(self)

    def mutableRun(self):
        return Run(self)

    def sample(self):
        return Sample(self)

    def getEFixed(self, detector=None):
        """The fixed energy, meV: that of a detector, where one is given and has it, else the log Ei, or the instrument's parameter Efixed."""
        if detector is not None:
            if not isinstance(detector, Detector):
                detector = Detector(self, [int(detector)])
            held = detector._parameter("Efixed")
            if held is not None and held[1] is not None:
                return held[1]
        run = self.run()
        if run.hasProperty("Ei"):
            return float(run.getPropertyAsSingleValue("Ei"))
        held = _engine.parameter(self, "Efixed", None) or _engine.parameter(self, "EFixed", None)
        if held is None or held[1] is None:
            raise RuntimeError("Could not retrieve incident energy from run object")
        return held[1]

    def setEFixed(self, detector, energy):
        """Sets the fixed energy of a detector by id, in meV."""
        from mantid import _calls

        given = {"Workspace": self, "ParameterName": "Efixed", "ParameterType": "Number", "Value": str(float(energy))}
        _calls.unstored("SetInstrumentParameter", DetectorList=[int(detector)], **given)

    def hasAnyMaskedBins(self):
        return any(self.hasMaskedBins(index) for index in range(self.getNumberHistograms()))

    def getMonitorWorkspace(self):
        held = _engine.monitor_workspace(self)
        if held is None:
            raise RuntimeError(f"workspace {self.name()} has no monitor workspace")
        return wrap(held)

    def setMonitorWorkspace(self, workspace):
        _engine.set_monitor_workspace(self, workspace)

    def clearMonitorWorkspace(self):
        _engine.set_monitor_workspace(self, None)

    def yIndexOfX(self, x, index=0, tolerance=0.0):
        """Index of the bin that contains a value of X."""
        edges = self.readX(index)
        at = int(np.searchsorted(edges, x, side="right")) - 1
        if not 0 <= at < self.getNumberBins(index):
            raise IndexError(f"{x} is outside of the X of spectrum {index}: {edges[0]} to {edges[-1]}")
        return at

    def binIndexOf(self, x, index=0):
        """Index of the bin that contains a value of X."""
        return self.yIndexOfX(x, index)

    def equals(self, other, tolerance):
        """True if another workspace is equal within a tolerance."""
        from mantid import _calls

        held = _calls.unstored("CompareWorkspaces", Workspace1=self, Workspace2=other, Tolerance=tolerance)
        return held["Result"]

    def isRaggedWorkspace(self):
        widths = {self.getNumberBins(index) for index in range(self.getNumberHistograms())}
        return len(widths) > 1

    def isCommonLogBins(self):
        steps = np.diff(np.log(self.readX(0)))
        return bool(self.isCommonBins() and np.allclose(steps, steps[0]))

    def getIntegratedCountsForWorkspaceIndices(self, indices, min_x=None, max_x=None, entire_range=True):
        return [float(self.readY(index).sum()) for index in indices]

    def findY(self, value, start=(0, 0)):
        """(workspace index, bin) of the first Y equal to `value`; (-1, -1) if none is."""
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
        """Replaces the axis by a NumericAxis or TextAxis, whose values are copied."""
        if index == 0:
            self.getAxis(0).setUnit(axis.getUnit().unitID())
        else:
            _engine.set_vertical_axis(self, axis.unit_id, axis.extractValues())


@kind("Workspace2D")
class Workspace2D(MatrixWorkspace):
    """Histograms or points."""

    __module__ = "mantid.dataobjects._dataobjects"


@kind("WorkspaceSingleValue")
class WorkspaceSingleValue(MatrixWorkspace):
    """One number with its standard deviation."""

    __module__ = "mantid.dataobjects._dataobjects"

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


@kind("EventWorkspace")
class EventWorkspace(IEventWorkspace):
    """Events, binned when they are read."""

    __module__ = "mantid.dataobjects._dataobjects"

    def getSpectrum(self, index):
        self._check(index)
        return EventList(self, index)

    getEventList = getSpectrum
