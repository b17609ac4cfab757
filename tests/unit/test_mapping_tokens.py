"""Columns of tokens in a mapping: read, compared, and open to no rule."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from ctdhub.cli.contributor import _write
from ctdhub.core.errors import FileError, HubError, MappingError
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.identifiers import TOKENS
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

A, B = "b-" + "0a" * 12, "f-" + "1b" * 12
COLUMNS: dict[str, Any] = {"gender": {"from": "sex", "map": {"F": "female", "M": "male"}}}


def run(tmp_path: Path, rows: list[list[str]], **mapping: Any) -> Harmonised:
    path = tmp_path / "in.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([["sex", "link_token", "link_tokens"], *rows])
    said = {"version": 1, "columns": COLUMNS, "identifiers": {"link_token": "token"}} | mapping
    parsed = parse_mapping(yaml.safe_dump(said), "m.yaml")
    return harmonise(read_table(path), parsed, "ngo", (2000, 2030), b"k" * 32)


def test_tokens_of_records_and_of_nobody_else(tmp_path: Path) -> None:
    rows = [["F", A, f"{A};{B}"], ["F", "", ""], ["nobody", A, A], ["M", A, f" {B} ; "]]
    done = run(tmp_path, rows, tokens=["link_tokens"])
    assert done.tokens.schema == TOKENS
    assert done.conservation.rejected == 1
    ids = done.records["record_id"].to_pylist()
    assert done.tokens.to_pylist() == [
        {"record_id": ids[0], "contributor": "ngo", "token": A},
        {"record_id": ids[0], "contributor": "ngo", "token": B},
        {"record_id": ids[2], "contributor": "ngo", "token": B},
    ]
    assert done.records["person_key"].to_pylist() == [A, None, A]
    _write(done, tmp_path / "out")
    assert pq.read_table(tmp_path / "out" / "tokens.parquet").num_rows == 3


def test_equal_rows_keep_their_own_tokens_in_whatever_order(tmp_path: Path) -> None:
    """Without a key rows that say the same are told apart by their tokens, not by their place."""
    rows = [["F", "", A], ["F", "", B], ["F", "", ""], ["F", "", f"{B};{A}"]]

    def told(some: list[list[str]]) -> set[tuple[str, str]]:
        done = run(tmp_path, some, tokens=["link_tokens"])
        return {(r["record_id"], r["token"]) for r in done.tokens.to_pylist()}

    assert told(rows) == told(rows[::-1])
    assert told(rows[1:]) < told(rows)
    keyed = run(tmp_path, [["F", A, A], ["F", A, B]], tokens=["link_tokens"])
    plain = run(tmp_path, [["F", A, ""], ["F", A, ""]], tokens=["link_tokens"])
    assert keyed.records["record_id"].equals(plain.records["record_id"])


def test_without_tokens_nothing_changes(tmp_path: Path) -> None:
    done = run(tmp_path, [["F", A, ""]])
    assert done.tokens.num_rows == 0
    _write(done, tmp_path / "out")
    assert not (tmp_path / "out" / "tokens.parquet").exists()


@pytest.mark.parametrize(
    "cell",
    [
        "Ordinary Words",
        "b-short",
        f"{A};Words",
        "x-" + "0" * 24,
        "B-" + "0" * 24,
        A + "é",
        A + "," + B,
    ],
)
def test_other_texts_are_refused_and_not_shown(tmp_path: Path, cell: str) -> None:
    with pytest.raises(FileError) as error:
        run(tmp_path, [["F", A, A], ["M", A, cell]], tokens=["link_tokens"])
    assert (error.value.rule, error.value.row) == ("weak-token", 3)
    assert cell not in str(error.value)


def test_columns_of_tokens_serve_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="link_tokens"):
        run(tmp_path, [], tokens=["link_tokens"], identifiers={"link_tokens": "strip"})
    columns = {"gender": {"from": "link_tokens", "map": {"F": "female"}}}
    with pytest.raises(MappingError, match="link_tokens"):
        run(tmp_path, [], tokens=["link_tokens"], columns=columns)
    with pytest.raises(HubError, match="no_such_column"):
        run(tmp_path, [["F", A, A]], tokens=["no_such_column"])
    both = run(tmp_path, [["F", A, B]], tokens=["link_token", "link_tokens"])
    assert both.tokens["token"].to_pylist() == [A, B]
