"""The parts of an instrument as a tree, and the sample."""

import bisect
import math

import numpy as np

from livedata import _engine
from mantid._absent import absent_method
from mantid._vectors import V3D


class ComponentInfo:
    """The parts of an instrument by index: detectors first, in order of their ids, then what carries them, the
    instrument last. Positions are in metres."""

    def __init__(self, cell):
        self._cell = cell
        self._ids = _engine.detector_ids(cell, True)
        self._parts = _engine.components(cell)
        self._carriers = None

    def size(self):
        return len(self._ids) + len(self._parts)

    __len__ = size

    def root(self):
        return self.size() - 1

    def _check(self, index):
        if not 0 <= index < self.size():
            raise IndexError(f"component index {index} is out of range: the instrument has {self.size()}")
        return index

    def _part(self, index):
        """The engine's index of a component that is not a detector: in the engine the instrument is first."""
        return self.size() - 1 - index

    def _index(self, part):
        return self.size() - 1 - part

    def isDetector(self, index):
        return self._check(index) < len(self._ids)

    def isMonitor(self, index):
        return self.isDetector(index) and _engine.detector(self._cell, self._ids[index])[3]

    def name(self, index):
        if self.isDetector(index):
            return _engine.detector(self._cell, self._ids[index])[1]
        return self._parts[self._part(index)][0]

    def indexOfAny(self, name):
        """Index of the component with a name; ValueError for an unknown one."""
        row = _engine.component(self._cell, str(name))
        if row is not None:
            return self._index(row[0])
        for index, number in enumerate(self._ids):
            if _engine.detector(self._cell, number)[1] == name:
                return index
        raise ValueError(f"{name} does not exist")

    def position(self, index):
        if self.isDetector(index):
            return V3D(*_engine.detector(self._cell, self._ids[index])[2])
        return V3D(*self._parts[self._part(index)][2])

    def setPosition(self, index, position):
        """Moves a component and all below it, to a position in m."""
        place = tuple(float(value) for value in position)
        if self.isDetector(index):
            _engine.move_detector(self._cell, self._ids[index], place)
        else:
            _engine.move_component(self._cell, self._part(index), place)
            self._parts = _engine.components(self._cell)

    def hasParent(self, index):
        return self._check(index) != self.root()

    def parent(self, index):
        """Index of the parent; the instrument is its own parent."""
        if self.isDetector(index):
            if self._carriers is None:
                self._carriers = _engine.detector_parents(self._cell)
            return self._index(self._carriers[index])
        carrier = self._parts[self._part(index)][1]
        return index if carrier is None else self._index(carrier)

    def children(self, index):
        """Indices of a component's direct children."""
        if self.isDetector(index):
            return []
        part = self._part(index)
        if self._carriers is None:
            self._carriers = _engine.detector_parents(self._cell)
        detectors = [at for at, carrier in enumerate(self._carriers) if carrier == part]
        return detectors + [self._index(at) for at in reversed(_engine.children(self._cell, part))]

    def detectorsInSubtree(self, index):
        if self.isDetector(index):
            return np.array([index])
        ids = _engine.detectors_within(self._cell, self._part(index))
        return np.array([bisect.bisect_left(self._ids, number) for number in ids], dtype=int)

    def componentsInSubtree(self, index):
        if self.isDetector(index):
            return np.array([index])
        part, inside = self._part(index), set()
        for at, (_, carrier, _) in enumerate(self._parts):
            # What carries a part comes before it.
            if at == part or carrier in inside:
                inside.add(at)
        parts = [self._index(at) for at in sorted(inside, reverse=True)]
        return np.array([*self.detectorsInSubtree(index), *parts], dtype=int)

    def _marked(self, which, what):
        row = _engine.source_and_sample(self._cell)[which]
        if row is None:
            raise RuntimeError(f"the instrument has no {what}")
        return self._index(row[0])

    def hasSource(self):
        return _engine.source_and_sample(self._cell)[0] is not None

    def hasSample(self):
        return _engine.source_and_sample(self._cell)[1] is not None

    def source(self):
        return self._marked(0, "source")

    def sample(self):
        return self._marked(1, "sample position")

    def sourcePosition(self):
        return self.position(self.source())

    def samplePosition(self):
        return self.position(self.sample())

    def l1(self):
        return (self.samplePosition() - self.sourcePosition()).norm()

    def __iter__(self):
        return (ComponentInfoItem(self, index) for index in range(self.size()))

    def __getattr__(self, name):
        raise absent_method("ComponentInfo", name)


class ComponentInfoItem:
    """One part of a ComponentInfo."""

    def __init__(self, info, index):
        self._info, self.index = info, index

    @property
    def isDetector(self):
        return self._info.isDetector(self.index)

    @property
    def position(self):
        return self._info.position(self.index)

    @property
    def children(self):
        return self._info.children(self.index)

    @property
    def detectorsInSubtree(self):
        return self._info.detectorsInSubtree(self.index)

    @property
    def componentsInSubtree(self):
        return self._info.componentsInSubtree(self.index)

    def name(self):
        return self._info.name(self.index)


class OrientedLattice:
    """A crystal lattice and its orientation: lengths in Å, angles in degrees."""

    def __init__(self, row):
        self._lengths, self._angles, self._ub, self._volume = row

    def a(self):
        return self._lengths[0]

    def b(self):
        return self._lengths[1]

    def c(self):
        return self._lengths[2]

    def alpha(self):
        return self._angles[0]

    def beta(self):
        return self._angles[1]

    def gamma(self):
        return self._angles[2]

    def volume(self):
        """Volume of the unit cell, Å³."""
        return self._volume

    def getUB(self):
        """Reciprocal vectors as columns, Å⁻¹ without 2π: an array of shape (3, 3)."""
        return np.array(self._ub)

    def getB(self):
        """B matrix, Å⁻¹ without 2π: upper triangular, crystal not rotated."""
        return np.linalg.cholesky(self.getUB().T @ self.getUB()).T

    def getU(self):
        """The rotation of the crystal: an array of shape (3, 3)."""
        return self.getUB() @ np.linalg.inv(self.getB())

    def qFromHKL(self, hkl):
        """Scattering vector of (h, k, l) in Å⁻¹, with 2π."""
        return V3D(*(2 * math.pi * (self.getUB() @ np.array([float(value) for value in hkl]))))

    def hklFromQ(self, q):
        return V3D(*(np.linalg.inv(self.getUB()) @ np.array([float(value) for value in q]) / (2 * math.pi)))

    def dstar(self, h, k, l):  # noqa: E741
        """Inverse lattice spacing of (h, k, l), Å⁻¹."""
        return float(np.linalg.norm(self.getUB() @ np.array([h, k, l], dtype=float)))

    def d(self, h, k, l):  # noqa: E741
        """Lattice spacing of (h, k, l), Å."""
        return 1.0 / self.dstar(h, k, l)

    def __getattr__(self, name):
        raise absent_method("OrientedLattice", name)


class Sample:
    """Sample of a workspace; changes apply to the workspace."""

    def __init__(self, cell):
        self._cell = cell

    def _row(self):
        return _engine.sample(self._cell)

    def _set(self, **changed):
        name, geometry, size, lattice = self._row()
        ub = None if lattice is None else lattice[2]
        row = {"name": name, "geometry": geometry, "size": size, "ub": ub, **changed}
        _engine.set_sample(self._cell, row["name"], row["geometry"], row["size"], row["ub"])

    def _set_size(self, place, value):
        size = list(self._row()[2])
        size[place] = float(value)
        self._set(size=size)

    def getName(self):
        return self._row()[0]

    def setName(self, name):
        self._set(name=str(name))

    def getGeometryFlag(self):
        return self._row()[1]

    def setGeometryFlag(self, flag):
        self._set(geometry=int(flag))

    def getThickness(self):
        """mm."""
        return self._row()[2][0]

    def setThickness(self, thickness):
        self._set_size(0, thickness)

    def getHeight(self):
        """mm."""
        return self._row()[2][1]

    def setHeight(self, height):
        self._set_size(1, height)

    def getWidth(self):
        """mm."""
        return self._row()[2][2]

    def setWidth(self, width):
        self._set_size(2, width)

    def hasOrientedLattice(self):
        return self._row()[3] is not None

    def getOrientedLattice(self):
        """Crystal lattice; RuntimeError for a sample without one."""
        row = self._row()[3]
        if row is None:
            raise RuntimeError("Sample::getOrientedLattice - No OrientedLattice has been defined.")
        return OrientedLattice(row)

    def setOrientedLattice(self, lattice):
        self._set(ub=lattice.getUB().tolist())

    def clearOrientedLattice(self):
        self._set(ub=None)

    def size(self):
        return 1

    __len__ = size

    def __getattr__(self, name):
        raise absent_method("Sample", name)
