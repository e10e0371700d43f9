"""Imports the packages that live inside the worker's binary.

Their sources are shown in tracebacks under `<live-data>/`. Run once, before any other module of ours.
"""

import importlib.abc
import importlib.machinery
import sys


class Sources(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Importer of modules whose sources are texts in memory."""

    def __init__(self):
        self._modules = {}

    def add(self, name, package, file, source):
        self._modules[name] = (package, f"<live-data>/{file.removeprefix('worker/python/')}", source)

    def install(self):
        sys.meta_path.insert(0, self)

    def names(self):
        return sorted(self._modules)

    def find_spec(self, fullname, path=None, target=None):
        known = self._modules.get(fullname)
        if known is None:
            return None
        package, file, _ = known
        return importlib.machinery.ModuleSpec(fullname, self, origin=file, is_package=package)

    def is_package(self, fullname):
        return self._modules[fullname][0]

    def get_source(self, fullname):
        return self._modules[fullname][2]

    def get_code(self, fullname):
        _, file, source = self._modules[fullname]
        return compile(source, file, "exec", dont_inherit=True)

    def exec_module(self, module):
        module.__file__ = self._modules[module.__name__][1]
        exec(self.get_code(module.__name__), module.__dict__)
