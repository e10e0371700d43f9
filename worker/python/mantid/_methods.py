"""Algorithms that are also methods of workspaces, with the workspace as first argument."""

from livedata import names

# Method and algorithm.
_METHODS = {
    "clone": "CloneWorkspace",
    "convertUnits": "ConvertUnits",
    "delete": "DeleteWorkspace",
    "maskDetectors": "MaskDetectors",
    "rebin": "Rebin",
    "rename": "RenameWorkspace",
}


def attach(kind):
    """Adds the methods to a workspace class."""
    for method, algorithm in _METHODS.items():
        setattr(kind, method, _method(method, algorithm))


def _method(method, algorithm):
    def call(self, *args, **kwargs):
        from mantid import _calls

        return _calls.run(algorithm, (self, *args), kwargs, names.caller())

    call.__name__ = method
    call.__doc__ = f"{algorithm} of this workspace."
    return call
