"""The verbs suggest and harmonise, and the doctests of the room."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

import ctdhub.sensitive.mapping
from ctdhub.cli import contributor
from ctdhub.core.errors import HubError
from ctdhub.sensitive.mapping.mapping_file import load_mapping

MODULES = [
    m.name
    for m in pkgutil.iter_modules(ctdhub.sensitive.mapping.__path__, "ctdhub.sensitive.mapping.")
]
CSV = "sex,nationality,intake date\nF,Perú,2020-01-02\nM,Nowhereland,2020-01-02\n"


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    contributor.register(made)
    return made


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
        "lineage.csv",
    }
    for text in ("Nowhereland",):
        assert text not in done.output
        assert text not in (out / "rejects.csv").read_text("utf-8")


def test_unknown_mapping(app: typer.Typer, tmp_path: Path):
    file = tmp_path / "cases.csv"
    file.write_text(CSV, "utf-8")
    result = CliRunner().invoke(app, ["harmonise", str(file), "--mapping", "no-such"])
    assert isinstance(result.exception, HubError)
    assert "ctdc-2021" in result.exception.fix
