"""The modules of the package, and what tests ask about the text of each.

A tree is dear: 200 MB for all modules.  So each module is parsed once in a process, when the first
answer is needed: every question of all files of tests is answered, and the tree goes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

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
    def is_migration(self) -> bool:
        """Whether Django reads it by its place: a change of tables."""
        return self.path.parent.name == "migrations"


Nodes = tuple[ast.AST, ...]
"""A module's tree and everything in it, parents before children."""
Found = TypeVar("Found")


class Question(Generic[Found]):
    """What is asked about the nodes of each module; the answer keeps none of them."""

    every: ClassVar[list[Question[Any]]] = []

    def __init__(self, ask: Callable[[Nodes], Found]) -> None:
        self._ask = ask
        self._found: dict[Module, Found] = {}
        self.every.append(self)

    def __call__(self, module: Module) -> Found:
        if not self._found:
            _answer([question for question in self.every if not question._found])
        return self._found[module]


def _answer(questions: list[Question[Any]]) -> None:
    found: list[dict[Module, Any]] = [{} for _question in questions]
    for module in modules():
        nodes = tuple(ast.walk(ast.parse(module.text)))
        for question, own in zip(questions, found, strict=True):
            own[module] = question._ask(nodes)
    for question, own in zip(questions, found, strict=True):  # of all modules, or of none
        question._found = own


@Question
def imports(nodes: Nodes) -> frozenset[str]:
    """Modules and names that a module imports, late imports in functions included."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import of {node.module}"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


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
