"""The interface for programs: static JSON and CSV files beside the pages of a release.

    <site>/api/latest.json                      the newest release, and where it lies
    <site>/r/<version>/api/index.json           what the release holds; other paths are named there
    <site>/r/<version>/api/tables.csv           the measured tables: noise, shown cells, the rest
    <site>/r/<version>/api/tables/<a>.csv       people by a variable, alone and with each other one
    <site>/r/<version>/api/panel.csv            people of every place and year, to be merged
    <site>/r/<version>/api/places.json          facts of the countries and regions that are listed
    <site>/r/<version>/api/schema/<file>.json   JSON Schema (2020-12) of the files above
    <site>/r/<version>/api/openapi.json         the same as OpenAPI 3.1 (``openapi``)

Paths inside a file are relative to that file.  Texts are English; labels come in every language of
the site.  Tables of three variables stand in the release's own counts.parquet only.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from itertools import permutations, product
from pathlib import Path
from typing import Any

from ctdhub.border import PROTECTED, SHOWN, Estimate
from ctdhub.core.i18n import LANGUAGES, current, language
from ctdhub.core.tables import write_csv, write_json
from ctdhub.release.catalogue import WHAT_IT_IS, title
from ctdhub.release.manifest import VERSION_PATTERN, LinkErrors
from ctdhub.release.open import Release
from ctdhub.report import figures as places
from ctdhub.report.figures import figures
from ctdhub.report.wording import attributes, caveat, citation, file_numbers
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, definition, label
from ctdhub.schema.model import HARM, ORIGIN, PERIOD, load_schema
from ctdhub.site.chart_files import BLANKS, csvw
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import YES, NumberCard
from ctdhub.stats.query import Query
from ctdhub.stats.tables import Side, place_facts
from ctdhub.stats.trend import covering

# --------------------------------------------------------------------------------------------------
# The interface for programs as OpenAPI 3.1, for tools that read such descriptions.


def openapi(release: Release, variables: Sequence[str]) -> dict[str, Any]:
    """The description of one release: ``schema/openapi.json`` with what is this one's own.

    Args:
        variables: that have a file of tables.
    """
    facts = release.facts
    document: dict[str, Any] = json.loads(schema("openapi"))
    document["info"] = {
        "title": title(release.manifest, facts),
        "version": release.version,
        "description": WHAT_IT_IS,
        "license": {
            "name": facts.licence,
            **({"url": facts.licence_url} if facts.licence_url else {}),
        },
    }
    path = "/api/tables/{variable}.csv"
    if variables:
        (variable,) = document["paths"][path]["parameters"]
        variable |= {"schema": {"enum": [*variables]}, "example": variables[0]}
    else:
        del document["paths"][path]
    return document


FOLDER, LATEST = "api", "latest.json"
TABLES, PANEL, PLACES = "tables.csv", "panel.csv", "places.json"
SCHEMAS = ("index", "places", "latest")
LARGEST = 2
"""Variables of a table that stands in the files of its variables."""


def write_api(answers: Answers, folder: Path, languages: Sequence[str]) -> None:
    """Write the files of one release.

    Args:
        answers: of an opened release.
        folder: the release's own folder in the site, which holds its files and charts.
        languages: of the site; labels come in each.
    """
    api = folder / FOLDER
    for name in ("tables", "schema"):
        (api / name).mkdir(parents=True)
    with language(LANGUAGES[0]):
        head = _head(answers.release)
        variables = _write_tables(answers, api)
        entries = [_place(answers, key, languages) for key in _places(answers)]
        for name in SCHEMAS:
            (api / "schema" / f"{name}.json").write_text(schema(name), "utf-8")
        index = {
            **head,
            **_about(answers.release),
            "languages": list(languages),
            "variables": [_variable(answers, v, languages) for v in sorted(answers.variables)],
            "tables": TABLES,
            "panel": PANEL,
            "larger_tables": "Tables of three variables stand in counts.parquet only.",
            "places": [{name: each[name] for name in ("key", "kind", "names")} for each in entries],
            "place_facts": PLACES,
            "figures": _figures(answers, languages),
            "files": _files(answers.release),
        }
        _write(api / "index.json", index)
        _write(api / PLACES, {**head, "places": entries})
        _write(api / "openapi.json", openapi(answers.release, variables))


def write_latest(site: Path, version: str, notices: Mapping[str, Any]) -> None:
    """Say at the root of the site which releases it holds and which is the newest that stands.

    Args:
        site: the folder of a site that holds all its releases.
        version: of the newest that was not withdrawn; of the newest where all were.
        notices: about releases, see :func:`ctdhub.site.feed.of_all`.
    """
    names = (p.parents[1].name for p in site.glob(f"r/*/{FOLDER}/index.json"))
    versions = sorted(
        (name for name in names if re.fullmatch(VERSION_PATTERN, name)),
        key=lambda name: [int(part) for part in name.split(".")],
    )
    (site / FOLDER).mkdir()
    indexes = {name: f"../r/{name}/{FOLDER}/index.json" for name in versions}
    latest = {"version": version, "index": indexes.get(version), "releases": indexes, **notices}
    _write(site / FOLDER / LATEST, latest)


def schema(name: str) -> str:
    """The JSON Schema of a kind of file.

    Args:
        name: one of :data:`SCHEMAS`; ``tables`` gives the columns of the CSV files as "CSV on the
            Web" has them.
    """
    return (resources.files("ctdhub.site") / "schema" / f"{name}.json").read_text("utf-8")


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


def _row(people: Estimate, errors: LinkErrors | None = None) -> dict[str, Any]:
    """A number of people, too few to show where it may be none; ``errors`` give it its second
    interval."""
    shown = people.low > 0
    row: dict[str, Any] = {
        "count": people.value if shown else None,
        "low": people.low,
        "high": people.high,
        "state": SHOWN if shown else PROTECTED,
    }
    if errors:
        row["once"] = _once(people, errors)
    return row


def _once(people: Estimate, errors: LinkErrors, of: Sequence[str] | None = None) -> list[int]:
    """The second interval of people who have one of these citizenships, None where any."""
    return [round(end) for end in errors.once(people.low, people.high, of)]


def _write_tables(answers: Answers, api: Path) -> list[str]:
    """Write the list of tables, a file for each variable and the description of all; the variables
    that have a file."""
    promise, errors = answers.release.protected.guarantee, answers.release.link_errors
    listed: list[list[object]] = []
    rows: dict[str, list[list[object]]] = {}
    for key in filter(None, promise.sigma):
        names, cells = key.split("*"), answers.cells(*key.split("*"))
        noise = promise.sigma[key], promise.drawn.get(key)
        listed.append([key, *noise, len(cells), answers.unseen(key)])
        if len(names) > LARGEST:
            continue
        of = names.index(ORIGIN) if ORIGIN in names else None
        for values, e in cells.items():
            again = _once(e, errors, of if of is None else [values[of]]) if errors else []
            pair = [*zip(names, values, strict=True), ("", "")][:LARGEST]
            for (name, code), other in permutations(pair):
                if name:
                    line = [code, *other, e.value, e.low, e.high, SHOWN, *again]
                    rows.setdefault(name, []).append(line)
    described = json.loads(schema("tables"))
    columns, (about, panel) = described["tableSchema"]["columns"], described["tables"]
    if errors is None:
        del columns[-2:]
    for table, lines in ((about, listed), (panel, _panel(answers))):
        names = [c["name"] for c in table["tableSchema"]["columns"]]
        write_csv(api / table["url"], names, lines)
    for name, lines in rows.items():
        write_csv(api / "tables" / f"{name}.csv", [c["name"] for c in columns], lines)
        title = f"People by {label(name, current())}"
        described["tables"].append({"url": f"tables/{name}.csv", "dc:title": title})
    write_json(api / f"{TABLES}-metadata.json", csvw(answers.release, described))
    return [*rows]


def _panel(answers: Answers) -> Iterator[list[object]]:
    """People of each place and year that may be published: all of them, and those with each form of
    exploitation that was measured by year."""
    release, schema = answers.release, load_schema()
    sigma, (first, last) = release.protected.guarantee.sigma, release.years
    reporting = {str(year): len(covering(release, year)) for year in range(first, last + 1)}
    forms = ("", schema.groups[HARM].indicator or "", *schema.flags(HARM))
    for (side, variable), form in product(places.SIDES.items(), forms):
        where = {form: (YES,)} if form else {}
        key = answers.measured(PERIOD, variable, *where)
        if form and key is None:
            continue
        noisy = answers.noisy_groups(PERIOD, variable, *where)
        asked = Query({**where, PERIOD: tuple(reporting)}, by=(variable, PERIOD))
        for row in answers.table(asked, shares=False).rows:
            place, year = row.codes
            people = row.people if reporting[year] else None
            state = people.state if people else "nobody_reports"
            of = side, place or "not_recorded", year, form or "all"
            noise = noisy.get((place, *(YES for _ in where)), {}).get(year) if people else None
            model = (None, None) if noise is None else (round(noise, 2), round(sigma[key or ""], 3))
            yield [state, *of, *file_numbers(people), *model, reporting[year]]


def _place(answers: Answers, key: str, languages: Sequence[str]) -> dict[str, Any]:
    """Facts of a place."""
    facts = place_facts(answers, key)
    charted = any(figures(answers, among) for among in places.sides(key).values())
    card = places.file(key) if charted else "index"
    return {
        "key": key.lower(),
        "kind": "country" if facts.is_country else "region",
        "names": {code: facts.where.name(code) for code in languages},
        "years": list(facts.years),
        "pages": {code: f"../{code}/{card}.html" for code in languages},
        "citizens": _side(facts.citizens),
        "exploited": _side(facts.exploited),
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "people": _card(side.people),
        "women": _card(side.women),
        "exploitation": [{"flag": flag, **_card(card)} for flag, card in side.exploitation],
        "corridors": [
            {"citizenship": origin, "country_of_exploitation": place, **_card(card)}
            for origin, place, card in side.corridors
        ],
    }


def _card(card: NumberCard) -> dict[str, Any]:
    """A card, its value called ``count`` where it counts people and ``share`` where not."""
    digits = 4 if card.unit == "share" else 0
    value, low, high = file_numbers(card, digits or None)
    ends: dict[str, Any] = {"low": low, "high": high, "state": card.state}
    if card.once is not None:
        ends["once"] = [round(end, digits) for end in card.once]
    if card.unit == "share":
        return {"share": value, **ends, "denominator": card.denominator}
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
            "metadata": f"../charts/{file}.csv-metadata.json",
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
