"""Loading and execution of the reduction script, as module `reduction_script` in its working folder."""

import gc
import inspect
import linecache
import os
import sys
import threading
import types

MODULE = "reduction_script"


class ScriptError(Exception):
    """The script cannot be loaded or has no execute()."""


class Host:
    """The present script and its folder; one script at a time."""

    def __init__(self, folder):
        self.folder = os.path.realpath(folder)
        self.path = os.path.join(self.folder, MODULE + ".py")
        self.text = None
        self._known_threads = set()
        if self.folder not in sys.path:
            sys.path.insert(0, self.folder)
        os.chdir(self.folder)

    def load(self, text):
        """Replaces the script by `text`; on an exception the former script stays."""
        if not text.strip():
            raise ScriptError("the script is empty")
        code = compile(text, self.path, "exec", dont_inherit=True)
        previous = sys.modules.get(MODULE)
        module = types.ModuleType(MODULE)
        module.__file__ = self.path
        module.__builtins__ = __builtins__
        self._write(text)
        self._forget_helpers()
        os.chdir(self.folder)
        sys.modules[MODULE] = module
        try:
            exec(code, module.__dict__)
            if not callable(getattr(module, "execute", None)):
                raise ScriptError("the script defines no function execute()")
        except BaseException as error:
            self._explain_while_on_disk(error)
            if previous is None:
                sys.modules.pop(MODULE, None)
            else:
                sys.modules[MODULE] = previous
            if self.text is not None:
                self._write(self.text)
            raise
        finally:
            end_lines()
        self.text = text

    def execute(self):
        """Calls the script's execute(); returns descriptions of threads that it leaves running."""
        module = sys.modules.get(MODULE)
        if module is None:
            raise ScriptError("no script has been loaded")
        # A script may have changed either; each execution starts as the first did.
        os.chdir(self.folder)
        before = set(threading.enumerate())
        try:
            result = module.execute()
            if inspect.iscoroutine(result):
                result.close()
                raise ScriptError("execute() is an async function; define it with def")
        finally:
            end_lines()
        return [_describe(thread) for thread in threading.enumerate() if thread not in before and thread.is_alive()]

    def reload(self):
        """Loads the script again, because its globals keep workspaces of the former run alive."""
        if self.text is not None:
            self.load(self.text)

    def _write(self, text):
        temporary = self.path + ".new"
        with open(temporary, "w", encoding="utf-8", newline="", errors="surrogatepass") as file:
            file.write(text)
        os.replace(temporary, self.path)
        linecache.checkcache(self.path)

    def _forget_helpers(self):
        """Forgets modules that were imported from the folder, so that they are read again."""
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            # The file of an embedded module is a relative name: a second copy of mantid would not know the first one's classes.
            if name in (MODULE, "__main__") or not file or not os.path.isabs(file):
                continue
            if os.path.realpath(file).startswith(self.folder + os.sep):
                del sys.modules[name]

    def _explain_while_on_disk(self, error):
        # A traceback's lines are read from disk, where the former script is about to be restored.
        linecache.checkcache(self.path)
        linecache.getlines(self.path)
        from livedata import failures

        error.described = failures.describe(error)


def _describe(thread):
    frame = sys._current_frames().get(thread.ident)
    where = f" in {frame.f_code.co_name} ({frame.f_code.co_filename}:{frame.f_lineno})" if frame else ""
    return f"{thread.name}{where}"


def end_lines():
    """Passes on output that does not end with a newline."""
    for stream in (sys.__stdout__, sys.__stderr__):
        end = getattr(stream, "end_line", None)
        if end is not None:
            end()


def collect():
    """Frees unreferenced objects, and the last traceback, whose frames hold local variables."""
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        if hasattr(sys, name):
            delattr(sys, name)
    return gc.collect()
