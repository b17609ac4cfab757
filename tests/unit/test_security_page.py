"""The page on security answers every requirement of ASVS 5.0.0, levels 1 and 2, once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "security.md"
STATES = {"met", "operator", "none", "partly", "not met"}

ASKED = """
1.1:1-2 1.2:1-9 1.3:1-11 1.4:1-3 1.5:1-2 2.1:1-3 2.2:1-3 2.3:1-4 2.4:1 3.2:1-2 3.3:1-4 3.4:1-6
3.5:1-5 3.7:1-2 4.1:1-3 4.2:1 4.3:1-2 4.4:1-4 5.1:1 5.2:1-3 5.3:1-2 5.4:1-3 6.1:1-3 6.2:1-12
6.3:1-4 6.4:1-4 6.5:1-5 6.6:1-3 6.8:1-4 7.1:1-3 7.2:1-4 7.3:1-2 7.4:1-5 7.5:1-2 7.6:1-2 8.1:1-2
8.2:1-3 8.3:1 8.4:1 9.1:1-3 9.2:1-4 10.1:1-2 10.2:1-2 10.3:1-4 10.4:1-11 10.5:1-5 10.6:1-2
10.7:1-3 11.1:1-2 11.2:1-3 11.3:1-3 11.4:1-4 11.5:1 11.6:1 12.1:1-3 12.2:1-2 12.3:1-4 13.1:1
13.2:1-5 13.3:1-2 13.4:1-5 14.1:1-2 14.2:1-4 14.3:1-3 15.1:1-3 15.2:1-3 15.3:1-7 16.1:1 16.2:1-5
16.3:1-4 16.4:1-3 16.5:1-3 17.1:1 17.2:1-4 17.3:1-2
"""
"""Sections of the standard and the numbers in them that are of level 1 or 2."""


def asked() -> set[str]:
    found = set()
    for part in ASKED.split():
        section, _sep, numbers = part.partition(":")
        first, _sep, last = numbers.partition("-")
        found |= {f"{section}.{n}" for n in range(int(first), int(last or first) + 1)}
    return found


def rows() -> list[tuple[str, str, str]]:
    cells = (re.split(r"\s*\|\s*", line.strip("| \n")) for line in PAGE.open(encoding="utf-8"))
    return [(c[0], c[1], c[2]) for c in cells if len(c) == 3 and re.match(r"\d+\.\d+\.\d+", c[0])]


def test_each_requirement_is_answered_once_with_a_state() -> None:
    answered = Counter(id for ids, _state, _answer in rows() for id in ids.split(", "))
    assert {id for id, n in answered.items() if n > 1} == set()
    assert asked() - set(answered) == set()
    assert set(answered) - asked() == set()
    for _ids, state, answer in rows():
        assert state in STATES
        assert answer


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text("utf-8")))
    files = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE.read_text("utf-8")))
    known = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        known |= set(re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE))
    assert named - known == set()
    assert all((ROOT / file).is_file() for file in files)
    assert len(named) > 20
