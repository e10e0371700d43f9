"""What to say of names that Mantid has and the native engine hasn't."""

from livedata import _engine, names

REMARK = "Run the worker with the real Mantid (ENGINE=mantid, in the worker's Mantid image) to use it."


def words(name):
    """Names what is absent, who lacks it, and how to get it."""
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
    """The exception for an attribute that a class of Mantid may have and ours hasn't."""
    if name.startswith("_"):
        return AttributeError(f"{kind!r} object has no attribute {name!r}")
    return AttributeError(f"{kind}.{name} is not available: the native engine lacks it. {REMARK}")
