"""Mantid's Python API over the native engine, as far as live reduction scripts use it.

It is no Mantid. What it lacks says so by name when it is imported or called; run the worker with ENGINE=mantid in its
Mantid image for the real one.
"""

__version__ = "6.0.0+native"

from mantid import api, kernel
from mantid.api import AlgorithmManager, AnalysisDataService, FileFinder, mtd
from mantid.kernel import ConfigService, config, logger


def __getattr__(name):
    import importlib

    if name in ("simpleapi", "geometry", "dataobjects"):
        return importlib.import_module(f"mantid.{name}")
    from mantid._absent import absent

    raise absent("mantid", name)
