"""The verbs crosswalk and convert."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import FileError, UnreadableFile
from ctdhub.schema.crosswalk import NAMES

run = CliRunner()


@pytest.fixture
def app() -> typer.Typer:
    return command("crosswalk")


def test_names_alone(app: typer.Typer) -> None:
    result = run.invoke(app, ["crosswalk"])
    assert result.exit_code == 0
    assert all(name in result.stdout for name in NAMES)


def test_a_table_marks_losses(app: typer.Typer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctdhub.cli.output.console.width", 200)
    whole = run.invoke(app, ["crosswalk", "ctdc-2021", "ctdc-2024"]).stdout
    lossy = run.invoke(app, ["crosswalk", "ctdc-2021", "ctdc-2024", "--lossy"]).stdout
    assert "exact" in whole
    assert "lossy" in lossy
    assert "no counterpart" in lossy
    assert "exact" not in lossy
    assert len(lossy) < len(whole)


def test_json_is_json(app: typer.Typer) -> None:
    result = run.invoke(app, ["crosswalk", "htcds-2", "--json", "--lossy"])
    found = json.loads(result.stdout)
    assert {c["state"] for c in found} == {"lossy", "none"}
    assert all(c["notes"] for c in found if c["state"] == "lossy")


def test_convert_says_what_was_lost(app: typer.Typer, tmp_path: Path) -> None:
    records = pa.table({"gender": ["female", "male"], "means_threats": ["yes", "no"]})
    pq.write_table(records, tmp_path / "records.parquet")
    out = tmp_path / "records.csv"
    command = ["convert", str(tmp_path / "records.parquet"), "--to", "ctdc-2024", "--out", str(out)]
    result = run.invoke(app, command)
    assert result.exit_code == 0
    assert "means_threats" in result.stdout
    assert out.read_text("utf-8").count("\n") == 3
    refused = run.invoke(app, command).exception
    assert isinstance(refused, FileError)
    assert refused.rule == "no-overwrite"
    out.unlink()
    (tmp_path / "records.parquet").write_bytes(b"no parquet")
    assert isinstance(run.invoke(app, command).exception, UnreadableFile)
