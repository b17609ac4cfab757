"""The software that a step runs: every module that it can reach, their data files and libraries.

Belongs here: following imports through the text of modules, hashes of what they reach.
Does not belong here: when a step is stale (``steps``), what any step does.

From one module the ``import`` lines are followed at any depth, those inside functions too, and
those for type checkers not; a module brings the package files above it, for Python runs these
first.  Beside the modules count all other files in their folders, such as tables and templates, and
the version of each library that is imported.  So nobody keeps a list, and no correction of the
software is missed; a name that is only put together while a program runs would be, and a test
allows it in ``cli`` alone.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import NamedTuple

import ctdhub

Software = Mapping[str, str]
"""Hash of each file by its place in the package, version of each library by its name."""

EXEMPT = {
    "cli": "what a command asks and shows is no part of what a step makes",
}
"""Folders of the package that no step depends on, and why.  The catalogues of messages are not
among them as long as steps write sentences into files."""

_COMPILED = "__pycache__"


class _Imports(NamedTuple):
    """What a module imports: names below the package, and other top names."""

    own: frozenset[str]
    foreign: frozenset[str]


class Tree:
    """The modules of a package, each of which is read once.

    Args:
        root: folder of the package.
        name: under which its modules import each other.
    """

    def __init__(self, root: Path, name: str = "ctdhub") -> None:
        self.root = root
        self.name = name
        self._read: dict[Path, _Imports] = {}
        self._hashes: dict[Path, str] = {}
        self._found: dict[str, Software] = {}

    def software(self, entry: str) -> Software:
        """All that a module can run.

        Args:
            entry: dotted name of the module.

        Raises:
            ModuleNotFoundError: the package has no such module.
        """
        if entry not in self._found:
            self._found[entry] = self._software(entry)
        return self._found[entry]

    def modules(self, entry: str) -> dict[str, Path]:
        """The module and all that it reaches, by dotted name; see :data:`EXEMPT` for the others."""
        if self._file(entry) is None:
            raise ModuleNotFoundError(entry)
        found: dict[str, Path] = {}
        waiting = [entry]
        while waiting:
            name = waiting.pop()
            path = self._file(name)
            if name in found or path is None or self._place(path).split("/")[0] in EXEMPT:
                continue
            found[name] = path
            waiting += _parents(name)
            waiting += self._imports(path).own
        return found

    def data(self, modules: Iterable[Path]) -> set[Path]:
        """All files that are no modules in the folders of these modules."""
        return {f for folder in {m.parent for m in modules} for f in _beside(folder)}

    def _software(self, entry: str) -> Software:
        modules = self.modules(entry)
        files = {*modules.values(), *self.data(modules.values())}
        found = {self._place(path): self._hash(path) for path in files}
        tops = {top for path in modules.values() for top in self._imports(path).foreign}
        return dict(sorted((found | _libraries(tops)).items()))

    def _file(self, name: str) -> Path | None:
        """The file of a module, None where a name is none of the package's modules."""
        head, *rest = name.split(".")
        if head != self.name:
            return None
        folder = self.root.joinpath(*rest)
        for path in (folder / "__init__.py", folder.with_suffix(".py")):
            if path.is_file() and (rest or path.parent == self.root):
                return path
        return None

    def _imports(self, path: Path) -> _Imports:
        if path not in self._read:
            names = set(_imported(ast.parse(path.read_bytes())))
            own = {n for n in names if n.split(".")[0] == self.name}
            tops = {n.split(".")[0] for n in names - own} - sys.stdlib_module_names
            self._read[path] = _Imports(frozenset(own), frozenset(tops))
        return self._read[path]

    def _hash(self, path: Path) -> str:
        if path not in self._hashes:
            self._hashes[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self._hashes[path]

    def _place(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


@cache
def installed() -> Tree:
    """This package as it is installed, read once a process."""
    return Tree(Path(ctdhub.__file__).parent)


def software(entry: str) -> Software:
    """All that a module of this package can run; see :class:`Tree`."""
    return installed().software(entry)


def _imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names that a text may import when it runs.

    >>> sorted(_imported(ast.parse("from a.b import c\\nif TYPE_CHECKING:\\n    import d")))
    ['a.b', 'a.b.c']
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise ImportError("modules of this package name each other in full")
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and _for_checkers(node.test):
            waiting += node.orelse
        else:
            waiting += [n for n in ast.iter_child_nodes(node) if isinstance(n, _STATEMENTS)]


_STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)
"""Where an import can be: no expression holds one."""


def _for_checkers(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def _beside(folder: Path) -> Iterator[Path]:
    """Files that are no modules in a folder, and in folders below that hold no modules."""
    for path in folder.iterdir():
        if path.is_dir() and path.name != _COMPILED and not any(path.glob("*.py")):
            yield from _beside(path)
        elif path.is_file() and path.suffix not in (".py", ".pyc"):
            yield path


_by_top = cache(packages_distributions)
"""Which distributions each top name comes from."""


def _libraries(tops: Iterable[str]) -> dict[str, str]:
    """Version of each library that is there, and of Python."""
    found = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for top in tops:
        for name in _by_top().get(top, ()):
            try:
                found[name] = version(name)
            except PackageNotFoundError:  # it is being replaced just now
                found[name] = ""
    return found
