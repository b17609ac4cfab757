"""The interface for programs: static JSON and CSV files beside the pages of a release.

    <site>/api/latest.json                      the newest release, and where it lies
    <site>/r/<version>/api/index.json           what the release holds; other paths are named there
    <site>/r/<version>/api/tables.json          the tables: there are thousands, and few need all
    <site>/r/<version>/api/tables/<a>-<b>.json  a measured table of one or two variables; also .csv
    <site>/r/<version>/api/places/<key>.json    facts of a country or region that has a page
    <site>/r/<version>/api/schema/<file>.json   JSON Schema (2020-12) of the files above
    <site>/r/<version>/api/openapi.json         the same as OpenAPI 3.1 (``openapi``)

Paths inside a file are relative to that file.  Texts are English; labels come in every language of
the site.  Tables of three variables stand in the release's own counts.parquet only.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from ctdhub.border import PROTECTED, SHOWN, Estimate
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.core.tables import write_csv
from ctdhub.release.catalogue import WHAT_IT_IS, title
from ctdhub.release.errata import plain_data
from ctdhub.release.manifest import VERSION_PATTERN, LinkErrors
from ctdhub.release.open import Release
from ctdhub.report import figures as places
from ctdhub.report.figures import figures
from ctdhub.report.wording import attributes, caveat, citation, file_numbers, shown
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, definition, label
from ctdhub.schema.model import ORIGIN
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.tables import Side, place_facts

# --------------------------------------------------------------------------------------------------
# The interface for programs as OpenAPI 3.1, for tools that read such descriptions.


def openapi(
    release: Release, tables: Sequence[Mapping[str, Any]], places: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The description of one release: ``schema/openapi.json`` with what is this one's own.

    Args:
        tables, places: their entries in list and index; there is at least one place.
    """
    facts = release.facts
    found: dict[str, Any] = json.loads(schema("openapi"))
    found["info"] = {
        "title": title(release.manifest, facts),
        "version": release.version,
        "description": " ".join([WHAT_IT_IS, *(n.text for n in shown(release))]),
        "license": {
            "name": facts.licence,
            **({"url": facts.licence_url} if facts.licence_url else {}),
        },
    }
    (place,) = found["paths"]["/api/places/{place}.json"]["parameters"]
    place["schema"]["enum"] = [each["key"] for each in places]
    place["example"] = places[0]["key"]
    for path in [path for path in found["paths"] if path.startswith("/api/tables/")]:
        if tables:
            found["paths"][path]["parameters"][0]["example"] = "-".join(tables[0]["variables"])
        else:
            del found["paths"][path]
    return found


FOLDER, LATEST = "api", "latest.json"
TABLES = "tables.json"
SCHEMAS = ("index", "tables", "table", "place", "latest")
LARGEST = 2
"""Variables of a table that has files of its own."""
BLANKS = {
    "imprecise": "The interval is too wide for one number: only its ends are given.",
    "protected": "Too few to show reliably, never zero.",
    "not_recorded": "The empty value: people whose answer is not known.",
    "nobody_reports": "A year outside the years of all contributors: there can be no count.",
    "not_measured": "This release holds no table that answers the question.",
}


def write_api(answers: Answers, folder: Path, languages: Sequence[str]) -> None:
    """Write the files of one release.

    Args:
        answers: of an opened release.
        folder: the release's own folder in the site, which holds its files and charts.
        languages: of the site; labels come in each.
    """
    api = folder / FOLDER
    for name in ("tables", "places", "schema"):
        (api / name).mkdir(parents=True)
    with language(LANGUAGES[0]):
        head = _head(answers.release)
        tables = [_write_table(answers, key, api, head) for key in _keys(answers)]
        held = [_write_place(answers, key, api, head, languages) for key in _places(answers)]
        for name in SCHEMAS:
            (api / "schema" / f"{name}.json").write_text(schema(name), "utf-8")
        index = {
            **head,
            **_about(answers.release),
            "languages": list(languages),
            "variables": [_variable(answers, v, languages) for v in sorted(answers.variables)],
            "tables": TABLES,
            "larger_tables": "Tables of three variables stand in counts.parquet only.",
            "places": held,
            "figures": _figures(answers, languages),
            "files": _files(answers.release),
        }
        _write(api / "index.json", index)
        _write(api / TABLES, {**head, "tables": tables})
        _write(api / "openapi.json", openapi(answers.release, tables, held))


def write_latest(site: Path, version: str, notices: Mapping[str, Any]) -> None:
    """Say at the root of the site which releases it holds and which is the newest that stands.

    Args:
        site: the folder of a site that holds all its releases.
        version: of the newest that was not withdrawn; of the newest where all were.
        notices: about releases, see :func:`ctdhub.site.feed.of_all`.
    """
    found = (p.parents[1].name for p in site.glob(f"r/*/{FOLDER}/index.json"))
    held = sorted(
        (name for name in found if re.fullmatch(VERSION_PATTERN, name)),
        key=lambda name: [int(part) for part in name.split(".")],
    )
    (site / FOLDER).mkdir()
    indexes = {name: f"../r/{name}/{FOLDER}/index.json" for name in held}
    latest = {"version": version, "index": indexes.get(version), "releases": indexes, **notices}
    _write(site / FOLDER / LATEST, latest)


def schema(name: str) -> str:
    """The JSON Schema of a kind of file.

    Args:
        name: one of :data:`SCHEMAS`.
    """
    return (resources.files("ctdhub.site") / "schema" / f"{name}.json").read_text("utf-8")


def _keys(answers: Answers) -> list[str]:
    """Measured tables of few variables."""
    sigma = answers.release.protected.guarantee.sigma
    return [key for key in sigma if key and key.count("*") < LARGEST]


def _places(answers: Answers) -> tuple[str, ...]:
    return (*countries.regions(), *sorted(places.listed_places(answers)))


def _head(release: Release) -> dict[str, Any]:
    """What every file carries, so that no number stands alone."""
    return {
        "release": release.version,
        "level": release.protected.guarantee.level,
        "invented": release.facts.invented,
        "caveat": caveat(),
        "citation": citation(release),
        "licence": release.facts.licence,
        **({"errata": plain_data(release.errata)} if release.errata else {}),
    }


def _about(release: Release) -> dict[str, Any]:
    facts, promise = release.facts, release.protected.guarantee
    return {
        "hub": facts.hub,
        "caveats": list(facts.caveats),
        "licence_url": facts.licence_url,
        "created": release.manifest.created,
        "years": list(release.years),
        "contributors": [
            {
                "name": c.name,
                "kind": c.kind,
                "years": list(c.years or release.years),
                **({"breaks": [b.as_facts() for b in c.breaks]} if c.breaks else {}),
            }
            for c in facts.contributors
        ],
        "guarantee": {
            **attributes(promise, "epsilon", "delta", "rho", "unit"),
            "rows_per_person": promise.rows,
            "mechanism": promise.mechanism,
        },
        "people": _row(release.protected.people, release.link_errors),
        "counted_twice": _counted_twice(release),
        "case_records": _row(release.protected.case_records),
        "blanks": BLANKS,
        "openapi": "openapi.json",
        "schema": "schema/index.json",
    }


def _variable(answers: Answers, name: str, languages: Sequence[str]) -> dict[str, Any]:
    return {
        "name": name,
        "labels": {code: label(name, code) for code in languages},
        "definitions": {code: definition(name, code) for code in languages},
        "values": [
            {"code": v, "labels": {code: code_label(name, v, code) for code in languages}}
            for v in answers.domain(name)
        ],
    }


def _counted_twice(release: Release) -> dict[str, Any] | None:
    """How many people may be counted twice; None where that was not measured."""
    errors = release.link_errors
    if errors is None:
        return None
    most = math.ceil(errors.most(release.protected.people.low))
    return {
        "most": most,
        "about": min(errors.middle, most),
        "share_a_row": errors.merged,
        "found": round(errors.found, 4),
        "reviewed": errors.reviewed,
        "even_more": errors.even_more,
    }


def _row(
    found: Estimate, errors: LinkErrors | None = None, citizenship: str | None = None
) -> dict[str, Any]:
    """A number of people, too few to show where it may be none; ``errors`` give it its second
    interval."""
    shown = found.low > 0
    row: dict[str, Any] = {
        "count": found.value if shown else None,
        "low": found.low,
        "high": found.high,
        "state": SHOWN if shown else PROTECTED,
    }
    if errors:
        of = None if citizenship is None else [citizenship]
        row["once"] = [round(end) for end in errors.once(found.low, found.high, of)]
    return row


def _write_table(answers: Answers, key: str, api: Path, head: Mapping[str, Any]) -> dict[str, Any]:
    """Both files of a table, and its entry in the list."""
    names = key.split("*")
    cells, errors = answers.cells(*names), answers.release.link_errors
    at = names.index(ORIGIN) if ORIGIN in names else None
    stem = "tables/" + "-".join(names)
    sigma = answers.release.protected.guarantee.sigma[key]
    _write(
        api / f"{stem}.json",
        {
            **head,
            "variables": names,
            "sigma": sigma,
            "rows": [
                {
                    "values": list(values),
                    **_row(e, errors, None if at is None else values[at]),
                }
                for values, e in cells.items()
            ],
            "unlisted": {"count": None, "low": 0, "high": answers.unseen(key), "state": PROTECTED},
        },
    )
    rows = ([*values, e.value, e.low, e.high, SHOWN] for values, e in cells.items())
    heading = [*names, "count", "low", "high", "state"]
    write_csv(api / f"{stem}.csv", heading, rows, quoted=True)
    return {
        "variables": names,
        "sigma": sigma,
        "cells": len(cells),
        "json": f"{stem}.json",
        "csv": f"{stem}.csv",
    }


def _write_place(
    answers: Answers, key: str, api: Path, head: Mapping[str, Any], languages: Sequence[str]
) -> dict[str, Any]:
    """The file of a place, and its entry in the index."""
    facts = place_facts(answers, key)
    about = {
        "key": key.lower(),
        "kind": "country" if facts.is_country else "region",
        "names": {code: facts.where.name(code) for code in languages},
    }
    place = {
        **head,
        **about,
        "years": list(facts.years),
        "pages": {code: f"../../{code}/{places.path(key)}" for code in languages},
        "citizens": _side(facts.citizens),
        "exploited": _side(facts.exploited),
    }
    path = f"places/{key.lower()}.json"
    _write(api / path, place)
    return {**about, "json": path}


def _side(side: Side) -> dict[str, Any]:
    return {
        "people": _card(side.people),
        "women": _card(side.women),
        "exploitation": [{"flag": flag, **_card(found)} for flag, found in side.exploitation],
        "corridors": [
            {"citizenship": origin, "country_of_exploitation": place, **_card(found)}
            for origin, place, found in side.corridors
        ],
    }


def _card(found: NumberCard) -> dict[str, Any]:
    """A card, its value called ``count`` where it counts people and ``share`` where not."""
    digits = 4 if found.unit == "share" else 0
    value, low, high = file_numbers(found, digits or None)
    ends: dict[str, Any] = {"low": low, "high": high, "state": found.state}
    if found.once is not None:
        ends["once"] = [round(end, digits) for end in found.once]
    if found.unit == "share":
        return {"share": value, **ends, "denominator": found.denominator}
    return {"count": value, **ends}


def _figures(answers: Answers, languages: Sequence[str]) -> list[dict[str, Any]]:
    titles: dict[str, dict[str, str]] = {}
    for code in languages:
        with language(code):
            for figure in figures(answers):
                titles.setdefault(figure.file, {})[code] = figure.caption
    return [
        {
            "id": file,
            "titles": words,
            "csv": f"../charts/{file}.csv",
            "metadata": f"../charts/{file}.metadata.json",
            "svg": {code: f"../charts/{code}/{file}.svg" for code in words},
        }
        for file, words in titles.items()
    ]


def _files(release: Release) -> list[dict[str, Any]]:
    """The release's own files; SHA256SUMS holds the same hashes."""
    return [
        {"name": name, "path": f"../{name}", "bytes": entry.bytes, "sha256": entry.sha256}
        for name, entry in release.manifest.files.items()
    ]


def _write(path: Path, value: Mapping[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(f"{text}\n".encode())
