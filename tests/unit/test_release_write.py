"""A release is written whole or not at all, is never rewritten, and says what it is."""

from __future__ import annotations

import csv
import json
import stat
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from invented_release import FACTS, TABLES, people_rows, protected_answer

from ctdhub.border import COUNTS, restore
from ctdhub.core.errors import ReleaseError
from ctdhub.release.bundle import latest_release, next_version, write_release
from ctdhub.release.manifest import PublicFacts
from ctdhub.release.open import open_release, verify
from ctdhub.release.tables import without_formulas


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub") / "releases"
    return write_release(protected_answer(), folder, "2026.1", "First release.")


def test_round_trip_gives_the_same_answer(release: Path) -> None:
    given, found = protected_answer(), open_release(release)
    assert verify(release) == []
    assert found.version == "2026.1"
    assert found.protected.records.equals(given.records)
    assert found.protected.counts.equals(given.counts)
    for part in ("people", "case_records", "guarantee", "facts"):
        assert getattr(found.protected, part) == getattr(given, part), part


def test_border_only_protected_values_enter(tmp_path: Path) -> None:
    answer = protected_answer()
    for stranger in (answer.records, {"records": answer.records}, None):
        with pytest.raises(TypeError):
            write_release(stranger, tmp_path, "2026.1", "")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["reporting_entity", "person_key", "source_file"])
def test_border_columns_that_are_not_public_are_refused(tmp_path: Path, name: str) -> None:
    answer = protected_answer()
    column = pa.array(["x"] * answer.records.num_rows)
    wider = restore(
        records=answer.records.append_column(name, column),
        counts=answer.counts,
        people=answer.people,
        case_records=answer.case_records,
        guarantee=answer.guarantee,
        facts=answer.facts,
    )
    with pytest.raises(ReleaseError, match=name):
        write_release(wider, tmp_path / "releases", "2026.1", "")


def test_a_release_is_never_rewritten(release: Path) -> None:
    before = {f.name: f.read_bytes() for f in release.iterdir()}
    with pytest.raises(ReleaseError, match="never rewritten") as caught:
        write_release(protected_answer(), release.parent, "2026.1", "again")
    assert caught.value.rule == "immutable"
    assert {f.name: f.read_bytes() for f in release.iterdir()} == before
    assert [p.name for p in release.parent.iterdir()] == ["2026.1"]
    for file in release.iterdir():
        assert not file.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH), file.name


def test_what_a_killed_run_left_behind_does_not_matter(tmp_path: Path) -> None:
    leftover = tmp_path / ".writing-2026.1-a_killed"
    leftover.mkdir()
    (leftover / "records.csv").write_text("half")
    assert latest_release(tmp_path) is None
    assert next_version(tmp_path, date(2026, 1, 1)) == "2026.1"
    path = write_release(protected_answer(people_rows(50)), tmp_path, "2026.1", "")
    assert verify(path) == []
    assert not leftover.exists()


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="hub"):
        write_release(protected_answer(facts={"hub": ""}), tmp_path / "r", "2026.1", "")
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("version", ["", "..", "a/b", ".hidden", "2026..1", "x" * 99, "a\nb"])
def test_versions_are_plain_names(tmp_path: Path, version: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        write_release(protected_answer(), tmp_path, version, "")
    assert caught.value.rule == "version"


def test_versions_count_as_numbers(tmp_path: Path) -> None:
    for name in ("2025.7", "2026.2", "2026.10", "draft"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    (tmp_path / "2026.11").mkdir()
    assert next_version(tmp_path, date(2026, 5, 1)) == "2026.11"
    assert next_version(tmp_path, date(2027, 5, 1)) == "2027.1"
    assert next_version(tmp_path / "none", date(2027, 5, 1)) == "2027.1"
    latest = latest_release(tmp_path)
    assert latest is not None
    assert latest.name == "2026.10"


def test_counts_in_every_form_are_the_same(release: Path) -> None:
    given = protected_answer().counts.to_pylist()
    with (release / "counts.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == len(given)
    for row, cell in zip(rows, given, strict=True):
        assert row["columns"] == "*".join(cell["columns"])
        assert row["values"] == "|".join(cell["values"])
        assert [int(row[n]) for n in ("count", "low", "high")] == [
            cell[n] for n in ("count", "low", "high")
        ]
    assert pq.read_table(release / "counts.parquet").cast(COUNTS).to_pylist() == given


def test_records_as_text_keep_rows_and_blanks(release: Path) -> None:
    with (release / "records.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    given = protected_answer().records.to_pylist()
    assert [{k: v or None for k, v in row.items()} for row in rows] == given


def test_spreadsheets_run_no_formula() -> None:
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "＝1", "9-17", "", None]
    safe = without_formulas(pa.table({"a": evil}))["a"].to_pylist()
    assert safe == ["'=1+1", "+1", "-1", "'@SUM(A1)", "'\tx", "'＝1", "9-17", "", None]


def test_manifest_names_people_and_case_records_apart(release: Path) -> None:
    manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    assert manifest["people"]["value"] == 4000
    assert manifest["case_records"]["value"] == 4800
    assert manifest["people"]["counts"] != manifest["case_records"]["counts"]
    assert manifest["unit"] == "person"
    assert set(manifest["sigma"]) == {"", *TABLES}
    assert manifest["accuracy"]["corridor"] == pytest.approx(7.8)
    assert manifest["accuracy"]["three_columns"] is None
    assert "manifest.json" not in manifest["files"]
    on_disk = {f.name for f in release.iterdir()}
    assert set(manifest["files"]) == on_disk - {"manifest.json", "SHA256SUMS"}


def test_catalogue_metadata_agree_with_the_files(release: Path) -> None:
    manifest = open_release(release).manifest
    package = json.loads((release / "datapackage.json").read_text("utf-8"))
    assert package["licenses"][0]["name"] == "CC-BY-4.0"
    for resource in package["resources"]:
        entry = manifest.files[resource["path"]]
        assert resource["hash"] == f"sha256:{entry.sha256}"
        assert resource["bytes"] == entry.bytes
    schemas = {r["path"]: r["schema"] for r in package["resources"] if "schema" in r}
    for name in ("records.csv", "counts.csv"):
        with (release / name).open(encoding="utf-8", newline="") as handle:
            assert [f["name"] for f in schemas[name]["fields"]] == next(csv.reader(handle))
    croissant = json.loads((release / "croissant.json").read_text("utf-8"))
    assert croissant["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    files = {d["@id"]: d["sha256"] for d in croissant["distribution"]}
    assert files["records.csv"] == manifest.files["records.csv"].sha256
    for record_set in croissant["recordSet"]:
        for field in record_set["field"]:
            assert field["source"]["fileObject"]["@id"] in files
    dcat = json.loads((release / "dcat.jsonld").read_text("utf-8"))
    assert dcat["@type"] == "dcat:Dataset"
    assert len(dcat["dcat:distribution"]) == len(package["resources"])


def test_readme_says_what_must_be_said(release: Path) -> None:
    text = (release / "README.md").read_text("utf-8")
    for words in ("not prevalence", "fictitious", "4,000", "4,800", "any_exploitation", "9-17"):
        assert words in text
    for name in {f.name for f in release.iterdir()}:
        assert f"`{name}`" in text, name


def test_changelog_keeps_what_earlier_releases_said(tmp_path: Path) -> None:
    answer = protected_answer(people_rows(50))
    write_release(answer, tmp_path, "2026.1", "Began.")
    second = write_release(answer, tmp_path, "2026.2", "Went on.")
    text = (second / "CHANGELOG.md").read_text("utf-8")
    assert text.index("2026.2") < text.index("Went on.") < text.index("2026.1")
    assert text.endswith("Began.\n")
    assert text.count("# Changes") == 1


def test_hostile_facts_become_plain_text() -> None:
    evil = "<script>alert(1)</script>\u202e\x1b[31m" + "A" * 5000
    facts = PublicFacts.of({**FACTS, "contributors": [{"name": evil}], "caveats": [evil]})
    for text in (facts.contributors[0].name, facts.caveats[0]):
        assert len(text) <= 500
        assert not {"\u202e", "\x1b"} & set(text)
    with pytest.raises(ReleaseError, match="years"):
        PublicFacts.of({"hub": "A", "contributors": [], "schema_version": "1.0"})
    with pytest.raises(ReleaseError, match="homepage"):
        PublicFacts.of({**FACTS, "homepage": "javascript:alert(1)"})
