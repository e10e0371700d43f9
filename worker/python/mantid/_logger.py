"""Lines of log, by Mantid's levels."""

from livedata import _engine

_LEVELS = ("fatal", "critical", "error", "warning", "notice", "information", "debug", "trace")
_level = "notice"


class Logger:
    """Logger with a name; lines below the set level are dropped."""

    def __init__(self, name):
        self._name = str(name)

    def _write(self, level, message):
        _engine.log(level, self._name, str(message).encode("utf-8", "replace").decode())

    def fatal(self, message):
        self._write("fatal", message)

    def error(self, message):
        self._write("error", message)

    def warning(self, message):
        self._write("warning", message)

    def notice(self, message):
        self._write("notice", message)

    def information(self, message):
        self._write("information", message)

    def debug(self, message):
        self._write("debug", message)

    def accumulate(self, message):
        self._held = getattr(self, "_held", "") + str(message)

    def flush(self):
        held, self._held = getattr(self, "_held", ""), ""
        if held:
            self._write("information", held)


def set_level(level):
    """Level by name, or by Mantid's number (1 fatal to 8 trace)."""
    global _level
    if isinstance(level, str):
        name = level.lower()
        if name not in _LEVELS and name != "none":
            raise ValueError(f"there is no log level {level!r}: use one of {', '.join(_LEVELS)}")
        _level = "fatal" if name == "none" else name
    else:
        _level = _LEVELS[max(1, min(8, int(level))) - 1]
    _engine.set_log_level(get_level())


def get_level():
    return _LEVELS.index(_level) + 1


logger = Logger("Python")
