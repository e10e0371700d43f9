"""Running MonitorLiveData algorithms as algorithm objects."""

from livedata import _engine
from mantid import _calls


class Monitor:
    """MonitorLiveData that runs on a thread of the worker."""

    def __init__(self, number):
        self._number = number
        self._known = dict(_engine.live_monitor(number) or [])

    def name(self):
        return "MonitorLiveData"

    def version(self):
        return 1

    def isRunning(self):
        return _engine.live_monitor(self._number) is not None

    def isExecuted(self):
        return not self.isRunning()

    def cancel(self):
        """Ends the monitor after its present chunk."""
        _engine.live_cancel(self._number)

    def _value(self, name):
        self._known.update(_engine.live_monitor(self._number) or [])
        for known, value in self._known.items():
            if known.lower() == str(name).lower():
                return value
        return None

    def existsProperty(self, name):
        declared = _calls.declaration("MonitorLiveData")["properties"]
        return any(prop["name"].lower() == str(name).lower() for prop in declared)

    def getPropertyValue(self, name):
        if not self.existsProperty(name):
            raise RuntimeError(f"Unknown property search object {name}")
        return self._value(name) or ""

    def getProperty(self, name):
        from mantid._properties import Property

        text = self.getPropertyValue(name)
        return Property(str(name), text, text=text)

    def __eq__(self, other):
        return isinstance(other, Monitor) and other._number == self._number

    def __hash__(self):
        return hash(self._number)

    def __repr__(self):
        return f"MonitorLiveData into {self._value('OutputWorkspace')}"

    def __getattr__(self, name):
        from mantid._absent import absent_method

        raise absent_method("MonitorLiveData", name)


def monitors():
    """Running monitors, oldest first."""
    return [Monitor(number) for number in _engine.live_monitors()]
