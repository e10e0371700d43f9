"""A stand-in for Mantid that takes only what Mantid's documentation says, to try the adapter against.

Anything else (a function, a keyword, a type) is refused with `NotDocumented`. It keeps what it is given, so that tests
can look.
"""

__version__ = "6.12.0"


class NotDocumented(AssertionError):
    """The adapter used something that Mantid's documentation doesn't have."""


def typed(what, value, *kinds):
    """Checks a value's exact type: the bindings of C++ take no look-alikes."""
    if type(value) not in kinds:
        raise NotDocumented(f"{what} is {type(value).__name__}, not {' or '.join(kind.__name__ for kind in kinds)}")
    return value


class Strict:
    """Refuses attributes that were not declared."""

    def __getattr__(self, name):
        raise NotDocumented(f"{type(self).__name__}.{name}")
