"""Values with a name: logs of a run, and properties of algorithms."""

import numpy as np

from livedata import _engine
from mantid._times import DateAndTime, times_array


class Direction:
    """Direction of a property: input, output or both."""

    Input, Output, InOut, None_ = 0, 1, 2, 3


class PropertyMode:
    """Mandatory or optional workspace property."""

    Mandatory, Optional = 0, 1


class Property:
    """A value with a name and a unit."""

    def __init__(self, name, value, units="", direction=Direction.Input, text=None):
        self._name, self._value, self._units, self._text = name, value, units, text
        self.direction = direction

    @property
    def name(self):
        return self._name

    @property
    def value(self):
        return self._value

    @property
    def units(self):
        return self._units

    @units.setter
    def units(self, units):
        self._units = units

    @property
    def valueAsStr(self):
        return self._text if self._text is not None else str(self._value)

    def valueAsString(self):
        return self.valueAsStr

    @property
    def type(self):
        return {str: "string", bool: "bool", int: "number", float: "number"}.get(type(self._value), "list")

    def __repr__(self):
        return f"{type(self).__name__}({self._name!r}, {self._value!r})"


class StringPropertyWithValue(Property):
    """Text value."""


class FloatPropertyWithValue(Property):
    """Floating-point value."""


class IntPropertyWithValue(Property):
    """Integer value."""


class BoolPropertyWithValue(Property):
    """Boolean value."""


class FloatArrayProperty(Property):
    """Array of floating-point values."""


class IntArrayProperty(Property):
    """Array of integers."""


class TimeSeriesPropertyStatistics:
    """Statistics of a time series; the duration is in seconds."""

    def __init__(self, numbers):
        (
            self.minimum,
            self.maximum,
            self.mean,
            self.median,
            self.standard_deviation,
            self.time_mean,
            self.time_standard_deviation,
            self.duration,
        ) = numbers


class _TimeSeries(Property):
    """Time series, ascending in time."""

    _kind = "float"

    def __init__(self, name, series=None, units=""):
        if series is None:
            series = _engine.NativeTimeSeries([], [])
        super().__init__(name, None, units)
        self._series = series

    @property
    def value(self):
        """Values without the filter: an array, or a list of texts."""
        return self._series.values()

    @property
    def times(self):
        """Times without the filter: array of datetime64[ns]."""
        return times_array(self._series.times())

    @property
    def filtered_value(self):
        """Values inside the run's filter."""
        return self._series.filtered().values()

    @property
    def filtered_times(self):
        return times_array(self._series.filtered().times())

    @property
    def type(self):
        return f"TimeSeries<{self._kind}>"

    @property
    def valueAsStr(self):
        return self._series.text()

    def size(self):
        return self._series.size()

    def __len__(self):
        return self._series.size()

    def realSize(self):
        return self._series.size()

    def _at(self, index):
        if self._series.size() == 0:
            raise RuntimeError(f"the time series {self.name} is empty")
        return self._series.at_index(index)

    def firstValue(self):
        return self._at(0)

    def lastValue(self):
        return self._at(self._series.size() - 1)

    def nthValue(self, index):
        size = self._series.size()
        if size == 0:
            raise RuntimeError(f"the time series {self.name} is empty")
        return self._series.at_index(min(max(int(index), 0), size - 1))

    def _time(self, index):
        if self._series.size() == 0:
            raise RuntimeError(f"the time series {self.name} is empty")
        return DateAndTime(int(self._series.times()[index]))

    def firstTime(self):
        return self._time(0)

    def lastTime(self):
        return self._time(-1)

    def nthTime(self, index):
        return self._time(min(max(int(index), 0), self._series.size() - 1))

    def getSingleValue(self, time):
        return self._series.at(DateAndTime(time).totalNanoseconds())

    def addValue(self, time, value):
        """Adds a value to this copy; give it back with run.addProperty."""
        times = [*map(int, self._series.times()), DateAndTime(time).totalNanoseconds()]
        values = self._series.values()
        self._series = _engine.NativeTimeSeries(
            times, [*(values if isinstance(values, list) else values.tolist()), value]
        )

    def getStatistics(self, time_filter=None):
        """Statistics of the filtered values, or of all without a filter."""
        numbers = self._series.statistics()
        return TimeSeriesPropertyStatistics(numbers if numbers is not None else (float("nan"),) * 8)

    def timeAverageValue(self, time_filter=None):
        average = self._series.time_average()
        return float("nan") if average is None else average

    def __repr__(self):
        return f"{type(self).__name__}({self.name!r}, {self.size()} values)"


class FloatTimeSeriesProperty(_TimeSeries):
    """Time series of floating-point values."""


class Int32TimeSeriesProperty(_TimeSeries):
    """Time series of integers."""

    _kind = "int32"


class Int64TimeSeriesProperty(Int32TimeSeriesProperty):
    """Time series of integers."""

    _kind = "int64"


class StringTimeSeriesProperty(_TimeSeries):
    """Time series of texts."""

    _kind = "string"


class BoolTimeSeriesProperty(_TimeSeries):
    """Time series of booleans."""

    _kind = "bool"


_SERIES = {
    "float": FloatTimeSeriesProperty,
    "int": Int64TimeSeriesProperty,
    "string": StringTimeSeriesProperty,
    "bool": BoolTimeSeriesProperty,
}


def property_of(name, value, units, text=None):
    """The property that holds a log's value."""
    if isinstance(value, _engine.NativeTimeSeries):
        return _SERIES[value.kind()](name, value, units)
    if isinstance(value, bool):
        kind = BoolPropertyWithValue
    elif isinstance(value, int):
        kind = IntPropertyWithValue
    elif isinstance(value, float):
        kind = FloatPropertyWithValue
    elif isinstance(value, np.ndarray):
        kind = IntArrayProperty if value.dtype.kind == "i" else FloatArrayProperty
    else:
        kind = StringPropertyWithValue
    return kind(name, value, units, text=text)
