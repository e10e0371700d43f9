"""Times and time series."""

from mantid import NotDocumented, Strict, __version__, typed


def version_str():
    return __version__


class DateAndTime(Strict):
    def __init__(self, nanoseconds):
        self.nanoseconds = typed("DateAndTime(…)", nanoseconds, int)


class _Series(Strict):
    kind = None

    def __init__(self, name):
        self.name = typed("the name of a series", name, str)
        self.values = []
        self.units = ""

    def addValue(self, time, value):
        typed("the time of a value", time, DateAndTime)
        self.values.append((time.nanoseconds, typed(f"a value of {type(self).__name__}", value, self.kind)))


class FloatTimeSeriesProperty(_Series):
    kind = float


class Int64TimeSeriesProperty(_Series):
    kind = int


class StringTimeSeriesProperty(_Series):
    kind = str


class BoolTimeSeriesProperty(_Series):
    kind = bool


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise NotDocumented(f"mantid.kernel.{name}")
