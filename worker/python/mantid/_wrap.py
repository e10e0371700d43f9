"""Which class a workspace gets: each kind of workspace registers its own, so that no class need know the others."""

KINDS = {}


def kind(identifier):
    """Registers a class for workspaces whose id() is `identifier`."""

    def register(cls):
        KINDS[identifier] = cls
        return cls

    return register


def wrap(cell):
    """The workspace of a bare cell."""
    return KINDS.get(cell.id(), KINDS["MatrixWorkspace"])(cell)
