"""Prepares the interpreter for scripts: streams, logging, interruption, environment, and calls that would end the
process."""

import importlib
import importlib.util
import logging
import os
import signal
import sys

from livedata import _native


class ScriptTimeout(BaseException):
    """Interruption of a script by the worker. Not an Exception, so that `except Exception` does not catch it."""


class BridgeHandler(logging.Handler):
    """Handler that passes records of `logging` to the worker, with their levels."""

    def emit(self, record):
        try:
            _native.hooks.log(record.levelno, self.format(record).encode("utf-8", "replace").decode())
        except Exception:
            self.handleError(record)


def prepare(stdout, stderr, signal_number, hidden_variables, home, direct):
    """Installs streams, logging, signal handler and environment; once, on the main thread."""
    sys.stdout = sys.__stdout__ = stdout
    sys.stderr = sys.__stderr__ = stderr
    for name in hidden_variables:
        os.environ.pop(name, None)
    if home:
        os.environ["HOME"] = home
    signal.signal(signal_number, _interrupt)
    # Child processes must not inherit the worker's blocked or handled signals.
    os.register_at_fork(after_in_child=lambda: signal.signal(signal_number, signal.SIG_DFL))
    _guard_exits()
    if not direct:
        handler = BridgeHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        root = logging.getLogger()
        root.addHandler(handler)
        root.setLevel(logging.INFO)
    logging.raiseExceptions = False
    logging.captureWarnings(False)


def real_mantid():
    """Version of the real Mantid, or None if it is not installed. Exceptions of the import are raised."""
    if importlib.util.find_spec("mantid") is None:
        return None
    import mantid
    import mantid.kernel

    return getattr(mantid, "__version__", None) or mantid.kernel.version_str()


def _interrupt(_number, _frame):
    why = _native.hooks.interruption()
    # A signal that arrives after its execution has ended is ignored.
    if why is not None:
        raise ScriptTimeout(why)


def _guard_exits():
    """os._exit and os.abort would end the worker, with everything that it holds; child processes may use them."""
    worker = os.getpid()

    def guarded(function, name):
        def call(*arguments):
            if os.getpid() == worker:
                raise RuntimeError(f"{name} would end the whole worker; return from execute() instead")
            return function(*arguments)

        call.__name__ = call.__qualname__ = function.__name__
        call.__doc__ = function.__doc__
        return call

    os._exit = guarded(os._exit, "os._exit")
    os.abort = guarded(os.abort, "os.abort")
