"""Known mistakes still apply to the source, and the tool says which of them no test meets."""

from __future__ import annotations

import re
from pathlib import Path

import mutations
import pytest
import yaml

KEPT = mutations.read()
POINT = {
    "name": "wider", "old": "POINT, HEADLINE, RELATIVE =\n 0.30,", "new": "POINT, HEADLINE, X = 1,",
}  # fmt: skip


def test_every_mistake_applies_once_and_names_tests_that_are_there() -> None:
    for mutation in KEPT:
        path, text = mutation.made(mutations.ROOT / "src")
        compile(text, path, "exec")
        assert text != path.read_text("utf-8")
        file, *chosen = mutation.tests
        names = re.findall(r"^def (test_\w+)", (mutations.ROOT / file).read_text("utf-8"), re.M)
        assert names
        assert not chosen or any(chosen[1] in name for name in names), mutation.name
    assert len({mutation.name for mutation in KEPT}) == len(KEPT)


def test_what_is_not_caught_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = "from ctdhub.stats.cards import POINT\n\n\ndef test_it():\n    assert POINT {} 0.3\n"
    for name, compared in (("good", "=="), ("weak", ">="), ("broken", ">")):
        (tmp_path / f"test_{name}.py").write_text(said.format(compared))
    kept = [
        {**POINT, "tests": [str(tmp_path / f"test_{name}.py")]}
        for name in ("good", "weak", "broken")
    ]
    kept.append({**POINT, "old": "no line of the source", "tests": ["tests"]})
    for some, ended in ((kept[:1], 0), (kept[1:], 1)):
        (tmp_path / "kept.yaml").write_text(yaml.safe_dump(some))
        assert mutations.main(tmp_path / "kept.yaml") == ended
    assert capfd.readouterr().out.splitlines() == [
        "caught: wider",
        "not caught: wider",
        "its tests do not pass without it: wider",
        "no longer applies: found 0 times: wider",
    ]
