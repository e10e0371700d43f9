"""Registry of Python classes by kind of workspace, so that no class imports the others."""

KINDS = {}


def kind(identifier):
    """Registers a class for workspaces whose id() is `identifier`."""

    def register(cls):
        KINDS[identifier] = cls
        return cls

    return register


def wrap(cell):
    """Workspace object of its class for a NativeWorkspace."""
    return KINDS.get(cell.id(), KINDS["MatrixWorkspace"])(cell)
