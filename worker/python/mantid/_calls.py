"""Calls of algorithms from Python: arguments, names of outputs, results and errors."""

import collections
import functools
import inspect

from livedata import _engine, names
from mantid._logger import logger
from mantid._tables import Messages
from mantid._wrap import wrap

_EXTRA = ("StoreInADS", "EnableLogging", "Version", "startProgress", "endProgress", "__LOGGING_CHILD_ALG__")


@functools.cache
def declaration(name, version=None):
    """Declaration of an algorithm; None for an unknown name."""
    return _engine.declaration(name, version)


def function(name):
    """The function that calls an algorithm by its properties."""
    declared = declaration(name)

    def call(*args, **kwargs):
        return run(name, args, kwargs, names.caller())

    call.__name__ = call.__qualname__ = name
    call.__module__ = "mantid.simpleapi"
    call.__doc__ = declared["help"]
    call.__signature__ = _signature(declared)
    return call


def run(name, args, kwargs, frame):
    """Calls an algorithm; `frame` is the caller's, whose variables name the outputs."""
    extra = {key: kwargs.pop(key) for key in _EXTRA if key in kwargs}
    version = extra.get("Version")
    version = None if version in (None, -1) else int(version)
    algorithm = _engine.NativeAlgorithm(name, version)
    declared = declaration(name, version)
    title = f"{name}-v{declared['version']}"
    stored = bool(extra.get("StoreInADS", True))
    algorithm.store_in_data_service(stored)
    algorithm.enable_logging(bool(extra.get("EnableLogging", True)))
    given = _arguments(name, title, declared, args, kwargs)
    outputs = [prop for prop in declared["properties"] if prop["direction"] == "Out"]
    count, targets = names.assigned(frame)
    if stored:
        for prop, target in zip(outputs, targets):
            if prop["workspace"] and target and prop["name"].lower() not in given:
                given[prop["name"].lower()] = (prop["name"], target)
    for key, value in given.values():
        set_property(algorithm, title, key, value)
    results = execute(algorithm, title)
    return _returned(name, results, count)


def set_property(algorithm, title, key, value):
    """Sets a property; errors name property and algorithm."""
    if value is None:
        return
    try:
        algorithm.set(key, value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise type(error)(f'Problem setting "{key}" in {title}: {error}') from None


def execute(algorithm, title):
    """Executes; returns a dictionary of the outputs, workspaces as workspaces."""
    try:
        results = algorithm.execute()
    except RuntimeError as error:
        raise RuntimeError(f"{title}: {error}") from None
    return {key: _result(algorithm, title, key, value) for key, value in results}


def _result(algorithm, title, key, value):
    """Python object for an output value."""
    if isinstance(value, _engine.NativeWorkspace):
        return wrap(value)
    if key == "Messages" and title.startswith("CompareWorkspaces-"):
        return Messages(value, algorithm.text("Workspace1"), algorithm.text("Workspace2"))
    return value


def unstored(name, **properties):
    """Runs an algorithm whose outputs stay out of the data service; returns them by name."""
    algorithm = _engine.NativeAlgorithm(name, None)
    title = f"{name}-v{algorithm.version()}"
    algorithm.store_in_data_service(False)
    algorithm.enable_logging(False)
    for key, value in properties.items():
        set_property(algorithm, title, key, value)
    return execute(algorithm, title)


def operation(name, left, right, frame, inplace):
    """An operator between two workspaces."""
    return named_operation(name, frame, left if inplace else None, LHSWorkspace=left, RHSWorkspace=right)


def named_operation(name, frame, target, **properties):
    """An operator: the output is named as the variable that it is assigned to, or as `target` in place. A result within
    an expression has no name and is kept out of the data service."""
    count, targets = names.assigned(frame)
    if target is not None:
        output = target.name()
    else:
        output = targets[0] if count else ""
    if not output:
        return unstored(name, **properties)["OutputWorkspace"]
    algorithm = _engine.NativeAlgorithm(name, None)
    title = f"{name}-v{algorithm.version()}"
    for key, value in (*properties.items(), ("OutputWorkspace", output)):
        set_property(algorithm, title, key, value)
    return execute(algorithm, title)["OutputWorkspace"]


def _positional(declared):
    """Properties that positional arguments fill: mandatory ones first, then the others, in declared order."""
    taken = [prop for prop in declared["properties"] if prop["direction"] != "Out"]
    return [p for p in taken if _required(p)] + [p for p in taken if not _required(p)]


def _required(prop):
    return prop["mandatory"]


def _arguments(name, title, declared, args, kwargs):
    """Given arguments as {lower-case name: (name, value)}."""
    known = {prop["name"].lower(): prop for prop in declared["properties"]}
    given = {}
    for key, value in kwargs.items():
        prop = known.get(key.lower())
        if prop is None and name == "Load":
            # What only another kind of file could need is passed over, as Mantid's Load does.
            logger.warning(f"Load has no property {key} for processed files: it is left out")
            continue
        if prop is None:
            raise TypeError(f"'{key}' is an invalid keyword argument for {title}")
        if key.lower() in given:
            raise TypeError(f"{name}() got multiple values for argument '{key}'")
        given[key.lower()] = (prop["name"], value)
    places = [prop for prop in _positional(declared) if prop["name"].lower() not in given]
    if len(args) > len(places):
        raise TypeError(f"{name}() takes at most {len(places)} more positional arguments, but {len(args)} were given")
    for prop, value in zip(places, args):
        given[prop["name"].lower()] = (prop["name"], value)
    # Inputs first: an output may have the name of an input that is checked against it.
    return given


def _returned(name, results, count):
    if count > 1 and count != len(results):
        raise RuntimeError(
            f"{name} is trying to return {len(results)} output(s) but you have provided {count} variable(s). "
            "These numbers must match."
        )
    if not results:
        return None
    if len(results) == 1:
        return next(iter(results.values()))
    return _tuple_type(name, tuple(results))(*results.values())


@functools.cache
def _tuple_type(name, fields):
    return collections.namedtuple(f"{name}_returns", fields)


def _signature(declared):
    parameters = []
    for prop in _positional(declared):
        default = inspect.Parameter.empty if _required(prop) else prop["default"]
        parameters.append(inspect.Parameter(prop["name"], inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default))
    for prop in declared["properties"]:
        if prop["direction"] == "Out":
            parameters.append(inspect.Parameter(prop["name"], inspect.Parameter.KEYWORD_ONLY, default=None))
    for extra in ("StoreInADS", "EnableLogging", "Version"):
        default = None if extra == "Version" else True
        parameters.append(inspect.Parameter(extra, inspect.Parameter.KEYWORD_ONLY, default=default))
    return inspect.Signature(parameters)
