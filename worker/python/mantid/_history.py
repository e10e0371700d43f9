"""History of a workspace."""

from mantid._times import DateAndTime


class AlgorithmHistory:
    """One execution of an algorithm."""

    def __init__(self, row):
        self._name, self._version, self._time, self._seconds, self._properties = row

    def name(self):
        return self._name

    def version(self):
        return self._version

    def executionDate(self):
        return DateAndTime(self._time)

    def executionDuration(self):
        return self._seconds

    def getProperties(self):
        return [PropertyHistory(*row) for row in self._properties]

    def getPropertyValue(self, name):
        for known, value, _ in self._properties:
            if known.lower() == name.lower():
                return value
        raise RuntimeError(f"Could not find the specified property: {name}")

    def getChildHistories(self):
        return []

    def childHistorySize(self):
        return 0


class PropertyHistory:
    """One property of an execution."""

    def __init__(self, name, value, default):
        self._name, self._value, self._default = name, value, default

    def name(self):
        return self._name

    def value(self):
        return self._value

    def isDefault(self):
        return self._default


class WorkspaceHistory:
    """The executions that made a workspace, oldest first."""

    def __init__(self, cell):
        self._entries = [AlgorithmHistory(row) for row in cell._history()] if not cell.isGroup() else []

    def getAlgorithmHistories(self):
        return list(self._entries)

    def getAlgorithmHistory(self, index):
        return self._entries[index]

    def size(self):
        return len(self._entries)

    __len__ = size

    def empty(self):
        return not self._entries

    def lastAlgorithm(self):
        if not self._entries:
            raise RuntimeError("the history is empty")
        return self._entries[-1]

    def __getitem__(self, index):
        return self._entries[index]

    def __iter__(self):
        return iter(self._entries)
