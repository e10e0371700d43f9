"""Check of a script for names of Mantid that the engine lacks, without running it."""

import ast
import builtins
import importlib

_PACKAGES = ("mantid",)


def missing(text, path="reduction_script.py"):
    """(line, name, message) of each use that would fail, ascending by line; SyntaxError for invalid code."""
    tree = ast.parse(text, path)
    uses = _Uses()
    uses.visit(tree)
    found = {}
    for line, module, name in uses.imported:
        problem = _absent(module, name)
        if problem:
            found.setdefault((name or module, problem), line)
    for line, module, name in uses.attributes():
        problem = _absent(module, name)
        if problem:
            found.setdefault((name, problem), line)
    for line, name in uses.unbound():
        found.setdefault(
            (name, f"{name} is defined neither by the script nor by {' or '.join(sorted(uses.stars))}"), line
        )
    return sorted((line, name, problem) for (name, problem), line in found.items())


def _absent(module, name):
    try:
        loaded = importlib.import_module(module)
    except ImportError as error:
        return str(error)
    if name is None:
        return None
    try:
        getattr(loaded, name)
    except AttributeError as error:
        try:
            importlib.import_module(f"{module}.{name}")
        except ImportError:
            return str(error)
    return None


def _is_mantid(module):
    return module is not None and module.split(".")[0] in _PACKAGES


class _Uses(ast.NodeVisitor):
    def __init__(self):
        self.imported = []
        self.stars = set()
        self.bound = set(dir(builtins)) | {"__file__", "__name__", "__builtins__", "__doc__"}
        self.loaded = []
        self.modules = {}
        self._attributes = []

    def visit_Import(self, node):
        for alias in node.names:
            self.bound.add((alias.asname or alias.name).split(".")[0])
            if _is_mantid(alias.name):
                self.imported.append((node.lineno, alias.name, None))
                if alias.asname:
                    self.modules[alias.asname] = alias.name
                else:
                    self.modules["mantid"] = "mantid"

    def visit_ImportFrom(self, node):
        ours = node.level == 0 and _is_mantid(node.module)
        for alias in node.names:
            if alias.name == "*":
                if ours:
                    self.imported.append((node.lineno, node.module, None))
                # Names of another module's star are unknown: nothing can then be said of names that are not bound.
                self.stars.add(node.module or ".")
                continue
            self.bound.add(alias.asname or alias.name)
            if ours:
                self.imported.append((node.lineno, node.module, alias.name))
                self.modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            self.loaded.append((node.lineno, node.id))
        else:
            self.bound.add(node.id)

    def visit_Attribute(self, node):
        parts = _dotted(node)
        if parts:
            self._attributes.append((node.lineno, parts))
        self.generic_visit(node)

    def _define(self, node):
        self.bound.add(node.name)
        self.generic_visit(node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _define

    def visit_arg(self, node):
        self.bound.add(node.arg)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node):
        if node.name:
            self.bound.add(node.name)
        self.generic_visit(node)

    def visit_Global(self, node):
        self.bound.update(node.names)

    visit_Nonlocal = visit_Global

    def attributes(self):
        """(line, module, attribute) of each attribute of a Mantid module."""
        for line, parts in self._attributes:
            module = self.modules.get(parts[0])
            if module is None or not _is_module(module):
                continue
            for part in parts[1:]:
                if _is_module(f"{module}.{part}"):
                    module = f"{module}.{part}"
                    continue
                yield line, module, part
                break

    def unbound(self):
        """(line, name) of names that no statement binds, if all star imports are Mantid's."""
        if not self.stars or not all(_is_mantid(star) for star in self.stars):
            return
        known = set(self.bound)
        for star in self.stars:
            try:
                module = importlib.import_module(star)
            except ImportError:
                return
            known.update(getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")])
        for line, name in self.loaded:
            if name not in known:
                yield line, name


def _dotted(node):
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    parts.append(node.id)
    return parts[::-1]


def _is_module(name):
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True
