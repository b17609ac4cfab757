"""What is emitted from the schema: Arrow, Frictionless, CSV, JSON, and the page."""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import LANGUAGES
from ctdhub.schema import codebook_html, countries, emit, labels
from ctdhub.schema.codebook import (
    COLUMNS,
    TABLES,
    codebook_csv,
    codebook_json,
    denominator,
    section,
)
from ctdhub.schema.model import load_schema

SCHEMA = load_schema()
VARIABLES = SCHEMA.table("people") + SCHEMA.table("perpetrators")


@pytest.mark.parametrize("table", TABLES)
def test_arrow_schema(table: str) -> None:
    found = emit.arrow_schema(table)  # type: ignore[arg-type]
    wanted = SCHEMA.table(table)  # type: ignore[arg-type]
    assert found.names == [v.name for v in wanted]
    assert all(found.field(v.name).nullable for v in wanted)
    for v in wanted:
        assert found.field(v.name).type == (pa.int16() if v.kind == "year" else pa.string())


@pytest.mark.parametrize("table", TABLES)
def test_frictionless_is_a_table_schema(table: str) -> None:
    found = emit.frictionless(table)  # type: ignore[arg-type]
    assert found["missingValues"] == [""]
    assert json.loads(json.dumps(found)) == found
    for v, field in zip(SCHEMA.table(table), found["fields"], strict=True):  # type: ignore[arg-type]
        assert set(field) <= {"name", "type", "title", "description", "constraints"}
        assert field["name"] == v.name
        assert field["type"] == ("year" if v.kind == "year" else "string")
        assert field["title"]
        assert field["description"]
        if v.kind in ("year", "entity"):
            assert "constraints" not in field
        else:
            assert field["constraints"] == {"enum": list(SCHEMA.domain(v.name))}
            assert "" not in field["constraints"]["enum"]


def test_frictionless_of_chosen_columns() -> None:
    found = emit.frictionless("people", ["any_sex", "gender"], "fr")
    assert [f["name"] for f in found["fields"]] == ["any_sex", "gender"]
    assert found["fields"][1]["title"] == "Genre"
    with pytest.raises(KeyError):
        emit.frictionless("records", ["any_sex"])


def test_csv_has_every_variable_code_and_group_once() -> None:
    rows = list(csv.DictReader(io.StringIO(codebook_csv())))
    parts = [f"{part}_{lang}" for lang in LANGUAGES for part in ("label", "definition")]
    assert list(rows[0]) == [*COLUMNS, *parts]
    assert all(row[part] for row in rows for part in parts)
    assert not [r for r in rows for text in r.values() if text.startswith(("=", "+", "-", "@"))]
    keys = [(r["variable"], r["code"]) for r in rows if r["kind"] != "group"]
    assert len(set(keys)) == len(keys)
    assert [k[0] for k in keys if not k[1]] == [v.name for v in VARIABLES]
    for v in VARIABLES:
        if v.kind not in ("year", "entity"):
            assert tuple(c for n, c in keys if n == v.name and c) == SCHEMA.recorded(v.name)
    assert [r["group"] for r in rows if r["kind"] == "group"] == list(SCHEMA.groups)


def test_csv_in_one_language() -> None:
    head = codebook_csv(("es",)).splitlines()[0].split(",")
    assert head == [*COLUMNS, "label_es", "definition_es"]
    with pytest.raises(KeyError):
        codebook_csv(("de",))


def test_json_holds_the_schema() -> None:
    book = json.loads(codebook_json())
    assert [v["name"] for t in book["tables"] for v in t["variables"]] == [
        v.name for v in VARIABLES
    ]
    assert {n: tuple(e["code"] for e in c) for n, c in book["codes"].items()} == SCHEMA.codes
    assert [c["code"] for c in book["countries"]] == list(countries.ALPHA3)
    assert set(book["groups"][0]["label"]) == set(LANGUAGES)


def test_denominators_and_sections() -> None:
    wanted = {
        "means_threats": ("any_means", "means"),
        "means_not_specified": (None, "means"),
        "assistance_medical": ("assistance_medical", "assistance"),
        "exploitation_region": (None, None),
        "any_labour": (None, None),
        "gender": (None, None),
    }
    for name, expected in wanted.items():
        v = SCHEMA.variable(name)
        assert (denominator(v), section(v)) == expected, name


def parsed(lang: str) -> ElementTree.Element:
    text = codebook_html.codebook_html(lang)
    assert text.startswith("<!DOCTYPE html>")
    return ElementTree.fromstring(text)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_is_well_formed_and_complete(lang: str) -> None:
    root = parsed(lang)
    assert root.get("lang") == lang
    assert root.get("dir") == ("rtl" if lang == "ar" else "ltr")
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(set(ids)) == len(ids)
    targets = {a.get("href", "")[1:] for a in root.iter("a")}
    assert targets <= set(ids), "every link of the page leads somewhere on it"
    assert {v.name for v in VARIABLES} <= targets, "the contents name every variable"
    text = re.sub("[ \n]+", " ", " ".join(root.itertext()))  # no-break spaces stay
    for v in VARIABLES:
        assert labels.label(v.name, lang) in text
        assert labels.definition(v.name, lang) in text
        assert labels.source(v.name) in text
    for name, found in SCHEMA.codes.items():
        v = next(v for v in VARIABLES if v.code_list == name)
        assert all(labels.code_definition(v.name, code, lang) in text for code in found)
    assert all(countries.name(code, lang) in text for code in countries.ALPHA3)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_asks_nothing_of_the_network(lang: str) -> None:
    root = parsed(lang)
    assert not {"script", "img", "link", "iframe", "object"} & {e.tag for e in root.iter()}
    assert not re.search(r"https?://|//[a-z]|@import|url\(", codebook_html.codebook_html(lang))


def test_page_is_readable_without_sight() -> None:
    root = parsed("en")
    levels = [int(e.tag[1]) for e in root.iter() if re.fullmatch(r"h[1-6]", e.tag)]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert all(th.get("scope") for th in root.iter("th"))
    named = {e.get("aria-labelledby") for e in root.iter() if e.get("aria-labelledby")}
    assert named <= {e.get("id") for e in root.iter()}


def test_page_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = "<script>alert(1)</script> & \"quotes\" 'too'"
    monkeypatch.setattr(codebook_html.labels, "definition", lambda name, lang: hostile)
    text = codebook_html.codebook_html("en", {"en": "a.html", "fr": '"><b>'})
    assert "<script" not in text
    assert "<b>" not in text
    assert hostile in "".join(ElementTree.fromstring(text).itertext())


def test_pages_link_to_one_another(tmp_path: Path) -> None:
    files = emit.write_codebook(tmp_path / "a" / "b", "html")
    assert [f.name for f in files] == ["codebook.html"] + [
        f"codebook.{lang}.html" for lang in LANGUAGES[1:]
    ]
    root = ElementTree.fromstring(files[0].read_text("utf-8"))
    hrefs = {a.get("href") for a in root.iter("a") if not a.get("href", "").startswith("#")}
    assert hrefs == {f.name for f in files[1:]}


def test_written_files_can_be_read(tmp_path: Path) -> None:
    assert emit.write_codebook(tmp_path, "csv")[0].read_bytes().startswith(b"\xef\xbb\xbfvariable,")
    assert json.loads(emit.write_codebook(tmp_path, "json")[0].read_text("utf-8"))["version"]
    (records, _people, _perpetrators) = emit.write_codebook(tmp_path, "frictionless", ("es",))
    fields = json.loads(records.read_text("utf-8"))["fields"]
    assert fields[0]["title"] == labels.label("year_of_registration", "es")
    for table, path in zip(TABLES, emit.write_codebook(tmp_path, "arrow"), strict=True):
        with pa.ipc.open_file(path) as reader:
            assert reader.schema == emit.arrow_schema(table)
            assert reader.read_all().num_rows == 0


def test_a_file_in_the_way_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "codebook").write_text("mine")
    with pytest.raises(HubError) as caught:
        emit.write_codebook(tmp_path / "codebook", "csv")
    assert caught.value.rule == "codebook-folder"
    assert (tmp_path / "codebook").read_text() == "mine"


def test_verb_tells_what_it_wrote(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    result = CliRunner().invoke(command("codebook"), ["codebook", "--lang", "ar", "--out", out])
    assert result.exit_code == 0, result.output
    assert [p.name for p in Path(out).iterdir()] == ["codebook.ar.html"]


@pytest.mark.parametrize("arguments", [["--format", "pdf"], ["--lang", "de"]])
def test_verb_refuses_what_it_cannot_do(tmp_path: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(
        command("codebook"), ["codebook", "--out", str(tmp_path / "x"), *arguments]
    )
    assert isinstance(result.exception, HubError)
    assert result.exception.rule == "usage"
    assert not (tmp_path / "x").exists()
