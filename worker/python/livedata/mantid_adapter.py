"""Live workspaces in the real Mantid, made with its documented Python API only.

All that is used of Mantid, so that a change there can be checked against this list:

- mantid.simpleapi: LoadEmptyInstrument(InstrumentName, OutputWorkspace, MakeEventWorkspace),
  GroupDetectors(InputWorkspace, OutputWorkspace, MapFile), Rebin(InputWorkspace, OutputWorkspace, Params,
  PreserveEvents), GroupWorkspaces(InputWorkspaces, OutputWorkspace);
- mantid.api.AnalysisDataService: doesExist(name), retrieve(name), remove(name), clear(), getObjectNames();
- event workspaces: getAxis(0).setUnit("TOF"), getNumberHistograms(), getNumberEvents(), getSpectrum(index),
  getSpectrumNumbers(), mutableRun(), setTitle(text), getHistory().size(),
  getMemorySize(), id();
- spectra: addEventQuickly(float µs, DateAndTime), clear(bool), setSpectrumNo(int), getDetectorIDs();
- runs: addProperty(name, value, units, replace), addProperty(name, property, replace);
- mantid.kernel: DateAndTime(int nanoseconds since 1990), FloatTimeSeriesProperty(name),
  Int64TimeSeriesProperty(name), StringTimeSeriesProperty(name), BoolTimeSeriesProperty(name), each with
  addValue(DateAndTime, value) and the attribute units.
"""

import os
import tempfile


class LiveWorkspaces:
    """Event workspaces of the live run in Mantid's data service, one for each period."""

    def __init__(self):
        self._workspaces = {}

    def prepare(self, name, instrument, numbers, detectors):
        """Creates an event workspace of these spectra, unless the present one still fits.

        numbers: the spectrum number of each spectrum; detectors: their detector ids. Returns (whether it is empty and
        new, indices of spectra that it cannot hold because the instrument has none of their detectors).
        """
        from mantid.api import AnalysisDataService

        layout = (instrument, tuple(numbers), tuple(map(tuple, detectors)))
        known = self._workspaces.get(name)
        if known is not None and known.layout == layout and AnalysisDataService.doesExist(name):
            if known.untouched(AnalysisDataService.retrieve(name)):
                return False, known.left_out
        self._workspaces[name] = _make(name, layout)
        return True, self._workspaces[name].left_out

    def add_events(self, name, index, times_of_flight, pulse_times):
        """Appends events to a spectrum: times of flight in µs, pulse times in ns since 1990."""
        self._workspaces[name].add(index, times_of_flight, pulse_times)

    def clear_events(self, name, index):
        """Removes the events of a spectrum; its detectors stay."""
        self._workspaces[name].clear(index)

    def set_logs(self, name, title, logs):
        """Replaces logs: (name, value, units, times in ns since 1990 or None) each, with a list of values beside times."""
        self._workspaces[name].set_logs(title, logs)

    def finish(self, name, low, high):
        """Sets X to the real limits of the events, µs: Mantid leaves [0, smallest number]."""
        from mantid.api import AnalysisDataService
        from mantid.simpleapi import Rebin

        if high > low:
            Rebin(InputWorkspace=name, OutputWorkspace=name, Params=[low, high - low, high], PreserveEvents=True)
        self._workspaces[name].remember(AnalysisDataService.retrieve(name))

    def group(self, name, members):
        """Groups the workspaces of several periods under the live workspace's name."""
        from mantid.api import AnalysisDataService
        from mantid.simpleapi import GroupWorkspaces

        if AnalysisDataService.doesExist(name):
            AnalysisDataService.remove(name)
        GroupWorkspaces(InputWorkspaces=list(members), OutputWorkspace=name)

    def clear(self):
        """Removes all workspaces, at the start of another run."""
        from mantid.api import AnalysisDataService

        self._workspaces.clear()
        AnalysisDataService.clear()

    def workspaces(self):
        """(name, class, bytes) of each workspace in the data service."""
        from mantid.api import AnalysisDataService

        found = []
        for name in AnalysisDataService.getObjectNames():
            workspace = AnalysisDataService.retrieve(name)
            found.append((name, workspace.id(), int(workspace.getMemorySize())))
        return found


class _LiveWorkspace:
    """One live workspace with the state in which the worker left it."""

    def __init__(self, layout, workspace, indices, left_out):
        self.layout, self.left_out = layout, left_out
        self._workspace, self._indices = workspace, indices
        self._times = {}
        self.remember(workspace)

    def remember(self, workspace):
        self._workspace = workspace
        self._events = workspace.getNumberEvents()
        self._history = workspace.getHistory().size()

    def untouched(self, workspace):
        """True if no script has changed the workspace."""
        if workspace.id() != "EventWorkspace" or workspace.getNumberHistograms() != len(set(self._indices.values())):
            return False
        return (workspace.getNumberEvents(), workspace.getHistory().size()) == (self._events, self._history)

    def add(self, index, times_of_flight, pulse_times):
        from mantid.kernel import DateAndTime

        at = self._indices.get(index)
        if at is None:
            return
        add = self._workspace.getSpectrum(at).addEventQuickly
        times = self._times
        for time_of_flight, nanoseconds in zip(times_of_flight.tolist(), pulse_times.tolist()):
            time = times.get(nanoseconds)
            if time is None:
                time = times[nanoseconds] = DateAndTime(nanoseconds)
            add(time_of_flight, time)
        # Spectra share pulses; what is kept is bounded all the same.
        if len(times) > 1_000_000:
            times.clear()

    def clear(self, index):
        at = self._indices.get(index)
        if at is not None:
            self._workspace.getSpectrum(at).clear(False)

    def set_logs(self, title, logs):
        run = self._workspace.mutableRun()
        self._workspace.setTitle(title)
        for name, value, units, times in logs:
            if times is None:
                run.addProperty(name, value, units, True)
            else:
                run.addProperty(name, _series(name, value, units, times), True)


def _series(name, values, units, times):
    from mantid import kernel

    first = values[0] if len(values) else 0.0
    if isinstance(first, bool):
        kind = kernel.BoolTimeSeriesProperty
    elif isinstance(first, str):
        kind = kernel.StringTimeSeriesProperty
    elif isinstance(first, int):
        kind = kernel.Int64TimeSeriesProperty
    else:
        kind = kernel.FloatTimeSeriesProperty
    series = kind(name)
    for time, value in zip(times, values):
        series.addValue(kernel.DateAndTime(int(time)), value)
    series.units = units
    return series


def _make(name, layout):
    """An empty event workspace of the layout's spectra under the name."""
    from mantid.api import AnalysisDataService
    from mantid.simpleapi import GroupDetectors, LoadEmptyInstrument

    instrument, numbers, detectors = layout
    LoadEmptyInstrument(InstrumentName=instrument, OutputWorkspace=name, MakeEventWorkspace=True)
    bare = AnalysisDataService.retrieve(name)
    spectra_of_detectors = _spectra_of_detectors(bare)
    groups, indices, left_out = [], {}, []
    for index, ids in enumerate(detectors):
        members = sorted({spectra_of_detectors[number] for number in ids if number in spectra_of_detectors})
        if members:
            indices[index] = len(groups)
            groups.append(members)
        else:
            left_out.append(index)
    if not groups:
        raise RuntimeError(f"the instrument {instrument} has none of the detectors of the run's map")
    path = _write_map(groups)
    try:
        GroupDetectors(InputWorkspace=name, OutputWorkspace=name, MapFile=path)
    finally:
        os.remove(path)
    workspace = AnalysisDataService.retrieve(name)
    for index, at in indices.items():
        workspace.getSpectrum(at).setSpectrumNo(int(numbers[index]))
    workspace.getAxis(0).setUnit("TOF")
    return _LiveWorkspace(layout, workspace, indices, left_out)


def _spectra_of_detectors(workspace):
    """{detector id: spectrum number} of a workspace with one detector in each spectrum."""
    found = {}
    for index, number in enumerate(workspace.getSpectrumNumbers()):
        for detector in workspace.getSpectrum(index).getDetectorIDs():
            found[int(detector)] = int(number)
    return found


def _write_map(groups):
    """A .map file: how many groups, then of each its number, how many spectra it has, and their numbers."""
    lines = [str(len(groups))]
    for number, members in enumerate(groups, start=1):
        lines += [str(number), str(len(members)), " ".join(map(str, members))]
    descriptor, path = tempfile.mkstemp(suffix=".map", prefix="live-data-")
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")
    return path
