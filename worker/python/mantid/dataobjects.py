"""The kinds of workspaces."""

from mantid._workspaces import EventList, EventWorkspace, Workspace2D, WorkspaceSingleValue


def __getattr__(name):
    from mantid._absent import absent

    raise absent("mantid.dataobjects", name)
