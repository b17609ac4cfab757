"""Releases as catalogues read them: DCAT-AP, Croissant, Frictionless and schema.org."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from invented_release import people_rows, protected_answer

from ctdhub.release.bundle import write_release
from ctdhub.release.catalogue import catalogue
from ctdhub.release.open import Release, open_release
from ctdhub.site.frame import Sharing

SITE = "https://data.example.org/hub"
SHAPES = Path(__file__).with_name("dcat_ap_shapes.ttl")
SHACL = "pyshacl is missing: pip install -e '.[dev]'"
HOSTILE = 'Hub "of" <b>x</b> \\ {"@id": "javascript:1"} مركز'


@pytest.fixture(
    scope="module",
    params=[
        (SITE, {}),
        ("", {}),
        (SITE, {"hub": HOSTILE, "licence": "our own terms", "years": [2002, 2030]}),
    ],
    ids=["known", "unknown", "hostile"],
)
def held(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Release, str]:
    site, more = request.param
    folder = tmp_path_factory.mktemp("standards")
    facts = {"homepage": "https://example.org/", "languages": ["en", "fr", "es", "ar"], **more}
    answer = protected_answer(people_rows(600), facts=facts)
    return open_release(write_release(answer, folder, "2026.1", "", site=site)), site


def graph(text: str, base: str) -> Any:
    rdflib = pytest.importorskip("rdflib", reason=SHACL)
    return rdflib.Graph().parse(data=text, format="json-ld", publicID=base)


def violations(text: str, base: str) -> list[str]:
    pyshacl = pytest.importorskip("pyshacl", reason=SHACL)
    rdflib = pytest.importorskip("rdflib", reason=SHACL)
    _ok, report, _text = pyshacl.validate(
        graph(text, base), shacl_graph=rdflib.Graph().parse(SHAPES), advanced=False
    )
    sh = rdflib.Namespace("http://www.w3.org/ns/shacl#")
    return [str(o) for o in report.objects(None, sh.resultMessage)]


def test_dcat_has_what_the_profile_asks_for(held: tuple[Release, str]) -> None:
    release, _site = held
    text = (release.path / "dcat.jsonld").read_text("utf-8")
    assert violations(text, "https://mirror.example.net/x/dcat.jsonld") == []


@pytest.mark.parametrize(
    "gone", ["dcat:accessURL", "dct:title", "dct:license", "dcat:endDate", "dcat:theme"]
)
def test_the_shapes_can_fail(held: tuple[Release, str], gone: str) -> None:
    text = (held[0].path / "dcat.jsonld").read_text("utf-8")
    assert violations(text.replace(f'"{gone}"', '"dct:gone"'), "https://mirror.example.net/x/")


def test_a_catalogue_of_releases_is_valid_too(held: tuple[Release, str]) -> None:
    release, _site = held
    text = catalogue([(release.manifest, release.facts)], release.facts, SITE)
    assert violations(text, f"{SITE}/catalog.jsonld") == []


def test_a_release_is_named_by_its_address_or_by_a_name_that_stays(
    held: tuple[Release, str],
) -> None:
    release, site = held
    found = json.loads((release.path / "dcat.jsonld").read_text("utf-8"))
    assert found["@id"] == found["dct:identifier"]
    assert found["@id"] == f"{SITE}/r/2026.1/" if site else found["@id"].startswith("urn:uuid:")
    assert re.fullmatch(r"[a-z]+:[^\s<>\"]+", found["@id"])


def test_years_end_with_the_last_one_covered(held: tuple[Release, str]) -> None:
    release, _site = held
    first, last = map(str, release.years)
    assert int(last) <= int(release.year)
    dcat = json.loads((release.path / "dcat.jsonld").read_text("utf-8"))["dct:temporal"]
    assert (dcat["dcat:startDate"]["@value"], dcat["dcat:endDate"]["@value"]) == (first, last)
    package = json.loads((release.path / "datapackage.json").read_text("utf-8"))
    assert package["temporal"] == {"start": first, "end": last}
    assert f"Years {first} to {last}" in (release.path / "README.md").read_text("utf-8")


def test_the_dataset_of_the_pages_is_the_same(held: tuple[Release, str]) -> None:
    release, site = held
    places = {"en": "r/2026.1/en/data.html"}
    found = json.loads(Sharing(site).head(places, "en", release, dataset=True)["dataset"])
    assert found["@id"] == json.loads((release.path / "dcat.jsonld").read_text("utf-8"))["@id"]
    assert found["temporalCoverage"] == "/".join(map(str, release.years))
    for name in ("name", "description"):  # what Google Dataset Search requires
        assert found[name]
    assert 50 <= len(found["description"]) <= 5000
    assert {d["@type"] for d in found["distribution"]} == {"DataDownload"}
    for name in ("creator", "license", "identifier", "distribution", "temporalCoverage"):
        assert found[name], name


def test_croissant_as_its_own_library_reads_it(held: tuple[Release, str]) -> None:
    mlc = pytest.importorskip("mlcroissant", reason="mlcroissant is missing: pip install -e .[dev]")
    dataset = mlc.Dataset(jsonld=str(held[0].path / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert next(iter(dataset.records("counts")))["counts/state"] in (b"shown", b"protected")


def test_croissant_names_resolve(held: tuple[Release, str]) -> None:
    found = json.loads((held[0].path / "croissant.json").read_text("utf-8"))
    files = {one["@id"] for one in found["distribution"]}
    ids = [one["@id"] for one in found["distribution"]]
    for record_set in found["recordSet"]:
        ids.append(record_set["@id"])
        for field in record_set["field"]:
            ids.append(field["@id"])
            assert field["source"]["fileObject"]["@id"] in files
            assert field["@id"].startswith(f"{record_set['@id']}/")
    assert len(ids) == len(set(ids))
    for name in (
        "name",
        "description",
        "license",
        "url",
        "creator",
        "datePublished",
        "citeAs",
        "version",
    ):
        assert found[name], name
    assert all(re.fullmatch(r"[0-9a-f]{64}", one["sha256"]) for one in found["distribution"])


def test_frictionless_reads_the_tables(held: tuple[Release, str]) -> None:
    frictionless = pytest.importorskip(
        "frictionless", reason="frictionless is missing: pip install frictionless"
    )
    report = frictionless.validate(str(held[0].path / "datapackage.json"))
    assert report.valid, report.flatten(["type", "title", "note"])[:3]


def test_the_package_has_what_its_profile_asks_for(held: tuple[Release, str]) -> None:
    """The rules of Data Package v1 and of tabular resources, as far as a package uses them."""
    found = json.loads((held[0].path / "datapackage.json").read_text("utf-8"))
    assert re.fullmatch(r"[a-z0-9._/-]+", found["name"])
    names = [resource["name"] for resource in found["resources"]]
    assert len(set(names)) == len(names)
    for resource in found["resources"]:
        assert re.fullmatch(r"[a-z0-9._/-]+", resource["name"])
        assert not resource["path"].startswith(("/", ".."))
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", resource["hash"])
        for field in resource.get("schema", {}).get("fields", []):
            assert field["type"] in ("string", "integer", "number", "boolean", "year", "date")
    assert all("name" in licence or "path" in licence for licence in found["licenses"])
