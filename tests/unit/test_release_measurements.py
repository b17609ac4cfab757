"""Noisy measurements in a release: written, verified, read back equal; old releases have none."""

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
from invented_release import FACTS, invented_sources, people_rows, protected_answer

from ctdhub.border import FALSE_SHARE, MEASUREMENTS, Protected, Sources
from ctdhub.cli.approve import _measured as told_before_signing
from ctdhub.core.errors import ReleaseError
from ctdhub.core.i18n import language
from ctdhub.release.bundle import write_release
from ctdhub.release.manifest import Manifest
from ctdhub.release.open import open_release, sha256, sums, verify
from ctdhub.release.tables import MEASUREMENT_FILES, SOURCE_FILES
from ctdhub.site.pages import data
from ctdhub.site.render import render
from ctdhub.stats.estimator import Estimator


def answer(sources: Sources | None = None) -> Protected:
    return replace(protected_answer(people_rows(400)), sources=sources)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    path = write_release(answer(invented_sources()), tmp_path, "2026.1", "First.")
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


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_round_trip_gives_the_same_measurements(release: Path) -> None:
    assert verify(release) == []
    found, given = open_release(release).protected, answer(invented_sources())
    assert given.measurements.num_rows > 50
    assert found.measurements.equals(given.measurements)
    assert found.sources is not None
    assert given.sources is not None
    assert found.sources.measurements.equals(given.sources.measurements)
    for part in ("contributors", "lists", "sigma", "share"):
        assert getattr(found.sources, part) == getattr(given.sources, part), part


def test_files_without_sources_and_without_years(tmp_path: Path, release: Path) -> None:
    without = write_release(answer(None), tmp_path / "without", "2026.1", "First.")
    assert verify(without) == []
    assert open_release(without).protected.sources is None
    assert {p.name for p in release.iterdir()} - {p.name for p in without.iterdir()} == set(
        SOURCE_FILES
    )
    none = replace(answer(None), measurements=MEASUREMENTS.empty_table())
    empty = write_release(none, tmp_path / "empty", "2026.1", "First.")
    assert verify(empty) == []
    assert {p.name for p in empty.iterdir()} == {p.name for p in without.iterdir()}
    assert open_release(empty).protected.measurements.equals(none.measurements)
    assert "reporting_entity" not in (without / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", [*MEASUREMENT_FILES, *SOURCE_FILES])
def test_a_changed_byte_and_a_missing_file_are_found(release: Path, name: str) -> None:
    file = release / name
    content = file.read_bytes()
    middle = len(content) // 2
    file.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    assert [(p.kind, p.file) for p in verify(release)] == [("changed", name)]
    with pytest.raises(ReleaseError):
        open_release(release)
    file.unlink()
    assert [(p.kind, p.file) for p in verify(release)] == [("missing", name)]
    file.write_bytes(content)
    rewrite(release, lambda m: m["files"].pop(name))
    assert ("manifest", name) in {(p.kind, p.file) for p in verify(release)}


def test_files_without_a_promise_are_found(release: Path) -> None:
    rewrite(release, lambda m: m.update(sources=None))
    assert {(p.kind, p.file) for p in verify(release)} == {("manifest", n) for n in SOURCE_FILES}


@pytest.mark.parametrize("name", ["measurements", "drawn", "not_fitted", "imputations"])
def test_a_release_of_another_version_is_refused(release: Path, name: str) -> None:
    """Its manifest lacks what today's has."""
    path = release / "manifest.json"
    content = json.loads(path.read_text("utf-8"))
    del content[name]
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ReleaseError) as met:
        open_release(release)
    assert met.value.rule == "manifest"
    assert ("manifest", "manifest.json") in {(p.kind, p.file) for p in verify(release)}


def test_tables_of_lists_carry_noise(release: Path) -> None:
    """Without it they could not be weighed by their variances."""
    path = release / "manifest.json"
    content = json.loads(path.read_text("utf-8"))
    content["sources"]["sigma"]["lists"] = 0.0
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ReleaseError) as met:
        open_release(release)
    assert met.value.rule == "manifest"


BAD: dict[str, Callable[[list[dict[str, Any]]], object]] = {
    "a table without noise": lambda t: t[0].update(columns=["age_band"], values=["0-8"]),
    "values that are missing": lambda t: t[0].update(values=[]),
    "no number": lambda t: t[0].update(noisy=float("nan")),
    "a year twice": lambda t: t[0].update(values=t[-1]["values"], columns=t[-1]["columns"]),
    "a row more": lambda t: t.append(t[0]),
    "a row less": lambda t: t.pop(),
    "another contributor": lambda t: t[1].update(values=["three", "2015", "female"]),
    "another list": lambda t: t[-1].update(values=["one+three"]),
}


@pytest.mark.parametrize(
    ("name", "fault"),
    [*(("sources", f) for f in BAD), *(("measurements", f) for f in BAD if "another" not in f)],
)
def test_content_must_be_sound_even_when_resealed(release: Path, name: str, fault: str) -> None:
    path = release / f"{name}.parquet"
    table = pq.read_table(path).to_pylist()
    BAD[fault](table)
    pq.write_table(pa.Table.from_pylist(table, MEASUREMENTS), path)
    rewrite(release, lambda m: None)
    assert {p.kind for p in verify(release)} == {"content"}
    with pytest.raises(ReleaseError):
        open_release(release)


@pytest.mark.parametrize("column", ["reporting_entity", "citizenship_region", "person", "lists"])
def test_columns_that_are_not_public_are_refused(tmp_path: Path, column: str) -> None:
    row = {"columns": ["year_of_registration", column], "values": ["2015", "x"], "noisy": 1.0}
    bad = replace(answer(), measurements=pa.Table.from_pylist([row], MEASUREMENTS))
    with pytest.raises(ReleaseError, match=column):
        write_release(bad, tmp_path, "2026.1", "")
    sources = replace(invented_sources(), measurements=bad.measurements)
    if column == "person":
        with pytest.raises(ReleaseError, match=column):
            write_release(answer(sources), tmp_path, "2026.1", "")


def test_a_table_of_another_form_is_no_measurement() -> None:
    for table in (pa.table({"a": [1]}), MEASUREMENTS.empty_table().drop_columns(["noisy"])):
        with pytest.raises(ValueError, match="MEASUREMENTS"):
            replace(answer(), measurements=table)
        with pytest.raises(ValueError, match="MEASUREMENTS"):
            replace(invented_sources(), measurements=table)


def test_text_forms_hold_the_same_numbers(release: Path) -> None:
    protected = answer(invented_sources())
    assert protected.sources is not None
    told = {}
    for row in rows(release / "measurements.csv"):
        names = row["columns"].split("*") if row["columns"] else []
        group = dict(zip(names, row["values"].split("|"), strict=False))
        for year in ("2015", "2016", "2017", "2018", "2019", "not_recorded"):
            cell = group | {"year_of_registration": "" if year == "not_recorded" else year}
            told[frozenset(cell.items())] = float(row[year])
        assert float(row["sigma"]) == 4.0
    given = protected.measurements.to_pylist()
    assert told == {
        frozenset(zip(r["columns"], r["values"], strict=True)): r["noisy"] for r in given
    }
    assert [
        (r["columns"], r["values"], float(r["noisy"])) for r in rows(release / "sources.csv")
    ] == [
        ("*".join(r["columns"]), "|".join(r["values"]), r["noisy"])
        for r in protected.sources.measurements.to_pylist()
    ]


def test_manifest_and_catalogues_describe_them(release: Path) -> None:
    manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    assert manifest["measurements"]["rows"] == answer().measurements.num_rows
    stated = manifest["sources"]
    assert (stated["contributors"], stated["lists"]) == (["one", "two"], ["one", "two"])
    assert (stated["share"], stated["sigma"]["lists"]) == (0.05, 12.0)
    package = json.loads((release / "datapackage.json").read_text("utf-8"))
    schemas = {r["path"]: r["schema"] for r in package["resources"] if "schema" in r}
    croissant = json.loads((release / "croissant.json").read_text("utf-8"))
    sets = {s["name"]: s["field"] for s in croissant["recordSet"]}
    for name in ("measurements", "sources"):
        with (release / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
            header = next(csv.reader(handle))
        assert [f["name"] for f in schemas[f"{name}.csv"]["fields"]] == header
        assert [f["name"] for f in sets[name]] == header
    dcat = json.loads((release / "dcat.jsonld").read_text("utf-8"))
    titles = {d["dct:title"] for d in dcat["dcat:distribution"]}
    assert {*MEASUREMENT_FILES, *SOURCE_FILES} <= titles


def test_readers_are_told_what_they_are_for(release: Path) -> None:
    text = " ".join((release / "README.md").read_text("utf-8").split())
    assert "do not quote a number from this file" in text
    assert "of one, two; people on none of these are not in it" in text
    assert "standard deviation of its noise is 12.0 people" in text
    with language("en"):
        opened = open_release(release)
        page = render(next(data.pages(opened)), opened, ["en"])
    for name in (*MEASUREMENT_FILES, *SOURCE_FILES):
        assert f"`{name}`" in text
        said = "noisy counts by" if name.endswith(".csv") else "the same, for programs"
        assert re.search(rf"<bdi>{re.escape(name)}</bdi></a> \([^)]*\): {said}", page)


def test_whoever_signs_is_told_of_contributors_and_lists(release: Path) -> None:
    manifest = open_release(release).manifest
    told = " ".join(" ".join(row) for row in told_before_signing(manifest))
    assert f"{manifest.measurements.rows} noisy counts" in told
    assert "under the names of: one, two" in told
    assert "how these lists overlap: one, two" in told
    assert "5% of this release's budget" in told
    alone = manifest.model_copy(update={"sources": None})
    assert len(told_before_signing(alone)) == 1


def test_contributors_have_ids(release: Path) -> None:
    found = open_release(release).facts.contributors
    assert [c.id for c in found] == [c["id"] for c in FACTS["contributors"]]


def test_a_stricter_choice_of_cells_is_said_and_leaves_larger_counts_unseen(tmp_path: Path) -> None:
    """Manifests of the usual choice do not name it."""
    plain, ends = protected_answer(people_rows(120)), {}
    for share in (FALSE_SHARE, 1e-6):
        stricter = replace(plain, guarantee=replace(plain.guarantee, false_share=share))
        place = write_release(stricter, tmp_path / str(share), "2026.1", "First.")
        said = json.loads((place / "manifest.json").read_text("utf-8"))
        assert said.get("false_share", FALSE_SHARE) == share
        assert ("false_share" in said) == (share != FALSE_SHARE)
        assert verify(place) == []
        estimator = Estimator(open_release(place))
        ends[share] = estimator.unseen("gender")
    assert ends[1e-6] > ends[FALSE_SHARE]
