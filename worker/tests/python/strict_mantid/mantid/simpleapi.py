"""Algorithms, with exactly the keywords that their documentation lists."""

from mantid import NotDocumented, typed
from mantid.api import INSTRUMENTS, AnalysisDataService, EventList, EventWorkspace, WorkspaceGroup


def _named(function):
    """Algorithms are called by keyword, so that their order of arguments doesn't matter."""

    def call(*args, **kwargs):
        if args:
            raise NotDocumented(f"{function.__name__} with positional arguments")
        return function(**kwargs)

    return call


@_named
def LoadEmptyInstrument(*, OutputWorkspace, Filename=None, InstrumentName=None, MakeEventWorkspace=False):
    typed("InstrumentName", InstrumentName, str)
    if typed("MakeEventWorkspace", MakeEventWorkspace, bool) is not True:
        raise NotDocumented("a workspace of events is needed")
    if InstrumentName not in INSTRUMENTS:
        raise ValueError(f"instrument {InstrumentName} not found")
    spectra = [EventList(number, [detector]) for number, detector in enumerate(INSTRUMENTS[InstrumentName], start=1)]
    AnalysisDataService.held[OutputWorkspace] = EventWorkspace(spectra)


@_named
def GroupDetectors(*, InputWorkspace, OutputWorkspace, MapFile):
    source = AnalysisDataService.retrieve(InputWorkspace)
    words = []
    with open(typed("MapFile", MapFile, str)) as file:
        for line in file:
            words += line.split("#")[0].split()
    count, words = int(words[0]), words[1:]
    by_number = {spectrum.number: spectrum for spectrum in source.spectra}
    spectra = []
    for group in range(1, count + 1):
        number, size = int(words[0]), int(words[1])
        if number != group:
            raise NotDocumented(f"group {group} has the number {number}")
        members, words = [by_number[int(word)] for word in words[2 : 2 + size]], words[2 + size :]
        if len(members) != size:
            raise ValueError("the map file ends too early")
        spectra.append(EventList(group, [detector for member in members for detector in member.detectors]))
    if words:
        raise ValueError("the map file has more than its groups")
    AnalysisDataService.held[OutputWorkspace] = EventWorkspace(spectra)


@_named
def Rebin(*, InputWorkspace, OutputWorkspace, Params, PreserveEvents=True):
    if InputWorkspace != OutputWorkspace or PreserveEvents is not True:
        raise NotDocumented("the live workspace is rebinned in place, as events")
    first, step, last = (typed("Params", value, float) for value in typed("Params", Params, list))
    if not (last > first and step > 0):
        raise ValueError("Bin boundary values must be given in order of increasing value")
    workspace = AnalysisDataService.retrieve(InputWorkspace)
    workspace.x = (first, last)
    workspace.history.append("Rebin")


@_named
def GroupWorkspaces(*, InputWorkspaces, OutputWorkspace):
    for name in typed("InputWorkspaces", InputWorkspaces, list):
        AnalysisDataService.retrieve(name)
    AnalysisDataService.held[OutputWorkspace] = WorkspaceGroup(InputWorkspaces)


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise NotDocumented(f"mantid.simpleapi.{name}")
