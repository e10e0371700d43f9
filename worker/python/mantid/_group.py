"""Groups of workspaces."""

from livedata import _engine
from mantid._arithmetic import Sums
from mantid._workspaces import Workspace
from mantid._wrap import kind, wrap


@kind("WorkspaceGroup")
class WorkspaceGroup(Sums, Workspace):
    """Other workspaces, in order."""

    __module__ = "mantid.api._api"

    def isGroup(self):
        return True

    def getNumberOfEntries(self):
        return len(self._members())

    def size(self):
        return len(self._members())

    def __len__(self):
        return len(self._members())

    def getNames(self):
        return self._member_names()

    def getItem(self, which):
        """Member by index or by name."""
        if isinstance(which, str):
            for member in self._members():
                if member.name() == which:
                    return wrap(member)
            raise ValueError(f"Workspace {which} not contained in the group")
        members = self._members()
        if not -len(members) <= which < len(members):
            raise IndexError(f"group index {which} is out of range: the group has {len(members)}")
        return wrap(members[which])

    __getitem__ = getItem

    def __iter__(self):
        return iter([wrap(member) for member in self._members()])

    def __contains__(self, which):
        return self.contains(which)

    def contains(self, which):
        if isinstance(which, str):
            return which in self._member_names()
        return any(member._number() == which._number() for member in self._members())

    def add(self, name):
        self._add_member(_engine.retrieve(name))

    def addWorkspace(self, workspace):
        self._add_member(workspace)

    def remove(self, name):
        self._remove_member(name)

    def sortByName(self):
        members = sorted(self._members(), key=lambda member: member.name())
        for member in members:
            self._remove_member(member.name())
        for member in members:
            self._add_member(member)

    def sortMembersByName(self):
        self.sortByName()

    def isMultiPeriod(self):
        return False
