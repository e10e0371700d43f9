"""Algorithms as objects: created, given properties, executed."""

import threading

from livedata import _engine
from mantid import _calls, _live
from mantid._properties import Direction, Property
from mantid._wrap import wrap

_DIRECTIONS = {"In": Direction.Input, "Out": Direction.Output, "InOut": Direction.InOut}


class IAlgorithm:
    """One execution of an algorithm."""

    def __init__(self, name, version=None):
        version = None if version in (None, -1) else int(version)
        self._run = _engine.NativeAlgorithm(name, version)
        self._declared = _calls.declaration(name, version)
        self._title = f"{name}-v{self._declared['version']}"
        self._results = {}
        self._rethrows = True
        self._child = False
        self._executed = False
        self._running = False

    def name(self):
        return self._declared["name"]

    def version(self):
        return self._declared["version"]

    def category(self):
        return self._declared["category"]

    def categories(self):
        return self._declared["category"].split(";")

    def summary(self):
        return self._declared["summary"]

    def helpURL(self):
        return ""

    def seeAlso(self):
        return []

    def initialize(self):
        """No effect: algorithms are initialised when they are created."""

    def isInitialized(self):
        return True

    def setChild(self, child):
        self._child = bool(child)
        self._run.store_in_data_service(not child)

    def isChild(self):
        return self._child

    def setAlwaysStoreInADS(self, stored):
        self._run.store_in_data_service(bool(stored))

    def enableHistoryRecordingForChild(self, _on):
        """No effect: the history of a child is part of its parent's."""

    def setLogging(self, logged):
        self._run.enable_logging(bool(logged))

    def setRethrows(self, rethrows):
        self._rethrows = bool(rethrows)

    def _find(self, name):
        for prop in self._declared["properties"]:
            if prop["name"].lower() == str(name).lower():
                return prop
        raise RuntimeError(f"Unknown property search object {name}")

    def existsProperty(self, name):
        return any(prop["name"].lower() == str(name).lower() for prop in self._declared["properties"])

    def setProperty(self, name, value):
        prop = self._find(name)
        if isinstance(value, Property):
            value = value.value
        _calls.set_property(self._run, self._title, prop["name"], value)
        return self

    setPropertyValue = setProperty

    def setProperties(self, properties):
        for name, value in properties.items():
            self.setProperty(name, value)

    def getProperty(self, name):
        """Property with its present value; outputs have one after execution."""
        prop = self._find(name)
        value = self._results.get(prop["name"])
        if value is None:
            value = self._run.get(prop["name"])
            if isinstance(value, _engine.NativeWorkspace):
                value = wrap(value)
        text = value.name() if isinstance(value, _engine.NativeWorkspace) else self._run.text(prop["name"])
        return AlgorithmProperty(prop, value, text, self._run.is_default(prop["name"]))

    def getPropertyValue(self, name):
        return self.getProperty(name).valueAsStr

    def getProperties(self):
        return [self.getProperty(prop["name"]) for prop in self._declared["properties"]]

    def mandatoryProperties(self):
        return [prop["name"] for prop in _calls._positional(self._declared)]

    def outputProperties(self):
        return [prop["name"] for prop in self._declared["properties"] if prop["direction"] == "Out"]

    def orderedProperties(self):
        return [prop["name"] for prop in self._declared["properties"]]

    def validateInputs(self):
        return {}

    def execute(self):
        """True on success; a failure raises, or returns False after setRethrows(False)."""
        self._running = True
        _remember(self)
        try:
            self._results = dict(self._run.execute())
        except Exception:
            self._executed = False
            if self._rethrows:
                raise
            return False
        finally:
            self._running = False
            _forget(self)
        self._results = {
            name: wrap(value) if isinstance(value, _engine.NativeWorkspace) else value
            for name, value in self._results.items()
        }
        self._executed = True
        return True

    def isExecuted(self):
        return self._executed

    def isRunning(self):
        return self._running

    def cancel(self):
        from mantid._absent import absent_method

        raise absent_method("Algorithm", "cancel")

    def docString(self):
        return self._declared["help"]

    def __getattr__(self, name):
        from mantid._absent import absent_method

        raise absent_method("Algorithm", name)


Algorithm = IAlgorithm


class AlgorithmProperty(Property):
    """A property of an algorithm."""

    def __init__(self, declared, value, text, default):
        super().__init__(declared["name"], value, declared["unit"], _DIRECTIONS[declared["direction"]], text)
        self._declared, self._default = declared, default

    @property
    def isDefault(self):
        return self._default

    @property
    def documentation(self):
        return self._declared["document"]

    @property
    def allowedValues(self):
        return list(self._declared.get("allowed", []))

    @property
    def getDefault(self):
        return self._declared["default"]

    def isOptional(self):
        return not self._declared["mandatory"]


_running = []
_guard = threading.Lock()


def _remember(algorithm):
    with _guard:
        _running.append(algorithm)


def _forget(algorithm):
    with _guard:
        _running.remove(algorithm)


class AlgorithmManagerImpl:
    """Creation of algorithms, and the list of running ones."""

    def Instance(self):
        return self

    def create(self, name, version=-1):
        return IAlgorithm(name, version)

    createUnmanaged = create

    def size(self):
        return len(_running) + len(_live.monitors())

    def runningInstancesOf(self, name):
        with _guard:
            running = [algorithm for algorithm in _running if algorithm.name() == name]
        return running + _live.monitors() if name == "MonitorLiveData" else running

    def newestInstanceOf(self, name):
        found = self.runningInstancesOf(name)
        return found[-1] if found else None

    def cancelAll(self):
        """Cancels all MonitorLiveData algorithms; no other algorithm outlives its script."""
        for monitor in _live.monitors():
            monitor.cancel()

    def shutdown(self):
        self.cancelAll()

    def clear(self):
        self.shutdown()

    def __getattr__(self, name):
        from mantid._absent import absent_method

        raise absent_method("AlgorithmManager", name)


AlgorithmManager = AlgorithmManagerImpl()


class AlgorithmFactoryImpl:
    """Names and versions of the available algorithms."""

    def Instance(self):
        return self

    def exists(self, name, version=-1):
        return _calls.declaration(name, None if version == -1 else version) is not None

    def getRegisteredAlgorithms(self, include_hidden=False):
        return {name: _engine.algorithm_versions(name) for name in _engine.algorithm_names()}

    def highestVersion(self, name):
        versions = _engine.algorithm_versions(name)
        if not versions:
            raise ValueError(_engine.missing(name))
        return versions[-1]

    def subscribe(self, _kind):
        from mantid._absent import absent_method

        raise absent_method("AlgorithmFactory", "subscribe")

    def __getattr__(self, name):
        from mantid._absent import absent_method

        raise absent_method("AlgorithmFactory", name)


AlgorithmFactory = AlgorithmFactoryImpl()
