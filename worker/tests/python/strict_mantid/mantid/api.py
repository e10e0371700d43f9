"""Workspaces and the data service."""

from mantid import NotDocumented, Strict, typed
from mantid.kernel import DateAndTime, _Series

# Made by the tests: detector ids of each instrument, in order.
INSTRUMENTS = {"STRICT": list(range(1001, 1011))}


class EventList(Strict):
    def __init__(self, number, detectors):
        self.number, self.detectors, self.events = number, list(detectors), []

    def addEventQuickly(self, tof, pulsetime):
        typed("tof", tof, float)
        typed("pulsetime", pulsetime, DateAndTime)
        self.events.append((tof, pulsetime.nanoseconds))

    def clear(self, removeDetIDs):
        if typed("removeDetIDs", removeDetIDs, bool):
            self.detectors.clear()
        self.events.clear()

    def setSpectrumNo(self, number):
        self.number = typed("the spectrum number", number, int)

    def getSpectrumNo(self):
        return self.number

    def getDetectorIDs(self):
        return list(self.detectors)


class Axis(Strict):
    def __init__(self):
        self.unit = "TOF"

    def setUnit(self, name):
        if name != "TOF":
            raise NotDocumented(f"the unit {name!r}")
        self.unit = name


class Run(Strict):
    def __init__(self):
        self.logs = {}

    def addProperty(self, name, value, *rest):
        typed("the name of a log", name, str)
        if len(rest) == 1:
            typed("replace", rest[0], bool)
            if not isinstance(value, _Series):
                typed("the value of a log", value, str, int, float, bool, list)
        elif len(rest) == 2:
            typed("units", rest[0], str)
            typed("replace", rest[1], bool)
            typed("the value of a log", value, str, int, float, bool, list)
        else:
            raise NotDocumented("addProperty takes (name, value, replace) or (name, value, units, replace)")
        if name in self.logs and not rest[-1]:
            raise RuntimeError(f"{name} exists")
        self.logs[name] = value


class History(Strict):
    def __init__(self, entries):
        self.entries = entries

    def size(self):
        return len(self.entries)


class EventWorkspace(Strict):
    def __init__(self, spectra):
        self.spectra, self.axis, self.logs, self.title, self.history = spectra, Axis(), Run(), "", []
        self.x = None

    def id(self):
        return "EventWorkspace"

    def getMemorySize(self):
        return 16 * self.getNumberEvents()

    def getNumberHistograms(self):
        return len(self.spectra)

    def getNumberEvents(self):
        return sum(len(spectrum.events) for spectrum in self.spectra)

    def getSpectrum(self, index):
        return self.spectra[typed("the index", index, int)]

    def getSpectrumNumbers(self):
        return [spectrum.number for spectrum in self.spectra]

    def getAxis(self, index):
        if index != 0:
            raise NotDocumented(f"axis {index}")
        return self.axis

    def mutableRun(self):
        return self.logs

    def setTitle(self, title):
        self.title = typed("the title", title, str)

    def getHistory(self):
        return History(self.history)


class WorkspaceGroup(Strict):
    def __init__(self, names):
        self.names = names

    def id(self):
        return "WorkspaceGroup"

    def getMemorySize(self):
        return 0


class _DataService(Strict):
    def __init__(self):
        self.held = {}

    def doesExist(self, name):
        return typed("the name", name, str) in self.held

    def retrieve(self, name):
        if typed("the name", name, str) not in self.held:
            raise KeyError(name)
        return self.held[name]

    def remove(self, name):
        self.held.pop(typed("the name", name, str))

    def clear(self):
        self.held.clear()

    def getObjectNames(self):
        return list(self.held)


AnalysisDataService = _DataService()


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise NotDocumented(f"mantid.api.{name}")
