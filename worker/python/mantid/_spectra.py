"""Spectra: their numbers, detectors and events."""

import numpy as np

from livedata import _engine
from mantid._absent import absent_method
from mantid._times import DateAndTime, times_array


class DetectorIDs(list):
    """Ids of detectors, each once and in order."""

    def size(self):
        return len(self)

    def __str__(self):
        return f"set({','.join(map(str, self))})"


class Spectrum:
    """One spectrum's number and detectors."""

    def __init__(self, cell, index):
        self._cell, self._index = cell, index

    def getSpectrumNo(self):
        return self._cell._spectrum_number(self._index)

    def setSpectrumNo(self, number):
        self._cell._set_spectrum_number(self._index, int(number))

    def getDetectorIDs(self):
        """The ids, in order: a list that prints as a set."""
        return DetectorIDs(self._cell._detector_ids(self._index))

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
    """Mantid's event types."""

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
        """Pulse time of each event: a list of DateAndTime."""
        return [DateAndTime(int(time)) for time in _engine.pulse_times(self._cell, self._index)]

    def getPulseTimesAsNumpy(self):
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

    def switchTo(self, kind):
        """Converts events to weighted ones, or to weighted ones without pulse times; never back."""
        kinds = [EventType.TOF, EventType.WEIGHTED, EventType.WEIGHTED_NOTIME]
        if kind not in kinds:
            raise ValueError(f"there is no kind of events {kind}: the known ones are {', '.join(kinds)}")
        if kinds.index(kind) < kinds.index(self.getEventType()):
            lost = "weights" if kind == EventType.TOF else "missing pulse times"
            raise RuntimeError(f"EventList::switchTo() cannot make {kind} events: the list has {lost}")
        if kind != self.getEventType():
            _engine.weigh_events(self._cell, self._index, kind == EventType.WEIGHTED_NOTIME)

    def getPulseTimeMin(self):
        return min(self.getPulseTimes(), default=DateAndTime(0))

    def getPulseTimeMax(self):
        return max(self.getPulseTimes(), default=DateAndTime(0))

    def addEventQuickly(self, tof, pulsetime):
        _engine.add_event(self._cell, self._index, float(tof), DateAndTime(pulsetime).totalNanoseconds())

    def clear(self, removeDetIDs=True):
        _engine.clear_events(self._cell, self._index)
        if removeDetIDs:
            self.clearDetectorIDs()
