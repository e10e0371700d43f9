"""A function for each algorithm, and what scripts take from this module besides.

The names of outputs come from the variables that results are assigned to.
"""

import os
import sys

from livedata import _engine
from mantid import _calls
from mantid._scripts import RunPythonScript
from mantid.api import (
    AlgorithmManager,
    AnalysisDataService,
    FileFinder,
    MatrixWorkspace,
    WorkspaceGroup,
    mtd,
)
from mantid.kernel import ConfigService, DateAndTime, Direction, config, logger

_ALGORITHMS = tuple(_engine.algorithm_names())

for _name in _ALGORITHMS:
    globals()[_name] = _calls.function(_name)

__all__ = [
    *_ALGORITHMS,
    "AlgorithmManager",
    "AnalysisDataService",
    "ConfigService",
    "DateAndTime",
    "Direction",
    "FileFinder",
    "MatrixWorkspace",
    "RunPythonScript",
    "WorkspaceGroup",
    "config",
    "logger",
    "mtd",
    "os",
    "sys",
]


def __getattr__(name):
    from mantid._absent import absent

    raise absent("mantid.simpleapi", name)
