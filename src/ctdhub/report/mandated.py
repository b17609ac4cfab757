"""A mandated table as CSV, JSON, Markdown or text.

The columns of the CSV and the keys of the JSON are the same in every language; labels and notes are
in the language in force.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from ctdhub.core.datafiles import as_csv, as_json
from ctdhub.core.format import decimal, number, share, span
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document import markdown, plain
from ctdhub.document.document import Document, Items, Meta, Section, TextTable
from ctdhub.release.open import Release
from ctdhub.report.called import called
from ctdhub.report.mandated_wording import (
    dimension_label,
    line_label,
    notes,
    population_label,
    title,
)
from ctdhub.report.wording import caveat, citation
from ctdhub.schema import countries
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.mandated.lines import MandatedLine, MandatedTable

COLUMNS = (
    "table", "country", "year", "dimension", "category", "label", "blank", "state", "people",
    "people_low", "people_high", "population", "per_100000", "per_100000_low", "per_100000_high",
    "population_of", "population_source", "population_date", "level", "release",
)  # fmt: skip


def written(sheet: MandatedTable, release: Release, form: str) -> str:
    """The table as text.

    Args:
        form: one of :data:`FORMATS`.
    """
    return FORMATS[form](sheet, release)


def metadata(sheet: MandatedTable, release: Release) -> dict[str, Any]:
    """What stands beside the lines: notes, caveat, citation, level, contributors."""
    return {
        "table": sheet.name,
        "title": title(sheet),
        "release": release.version,
        "years": list(sheet.years),
        "level": release.protected.guarantee.level,
        "caveat": caveat(),
        "citation": citation(release),
        "contributors": [c.name for c in release.facts.contributors],
        "invented": release.facts.invented,
        "notes": notes(sheet, release),
        "states": {
            "shown": _("an estimate with its interval"),
            "imprecise": _("not precise enough for one number"),
            "protected": _(
                "not shown (below the reporting threshold), never zero; "
                "`people_high` is the upper bound"
            ),
            "not_measured": _("this release holds no table that answers"),
        },
        "blanks": {
            "not_recorded": _("people whose answer is not known"),
            "nobody_reports": _("no contributor covers the year, so there can be no count"),
            "not_held": _("the table asks for it, and no release of this hub can answer"),
        },
    }


def _csv(sheet: MandatedTable, release: Release) -> str:
    common = release.protected.guarantee.level, release.version
    return as_csv(COLUMNS, ((*_row(sheet, line).values(), *common) for line in sheet.lines))


def _json(sheet: MandatedTable, release: Release) -> str:
    rows = [
        {k: v for k, v in _row(sheet, line).items() if k != "table"} | {"years": list(line.years)}
        for line in sheet.lines
    ]
    return as_json({**metadata(sheet, release), "rows": rows}).removesuffix("\n")


def _row(sheet: MandatedTable, line: MandatedLine) -> dict[str, Any]:
    """All :data:`COLUMNS` but those that are the same in each row, in this order."""
    people, rate, whom = line.people, line.rate, sheet.denominator(line)
    return {
        "table": sheet.name,
        "country": line.country,
        "year": line.year,
        "dimension": line.dimension,
        "category": line.category,
        "label": line_label(line),
        "blank": line.blank,
        "state": people.state,
        "people": _whole(people.value),
        "people_low": _whole(people.low),
        "people_high": _whole(people.high),
        "population": None if rate is None else rate.denominator,
        "per_100000": None if rate is None else _part(rate.value),
        "per_100000_low": None if rate is None else _part(rate.low),
        "per_100000_high": None if rate is None else _part(rate.high),
        "population_of": None if whom is None else line.per or "all",
        "population_source": None if whom is None else whom.source,
        "population_date": None if whom is None else whom.reference_date,
    }


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _part(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _markdown(table: MandatedTable, release: Release) -> str:
    return markdown.write(document(table, release, headed=True))


def _text(table: MandatedTable, release: Release) -> str:
    return plain.write(document(table, release, headed=False))


def document(table: MandatedTable, release: Release, *, headed: bool) -> Document:
    """The table as a document: a section for each country and years, then what to know.

    Args:
        headed: whether the columns have headings.
    """
    lang, sections = current(), []
    for (place, years), found in groupby(table.lines, key=lambda x: (x.country, x.years)):
        lines = list(found)
        rated = any(line.rate is not None for line in lines)
        rates = (_("Per 100,000"), _("Reference population"))
        heads = (_("Category"), _("People"), *(rates if rated else ()))
        rows = TextTable("", "", heads if headed else (), _cells(lines, rated=rated))
        id_ = "-".join((place, *map(str, years)))
        sections.append(Section(id_, _heading(place, years), (rows,)))
    level = share(release.protected.guarantee.level)
    said = (
        *notes(table, release),
        _("Intervals hold with {level} confidence.").format(level=level),
    )
    return Document(
        meta=Meta(lang, lang in RIGHT_TO_LEFT, called(release.facts)),
        title=title(table),
        lead=(f"{citation(release)} {caveat()}",),
        sections=(*sections, Section("notes", "", (Items(said),))),
    )


def _heading(place: str, years: tuple[int, int]) -> str:
    name = countries.name(place, current())
    return _("{place}, {years}").format(place=name, years=span(years))


def _cells(lines: list[MandatedLine], *, rated: bool) -> tuple[tuple[str, ...], ...]:
    found = []
    for line in lines:
        name = _("{variable}: {value}").format(
            variable=dimension_label(line), value=line_label(line)
        )
        of = "–" if line.rate is None else population_label(line)
        rate = (_rate(line.rate), of) if rated else ()
        found.append((name, _people(line), *rate))
    return tuple(found)


def _people(line: MandatedLine) -> str:
    if line.blank == "nobody_reports":
        return _("nobody reports here")
    if line.blank == "not_held":
        return _("not held")
    people = line.people
    if people.low is None or people.high is None:
        return _("not measured in this release")
    if people.state == "imprecise":
        return _imprecise(number(people.low), number(people.high))
    if people.value is None:
        return _("not shown (at most {high})").format(high=number(people.high))
    return _("{people} ({low} to {high})").format(
        people=number(people.value), low=number(people.low), high=number(people.high)
    )


def _imprecise(low: str, high: str) -> str:
    return _("between {low} and {high}").format(low=low, high=high)


def _rate(rate: NumberCard | None) -> str:
    """A rate in words: a line without a population has none, others may be too few to show."""
    if rate is None:
        return _("no population given")
    if rate.low is None or rate.high is None:
        return _("not measured in this release")
    if rate.state == "imprecise":
        return _imprecise(decimal(rate.low, "0.00"), decimal(rate.high, "0.00"))
    if rate.value is None:
        high = decimal(rate.high, "0.00")
        return _("not shown (at most {high})").format(high=high)
    return _("{people} ({low} to {high})").format(
        people=decimal(rate.value, "0.00"),
        low=decimal(rate.low, "0.00"),
        high=decimal(rate.high, "0.00"),
    )


FORMATS: dict[str, Callable[[MandatedTable, Release], str]] = {
    "text": _text,
    "csv": _csv,
    "json": _json,
    "markdown": _markdown,
}
"""By name what writes the form."""
