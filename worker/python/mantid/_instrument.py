"""Detectors and components of a workspace's instrument."""

from livedata import _engine
from mantid._vectors import V3D


class Component:
    """A part of an instrument."""

    def __init__(self, cell, index, name, position):
        self._cell, self._index, self._name, self._position = cell, index, name, position

    def getName(self):
        return self._name

    getFullName = getName

    def getPos(self):
        """Position in m."""
        return V3D(*self._position)

    def getDistance(self, other):
        """Distance to another component in m."""
        return (self.getPos() - other.getPos()).norm()

    def _parameter(self, name):
        return _engine.parameter(self._cell, str(name), self._index)

    def hasParameter(self, name, recursive=True):
        return self._parameter(name) is not None

    def _values(self, name, kinds, convert):
        held = self._parameter(name)
        return [] if held is None or held[2] not in kinds else [convert(held)]

    def getNumberParameter(self, name, recursive=True):
        """Values of a numeric parameter; empty if it is undefined."""
        held = self._parameter(name)
        return [] if held is None or held[1] is None else [held[1]]

    def getIntParameter(self, name, recursive=True):
        """Values of an integer parameter; empty if it is undefined."""
        return self._values(name, ("int",), lambda held: int(held[1]))

    def getBoolParameter(self, name, recursive=True):
        """Values of a boolean parameter; empty if it is undefined."""
        return self._values(name, ("bool",), lambda held: held[0] == "true")

    def getStringParameter(self, name, recursive=True):
        held = self._parameter(name)
        return [] if held is None else [held[0]]

    def getParameterAsString(self, name, recursive=True):
        return next(iter(self.getStringParameter(name)), "")

    def getParameterType(self, name, recursive=True):
        """Type of a parameter: double, int, string or bool; empty if it is undefined."""
        held = self._parameter(name)
        return "" if held is None else held[2]

    def getParameterNames(self, recursive=True):
        """Names of parameters, with those of parents unless `recursive` is False."""
        return _engine.parameter_names(self._cell, bool(recursive), self._index)

    def _children(self):
        rows = (_engine.component_at(self._cell, index) for index in _engine.children(self._cell, self._index))
        return [Component(self._cell, *row) for row in rows if row is not None]

    def nelements(self):
        return len(self._children())

    def __getitem__(self, index):
        return self._children()[index]

    def __len__(self):
        return self.nelements()

    def __getattr__(self, name):
        from mantid._absent import absent_method

        raise absent_method(type(self).__name__, name)


class Detector(Component):
    """One detector, or the group that makes up a spectrum."""

    def __init__(self, cell, ids):
        rows = [row for row in (_engine.detector(cell, number) for number in ids) if row is not None]
        if not rows:
            raise RuntimeError(f"the instrument has no detector {', '.join(map(str, ids[:5])) or 'for this spectrum'}")
        count = len(rows)
        position = tuple(sum(row[2][axis] for row in rows) / count for axis in range(3))
        super().__init__(cell, None, rows[0][1], position)
        self._ids, self._rows = [row[0] for row in rows], rows

    def _parameter(self, name):
        return _engine.parameter(self._cell, str(name), None, self._ids[0])

    def getParameterNames(self, recursive=True):
        return _engine.parameter_names(self._cell, bool(recursive), None, self._ids[0])

    def _mean(self, column):
        return sum(row[column] for row in self._rows) / len(self._rows)

    def getID(self):
        return self._ids[0]

    def getDetectorIDs(self):
        return list(self._ids)

    def isMonitor(self):
        return all(row[3] for row in self._rows)

    def isMasked(self):
        return all(_engine.detector_masked(self._cell, number) for number in self._ids)

    def isGroup(self):
        return len(self._ids) > 1

    def getTwoTheta(self, sample, axis):
        """The angle between the direction from `sample` and `axis`, radians."""
        return (self.getPos() - sample).angle(axis)

    def getSignedTwoTheta(self, sample, axis, instrument_up):
        normal = axis.cross_prod(self.getPos() - sample)
        angle = self.getTwoTheta(sample, axis)
        return -angle if normal.scalar_prod(instrument_up) < 0 else angle

    def getPhi(self):
        """The azimuth, radians."""
        return self._mean(6)

    def solidAngle(self, observer):
        from mantid._absent import absent_method

        raise absent_method("Detector", "solidAngle")


class ReferenceFrame:
    """Directions of the laboratory's frame: up and along the beam."""

    def vecPointingUp(self):
        return V3D(0, 1, 0)

    def vecPointingAlongBeam(self):
        return V3D(0, 0, 1)

    def pointingUpAxis(self):
        return "Y"

    def pointingAlongBeamAxis(self):
        return "Z"


class Instrument(Component):
    """A workspace's instrument."""

    def __init__(self, cell):
        super().__init__(cell, None, _engine.instrument_name(cell), (0.0, 0.0, 0.0))

    def getFullName(self):
        return self._name

    def _children(self):
        rows = (_engine.component_at(self._cell, index) for index in _engine.children(self._cell, 0))
        return [Component(self._cell, *row) for row in rows if row is not None]

    def getSource(self):
        source, _ = _engine.source_and_sample(self._cell)
        if source is None:
            raise RuntimeError(f"the instrument {self._name or '(none)'} has no source")
        return Component(self._cell, *source)

    def getSample(self):
        _, sample = _engine.source_and_sample(self._cell)
        if sample is None:
            raise RuntimeError(f"the instrument {self._name or '(none)'} has no sample position")
        return Component(self._cell, *sample)

    def getComponentByName(self, name):
        """Component with a name or path; None for an unknown one."""
        row = _engine.component(self._cell, str(name))
        return None if row is None else Component(self._cell, *row)

    def getDetector(self, number):
        """Detector with an id; RuntimeError for an unknown one."""
        return Detector(self._cell, [int(number)])

    def getNumberDetectors(self, skip_monitors=False):
        return len(_engine.detector_ids(self._cell, not skip_monitors))

    def getDetectorIDs(self, skip_monitors=False):
        return _engine.detector_ids(self._cell, not skip_monitors)

    def getReferenceFrame(self):
        return ReferenceFrame()


class SpectrumInfo:
    """Geometry and flags of spectra, by workspace index; lengths in m, angles in radians."""

    def __init__(self, cell):
        self._cell = cell

    def size(self):
        return self._cell.getNumberHistograms()

    __len__ = size

    def _flags(self, index):
        return _engine.spectrum_flags(self._cell, index)

    def _geometry(self, index):
        held = _engine.spectrum_geometry(self._cell, index)
        if held is None:
            raise RuntimeError(f"the spectrum at index {index} has no detectors")
        return held

    def hasDetectors(self, index):
        return self._flags(index)[0]

    def hasUniqueDetector(self, index):
        return len(self._cell._detector_ids(index)) == 1

    def isMonitor(self, index):
        return self._flags(index)[1]

    def isMasked(self, index):
        return self._flags(index)[2]

    def setMasked(self, index, masked):
        _engine.set_masked(self._cell, self._cell._detector_ids(index), bool(masked))

    def l1(self):
        return float(_l1(self._cell))

    def l2(self, index):
        return self._geometry(index)[1]

    def twoTheta(self, index):
        return self._geometry(index)[2]

    def signedTwoTheta(self, index):
        return self._geometry(index)[3]

    def azimuthal(self, index):
        return self._geometry(index)[4]

    def position(self, index):
        return V3D(*self._geometry(index)[5])

    def samplePosition(self):
        return Instrument(self._cell).getSample().getPos()

    def sourcePosition(self):
        return Instrument(self._cell).getSource().getPos()

    def __iter__(self):
        return (SpectrumInfoItem(self, index) for index in range(self.size()))

    def __getattr__(self, name):
        from mantid._absent import absent_method

        raise absent_method("SpectrumInfo", name)


class SpectrumInfoItem:
    """One spectrum of a SpectrumInfo."""

    def __init__(self, info, index):
        self._info, self._index = info, index

    def __getattr__(self, name):
        # Attributes of the item are the methods of the whole, at its index; flags and angles are plain values there.
        value = getattr(self._info, name)(self._index)
        return (
            value
            if name in ("isMonitor", "isMasked", "hasDetectors", "l2", "twoTheta", "position")
            else (lambda: value)
        )


class DetectorInfo:
    """Geometry and flags of detectors, by index in the order of their ids; lengths in m, angles in radians."""

    def __init__(self, cell):
        self._cell = cell
        self._ids = _engine.detector_ids(cell, True)

    def size(self):
        return len(self._ids)

    __len__ = size

    def detectorIDs(self):
        return list(self._ids)

    def indexOf(self, number):
        import bisect

        at = bisect.bisect_left(self._ids, number)
        if at == len(self._ids) or self._ids[at] != number:
            raise IndexError(f"the instrument has no detector {number}")
        return at

    def _row(self, index):
        return _engine.detector(self._cell, self._ids[index])

    def isMonitor(self, index):
        return self._row(index)[3]

    def isMasked(self, index):
        return _engine.detector_masked(self._cell, self._ids[index])

    def setMasked(self, index, masked):
        _engine.set_masked(self._cell, [self._ids[index]], bool(masked))

    def hasMaskedDetectors(self):
        return any(_engine.detector_masked(self._cell, number) for number in self._ids)

    def l1(self):
        return float(_l1(self._cell))

    def l2(self, index):
        return self._row(index)[4]

    def twoTheta(self, index):
        return self._row(index)[5]

    def azimuthal(self, index):
        return self._row(index)[6]

    def signedTwoTheta(self, index):
        return self._row(index)[7]

    def position(self, index):
        return V3D(*self._row(index)[2])

    def samplePosition(self):
        return Instrument(self._cell).getSample().getPos()

    def sourcePosition(self):
        return Instrument(self._cell).getSource().getPos()

    def __getattr__(self, name):
        from mantid._absent import absent_method

        raise absent_method("DetectorInfo", name)


def _l1(cell):
    instrument = Instrument(cell)
    return instrument.getSource().getDistance(instrument.getSample())
