"""Errors for names that Mantid has and the native engine lacks."""

from livedata import _engine, names

REMARK = "Run the worker with the real Mantid (ENGINE=mantid, in the worker's Mantid image) to use it."


def words(name):
    """Error text with the missing name, its module, and the way to run it with Mantid."""
    return _engine.missing(name)


def absent(module, name, depth=2):
    """The exception for a name that `module` lacks: an ImportError for `from module import name`, else an
    AttributeError."""
    if name.startswith("__") and name.endswith("__"):
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    text = f"{module}.{name} is not available: the native engine lacks {name}. {REMARK}"
    frame = names.caller(depth)
    if names.is_import_from(frame):
        return ImportError(text, name=module)
    return AttributeError(text)


def absent_method(kind, name):
    """AttributeError for an attribute that the native engine's class lacks."""
    if name.startswith("_"):
        return AttributeError(f"{kind!r} object has no attribute {name!r}")
    return AttributeError(f"{kind}.{name} is not available: the native engine lacks it. {REMARK}")
