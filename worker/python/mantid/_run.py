"""Sample logs of a workspace."""

import numpy as np

from mantid._properties import Property, property_of
from mantid._times import DateAndTime
from mantid._vectors import V3D


class Goniometer:
    """Rotation of the sample."""

    def __init__(self, cell):
        self._cell = cell

    def getR(self):
        """The rotation: an array of shape (3, 3)."""
        return np.array(self._cell._goniometer())

    def setR(self, rotation):
        self._cell._set_goniometer(np.asarray(rotation, dtype=float).tolist())

    def getEulerAngles(self, convention="YZX"):
        """Three angles in degrees, about the axes of the convention in turn, as a vector."""
        return V3D(*_euler(self.getR(), convention))


class Run:
    """Logs of one workspace; changes apply to the workspace."""

    def __init__(self, cell):
        self._cell = cell

    def getProperty(self, name):
        """Log with a name; RuntimeError for an unknown one."""
        name = str(name)
        value, units = self._cell._log(name)
        text = None if isinstance(value, str) else self._cell._log_text(name)
        return property_of(name, value, units, text)

    getLogData = None

    def getProperties(self):
        return [self.getProperty(name) for name in self._cell._log_names()]

    def hasProperty(self, name):
        return self._cell._has_log(str(name))

    def addProperty(self, name, value, units="", replace=None):
        """addProperty(name, value, replace) or addProperty(name, value, units, replace)."""
        if replace is None:
            replace, units = (bool(units), "") if not isinstance(units, str) else (False, units)
        if not replace and self.hasProperty(name):
            raise RuntimeError(f"Property {name} already exists: give replace=True to replace it")
        if isinstance(value, Property):
            units = units or value.units
            value = getattr(value, "_series", None) or value.value
        elif isinstance(value, DateAndTime):
            value = str(value)
        elif isinstance(value, np.ndarray) and value.ndim == 0:
            value = value.item()
        self._cell._set_log(str(name), value, units)

    def addPropertyValue(self, name, value):
        self.addProperty(name, value, True)

    def removeProperty(self, name):
        self._cell._remove_log(str(name))

    def keys(self):
        return self._cell._log_names()

    def values(self):
        return self.getProperties()

    def items(self):
        return [(name, self.getProperty(name)) for name in self.keys()]

    def __getitem__(self, name):
        return self.getProperty(name)

    def __setitem__(self, name, value):
        self.addProperty(name, value, True)

    def __contains__(self, name):
        return self.hasProperty(name)

    def __iter__(self):
        return iter(self.keys())

    def __len__(self):
        return len(self.keys())

    def get(self, name, default=None):
        return self.getProperty(name) if self.hasProperty(name) else default

    def getPropertyAsSingleValue(self, name):
        """Value of a log as one number; of a time series, its time-weighted average."""
        log = self.getProperty(name)
        if hasattr(log, "timeAverageValue"):
            return log.timeAverageValue()
        try:
            return float(log.value)
        except (TypeError, ValueError):
            raise ValueError(f"the log {name} is no single number") from None

    getPropertyAsSingleValueWithTimeAveragedMean = getPropertyAsSingleValue

    def getTimeAveragedValue(self, name):
        return self.getProperty(name).timeAverageValue()

    def getStatistics(self, name):
        return self.getProperty(name).getStatistics()

    def getProtonCharge(self):
        """Proton charge of good frames in µA h."""
        return self._cell._proton_charge()

    def startTime(self):
        return DateAndTime(self._cell._start_time())

    def endTime(self):
        return DateAndTime(self._cell._end_time())

    def setStartAndEndTime(self, start, end):
        self.addProperty("start_time", str(start), True)
        self.addProperty("end_time", str(end), True)

    def getGoniometer(self, index=0):
        return Goniometer(self._cell)

    def getNumGoniometers(self):
        return 1

    def __getattr__(self, name):
        from mantid._absent import absent_method

        raise absent_method("Run", name)


Run.getLogData = lambda self, name=None: self.getProperties() if name is None else self.getProperty(name)
Run.getLogData.__doc__ = "The log of this name, or all logs."


def _axis(letter):
    return "XYZ".index(letter.upper())


def _euler(rotation, convention):
    """Angles a, b, c in degrees with rotation = R(first, a)·R(second, b)·R(third, c)."""
    i, j, k = map(_axis, convention)
    if i == k:
        # A proper Euler convention: the third axis is the one that is left.
        k = 3 - i - j
        sign = 1 if (j - i) % 3 == 1 else -1
        b = np.arccos(np.clip(rotation[i, i], -1, 1))
        if abs(np.sin(b)) < 1e-12:
            a, c = np.arctan2(sign * rotation[k, j], rotation[j, j]), 0.0
        else:
            a = np.arctan2(rotation[j, i], -sign * rotation[k, i])
            c = np.arctan2(rotation[i, j], sign * rotation[i, k])
    else:
        sign = 1 if (j - i) % 3 == 1 else -1
        b = np.arcsin(np.clip(sign * rotation[i, k], -1, 1))
        if abs(np.cos(b)) < 1e-12:
            a, c = np.arctan2(sign * rotation[k, j], rotation[j, j]), 0.0
        else:
            a = np.arctan2(-sign * rotation[j, k], rotation[k, k])
            c = np.arctan2(-sign * rotation[i, j], rotation[i, i])
    return [float(np.degrees(angle)) for angle in (a, b, c)]
