"""CSV and JSON for programs: one writer, no cell that a spreadsheet would run, nothing lost."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.source import modules, none

from ctdhub.core.tables import as_csv, as_json, harmless, put_rows, write_csv, write_json
from ctdhub.release.tables import without_formulas

RUN = "=+-@\t\r\n＝＋－＠"
CELLS = st.text(st.characters(codec="utf-8"), max_size=20)
FORMULAS = st.builds(str.__add__, st.sampled_from(RUN), CELLS)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5))
def test_what_is_written_as_it_is_is_read_again(rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    put_rows(out, ("a", "b"), rows, delimiter=";", as_is=True)
    read = list(csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=";"))
    assert read == [["a", "b"], *rows]


@given(FORMULAS | CELLS)
def test_no_cell_runs_unless_it_is_a_number(cell: str) -> None:
    _head, (read,) = csv.reader(io.StringIO(as_csv(("a",), [(cell,)]), newline=""))
    if read.startswith(tuple(RUN)):
        assert re.fullmatch(r"[+-]?[0-9]+([.][0-9]+)?\n?", read)
    assert read in (cell, f"'{cell}")


@given(FORMULAS | CELLS)
def test_both_ways_to_write_a_table_agree(cell: str) -> None:
    assert without_formulas(pa.table({"a": [cell]}))["a"].to_pylist() == [harmless(cell)]


def test_none_is_an_empty_cell_and_numbers_stay() -> None:
    text = as_csv(("a", "b", "c"), [(None, -1.5, "-1.5"), ("=1", "@x", "−1")])
    assert text == "a,b,c\n,-1.5,-1.5\n'=1,'@x,−1\n"
    assert as_csv(("a",), [], end="\r\n") == "a\r\n"


def test_files_hold_what_the_texts_hold(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", ("à", "ب"), [("é", 1)])
    assert (tmp_path / "a.csv").read_bytes() == "à,ب\né,1\n".encode()
    write_json(tmp_path / "a.json", {"à": ["ب", 1.5]})
    assert (tmp_path / "a.json").read_text("utf-8") == as_json({"à": ["ب", 1.5]})
    assert json.loads(as_json({"à": 1})) == {"à": 1}
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON"):
            as_json([wrong])


def test_rows_are_written_in_one_place() -> None:
    """No module but ``core.datafiles`` makes a writer of rows."""
    none(
        module.place
        for module in modules()
        if module.place != "core/tables.py"
        if re.search(r"csv\.(writer|DictWriter)\b", module.text)
    )
