"""Carry a checkout of 0.1 over to the tree of 0.2: modules, imports, dotted names in texts.

Run it once on a branch that still has the old tree (``python tools/move.py``), then rebase.  It
reads ``moves-0.2.txt`` beside it, moves every module and data file with ``git mv``, points each
import at the module that defines the name (package files export nothing any more), and rewrites
dotted names such as ``ctdhub.insight.words`` in docstrings, documents and strings.  It changes no
behaviour; what it cannot decide it lists at the end.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "ctdhub"
TABLE = Path(__file__).with_name("moves-0.2.txt")
TEXTS = {".md", ".toml", ".py", ".js", ".yaml", ".html", ".txt"}


def table() -> tuple[dict[str, str], dict[str, str]]:
    """Single moves and folder moves, old to new, below ``src/ctdhub``, without ``.py``."""
    single: dict[str, str] = {}
    folders: dict[str, str] = {}
    for line in TABLE.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            old, new = (part.strip() for part in line.split("->"))
            (folders if old.endswith("/") else single)[old] = new
    return single, folders


SINGLE, FOLDERS = table()


def placed(path: str) -> str:
    """Where a file is now: ``path`` is relative to the package, modules without ``.py``."""
    if path in SINGLE:
        return SINGLE[path]
    for old in sorted(FOLDERS, key=len, reverse=True):
        if path.startswith(old):
            return FOLDERS[old] + path[len(old) :]
    return path


@dataclass
class Module:
    """A module of the old tree: its dotted name, where it is now, what it binds."""

    name: str
    path: Path
    package: bool
    imported: dict[str, str] = field(default_factory=dict)
    defined: set[str] = field(default_factory=set)

    @property
    def new(self) -> str:
        inside = self.path.relative_to(SOURCE).with_suffix("").as_posix()
        target = placed(inside)
        if target.endswith("/__init__"):
            target = target.removesuffix("/__init__")
        elif target == "__init__":
            return "ctdhub"
        return "ctdhub." + target.replace("/", ".")


def read_modules() -> dict[str, Module]:
    found: dict[str, Module] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = ("ctdhub", *path.relative_to(SOURCE).with_suffix("").parts)
        package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if package else parts)
        module = Module(name, path, package)
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    module.imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                module.defined.add(node.name)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    for one in ast.walk(target):
                        if isinstance(one, ast.Name):
                            module.defined.add(one.id)
        found[name] = module
    return found


MODULES = read_modules()


def resolve(dotted: str) -> tuple[str, str | None]:
    """(old module, symbol) that a dotted name means; symbol None where it is a module."""
    seen = set()
    while dotted not in seen:
        seen.add(dotted)
        parent, _, last = dotted.rpartition(".")
        holder = MODULES.get(parent)
        if holder is not None and last != "__all__":
            if last in holder.imported and holder.imported[last].startswith("ctdhub"):
                target = holder.imported[last]
                if target != dotted and holder.package:
                    dotted = target
                    continue
            if last in holder.defined or (last in holder.imported and dotted not in MODULES):
                return parent, last
        if dotted in MODULES:
            return dotted, None
        return parent, last
    return dotted, None


def moved(dotted: str) -> str:
    """The new dotted name of an old one, a symbol's through the module that defines it."""
    module, symbol = resolve(dotted)
    if module in MODULES:
        base = MODULES[module].new
        return f"{base}.{symbol}" if symbol else base
    return dotted


class File:
    """One Python file whose imports are rewritten."""

    def __init__(self, path: Path, complaints: list[str]) -> None:
        self.path, self.complaints = path, complaints
        self.text = path.read_text("utf-8")
        self.tree = ast.parse(self.text)
        self.lines = self.text.splitlines(keepends=True)
        self.bound = {n.id for n in ast.walk(self.tree) if isinstance(n, ast.Name)}
        self.bound |= {n.arg for n in ast.walk(self.tree) if isinstance(n, ast.arg)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.bound.add(node.name)
            elif isinstance(node, ast.ImportFrom | ast.Import):
                self.bound |= {a.asname or a.name.split(".")[0] for a in node.names}
        self.edits: list[tuple[int, int, int, int, str]] = []

    def rewrite(self) -> None:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ctdhub":
                self._from(node)
            elif isinstance(node, ast.Import):
                self._plain(node)
        for top, left, bottom, right, new in sorted(self.edits, reverse=True):
            head = self.lines[top - 1].encode()[:left].decode()
            tail = self.lines[bottom - 1].encode()[right:].decode()
            self.lines[top - 1 : bottom] = [head + new + tail]
        self.path.write_text("".join(self.lines), "utf-8")

    def _from(self, node: ast.ImportFrom) -> None:
        made: list[str] = []
        for alias in node.names:
            dotted = f"{node.module}.{alias.name}"
            module, symbol = resolve(dotted)
            local = alias.asname or alias.name
            if symbol is None and MODULES[module].package and node.module == "ctdhub":
                made += self._through_package(module, local)
                continue
            new = moved(dotted)
            holder, _, name = new.rpartition(".")
            if symbol is None and name != local and alias.asname is None:
                local = self._renamed(local, name)
            made.append(f"from {holder} import {name}" + (f" as {local}" if local != name else ""))
        self._replace(node, made)

    def _through_package(self, package: str, local: str) -> list[str]:
        """``from ctdhub import stages`` with ``stages.x``: each x comes from its own module."""
        wanted: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == local
            ):
                new = moved(f"{package}.{node.attr}")
                holder, _, name = new.rpartition(".")
                short = holder.rpartition(".")[2]
                if short in self.bound:
                    short += "_stage" if package.endswith("stages") else "_module"
                wanted[holder] = short
                self.edits.append(
                    (
                        node.lineno,
                        node.col_offset,
                        node.end_lineno or 0,
                        node.end_col_offset or 0,
                        f"{short}.{name}",
                    )
                )
        inner = {
            id(n.value)
            for n in ast.walk(self.tree)
            if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
        }
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and node.id == local and id(node) not in inner:
                self.complaints.append(f"{self.path}:{node.lineno}: bare use of package {local}")
        made = []
        for holder, short in sorted(wanted.items()):
            parent, _, name = holder.rpartition(".")
            made.append(f"from {parent} import {name}" + (f" as {short}" if short != name else ""))
        return made

    def _renamed(self, local: str, name: str) -> str:
        """Use a module's new name in this file where nothing else has it; else keep the old."""
        if name in self.bound:
            return local
        if any(
            isinstance(n, ast.Name) and n.id == local and isinstance(n.ctx, ast.Store)
            for n in ast.walk(self.tree)
        ) or any(isinstance(n, ast.arg) and n.arg == local for n in ast.walk(self.tree)):
            return local
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and node.id == local:
                self.edits.append(
                    (
                        node.lineno,
                        node.col_offset,
                        node.end_lineno or 0,
                        node.end_col_offset or 0,
                        name,
                    )
                )
        self.bound.add(name)
        return name

    def _plain(self, node: ast.Import) -> None:
        if not any(a.name.startswith("ctdhub.") for a in node.names):
            return
        made = []
        for alias in node.names:
            if not alias.name.startswith("ctdhub."):
                made.append(
                    f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
                )
                continue
            new = MODULES[alias.name].new if alias.name in MODULES else alias.name
            made.append(f"import {new}" + (f" as {alias.asname}" if alias.asname else ""))
            if alias.asname is None:
                self.complaints.append(f"{self.path}:{node.lineno}: import {alias.name}")
        self._replace(node, made)

    def _replace(self, node: ast.stmt, made: list[str]) -> None:
        indent = " " * node.col_offset
        text = f"\n{indent}".join(dict.fromkeys(made))
        self.edits.append(
            (node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0, text)
        )


DOTTED = re.compile(r"\bctdhub(?:\.[A-Za-z_]\w*)+")


def in_text(match: re.Match[str]) -> str:
    """A dotted name in a text: its longest beginning that the old tree knows is replaced."""
    parts = match.group().split(".")
    for n in range(len(parts), 1, -1):
        dotted = ".".join(parts[:n])
        parent = ".".join(parts[: n - 1])
        if dotted in MODULES or (
            parent in MODULES
            and parts[n - 1] in MODULES[parent].defined | set(MODULES[parent].imported)
        ):
            return ".".join([moved(dotted), *parts[n:]])
    return match.group()


def outside_imports(path: Path) -> None:
    """Rewrite the dotted names of a file, import lines of Python left as they are."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    skipped: set[int] = set()
    if path.suffix == ".py":
        for node in ast.walk(ast.parse("".join(lines))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                skipped |= set(range(node.lineno, (node.end_lineno or 0) + 1))
    new = [x if n in skipped else DOTTED.sub(in_text, x) for n, x in enumerate(lines, 1)]
    if new != lines:
        path.write_text("".join(new), "utf-8")


def git(*command: str) -> None:
    subprocess.run(["git", "-C", str(ROOT), *command], check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    complaints: list[str] = []
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], check=True, capture_output=True, text=True
    ).stdout.split("\n")
    names = [n for n in tracked if n and n not in {"tools/move.py", "tools/moves-0.2.txt"}]
    for name in names:
        path = ROOT / name
        if path.suffix == ".py":
            File(path, complaints).rewrite()
    for name in names:
        path = ROOT / name
        if path.suffix in TEXTS and not name.startswith(("changelog.d", "CHANGELOG")):
            outside_imports(path)
    for name in names:
        if not name.startswith("src/ctdhub/"):
            continue
        inside = name.removeprefix("src/ctdhub/")
        stem = inside.removesuffix(".py")
        target = placed(stem) + (".py" if stem != inside else "")
        if inside.endswith("/__init__.py") and stem not in SINGLE:
            git("rm", "-qf", name)  # package files of the new tree hold a docstring only
            continue
        if target != inside:
            (SOURCE / target).parent.mkdir(parents=True, exist_ok=True)
            git("mv", name, f"src/ctdhub/{target}")
    for complaint in complaints:
        print(complaint)
    return 0


if __name__ == "__main__":
    sys.exit(main())
