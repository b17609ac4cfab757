"""The house keeps its size: a budget that only shrinks, and laws of modules and folders."""

from __future__ import annotations

import re
from pathlib import Path

import size

import ctdhub

PACKAGE = Path(ctdhub.__file__).parent

MOST_MODULES, MOST_FLOORS = 12, 5
"""Modules of a folder without its package file, and the longest chain of imports among them."""
CROWDED = {
    "cli": 16, "desk": 23, "dp": 15, "hub": 19, "report": 15, "sensitive/ingest": 15,
    "site/pages": 14,
}  # fmt: skip
"""Folders with more modules; a number only shrinks."""
HIGH = {
    "dp": 9, "hub": 8, "site": 6, "stats": 6, "stats/signals": 6,
}  # fmt: skip
"""Folders with more floors; a number only shrinks."""


def folders() -> dict[str, set[str]]:
    """Modules of each folder, package files left out."""
    found: dict[str, set[str]] = {}
    for name, path in size.modules(PACKAGE).items():
        if path.name != "__init__.py":
            found.setdefault(size.folder_of(PACKAGE, path), set()).add(name)
    return found


def test_every_folder_keeps_its_budget() -> None:
    most = size.budget()["packages"]
    over = {
        folder: (now, most.get(folder))
        for folder, now in size.sizes(PACKAGE).items()
        if any(n > m for n, m in zip(now, most.get(folder, (0, 0)), strict=True))
    }
    assert over == {}, "python tools/size.py shows all; what is added, something else gives back"
    assert most.keys() == size.sizes(PACKAGE).keys(), "python tools/size.py --write"


def test_the_core_of_the_promise_can_be_read() -> None:
    page = (size.ROOT / "docs/explanation/privacy.md").read_text("utf-8")
    table = page.partition("**The core.**")[2].partition("**Next to the core**")[0]
    core = re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE)
    most, known = re.search(r"at most (\d+) lines of code", table), size.modules(PACKAGE / "dp")
    assert core
    assert most
    assert not set(core) - known.keys()
    assert sum(size.read(known[name]).code for name in core) <= int(most[1]) <= 800


def test_no_function_grows_long() -> None:
    known = set(size.budget()["functions"]["long"])
    assert sorted(set(size.long_functions(PACKAGE)) - known) == []


def test_folders_hold_few_modules() -> None:
    crowded = {f: len(found) for f, found in folders().items() if len(found) > MOST_MODULES}
    assert crowded == CROWDED, "split or merge; a number that shrank is written down"


def test_folders_have_few_floors() -> None:
    graph = size.import_graph(PACKAGE)
    high = {f: size.floors(graph, found) for f, found in folders().items()}
    assert {f: n for f, n in high.items() if n > MOST_FLOORS} == HIGH


def test_no_modules_import_each_other_in_a_ring() -> None:
    assert size.circles(size.import_graph(PACKAGE)) == []


def test_small_modules_say_why_they_are_apart() -> None:
    """Another process, a heavy library loaded late, a plugin, the border, a ring of imports."""
    silent = [
        name
        for name, docstring in size.small_modules(PACKAGE).items()
        if "apart" not in docstring.split("\n\n")[0].lower()
    ]
    assert silent == [], "merge each with its importer, or say in its first sentence why not"


def test_a_budget_is_lowered_and_never_raised() -> None:
    text = size.lowered({"packages": {"core": [1, 1]}, "functions": {"long": []}})
    assert '"core" = [1, 1]' in text
    assert "long = [\n]" in text
