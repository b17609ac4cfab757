"""The size of the house: code lines and modules by package, and what limits them.

    python tools/size.py                    what there is, beside the budget
    python tools/size.py --since REVISION   the same beside an earlier commit
    python tools/size.py --write            lower the budget to what there is

A code line is neither blank, nor a comment, nor a docstring; the tables' changes that Django keeps
in ``desk/migrations`` do not count.  The budget is ``tests/start/size.toml``: it only shrinks, and
raising a number needs a decision record that names what was deleted instead.
"""

from __future__ import annotations

import argparse
import ast
import io
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BUDGET = ROOT / "tests" / "start" / "size.toml"
BESIDE = {
    "tests": ("tests", (".py",)),
    "benchmarks": ("benchmarks", (".py",)),
    "tools": ("tools", (".py",)),
    "templates": ("src", (".html", ".txt", ".xml", ".typ")),
    "scripts and styles": ("src", (".js", ".css")),
    "YAML": ("src", (".yaml", ".yml")),
}
"""What should not grow by more than the Python that left for it: folder and endings."""

LONGEST = 60
"""Lines of a function, its docstring among them."""
SMALL = 80
"""Code lines below which a module that one other imports must say why it is apart."""


@dataclass(frozen=True)
class Read:
    """What is asked of a file of Python; its syntax tree, which is large, is not kept.

    Attributes:
        code: lines that are neither blank, nor a comment, nor a docstring.
        imports: lines of import statements, late ones included.
        loaded, late: what it imports from when it is loaded, and late: modules and names.
        long: functions of more than :data:`LONGEST` lines.
    """

    code: int
    imports: int
    docstring: str
    loaded: tuple[tuple[str, tuple[str, ...]], ...]
    late: tuple[tuple[str, tuple[str, ...]], ...]
    long: tuple[str, ...]


@cache
def read(path: Path) -> Read:
    """A file of Python, read once."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    said, quoted, imports, long = set[int](), set[int](), 0, list[str]()
    for node in ast.walk(tree):
        shown = node.value if isinstance(node, ast.Expr) else node
        if isinstance(shown, ast.JoinedStr) or isinstance(getattr(shown, "value", None), str):
            lines = range(shown.lineno, (shown.end_lineno or shown.lineno) + 1)
            (said if shown is not node else quoted).update(lines)
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports += (node.end_lineno or node.lineno) - node.lineno + 1
        elif (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (node.end_lineno or 0) - node.lineno + 1 > LONGEST
        ):
            long.append(node.name)
    numbered = enumerate(text.split("\n"), 1)
    code = sum(
        bool(line.strip()) and n not in said and (n in quoted or line.lstrip()[0] != "#")
        for n, line in numbered
    )
    loaded, late = (tuple(_imported(tree.body, late)) for late in (False, True))
    return Read(code, imports, ast.get_docstring(tree) or "", loaded, late, tuple(long))


def modules(package: Path) -> dict[str, Path]:
    """Dotted names below the package, without its own, to files; migrations left out."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if "migrations" not in parts:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def folder_of(package: Path, path: Path) -> str:
    """The folder of a module as the budget names it: ``.`` is the package itself."""
    return path.parent.relative_to(package).as_posix()


def sizes(package: Path) -> dict[str, tuple[int, int]]:
    """Code lines and modules of each folder, package files included, folders below it apart."""
    lines, number = Counter[str](), Counter[str]()
    for path in modules(package).values():
        lines[folder_of(package, path)] += read(path).code
        number[folder_of(package, path)] += 1
    return {folder: (lines[folder], number[folder]) for folder in sorted(number)}


def beside(root: Path) -> dict[str, int]:
    """Lines of what is no module of the package: of Python code lines, else those not blank."""
    found = {}
    for name, (folder, endings) in BESIDE.items():
        files = [p for p in sorted((root / folder).rglob("*")) if p.suffix in endings]
        found[name] = sum(read(p).code if p.suffix == ".py" else _filled(p) for p in files)
    return found


def _filled(path: Path) -> int:
    return sum(bool(line.strip()) for line in path.read_text("utf-8").split("\n"))


def import_lines(package: Path) -> int:
    """Lines of import statements, late ones included."""
    return sum(read(path).imports for path in modules(package).values())


def import_graph(package: Path, late: bool = False) -> dict[str, set[str]]:
    """Which modules of the package each module imports when it is loaded, by dotted name.

    Args:
        late: imports inside functions too; those for type checkers never count.
    """
    known = modules(package)
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        graph[name] = set()
        for module, names in read(path).late if late else read(path).loaded:
            base = module.partition(".")[2]
            for each in names:
                inner = f"{base}.{each}".strip(".")
                graph[name].add(inner if inner in known else base)
    return {name: {n for n in there if n != name and n in known} for name, there in graph.items()}


def _imported(body: Iterable[ast.AST], late: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
    for node in body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from _imported(node.orelse, late)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ctdhub"):
            yield node.module or "", tuple(alias.name for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not late:
            continue
        elif not isinstance(node, ast.expr):
            yield from _imported(ast.iter_child_nodes(node), late)


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Modules that import each other in a ring, one list for each ring.

    >>> circles({"a": {"b"}, "b": {"c"}, "c": {"b"}})
    [['b', 'c']]
    """
    reached = {name: _reached(graph, name) for name in graph}
    found = {
        tuple(sorted(n for n in reached[name] if name in reached[n]))
        for name in graph
        if name in reached[name]
    }
    return [list(ring) for ring in sorted(found)]


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += graph[name]
    return found


def floors(graph: Mapping[str, set[str]], inside: set[str]) -> int:
    """The longest chain of imports among some modules, in modules; they import in no ring.

    >>> floors({"a": {"b", "x"}, "b": {"c"}, "c": set(), "x": {"a"}}, {"a", "b", "c"})
    3
    """

    @cache
    def above(name: str) -> int:
        return 1 + max((above(n) for n in graph[name] & inside), default=0)

    return max((above(name) for name in inside), default=0)


def long_functions(package: Path) -> list[str]:
    """Functions of more than :data:`LONGEST` lines, as ``module:function``.

    How many ways lead through a function and how many parameters it takes is ruff's to count.
    """
    found = {
        f"{name}:{function}"
        for name, path in modules(package).items()
        for function in read(path).long
    }
    return sorted(found)


def small_modules(package: Path) -> dict[str, str]:
    """Modules below :data:`SMALL` code lines that one other imports, to their docstrings."""
    importers: dict[str, set[str]] = {}
    for name, there in import_graph(package, late=True).items():
        for other in there:
            importers.setdefault(other, set()).add(name)
    return {
        name: read(path).docstring
        for name, path in modules(package).items()
        if path.name != "__init__.py"
        and len(importers.get(name, ())) == 1
        and read(path).code < SMALL
    }


def budget() -> dict[str, Any]:
    """The budget as it is written."""
    return tomllib.loads(BUDGET.read_text("utf-8"))


def lowered(old: Mapping[str, Any]) -> str:
    """The budget of what there is, each number at most what it was."""
    package = ROOT / "src" / "ctdhub"
    lines = [
        "# The most code lines and modules of each folder of src/ctdhub, and functions of more",
        "# than 60 lines.  All only shrinks: `python tools/size.py --write` lowers it; raising a",
        "# number needs a record in docs/decisions that names what went for it.",
        "",
        "[packages]",
    ]
    for folder, size in sizes(package).items():
        code, number = map(min, size, old.get("packages", {}).get(folder, size))
        lines.append(f'"{folder}" = [{code}, {number}]')
    known = old.get("functions", {}).get("long")
    long = [f for f in long_functions(package) if known is None or f in known]
    lines += ["", "[functions]", "long = [", *(f'  "{place}",' for place in long), "]"]
    return "\n".join(lines) + "\n"


def main(words: list[str] | None = None) -> int:
    """Print or write the budget; gives the exit code: 1 where something is over it."""
    parser = argparse.ArgumentParser(prog="size.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--since", metavar="REVISION", help="a commit to compare with")
    parser.add_argument("--write", action="store_true", help="lower the budget to what there is")
    asked = parser.parse_args(words)
    if asked.write:
        BUDGET.write_text(lowered(budget() if BUDGET.is_file() else {}), "utf-8")
        print(f"Written: {BUDGET.relative_to(ROOT)}")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        then = _earlier(asked.since, Path(scratch)) if asked.since else None
        return _show(then)


def _earlier(revision: str, scratch: Path) -> Path:
    packed = subprocess.run(
        ["git", "archive", revision, "src", "tests", "benchmarks", "tools"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(scratch, filter="data")
    return scratch


def _show(then: Path | None) -> int:
    now, most = sizes(ROOT / "src" / "ctdhub"), budget()["packages"]
    before = sizes(then / "src" / "ctdhub") if then else {}
    old = [before, {f: tuple(v) for f, v in most.items()}][then is None]
    print(f"{'package':34}{'then' if then else 'budget':>16}{'now':>16}")
    for folder in sorted(now.keys() | old.keys()):
        print(f"{folder:34}{_pair(old.get(folder)):>16}{_pair(now.get(folder)):>16}")
    print(f"{'all':34}{_pair(_sum(old)):>16}{_pair(_sum(now)):>16}")
    package = ROOT / "src" / "ctdhub"
    print(f"\nimport lines: {import_lines(package) / _sum(now)[0]:.1%} of code lines")
    for name, lines in beside(ROOT).items():
        print(f"{name + ', lines':34}{beside(then)[name] if then else '':>16}{lines:>16}")
    over = [f for f, (code, n) in now.items() if code > most.get(f, [0])[0] or n > most[f][1]]
    print("\n".join(f"over the budget: {folder}" for folder in over))
    return int(bool(over))


def _pair(size: tuple[int, ...] | None) -> str:
    return f"{size[0]:,} / {size[1]}" if size else "-"


def _sum(found: Mapping[str, tuple[int, ...]]) -> tuple[int, int]:
    return sum(s[0] for s in found.values()), sum(s[1] for s in found.values())


if __name__ == "__main__":
    sys.exit(main())
