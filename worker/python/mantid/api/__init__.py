"""Workspaces, the data service, algorithms and files."""

from mantid._algorithms import (
    Algorithm,
    AlgorithmFactory,
    AlgorithmFactoryImpl,
    AlgorithmManager,
    AlgorithmManagerImpl,
    IAlgorithm,
)
from mantid._axes import BinEdgeAxis, NumericAxis, TextAxis
from mantid._data_service import (
    AnalysisDataService,
    AnalysisDataServiceImpl,
    mtd,
)
from mantid._files import FileFinder, FileFinderImpl
from mantid._group import WorkspaceGroup
from mantid._history import AlgorithmHistory, WorkspaceHistory
from mantid._instrument import DetectorInfo, SpectrumInfo
from mantid._properties import Direction, PropertyMode
from mantid._run import Run
from mantid._table_workspace import ITableWorkspace
from mantid._workspaces import IEventWorkspace, MatrixWorkspace, Workspace


def __getattr__(name):
    from mantid._absent import absent

    raise absent("mantid.api", name)
