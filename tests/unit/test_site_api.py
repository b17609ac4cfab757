"""The files for programs: as their schemas say, the same numbers as the release, safe text."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from invented_release import ASSISTED, TABLES, protected_answer
from jsonschema import Draft202012Validator

from ctdhub.core.i18n import LANGUAGES
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.site.api import SCHEMAS, schema
from ctdhub.site.build import build_site

VERSION = "2026.1"
EVIL = "</script><script>alert(1)</script>\"'>&\u202etxt.exe" + "A" * 5000
FORMULA = '=HYPERLINK("https://example.org")'


def made(folder: Path, version: str = VERSION, **facts: object) -> Release:
    answer = protected_answer(tables=TABLES[:6], facts={"languages": ["en"], **facts})
    return open_release(write_release(answer, folder / "releases", version, "First."))


@pytest.fixture(scope="module")
def release(plain_release: Release) -> Release:
    return plain_release


@pytest.fixture(scope="module")
def site(plain_site: Path) -> Path:
    return plain_site


@pytest.fixture(scope="module")
def api(site: Path) -> Path:
    return site / "r" / VERSION / "api"


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def described(site: Path) -> Iterator[tuple[Path, str]]:
    """Every JSON file for programs, and the name of its schema."""
    api = site / "r" / VERSION / "api"
    yield site / "api" / "latest.json", "latest"
    yield api / "index.json", "index"
    yield api / "tables.json", "tables"
    yield from ((path, "table") for path in api.glob("tables/*.json"))
    yield from ((path, "place") for path in api.glob("places/*.json"))


def check(site: Path) -> int:
    checks = {name: Draft202012Validator(json.loads(schema(name))) for name in SCHEMAS}
    files = list(described(site))
    for path, name in files:
        faults = [f"{e.json_path}: {e.message}" for e in checks[name].iter_errors(load(path))]
        assert faults == [], path
    return len(files)


def test_every_file_is_as_its_schema_says(site: Path, api: Path) -> None:
    for name in SCHEMAS:
        Draft202012Validator.check_schema(load(api / "schema" / f"{name}.json"))
    beside = {"openapi.json", *(f"schema/{name}.json" for name in SCHEMAS)}
    found = {p.relative_to(api).as_posix() for p in api.rglob("*.json")}
    assert check(site) == len(found - beside) + len(["latest.json"])


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("table", lambda f: f["rows"][0].pop("low")),
        ("table", lambda f: f["rows"][0].update(surprise=1)),
        ("table", lambda f: f["unlisted"].update(count=0)),
        ("table", lambda f: f.pop("caveat")),
        ("place", lambda f: f["citizens"]["people"].update(state="protected")),
        ("place", lambda f: f["citizens"]["women"].update(share=2)),
        ("index", lambda f: f.update(tables="https://example.org/x.json")),
        ("tables", lambda f: f["tables"][0].update(json="https://example.org/x.json")),
        ("latest", lambda f: f.update(version="../..")),
    ],
)
def test_schemas_refuse_what_is_wrong(site: Path, name: str, spoil: Any) -> None:
    files = {kind: load(path) for path, kind in sorted(described(site))}
    files["place"] = load(site / "r" / VERSION / "api" / "places" / "ukr.json")
    check, found = Draft202012Validator(json.loads(schema(name))), deepcopy(files[name])
    assert check.is_valid(found)
    spoil(found)
    assert not check.is_valid(found)


def test_tables_hold_the_published_counts(api: Path, release: Release) -> None:
    tables = load(api / load(api / "index.json")["tables"])["tables"]
    small = {t for t in (*TABLES, *ASSISTED) if t.count("*") < 2}
    assert {"*".join(t["variables"]) for t in tables} == small
    cells = release.protected.counts.to_pylist()
    for entry in tables:
        names = entry["variables"]
        published = [
            [*c["values"], str(c["count"]), str(c["low"]), str(c["high"]), c["state"]]
            for c in cells
            if c["columns"] == names
        ]
        found = load(api / entry["json"])
        numbers = ("count", "low", "high", "state")
        rows = [[*r["values"], *(str(r[n]) for n in numbers)] for r in found["rows"]]
        with (api / entry["csv"]).open(encoding="utf-8", newline="") as handle:
            head, *lines = csv.reader(handle)
        assert head == [*names, *numbers]
        assert rows == lines == published
        assert len(rows) == entry["cells"]
        assert found["sigma"] == entry["sigma"]


def test_what_has_no_row_is_too_few_and_not_zero(api: Path) -> None:
    for path in api.glob("tables/*.json"):
        found = load(path)
        assert found["unlisted"]["state"] == "protected"
        assert found["unlisted"]["count"] is None
        assert found["unlisted"]["high"] > 0
        assert all(r["count"] > 0 for r in found["rows"])


def test_every_path_leads_to_a_file(site: Path) -> None:
    seen = 0
    for path, _kind in described(site):
        for target in paths(load(path)):
            assert (path.parent / target).resolve().is_file(), (path, target)
            seen += 1
    assert seen > 100


def paths(value: Any) -> Iterator[str]:
    """Texts that are paths, by the keys that they stand under."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key in {"json", "csv", "metadata", "path", "openapi", "schema", "index"}:
                yield part
            elif key in {"svg", "pages", "releases"}:
                yield from part.values()
            else:
                yield from paths(part)
    elif isinstance(value, list):
        for part in value:
            yield from paths(part)


def test_labels_come_in_every_language_of_the_site(api: Path) -> None:
    gender = next(v for v in load(api / "index.json")["variables"] if v["name"] == "gender")
    assert set(gender["labels"]) == set(LANGUAGES)
    female = next(v for v in gender["values"] if v["code"] == "female")
    assert len(set(female["labels"].values())) == len(LANGUAGES)


def test_openapi_names_what_is_there(site: Path, api: Path) -> None:
    found = load(api / "openapi.json")
    assert found["openapi"].startswith("3.1.")
    assert {"title", "version"} <= set(found["info"])
    for path, item in found["paths"].items():
        server = item.get("servers", found["servers"])[0]["url"]
        base = (api / server).resolve()
        assert base in (site.resolve(), api.parent.resolve())
        answer = item["get"]["responses"]["200"]
        given = item.get("parameters", [{"name": "", "example": "", "schema": {}}])[0]
        assert ("{" in path) == bool(given["name"])
        for value in given["schema"].get("enum", [given["example"]]):
            assert (base / path[1:].replace(f"{{{given['name']}}}", value)).is_file(), path
        for content in answer["content"].values():
            if "schema" in content:
                assert (api / content["schema"]["$ref"]).is_file()


def test_latest_leads_to_the_newest_and_names_the_earlier(tmp_path: Path) -> None:
    out = tmp_path / "site"
    earlier, newest = (made(tmp_path, v) for v in ("2026.9", "2026.10"))
    build_site(newest, out, earlier=[earlier])
    latest = load(out / "api" / "latest.json")
    assert latest["version"] == "2026.10"
    assert list(latest["releases"]) == ["2026.9", "2026.10"]
    assert load(out / "api" / latest["index"])["release"] == "2026.10"
    assert load(out / "api" / latest["releases"]["2026.9"])["release"] == "2026.9"


@pytest.mark.parametrize("text", [EVIL, FORMULA])
def test_hostile_names_stay_text(tmp_path: Path, text: str) -> None:
    contributors = [{"name": text, "kind": text}]
    release = made(
        tmp_path,
        hub=text,
        contributors=contributors,
        caveats=[text],
        licence=text,
    )
    out = tmp_path / "site"
    build_site(release, out)
    check(out)
    index = load(out / "r" / VERSION / "api" / "index.json")
    assert index["hub"] == release.facts.hub
    assert len(index["hub"]) <= 120
    for file in (out / "r" / VERSION / "api").rglob("*"):
        if file.is_file():
            words = file.read_text("utf-8")
            assert "\u202e" not in words
            assert "A" * 501 not in words
            if file.suffix == ".csv":
                for row in csv.reader(words.splitlines()):
                    assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in row)
