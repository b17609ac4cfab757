"""The workbench: what it answers about practice files and a dirty one, before and after edits.

Belongs here: every kind of request, and every view, undo and conflict, over a file.  What pages
make of the answers: ``desk_pages``, ``kit_pages``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.unit.dirty_columns import write

from ctdhub.sensitive.workbench.ask import ask
from golden_parts.kept import Kept
from golden_parts.world import World

FILES = {
    "beacon-hotline": "practice_fictitious_hotline.xlsx",
    "rivage-refuge": "practice_fictitious_refuge_htcds.xlsx",
    "dirty": "dirty.csv",
}
"""The file of each contributor; the last has no mapping yet."""
DAY = "2026-01-15"
COLUMNS = 10
"""About so many columns of a file are looked at before anything is edited; then all of them."""

VIEWS: tuple[dict[str, Any], ...] = (
    *({"show": show, "sort": sort} for show in ("unknown", "decided") for sort in ("text", "rows")),
    {"sort": "decision", "start": 2, "limit": 3},
    {"find": "a", "sort": "text"},
    {"sheet": "columns.nothing"},
)
"""Ways to look at a column, beside the plain one."""

MISTAKEN: tuple[dict[str, Any], ...] = (
    {"ask": "no such"},
    {"ask": "open", "sheet": "no such"},
    {"ask": "open", "file": "relative.csv"},
    {"ask": "open", "years": ["x"]},
    {"ask": "text", "who": "../ada"},
    {"ask": "text", "day": "today"},
    {"ask": "do", "operations": "x"},
    {"ask": "do", "operations": [{"op": "map"}]},
    {"ask": "do", "operations": [{"op": "setting", "key": "columns", "value": {}}]},
    {"ask": "try", "operations": [{"op": "rule", "variable": "no_such", "rule": {"from": "x"}}]},
    {"ask": "write", "text": "version: 1\ncolumns: {gender: {}}\n"},
    {"ask": "undo", "n": [99]},
    {"ask": "undo_kept", "commit": 99},
    {"ask": "keep", "from": "../x"},
    {"ask": "keep", "from": "juin"},
)
"""Requests that are refused."""

Operations = list[dict[str, Any]]


class Bench:
    """Asks about one file, and keeps each answer under its number and kind.

    Args:
        keep: takes a name and an answer.
        place: keys that the carrier sets.
    """

    def __init__(self, keep: Callable[[str, str], None], place: dict[str, Any]) -> None:
        self._keep, self.place, self._number = keep, place, 0

    def __call__(self, kind: str, **more: Any) -> dict[str, Any]:
        self._number += 1
        return self.as_group(f"{self._number:02d}-{kind}", {"ask": kind, **more})

    def as_group(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        """The same under a name that is given."""
        answer = ask({**self.place, **request})
        text = json.dumps(answer, ensure_ascii=False, indent=1, sort_keys=True)
        self._keep(f"{name}.json", text)
        return answer


def record(world: World, kept: Kept) -> None:
    """Keep the answers about each file."""
    world.done("practice", "files", "--people", 1_000, "--seed", 7)
    write(Path("files/dirty.csv"), 60)
    for contributor, name in FILES.items():
        place = {"folder": str(Path("files").resolve()), "contributor": contributor, "day": DAY,
                 "who": "ada", "file": str(Path("files", name).resolve())}  # fmt: skip

        def keep(at: str, text: str, under: str = contributor) -> None:
            kept.text(f"{under}/{at}", text)

        bench = Bench(keep, place)
        columns = _looked_at(bench)
        sheet = _edited(bench, columns)
        _kept(bench, sheet)
        _of_another_day(bench)
        for number, request in enumerate(MISTAKEN):
            bench.as_group(f"mistaken.many/{number:02d}", request)


def _looked_at(bench: Bench) -> list[str]:
    """The file as it came; gives its columns."""
    bench("open")
    columns = _whole(bench)
    for column in columns[:: -(-len(columns) // COLUMNS)]:
        bench("column", column=column)
    for kind in ("history", "text"):
        bench(kind)
    first = bench.place | {"file": None}
    for kind in ("text", "columns"):  # only the mapping is asked about
        bench.as_group(f"without-file/{kind}", {"ask": kind, **first})
    return columns


def _whole(bench: Bench) -> list[str]:
    """What is asked of a whole file; gives its columns."""
    found = bench("columns").get("columns", [])
    for kind in ("problems", "identifiers", "alarms"):
        bench(kind)
    bench("problems", start=1, limit=2)
    return [str(one["column"]) for one in found]


def _edited(bench: Bench, columns: list[str]) -> str:
    """What is suggested, some texts, each kind of operation, undone; gives a sheet of texts."""
    every = [p["operations"] for v in bench("columns")["columns"] for p in v["proposals"]]
    if every:
        bench("try", operations=every[0])
        bench("do", operations=[one for operations in every for one in operations])
    sheets: dict[str, dict[str, Any]] = {}
    for number, column in enumerate(columns):
        answer = bench.as_group(f"column.many/{number:02d}", {"ask": "column", "column": column})
        if answer.get("sheet") and answer["values"] and answer["choices"]:
            sheets.setdefault(str(answer["sheet"]), {"column": column, **answer})
    for number, (sheet, answer) in enumerate(list(sheets.items())[:2]):
        for view, more in enumerate(VIEWS):
            request = {"ask": "column", "column": answer["column"], **more}
            bench.as_group(f"views.many/{number}-{view}", request)
        operations = _choices(sheet, answer)
        bench.as_group(f"decided.many/{number}-try", {"ask": "try", "operations": operations})
        bench.as_group(f"decided.many/{number}-do", {"ask": "do", "operations": operations})
    done: list[int] = []
    for operations in _every_kind(columns):
        done += bench("do", operations=operations).get("done", [])
    bench("undo", n=done[:2])
    bench("redo", n=done[:2])
    early = [1, 2]
    bench("undo", n=early)
    bench("undo", n=early, later="stay")
    bench("redo", n=early)
    bench("undo", n=early, later="undo")
    bench("redo", n=early)
    _whole(bench)
    text = bench("text")["text"]
    bench("write", text=f"# Typed by hand\n{text}")
    bench("history")
    return next(iter(sheets))


def _choices(sheet: str, answer: dict[str, Any]) -> Operations:
    """The first choice for the first text, what is no code for the next ones."""
    codes = (answer["choices"][0]["code"], "not-recorded", "stays-unknown")
    texts = [str(one["text"]) for one in answer["values"]]
    return [
        {"op": "map", "sheet": sheet, "text": text, "codes": [code]}
        for text, code in zip(texts, codes, strict=False)
    ]


def _every_kind(columns: list[str]) -> list[Operations]:
    """Each kind of operation, those that go together in one list: all of it is done, or none."""
    first, last = columns[0], columns[-1]
    kept, minor = {"keep": "a number of the office"}, {"from": last, "map": {"x": "minor"}}
    return [
        [{"op": "rule", "variable": "gender", "rule": None}],
        [
            {"op": "empty", "text": "n/a", "on": True},
            {"op": "identifier", "column": last, "decision": "strip"},
            {"op": "identifier", "column": first, "decision": kept},
            {"op": "accept", "entry": {"alarm": "one-gender"}, "on": True},
            {"op": "setting", "key": "dates", "value": "dmy"},
        ],
        [{"op": "known", "variable": "exploitation_other", "text": "x", "on": True}],
        [
            {"op": "identifier", "column": last, "decision": None},
            {"op": "empty", "text": "n/a", "on": False},
            {"op": "rule", "variable": "majority_status", "rule": minor},
            {"op": "exclude", "name": "no-consent", "rule": {"when": {last: ["no", "non"]}}},
        ],
        [{"op": "setting", "key": "rows", "value": "person"}],
    ]


def _kept(bench: Bench, sheet: str) -> None:
    """Two people keep, disagree, agree; what was kept is taken back; somebody edits by hand."""
    text = {"op": "empty", "text": "nobody knows", "on": True}
    own = {"op": "map", "sheet": sheet, "text": "zz"}
    mine = [
        {"op": "setting", "key": "name", "value": "ada’s"},
        text,
        {**own, "codes": ["not-recorded"]},
    ]
    bens = [
        {"op": "setting", "key": "name", "value": "ben’s"},
        {**own, "codes": ["stays-unknown"]},
    ]
    bench("open", who="ben")
    bench("do", who="ben", operations=bens)
    bench("do", operations=mine)
    bench("keep", why="seen with the office", **{"from": ""})
    conflicts = bench("keep", who="ben", **{"from": ""}).get("conflicts", [])
    bench("do", who="ben", operations=[op for one in conflicts[::2] for op in one["operations"]])
    bench("keep", who="ben", **{"from": ""})
    bench("keep")  # nothing was changed, of another day
    commits = bench("history").get("commits", [])
    for one in commits[1:3]:  # the newest kept what there was, for another day
        bench("undo_kept", commit=one["number"])
        bench("undo_kept", commit=one["number"], later="undo")
    bench("text")
    bench("discard")
    mapping = Path(bench.place["folder"], "mappings", f"{bench.place['contributor']}.yaml")
    if mapping.exists():
        mapping.write_text(mapping.read_text("utf-8") + "# by hand\n", "utf-8")
    bench("history")


def _of_another_day(bench: Bench) -> None:
    """The file once more under a day of its own."""
    bench("open", day="2026-06-01", own_draft="file-2")
    bench("columns", day="2026-06-01", own_draft="file-2", unknown_share=0.01, years=[2015, 2020])
    bench("alarms", day="2026-06-01", own_draft="file-2", unknown_share=0.01)
