"""Workspace classes under the names of Mantid's `dataobjects`."""

from mantid._spectra import EventList
from mantid._table_workspace import TableWorkspace
from mantid._workspaces import EventWorkspace, Workspace2D, WorkspaceSingleValue


def __getattr__(name):
    from mantid._absent import absent

    raise absent("mantid.dataobjects", name)
