"""Content-hashed steps: run what is stale, leave the rest, survive a kill at any time.

A step writes into a fresh folder that is synced and renamed into place when it is whole.  Its key
file lies inside, so a folder with a key is a finished one and a folder without is none.
"""

from __future__ import annotations

import ast
import hashlib
import json
import secrets
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import NamedTuple

import ctdhub
from ctdhub.core.files import OLD, WRITING, swap, sync
from ctdhub.core.i18n import Field, Text, joined, many

Progress = Callable[[str | Text, float], None]
"""Told a message, or the name of a step, and how much is done, from 0 to 1."""

KEY_FILE = ".step.json"
SOFTWARE = "software"
MOST_NAMED = 3
"""Changed files of the program that are named; of more only the number is told."""

NEVER_RAN = Text("it has not run yet, or its output was deleted")

LEFTOVERS = (WRITING, OLD, ".writing-")
"""Beginnings of the names of folders that only a killed run leaves behind."""


@dataclass(frozen=True)
class Step:
    """One pure function from inputs to a folder.

    Attributes:
        name: what the steward sees.
        inputs: content hash of every input, by what the steward calls it; in key files it stands by
            its English name.
        output: the folder that the step makes.
        run: writes the result into the (fresh, empty) folder it is given.
        software: hash of every file of the program that ``run`` can reach, see ``software``.
        meaning: hash of what an input says, where its content can change and say the same, such
            as a text with comments.
        remark: what the steward is to know where the step runs, None for nothing.
    """

    name: str
    inputs: Mapping[Text | str, str]
    output: Path
    run: Callable[[Path], None]
    software: Mapping[str, str] = field(default_factory=dict)
    meaning: Mapping[str, str] = field(default_factory=dict)
    remark: Text | None = None

    @property
    def key(self) -> str:
        """Content hash of inputs and software: equal keys mean equal outputs."""
        return hash_of({"step": self.name, **self._hashes, SOFTWARE: hash_of(dict(self.software))})

    @property
    def sense(self) -> str:
        """Hash of what inputs and software say: equal where an output can differ in form alone."""
        meant = {**self._hashes, **self.meaning, SOFTWARE: hash_of(dict(self.software))}
        return hash_of({"step": self.name, **meant})

    def reason(self) -> Text | None:
        """Why the step must run; None where its output is up to date."""
        changes = self.changes()
        if changes is None:
            return NEVER_RAN
        names = {one.message: one for one in self.inputs if isinstance(one, Text)}
        changed: list[Field] = [names.get(key, key) for key in changes.inputs]
        if changes.software:
            changed.append(software_names(changes.software))
        if not changed:
            return None
        inputs = joined(changed, ", ")
        if changes.same:
            return Text("changed in comments or layout alone: {inputs}", inputs=inputs)
        return Text("changed: {inputs}", inputs=inputs)

    def changes(self) -> Changes | None:
        """What is other than when the step ran last; None where it never did."""
        now = self._now
        try:
            record = json.loads((self.output / KEY_FILE).read_text("utf-8"))
            before = {name: dict(record[name]) for name in now}
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        inputs, parts = (_changed(before[name], now[name]) for name in ("inputs", SOFTWARE))
        said, meant = self.meaning, before["meaning"]
        alike = all(name in said and meant.get(name) == said[name] for name in inputs)
        return Changes(inputs, parts, bool(inputs) and not parts and alike)

    @property
    def _hashes(self) -> dict[str, str]:
        """The inputs as key files hold them."""
        each = self.inputs.items()
        return {one.message if isinstance(one, Text) else one: hash_ for one, hash_ in each}

    @property
    def _now(self) -> dict[str, dict[str, str]]:
        """What a key file holds."""
        software, meaning = dict(self.software), dict(self.meaning)
        return {"inputs": self._hashes, SOFTWARE: software, "meaning": meaning}

    def refresh(self) -> bool:
        """Run the step if it is stale; say whether it ran."""
        if self.reason() is None:
            return False
        fresh = self.output.with_name(f"{WRITING}{self.output.name}-{secrets.token_hex(4)}")
        fresh.mkdir(parents=True)
        kept = json.dumps(self._now, sort_keys=True)
        try:
            self.run(fresh)
            (fresh / KEY_FILE).write_text(kept, "utf-8")
            if self.reason() is not None:  # another worker may have been faster
                for path in (*walk(fresh), fresh):
                    sync(path)
                swap(fresh, self.output)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return True


class Changes(NamedTuple):
    """What is other than when a step ran last.

    Attributes:
        inputs: their names in key files.
        software: files of the program, and libraries.
        same: whether nothing but inputs changed, and all of them say the same still.
    """

    inputs: list[str]
    software: list[str]
    same: bool


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Names that have another hash than before."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def software_names(parts: list[str]) -> Text:
    """Software as a changed input: its parts by name where they are few and known.

    >>> software_names(["sensitive/mapping/evaluation.py"]).fields
    {'parts': 'sensitive/mapping/evaluation.py'}
    """
    if len(parts) <= MOST_NAMED:
        return Text("software: {parts}", parts=", ".join(parts))
    n = len(parts)
    return many("software: {n} file", "software: {n} files", n, n=n)


def sweep(paths: Iterable[Path]) -> None:
    """Delete what a killed run left behind among ``paths``."""
    for path in list(paths):
        if path.name.startswith(LEFTOVERS) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name.startswith(LEFTOVERS):
            path.unlink(missing_ok=True)


def walk(folder: Path) -> Iterator[Path]:
    """Every file and folder below ``folder``, in a fixed order, links not followed."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_dir() and not path.is_symlink():
            yield from walk(path)
        yield path


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def hash_of(value: object) -> str:
    """SHA-256 of a value that JSON can hold, hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def hash_folder(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files below ``folder``, compiled code left out."""
    files = [p for p in walk(folder) if p.is_file() and "__pycache__" not in p.parts]
    return hash_of([[p.relative_to(folder).as_posix(), hash_file(p)] for p in files])


def hash_path(path: Path) -> str:
    """SHA-256 of a file, or of a folder of files that are parts of one table."""
    return hash_folder(path) if path.is_dir() else hash_file(path)


# --------------------------------------------------------------------------------------------------
# The software that a step runs: every module that it can reach, their data files and libraries.
#
# From one module the ``import`` lines are followed at any depth, those inside functions too, and
# those for type checkers not; a module brings the package files above it, for Python runs these
# first.  Beside the modules count all other files in their folders, such as tables and templates,
# and the version of each library that is imported.  So nobody keeps a list, and no correction of
# the software is missed; a name that is only put together while a program runs would be, and a test
# allows it in ``cli`` alone.

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
            modules = self.modules(entry)
            files = {*modules.values(), *self.data(modules.values())}
            hashes = {self._place(path): self._hash(path) for path in files}
            tops = {top for path in modules.values() for top in self._imports(path).foreign}
            self._found[entry] = dict(sorted((hashes | _libraries(tops)).items()))
        return self._found[entry]

    def modules(self, entry: str) -> dict[str, Path]:
        """The module and all that it reaches, by dotted name; see :data:`EXEMPT` for the others."""
        if self._file(entry) is None:
            raise ModuleNotFoundError(entry)
        paths: dict[str, Path] = {}
        waiting = [entry]
        while waiting:
            name = waiting.pop()
            path = self._file(name)
            if name in paths or path is None or self._place(path).split("/")[0] in EXEMPT:
                continue
            paths[name] = path
            parts = name.split(".")
            waiting += [".".join(parts[:n]) for n in range(1, len(parts))]
            waiting += self._imports(path).own
        return paths

    def data(self, modules: Iterable[Path]) -> set[Path]:
        """All files that are no modules in the folders of these modules."""
        return {f for folder in {m.parent for m in modules} for f in _beside(folder)}

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
    versions = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for top in tops:
        for name in _by_top().get(top, ()):
            try:
                versions[name] = version(name)
            except PackageNotFoundError:  # it is being replaced just now
                versions[name] = ""
    return versions
