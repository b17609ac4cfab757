"""Perpetrators in a release: files of their own, listed and verified, linked to nobody."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from invented_release import people_rows, protected_answer

from ctdhub.border import COUNTS, Perpetrators, Protected
from ctdhub.core.errors import ReleaseError
from ctdhub.core.i18n import language
from ctdhub.release.bundle import write_release
from ctdhub.release.manifest import Manifest
from ctdhub.release.open import open_release, sha256, sums, verify
from ctdhub.release.tables import PERPETRATOR_FILES
from ctdhub.site.pages import data
from ctdhub.site.render import render

GENDER, REGION = "perpetrator_gender", "perpetrator_region"


def perpetrators(n: int = 30) -> Perpetrators:
    """``n`` invented perpetrators with exact counts, as if noise had been added."""
    male = n - n // 3
    cells = [([], [], n), ([GENDER], ["male"], male), ([GENDER, REGION], ["male", ""], male)]
    rows = [
        {"columns": c, "values": v, "count": k, "low": max(0, k - 4), "high": k + 4,
         "state": "shown" if k > 4 else "protected"}
        for c, v, k in cells
        if k > 4 or not c
    ]  # fmt: skip
    records = pa.table(
        {
            GENDER: pa.array(["male"] * male + ["female"] * (n - male), pa.string()),
            REGION: pa.nulls(n, pa.string()),
        }
    )
    sigma = {"": 2.0, GENDER: 2.0, f"{GENDER}*{REGION}": 3.0}
    return Perpetrators(records, pa.Table.from_pylist(rows, COUNTS), 3, sigma)


def answer(found: Perpetrators | None) -> Protected:
    return replace(protected_answer(people_rows(200)), perpetrators=found)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    path = write_release(answer(perpetrators()), tmp_path, "2026.1", "First.")
    for file in path.iterdir():
        file.chmod(0o644)
    return path


def rewrite(release: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest as a forger would, all hashes agreeing."""
    path = release / "manifest.json"
    content = json.loads(path.read_text("utf-8"))
    change(content)
    for name in content["files"]:
        file = release / name
        content["files"][name] = {"sha256": sha256(file), "bytes": file.stat().st_size}
    path.write_text(json.dumps(content), "utf-8")
    (release / "SHA256SUMS").write_bytes(sums(release, Manifest.model_validate(content)))


def test_round_trip_gives_the_same_perpetrators(release: Path) -> None:
    assert verify(release) == []
    found, given = open_release(release).protected.perpetrators, perpetrators()
    assert found is not None
    assert found.records.equals(given.records)
    assert found.counts.equals(given.counts)
    assert (found.rows, found.sigma, found.total) == (given.rows, given.sigma, given.total)


def test_files_are_the_same_without_any_perpetrator(release: Path, tmp_path: Path) -> None:
    empty = write_release(answer(perpetrators(0)), tmp_path / "empty", "2026.1", "First.")
    assert verify(empty) == []
    assert {p.name for p in empty.iterdir()} == {p.name for p in release.iterdir()}
    assert (empty / "perpetrators.csv").read_text("utf-8").split() == [f'"{GENDER}","{REGION}"']
    without = write_release(answer(None), tmp_path / "without", "2026.1", "First.")
    assert verify(without) == []
    assert {p.name for p in release.iterdir()} - {p.name for p in without.iterdir()} == set(
        PERPETRATOR_FILES
    )
    assert "erpetrators" not in (without / "README.md").read_text("utf-8")


def test_counts_in_every_form_are_the_same(release: Path) -> None:
    with (release / "perpetrator_counts.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    given = perpetrators().counts.to_pylist()
    assert [(r["columns"], r["values"], int(r["count"])) for r in rows] == [
        ("*".join(c["columns"]), "|".join(c["values"]), c["count"]) for c in given
    ]


def test_manifest_states_what_was_promised_for_them(release: Path) -> None:
    manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    stated = manifest["perpetrators"]
    assert (stated["value"], stated["low"], stated["high"]) == (30, 26, 34)
    assert stated["rows_per_person"] == 3
    assert stated["sigma"] == perpetrators().sigma
    assert not any("perpetrator" in table for table in manifest["sigma"])
    assert manifest["accuracy"]["one_column"] == pytest.approx(7.8)  # of people alone
    assert set(PERPETRATOR_FILES) <= set(manifest["files"])


def test_catalogues_describe_them(release: Path) -> None:
    package = json.loads((release / "datapackage.json").read_text("utf-8"))
    schemas = {r["path"]: r["schema"] for r in package["resources"] if "schema" in r}
    for name in ("perpetrators.csv", "perpetrator_counts.csv"):
        with (release / name).open(encoding="utf-8", newline="") as handle:
            assert [f["name"] for f in schemas[name]["fields"]] == next(csv.reader(handle))
    croissant = json.loads((release / "croissant.json").read_text("utf-8"))
    sets = {s["name"]: s["field"] for s in croissant["recordSet"]}
    assert [f["name"] for f in sets["perpetrators"]] == [GENDER, REGION]
    assert "number of perpetrators" in json.dumps(sets["perpetrator_counts"])
    assert "number of people" in json.dumps(sets["counts"])
    dcat = json.loads((release / "dcat.jsonld").read_text("utf-8"))
    assert set(PERPETRATOR_FILES) <= {d["dct:title"] for d in dcat["dcat:distribution"]}


def test_readers_are_told_what_a_row_is(release: Path) -> None:
    text = " ".join((release / "README.md").read_text("utf-8").split())
    assert "perpetrators whom case records mention | 30 (between 26 and 34)" in text
    assert "at most 3 alleged perpetrators" in text
    assert "**no row** of `records`" in text
    for name in PERPETRATOR_FILES:
        assert f"`{name}`" in text
    with language("en"):
        opened = open_release(release)
        page = render(next(data.pages(opened)), opened, ["en"])
    for name in PERPETRATOR_FILES:
        assert re.search(rf"<bdi>{re.escape(name)}</bdi></a> \([^)]*\): ", page)


@pytest.mark.parametrize("name", ["person", "gender", "reporting_entity"])
def test_columns_that_are_not_of_perpetrators_are_refused(tmp_path: Path, name: str) -> None:
    found = perpetrators()
    wider = found.records.append_column(name, pa.array(["1"] * found.records.num_rows))
    with pytest.raises(ReleaseError, match=name):
        write_release(answer(replace(found, records=wider)), tmp_path, "2026.1", "")


def test_rows_and_number_must_agree() -> None:
    found = perpetrators()
    for change in ({"records": found.records.slice(1)}, {"rows": 0},
                   {"counts": found.counts.slice(1)}, {"counts": found.counts.slice(3)},
                   {"counts": found.counts.drop_columns(["low"])}):  # fmt: skip
        with pytest.raises(ValueError, match=r"counts|number"):
            replace(found, **change)


def test_missing_files_are_found(release: Path) -> None:
    for name in PERPETRATOR_FILES:
        content = (release / name).read_bytes()
        (release / name).unlink()
        assert [(p.kind, p.file) for p in verify(release)] == [("missing", name)]
        (release / name).write_bytes(content)
    rewrite(release, lambda m: m["files"].pop("perpetrators.csv"))
    assert ("manifest", "perpetrators.csv") in {(p.kind, p.file) for p in verify(release)}


def test_files_without_a_promise_are_found(release: Path) -> None:
    rewrite(release, lambda m: m.update(perpetrators=None))
    assert {(p.kind, p.file) for p in verify(release)} == {
        ("manifest", name) for name in PERPETRATOR_FILES
    }


@pytest.mark.parametrize("part", ["rows", "person", "number", "order"])
def test_content_must_be_sound_even_when_resealed(release: Path, part: str) -> None:
    records, counts = release / "perpetrators.parquet", release / "perpetrator_counts.parquet"
    table = pq.read_table(records)
    if part == "rows":
        pq.write_table(table.slice(1), records)
    elif part == "person":
        pq.write_table(table.append_column("person", pa.array(["1"] * 30)), records)
    elif part == "order":
        pq.write_table(pq.read_table(counts).slice(1), counts)
    change = (lambda m: m["perpetrators"].update(high=40)) if part == "number" else lambda m: None
    rewrite(release, change)
    assert {p.kind for p in verify(release)} == {"content"}
    with pytest.raises(ReleaseError):
        open_release(release)


def test_releases_from_before_perpetrators_still_open(tmp_path: Path) -> None:
    path = write_release(answer(None), tmp_path, "2026.1", "First.")
    for file in path.iterdir():
        file.chmod(0o644)
    rewrite(path, lambda m: m.pop("perpetrators"))
    assert verify(path) == []
    assert open_release(path).protected.perpetrators is None
