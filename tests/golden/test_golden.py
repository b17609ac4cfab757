"""The golden set itself: equal whoever runs it and where, and its lists are well formed.

The set as a whole takes six CPU minutes and is run by `make golden`.
"""

from __future__ import annotations

import doctest
import os
from pathlib import Path
from typing import Any

import pytest
from golden_parts import changed, desk, record, wrong_files, wrong_hubs
from golden_parts.hub_answers import ROLES
from golden_parts.left import FORMATS
from golden_parts.record import BASES, MAKES
from golden_parts.right import SAID

import golden
from ctdhub.sensitive.workbench.ask import ANSWERS


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
    seen = {name.rpartition("-")[2].partition(".")[0] for name in golden.written("workbench")}
    assert set(ANSWERS) <= seen
    answers = "\n".join(golden.written("hub_answers"))
    assert all(f"hub_answers/{role}/refused.txt" in answers for role in ROLES)
    assert set(BASES) - set(MAKES) < set(golden.PARTS)


def test_doctests() -> None:
    for module in (golden, changed, desk, record):
        assert doctest.testmod(module).failed == 0


def test_what_changed_picks_the_parts(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    said = []
    monkeypatch.setattr(golden, "compute", lambda parts, *_folders: said.extend(parts))
    monkeypatch.setattr(golden, "changed_since", lambda _revision: ["docs/index.md"])
    assert golden.main(["check", "--changed", "main"]) == 0
    assert "since main" in capsys.readouterr().out
    assert said == []
    paths = ["src/ctdhub/kit/start.py"]
    monkeypatch.setattr(golden, "changed_since", lambda _revision: paths)
    golden.main(["check", "--changed", "main"])
    assert said == ["faults", "kit_pages"]
    assert changed.touched(["src/ctdhub/schema/x.py"]) == golden.PARTS
    rooms = [place for place in changed.TOUCHES if not place.endswith(".txt")]
    assert [place for place in rooms if not (golden.REPOSITORY / place).exists()] == []
