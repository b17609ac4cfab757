"""The verbs suggest and harmonise, and the doctests of the room."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

import ctdhub.sensitive.mapping
from ctdhub.cli.app import command
from ctdhub.core.errors import HubError
from ctdhub.sensitive.mapping.mapping_file import load_mapping

MODULES = [
    m.name
    for m in pkgutil.iter_modules(ctdhub.sensitive.mapping.__path__, "ctdhub.sensitive.mapping.")
]
CSV = "sex,nationality,intake date\nF,Perú,2020-01-02\nM,Nowhereland,2020-01-02\n"


@pytest.fixture
def app() -> typer.Typer:
    return command("suggest")


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name: str):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_suggest_then_harmonise(app: typer.Typer, tmp_path: Path):
    file, mapping, out = tmp_path / "cases.csv", tmp_path / "m.yaml", tmp_path / "out"
    file.write_text(CSV, "utf-8")
    shown = CliRunner().invoke(app, ["suggest", str(file)])
    assert shown.exit_code == 0
    assert "citizenship:" in shown.output
    written = CliRunner().invoke(app, ["suggest", str(file), "--out", str(mapping)])
    assert written.exit_code == 0
    assert load_mapping(mapping).columns
    again = CliRunner().invoke(app, ["suggest", str(file), "--out", str(mapping)])
    assert isinstance(again.exception, HubError)
    done = CliRunner().invoke(
        app, ["harmonise", str(file), "--mapping", str(mapping), "--out", str(out)]
    )
    assert done.exit_code == 1  # one row was rejected
    assert pq.read_table(out / "records.parquet").num_rows == 1
    assert {path.name for path in out.iterdir()} == {
        "records.parquet",
        "perpetrators.parquet",
        "rejects.csv",
        "unknown-texts.csv",
        "lineage.csv",
    }
    before, _, listed = done.output.partition("for the steward alone")
    assert "Nowhereland" not in before
    assert "Nowhereland" in listed
    assert "Nowhereland" not in (out / "rejects.csv").read_text("utf-8")


def test_unknown_mapping(app: typer.Typer, tmp_path: Path):
    file = tmp_path / "cases.csv"
    file.write_text(CSV, "utf-8")
    result = CliRunner().invoke(app, ["harmonise", str(file), "--mapping", "no-such"])
    assert isinstance(result.exception, HubError)
    assert "ctdc-2021" in result.exception.fix


TITLED = "Cases of 2020;;\nsex;nationality;intake date\nF;Perú;03/04/2020\nM;Togo;05/04/2020\n"


def test_what_is_stated_is_written_into_the_draft_and_goes_before_the_mapping(
    app: typer.Typer, tmp_path: Path
):
    file, mapping = tmp_path / "cases.csv", tmp_path / "m.yaml"
    file.write_text(TITLED, "utf-8")
    stated = ["--header-row", "2", "--delimiter", ";", "--dates", "mdy"]
    done = CliRunner().invoke(app, ["suggest", str(file), *stated, "--out", str(mapping)])
    assert done.exit_code == 0, done.exception
    rules = load_mapping(mapping)
    assert (rules.read.header_row, rules.read.delimiter) == (2, ";")
    assert rules.dates.order == "mdy"
    moved = tmp_path / "moved.csv"
    moved.write_text("\n" + TITLED.replace(";", "\t"), "utf-8")
    with_mapping = ["harmonise", str(moved), "--mapping", str(mapping)]
    assert CliRunner().invoke(app, with_mapping).exit_code != 0
    own = CliRunner().invoke(
        app, [*with_mapping, "--header-row", "3", "--delimiter", "tab", "--dates", "dmy"]
    )
    assert own.exit_code == 0, own.exception


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["--sheet", "Cases"], "option"),
        (["--delimiter", "ab"], "option"),
        (["--delimiter", "x"], "option"),
        (["--delimiter", ""], "option"),
        (["--header-row", "9"], "no-header"),
    ],
)
@pytest.mark.parametrize("verb", ["suggest", "harmonise"])
def test_options_that_do_not_fit_are_refused(
    app: typer.Typer, tmp_path: Path, verb: str, options: list[str], rule: str
):
    file, mapping = tmp_path / "cases.csv", tmp_path / "m.yaml"
    file.write_text(CSV, "utf-8")
    mapping.write_text("version: 1\ncolumns: {citizenship: {from: nationality, country: true}}\n")
    more = ["--mapping", str(mapping)] if verb == "harmonise" else []
    result = CliRunner().invoke(app, [verb, str(file), *more, *options])
    assert isinstance(result.exception, HubError)
    assert result.exception.rule == rule
    assert CliRunner().invoke(app, [verb, str(file), *more, "--header-row", "0"]).exit_code == 2


def test_sheets_to_choose_from_are_listed(app: typer.Typer, tmp_path: Path):
    book, path = openpyxl.Workbook(), tmp_path / "a.xlsx"
    for name, more in (("north", []), ("south", ["office"])):
        sheet = book.create_sheet(name)
        sheet.append(["sex", "age", "nationality", "year", *more])
        for age in (17, 30, 22):
            sheet.append(["F", age, "Peru", 2024, *more])
    book.save(path)
    result = CliRunner().invoke(app, ["suggest", str(path)])
    assert isinstance(result.exception, HubError)
    assert result.exception.rule == "sheets"
    assert "north" in result.output
    assert "nationality" in result.output
    assert CliRunner().invoke(app, ["suggest", str(path), "--sheet", "north"]).exit_code == 0


def test_a_file_without_a_row_of_names_is_not_drafted_from_its_first_row(
    app: typer.Typer, tmp_path: Path
):
    file = tmp_path / "cases.csv"
    file.write_text("1,2020,F,NGA\n2,2021,M,GIN\n3,2021,F,CIV\n", "utf-8")
    result = CliRunner().invoke(app, ["suggest", str(file)])
    assert isinstance(result.exception, HubError)
    assert result.exception.rule == "no-header"
    assert "not certain which row holds the column names" in str(result.exception)
    assert "--header-row" in str(result.exception)
    assert not result.output.strip()
    stated = CliRunner().invoke(app, ["suggest", str(file), "--header-row", "1"])
    assert stated.exception is None
