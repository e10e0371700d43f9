"""Absolute times: nanoseconds since 1990-01-01T00:00:00 UTC."""

import functools

import numpy as np

from livedata import _engine

_UNIX_1990 = 631_152_000_000_000_000
_LARGEST = 2**63 - 1


class time_duration:
    """A difference of two times."""

    def __init__(self, nanoseconds):
        self._ns = int(nanoseconds)

    def total_nanoseconds(self):
        return self._ns

    def total_microseconds(self):
        return self._ns // 1000

    def total_milliseconds(self):
        return self._ns // 1_000_000

    def total_seconds(self):
        return self._ns // 1_000_000_000

    def hours(self):
        return self._ns // 3_600_000_000_000

    def minutes(self):
        return self._ns // 60_000_000_000 % 60

    def seconds(self):
        return self._ns // 1_000_000_000 % 60

    def __eq__(self, other):
        return isinstance(other, time_duration) and self._ns == other._ns

    def __hash__(self):
        return hash(self._ns)

    def __repr__(self):
        return f"{self._ns * 1e-9} s"


@functools.total_ordering
class DateAndTime:
    """A time, from ISO 8601 text, nanoseconds since 1990, seconds and nanoseconds, or a NumPy datetime64."""

    __slots__ = ("_ns",)

    def __init__(self, value=0, nanoseconds=None):
        if isinstance(value, DateAndTime):
            self._ns = value._ns
        elif isinstance(value, str):
            self._ns = _engine.parse_time(value)
        elif isinstance(value, np.datetime64):
            self._ns = int(value.astype("datetime64[ns]").astype(np.int64)) - _UNIX_1990
        elif nanoseconds is not None:
            self._ns = _clamped(int(value) * 1_000_000_000 + int(nanoseconds))
        else:
            self._ns = _clamped(int(value))

    @staticmethod
    def now():
        import time

        return DateAndTime(time.time_ns() - _UNIX_1990)

    def totalNanoseconds(self):
        """Nanoseconds since 1990."""
        return self._ns

    total_nanoseconds = totalNanoseconds

    def toISO8601String(self):
        return _engine.format_time(self._ns, True)

    def to_datetime64(self):
        return np.datetime64(self._ns + _UNIX_1990, "ns")

    def to_localtime_string(self):
        return str(self)

    def setToMinimum(self):
        self._ns = -_LARGEST

    def __str__(self):
        return _engine.format_time(self._ns)

    def __repr__(self):
        return str(self)

    def __property_text__(self):
        return _engine.format_time(self._ns, True)

    def __eq__(self, other):
        return isinstance(other, DateAndTime) and self._ns == other._ns

    def __lt__(self, other):
        if not isinstance(other, DateAndTime):
            return NotImplemented
        return self._ns < other._ns

    def __hash__(self):
        return hash(self._ns)

    def __add__(self, other):
        if isinstance(other, time_duration):
            return DateAndTime(self._ns + other.total_nanoseconds())
        if isinstance(other, (int, np.integer)):
            return DateAndTime(self._ns + int(other))
        if isinstance(other, (float, np.floating)):
            return DateAndTime(self._ns + round(float(other) * 1e9))
        return NotImplemented

    def __sub__(self, other):
        if isinstance(other, DateAndTime):
            return time_duration(self._ns - other._ns)
        if isinstance(other, time_duration):
            return DateAndTime(self._ns - other.total_nanoseconds())
        if isinstance(other, (int, np.integer)):
            return DateAndTime(self._ns - int(other))
        if isinstance(other, (float, np.floating)):
            return DateAndTime(self._ns - round(float(other) * 1e9))
        return NotImplemented


def _clamped(nanoseconds):
    return max(-_LARGEST, min(_LARGEST, nanoseconds))


def times_array(nanoseconds):
    """NumPy datetime64 of an array of nanoseconds since 1990."""
    return (np.asarray(nanoseconds, dtype=np.int64) + _UNIX_1990).astype("datetime64[ns]")
