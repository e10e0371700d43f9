"""Execution of processing scripts on a chunk or on accumulated data."""

import linecache

from livedata.script import end_lines
from mantid._calls import wrap
from mantid._scripts import run_code


def run(code, cell, output):
    """Executes `code` with everything of mantid.simpleapi; `input` is the workspace, `output` the name that the result
    gets. Returns the workspace that is assigned to `output` instead, if one is."""
    name = f"<live processing {output.removeprefix('__live_')}>"
    # Tracebacks show the script's lines, which are in no file of that name.
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    try:
        return run_code(code, wrap(cell), output, name)
    finally:
        end_lines()
