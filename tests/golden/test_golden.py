"""The golden set itself: equal whoever runs it and where, and its lists are well formed.

The set as a whole takes three CPU minutes and is run by `make golden`.
"""

from __future__ import annotations

import doctest
import os
from pathlib import Path

import pytest
from golden_parts import wrong_files, wrong_hubs
from golden_parts.left import FORMATS
from golden_parts.record import NEEDS_HUB
from golden_parts.right import SAID

import golden


def sample(folder: Path) -> dict[str, str]:
    golden.compute(["sample"], folder, folder / "kept")
    return golden.lines_of(folder / "kept", "sample")


def test_nothing_of_the_machine_is_in_a_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sample(tmp_path / "a")
    for name, value in {"COLUMNS": "40", "LC_ALL": "fr_FR", "TZ": "Asia/Tokyo"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CTDHUB_LANG", "ar")
    old = os.umask(0o077)
    try:
        second = sample(tmp_path / "a folder whose name is much longer")
    finally:
        os.umask(old)
    assert golden.differences(first, second) == []
    kept = tmp_path / "a" / "kept" / "sample"
    assert "2026-01-20" in (kept / "ledger.jsonl").read_text("utf-8")
    assert (kept / "requests.txt").read_text("utf-8") != "0"
    messages = {path.read_text("utf-8") for path in (kept / "messages.many").iterdir()}
    assert len(messages) == 4
    assert not any(str(tmp_path) in message for message in messages)


def test_a_changed_output_is_named(tmp_path: Path) -> None:
    for name in ("one", "some.many/a", "some.many/b"):
        path = tmp_path / "part" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, "utf-8")
    before = golden.lines_of(tmp_path, "part")
    assert list(before) == ["part/one", "part/some.many"]
    (tmp_path / "part" / "some.many" / "b").rename(tmp_path / "part" / "some.many" / "c")
    after = golden.lines_of(tmp_path, "part")
    assert golden.differences(before, after) == ["changed  part/some.many"]


@pytest.mark.parametrize("part", golden.PARTS)
def test_the_lines_are_those_that_a_run_would_write(part: str) -> None:
    lines = golden.written(part)
    text = (golden.LINES / f"{part}.txt").read_text("utf-8")
    assert text == golden.text_of(dict(sorted(lines.items())))
    assert all(name.startswith(f"{part}/") and len(lines[name]) == 16 for name in lines)


def test_every_case_has_its_line() -> None:
    names = {**wrong_files.cases(), **wrong_hubs.cases()}
    faults = set(golden.written("faults"))
    helps = {name for name in faults if name.startswith("faults/help/")}
    assert {f"faults/{name}.txt" for name in names} == faults - helps
    assert {"faults/help/verbs.txt", "faults/help/build.txt", "faults/help/facts.txt"} <= helps
    right, left = golden.written("right"), golden.written("left")
    for name, (_words, forms) in SAID.items():
        assert {f"right/verbs/{name}-{form}.fr.txt" for form in forms} <= set(right)
    assert {f"left/crosswalk/{name}-json.txt" for name in FORMATS} <= set(left)
    asked = {name.rpartition("-")[0] for name in left if name.startswith("left/requests/")}
    assert len(asked) == 12
    assert set(NEEDS_HUB) < set(golden.PARTS)


def test_doctests() -> None:
    assert doctest.testmod(golden).failed == 0
