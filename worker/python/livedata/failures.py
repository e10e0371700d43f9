"""Text of exceptions for a script's author: the script's own lines, with explanations."""

import linecache
import sys
import traceback

from livedata import _native

_OURS = "<live-data>/"


def describe(error):
    """Exception with traceback as text, without secrets and without the worker's frames above the script's."""
    # File names that are no UTF-8 have no place in a log.
    return _native.hooks.redact(_described(error).encode("utf-8", "replace").decode())


def _described(error):
    described = getattr(error, "described", None)
    if isinstance(described, str):
        return described
    linecache.checkcache()
    if isinstance(error, SystemExit):
        return _trace(error) + _exit_words(error)
    if type(error).__name__ == "ScriptTimeout":
        # A second interruption may come while the first is on its way out: that one knows the script's lines.
        place = error
        while not _trace(place) and place.__context__ is not None:
            place = place.__context__
        return _trace(place) + f"ScriptTimeout: {error}"
    report = traceback.TracebackException.from_exception(error, compact=True)
    _trim(report)
    return "".join(report.format()).rstrip() + _missing_words(error)


def _missing_words(error):
    """Explanation for an undefined name that looks like an algorithm, after `from mantid.simpleapi import *`."""
    name = getattr(error, "name", None)
    engine = sys.modules.get("livedata._engine")
    if not isinstance(error, NameError) or engine is None or not name or not name[0].isupper():
        return ""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    simpleapi = sys.modules.get("mantid.simpleapi")
    scope = trace.tb_frame.f_globals if trace is not None else {}
    if simpleapi is None or scope.get("mtd") is not simpleapi.mtd:
        return ""
    return "\n" + engine.missing(name)


def _exit_words(error):
    code = "" if error.code is None else repr(error.code)
    return f"SystemExit: the script called sys.exit({code}) or exit({code}); execute() ended there, use return instead"


def _trace(error):
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_OURS)]
    if not frames:
        return ""
    return "Traceback (most recent call last):\n" + "".join(traceback.format_list(frames))


def _trim(report):
    seen = set()
    while report is not None and id(report) not in seen:
        seen.add(id(report))
        kept = list(report.stack)
        while len(kept) > 1 and kept[0].filename.startswith(_OURS):
            kept.pop(0)
        if len(kept) == 1 and kept[0].filename.startswith(_OURS):
            kept = []
        report.stack = traceback.StackSummary.from_list(kept)
        report = report.__cause__ or report.__context__
