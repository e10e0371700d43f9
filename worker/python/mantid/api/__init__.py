"""Workspaces, the data service, algorithms and files."""

from mantid._algorithms import (
    Algorithm,
    AlgorithmFactory,
    AlgorithmFactoryImpl,
    AlgorithmManager,
    AlgorithmManagerImpl,
    IAlgorithm,
)
from mantid._data_service import (
    AnalysisDataService,
    AnalysisDataServiceImpl,
    mtd,
)
from mantid._files import FileFinder, FileFinderImpl
from mantid._instrument import DetectorInfo, SpectrumInfo
from mantid._properties import Direction, PropertyMode
from mantid._run import Run
from mantid._workspaces import (
    AlgorithmHistory,
    BinEdgeAxis,
    IEventWorkspace,
    MatrixWorkspace,
    NumericAxis,
    TextAxis,
    Workspace,
    WorkspaceGroup,
    WorkspaceHistory,
)


def __getattr__(name):
    from mantid._absent import absent

    raise absent("mantid.api", name)
