"""The data service: workspaces by name."""

from livedata import _engine
from mantid._group import WorkspaceGroup
from mantid._wrap import wrap


class AnalysisDataServiceImpl:
    """Workspaces by name, case-insensitive."""

    def Instance(self):
        return self

    def add(self, name, workspace):
        _engine.add(name, workspace)

    def addOrReplace(self, name, workspace):
        _engine.add_or_replace(name, workspace)

    def doesExist(self, name):
        return _engine.contains(name)

    def retrieve(self, name):
        """Workspace with a name; KeyError for an unknown one."""
        if not isinstance(name, str):
            raise TypeError(f"the name of a workspace is a string, not {type(name).__name__}")
        return wrap(_engine.retrieve(name))

    __getitem__ = retrieve

    def __setitem__(self, name, workspace):
        _engine.add_or_replace(name, workspace)

    def __contains__(self, name):
        return isinstance(name, str) and _engine.contains(name)

    def __delitem__(self, name):
        self.remove(name)

    def remove(self, name):
        _engine.remove(name)

    def rename(self, old, new):
        _engine.rename(old, new)

    def clear(self, prompt=False):
        _engine.clear()

    def size(self):
        return len(_engine.names())

    __len__ = size

    def getObjectNames(self, contain=""):
        return [name for name in _engine.names() if contain in name]

    def keys(self):
        return _engine.names()

    def __iter__(self):
        return iter(_engine.names())

    def retrieveWorkspaces(self, names, unrollGroups=False):
        found = []
        for name in names:
            workspace = self.retrieve(name)
            if unrollGroups and isinstance(workspace, WorkspaceGroup):
                found.extend(workspace)
            else:
                found.append(workspace)
        return found

    def addToGroup(self, group, name):
        self.retrieve(group).add(name)

    def removeFromGroup(self, group, name):
        self.retrieve(group).remove(name)

    def unique_name(self, n=5, prefix="", suffix=""):
        return _engine.unique_name(n, prefix, suffix)

    def unique_hidden_name(self):
        return _engine.unique_name(5, "__", "")

    def importAll(self):
        """Binds each workspace whose name is an identifier to a variable of the caller."""
        from livedata import names

        scope = names.caller().f_globals
        for name in _engine.names():
            if name.isidentifier():
                scope[name] = self.retrieve(name)

    def __getattr__(self, name):
        from mantid._absent import absent_method

        raise absent_method("AnalysisDataService", name)


AnalysisDataService = mtd = AnalysisDataServiceImpl()
