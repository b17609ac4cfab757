"""The files for programs: as their schemas say, the same numbers as the release, safe text."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from invented_release import TABLES, protected_answer
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
    yield api / "places.json", "places"


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
    beside = {"openapi.json", "tables.csv-metadata.json"}
    beside |= {f"schema/{name}.json" for name in SCHEMAS}
    found = {p.relative_to(api).as_posix() for p in api.rglob("*.json")}
    assert check(site) == len(found - beside) + len(["latest.json"])


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("places", lambda f: f.pop("caveat")),
        ("places", lambda f: f["places"][0]["citizens"]["people"].update(state="protected")),
        ("places", lambda f: f["places"][0]["citizens"]["people"].pop("low")),
        ("places", lambda f: f["places"][0].update(surprise=1)),
        ("places", lambda f: f["places"][0]["citizens"]["women"].update(share=2)),
        ("index", lambda f: f.update(tables="https://example.org/x.json")),
        ("latest", lambda f: f.update(version="../..")),
    ],
)
def test_schemas_refuse_what_is_wrong(site: Path, name: str, spoil: Any) -> None:
    files = {kind: load(path) for path, kind in sorted(described(site))}
    files["places"]["places"].sort(key=lambda place: place["key"] != "ukr")
    check, found = Draft202012Validator(json.loads(schema(name))), deepcopy(files[name])
    assert check.is_valid(found)
    spoil(found)
    assert not check.is_valid(found)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_tables_hold_the_published_counts(api: Path, release: Release) -> None:
    """Each cell of one or two variables stands in the file of each of its variables, and nothing
    else does; the list has every table."""
    expected: dict[str, list[tuple[str, ...]]] = {}
    numbers = ("count", "low", "high", "state")
    for c in release.protected.counts.to_pylist():
        names, values = c["columns"], c["values"]
        end = tuple(str(c[n]) for n in numbers)
        if len(names) == 1:
            expected.setdefault(names[0], []).append((values[0], "", "", *end))
        if len(names) == 2:
            for at in (0, 1):
                line = (values[at], names[1 - at], values[1 - at], *end)
                expected.setdefault(names[at], []).append(line)
    found = {p.stem: [tuple(r.values())[:7] for r in rows(p)] for p in api.glob("tables/*.csv")}
    assert {name: sorted(lines) for name, lines in found.items()} == {
        name: sorted(lines) for name, lines in expected.items()
    }
    listed = {row["table"]: row for row in rows(api / load(api / "index.json")["tables"])}
    guarantee = release.protected.guarantee
    assert listed.keys() == guarantee.sigma.keys() - {""}
    for key, row in listed.items():
        assert (float(row["sigma"]), float(row["drawn"])) == (
            guarantee.sigma[key],
            guarantee.drawn[key],
        )
        held = release.protected.counts.to_pylist()
        assert int(row["cells"]) == sum("*".join(c["columns"]) == key for c in held)
        assert int(row["unlisted"]) > 0, "what has no row is too few and not zero"


def test_descriptions_name_the_columns_of_every_table(api: Path) -> None:
    """CSV on the Web: each file is described once, with the columns that it has."""
    group = load(api / "tables.csv-metadata.json")
    files = {p.relative_to(api).as_posix() for p in api.rglob("*.csv")}
    assert sorted(t["url"] for t in group["tables"]) == sorted(files)
    for table in group["tables"]:
        columns = table.get("tableSchema", group["tableSchema"])["columns"]
        head = (api / table["url"]).read_text("utf-8").splitlines()[0]
        assert head.split(",") == [column["name"] for column in columns]
        parse = {"integer": int, "number": float, "string": str}
        for line in rows(api / table["url"]):
            for column in columns:
                if cell := line[column["name"]]:
                    parse[column.get("datatype", "string")](cell)


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


@pytest.mark.usefixtures("few_pages")
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
