"""The modules of the package, each read and parsed once for a file of tests that reads source."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

import ctdhub

PACKAGE = Path(ctdhub.__file__).parent


@dataclass(frozen=True)
class Module:
    """A module of the package."""

    path: Path

    @cached_property
    def place(self) -> str:
        """Where it lies in the package."""
        return self.path.relative_to(PACKAGE).as_posix()

    @cached_property
    def name(self) -> str:
        """What it is imported by."""
        parts = ("ctdhub", *self.path.relative_to(PACKAGE).with_suffix("").parts)
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Its syntax tree and everything in it, parents before children."""
        return _nodes(self)

    @property
    def tree(self) -> ast.Module:
        tree = self.nodes[0]
        assert isinstance(tree, ast.Module)
        return tree

    @cached_property
    def imports(self) -> frozenset[str]:
        """Modules and names that it imports, late imports in functions included."""
        found = set()
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.place}: relative import"
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        return frozenset(found)

    @property
    def is_migration(self) -> bool:
        """Whether Django reads it by its place: a change of tables."""
        return self.path.parent.name == "migrations"


@cache
def _nodes(module: Module) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(module.text)))


def forget() -> None:
    """Give the trees back, which take 200 MB, when a file of tests has ended."""
    _nodes.cache_clear()


@cache
def modules(*places: str) -> tuple[Module, ...]:
    """The modules of the package, or of these folders and files of it, in the order of their
    places.

    >>> [module.name for module in modules("core/files.py")]
    ['ctdhub.core.files']
    """
    if places:
        return tuple(m for m in modules() if m.place.startswith(places))
    return tuple(map(Module, sorted(PACKAGE.rglob("*.py"))))


def none(offenders: Iterable[str]) -> None:
    """Fail with all that break a law, one a line."""
    found = list(offenders)
    if found:
        pytest.fail("\n".join(found), pytrace=False)
