"""The index of decisions is that of the records, and every record says its number and title."""

from __future__ import annotations

import doctest
import re

import decisions
import pytest
import subjects


def test_the_index_is_that_of_the_records() -> None:
    index = decisions.PAGE.read_text("utf-8")
    assert index == decisions.page(decisions.known(index)), "run `python tools/decisions.py`"
    rows = re.findall(r"^\| (\d+) \|", index, re.MULTILINE)
    assert rows == [str(n) for n in range(1, len(rows) + 1)]


def test_every_record_says_its_number_and_has_a_room() -> None:
    places = decisions.known(decisions.PAGE.read_text("utf-8"))
    for path in decisions.FOLDER.glob("[0-9]*.md"):
        number, first = int(path.name[:4]), path.read_text("utf-8").partition("\n")[0]
        assert re.fullmatch(rf"# {number}\. \S.*", first), path.name
        assert {*places[number][0].split("/")} <= subjects.rooms() | {"secagg", "spark"}, path.name


def test_what_changed_a_record_is_a_record() -> None:
    for path in decisions.FOLDER.glob("[0-9]*.md"):
        for number in re.findall(r"\d+", decisions.status(path.read_text("utf-8"))):
            assert [*decisions.FOLDER.glob(f"{int(number):04}-*.md")], path.name


def test_a_new_record_without_a_row_is_noticed() -> None:
    index = decisions.PAGE.read_text("utf-8")
    less = re.sub(r"^\| 113 \|.*\n", "", index, flags=re.MULTILINE)
    assert less != index
    with pytest.raises(KeyError, match="113"):
        decisions.page(decisions.known(less))


def test_what_the_tool_says_of_itself_holds() -> None:
    assert doctest.testmod(decisions).attempted
    assert not doctest.testmod(decisions).failed
