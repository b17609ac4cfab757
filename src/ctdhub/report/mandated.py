"""A mandated table in words, as CSV, JSON, Markdown, text and SDMX."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any, Literal

from ctdhub.core.format import decimal, number, share, span
from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT, _, current, language
from ctdhub.core.tables import as_csv, as_json
from ctdhub.document import text
from ctdhub.document.document import Document, Items, Meta, Section, TextTable
from ctdhub.release.open import Release
from ctdhub.report import wording
from ctdhub.report.sentences import undated
from ctdhub.schema import countries, model
from ctdhub.schema.labels import code_label, label
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.equity import RECEIVED
from ctdhub.stats.mandated import tables
from ctdhub.stats.mandated.tables import PARTS, MandatedLine, MandatedTable, sources
from ctdhub.stats.trend import breaks_within

# --------------------------------------------------------------------------------------------------
# What a mandated table says in words: its title, its notes, the label of a line.

words_of = partial(wording.paragraph, "mandated.txt")
"""What a part of the template says, by the name of the part."""
UNKNOWN: Literal["not_recorded"] = "not_recorded"
"""The category of people whose answer is not known."""


def title(sheet: MandatedTable) -> str:
    """What the table holds, and with what it is aligned."""
    return words_of("title", sheet.name, any(line.rate for line in sheet.lines))


def notes(sheet: MandatedTable, release: Release) -> tuple[str, ...]:
    """Sentences that must stand with a table: how it is aligned, what is missing."""
    standing = any(line.dimension == "status" for line in sheet.lines)
    breaks = [
        wording.break_sentence(one, release.facts)
        for one in breaks_within(release, None, *sheet.years)
    ]
    unfinished = release.year if release.year in sheet.scope.years else ""
    common = wording.paragraphs("mandated.txt", "common", standing, breaks, unfinished)
    return (*_OWN[sheet.name](sheet), *common)


def line_label(line: MandatedLine) -> str:
    """The people of a line."""
    category, lang = line.category, current()
    if category == UNKNOWN:
        return wording.state_words(UNKNOWN)
    if line.dimension == "status":
        return code_label(model.STANDING, category, lang)
    if category != "all" and line.dimension in ("sex", *tables.OFFENDERS):
        return code_label(model.SEX, category, lang)
    if line.dimension == "form_of_exploitation":
        other = category == tables.OTHER
        return _("All other forms together") if other else label(category, lang)
    if line.dimension in ("recruitment", "technology"):
        name = _("Any recorded") if category == "recorded" else label(category, lang)
        return _("{label}, all years").format(label=name)
    if line.dimension == "registering_organisation":
        return code_label(model.CONTRIBUTOR_KIND, category, lang)
    if line.dimension in ("sex_by_age", "sex_by_citizenship"):
        pairs = zip(line.dimension.split("_by_"), category.split(":"), strict=True)
        both = " · ".join(line_label(replace(line, dimension=d, category=c)) for d, c in pairs)
        several = line.years[0] < line.years[1]
        return _("{label}, all years").format(label=both) if several else both
    if line.dimension == "nationality":
        return countries.name(category, lang)
    if line.dimension == "citizenship":
        return words_of("citizens", category)
    if line.dimension == "assistance":
        return _assistance(category)
    return words_of("people", line.dimension, category)


def _assistance(category: str) -> str:
    kind, _colon, status = category.partition(":")
    words = {"recorded": _("{kind}: any status recorded"), RECEIVED: _("{kind}: received")}[status]
    name = words.format(kind=label(f"{tables.PREFIX}{kind}", current()))
    return _("{label}, all years").format(label=name)


def _sdg(sheet: MandatedTable) -> tuple[str, ...]:
    population = sheet.scope.population
    rated = [line for line in sheet.lines if line.rate is not None]
    counted, used = list[str](), list[tuple[str, date]]()
    if population is not None:
        without = {(line.country, line.year) for line in sheet.lines if line.rate is None}
        counted = [" ".join(pair) for pair in sorted(without)]
        places = {(line.country, line.year) for line in rated}
        inhabitants = (p for key, p in population.people.items() if key[:2] in places)
        used = [(source, date.fromisoformat(when)) for source, when in sources(inhabitants)]
    whole = any(not line.per and line.category in PARTS.get(line.dimension, ()) for line in rated)
    parted = any(line.per for line in rated)
    return wording.paragraphs(
        "mandated.txt", "sdg", population, counted, rated, whole, parted, used
    )


def _eurostat(sheet: MandatedTable) -> tuple[str, ...]:
    others = tables.reporting_countries() - set(countries.members("eu"))
    outside = [countries.name(code, current()) for code in sheet.scope.places if code in others]
    return wording.paragraphs("mandated.txt", "eurostat", outside)


def _unodc(_sheet: MandatedTable) -> tuple[str, ...]:
    return wording.paragraphs("mandated.txt", "unodc", tables.MOST)


def _greta(sheet: MandatedTable) -> tuple[str, ...]:
    paragraphs = wording.paragraphs("mandated.txt", "greta", tables.MOST)
    return (*paragraphs, undated()) if sheet.scope.every else paragraphs


_OWN: dict[str, Callable[[MandatedTable], tuple[str, ...]]] = {
    tables.SDG: _sdg,
    tables.EUROSTAT: _eurostat,
    tables.GRETA: _greta,
    tables.UNODC: _unodc,
}
"""By name of a shape the notes that it alone has."""


# --------------------------------------------------------------------------------------------------
# A mandated table as CSV, JSON, Markdown or text.
#
# The columns of the CSV and the keys of the JSON are the same in every language; labels and notes
# are in the language in force.

COLUMNS = (
    "table", "country", "year", "dimension", "category", "label", "blank", "state", "people",
    "people_low", "people_high", "population", "per_100000", "per_100000_low", "per_100000_high",
    "population_of", "population_source", "population_date", "level", "release",
)  # fmt: skip

STATES = ("shown", "imprecise", "protected", "not_measured")
BLANKS = (UNKNOWN, "nobody_reports", "not_held")
FORMATS = ("text", "csv", "json", "markdown")


def written(sheet: MandatedTable, release: Release, form: str) -> str:
    """The table as text.

    Args:
        form: one of :data:`FORMATS`.
    """
    if form == "csv":
        common = release.protected.guarantee.level, release.version
        return as_csv(COLUMNS, ((*_row(sheet, line).values(), *common) for line in sheet.lines))
    if form == "json":
        rows = [
            {k: v for k, v in _row(sheet, x).items() if k != "table"} | {"years": list(x.years)}
            for x in sheet.lines
        ]
        return as_json({**metadata(sheet, release), "rows": rows}).removesuffix("\n")
    headed = form == "markdown"
    write = text.write_markdown if headed else text.write_plain
    return write(document(sheet, release, headed=headed))


def metadata(sheet: MandatedTable, release: Release) -> dict[str, Any]:
    """What stands beside the lines: notes, caveat, citation, level, contributors."""
    return {
        "table": sheet.name,
        "title": title(sheet),
        "release": release.version,
        "years": list(sheet.years),
        "level": release.protected.guarantee.level,
        "caveat": wording.caveat(),
        "citation": wording.citation(release),
        "contributors": [c.name for c in release.facts.contributors],
        "invented": release.facts.invented,
        "notes": list(notes(sheet, release)),
        "states": {name: words_of("state", name) for name in STATES},
        "blanks": {name: words_of("blank", name) for name in BLANKS},
    }


def _row(sheet: MandatedTable, line: MandatedLine) -> dict[str, Any]:
    """All :data:`COLUMNS` but those that are the same in each row, in this order."""
    whom = sheet.denominator(line)
    cells = (
        sheet.name,
        line.country,
        line.year,
        line.dimension,
        line.category,
        line_label(line),
        line.blank,
        line.people.state,
        *wording.file_numbers(line.people),
        line.rate and line.rate.denominator,
        *wording.file_numbers(line.rate, 4),
        *((line.per or "all", whom.source, whom.reference_date) if whom else (None,) * 3),
    )
    return dict(zip(COLUMNS[:-2], cells, strict=True))


def document(table: MandatedTable, release: Release, *, headed: bool) -> Document:
    """The table as a document: a section for each country and years, then what to know.

    Args:
        headed: whether the columns have headings.
    """
    lang, sections = current(), []
    for (place, years), group in groupby(table.lines, key=lambda x: (x.country, x.years)):
        lines = list(group)
        rated = any(line.rate is not None for line in lines)
        rates = (_("Per 100,000"), _("Reference population"))
        heads = (_("Category"), _("People"), *(rates if rated else ()))
        rows = TextTable("", "", heads if headed else (), _cells(lines, rated=rated))
        id_ = "-".join((place, *map(str, years)))
        heading = _("{place}, {years}").format(place=countries.name(place, lang), years=span(years))
        sections.append(Section(id_, heading, (rows,)))
    level = share(release.protected.guarantee.level)
    said = (
        *notes(table, release),
        _("Intervals hold with {level} confidence.").format(level=level),
    )
    return Document(
        meta=Meta(lang, lang in RIGHT_TO_LEFT, wording.called(release.facts)),
        title=title(table),
        lead=(f"{wording.citation(release)} {wording.caveat()}",),
        sections=(*sections, Section("notes", "", (Items(said),))),
    )


def _cells(lines: list[MandatedLine], *, rated: bool) -> tuple[tuple[str, ...], ...]:
    rows = []
    for line in lines:
        name = _("{variable}: {value}").format(
            variable=words_of("dimension", line.dimension), value=line_label(line)
        )
        of = "–" if line.rate is None else words_of("population", line.per)
        rate = (_rate(line.rate), of) if rated else ()
        rows.append((name, _mandated_people(line), *rate))
    return tuple(rows)


def _mandated_people(line: MandatedLine) -> str:
    if line.blank == "nobody_reports":
        return _("nobody reports here")
    return _("not held") if line.blank == "not_held" else _in_words(line.people, number)


def _rate(rate: NumberCard | None) -> str:
    """A rate in words: a line without a population has none, others may be too few to show."""
    if rate is None:
        return _("no population given")
    return _in_words(rate, lambda value: decimal(value, "0.00"))


def _in_words(card: NumberCard, written: Callable[[float], str]) -> str:
    if card.low is None or card.high is None:
        return _("not measured in this release")
    if card.state == "imprecise":
        return _("between {low} and {high}").format(low=written(card.low), high=written(card.high))
    if card.value is None:
        return _("not shown (at most {high})").format(high=written(card.high))
    return wording.people_ranged(card.value, card.low, card.high, written)


# --------------------------------------------------------------------------------------------------
# SDG 16.2.2 as SDMX-CSV, in the structure of the global SDG dataflow (IAEG-SDGs, DF_SDG_GLH).
#
# Columns and codes are those of files of that dataflow: annual series of detected victims and of
# their rates per 100,000 population, reference areas by M49 number.  The comment of a rate names
# its population.  A line that the dataflow has no code for, or that the release does not show, is
# no observation.

SDMX_FORM = "sdmx-csv"
SDMX_SHAPES = (tables.SDG,)
"""Tables that can be written so."""
DATAFLOW = "IAEG-SDGs:DF_SDG_GLH(1.24)"
WHOLE = "_T"
_UNUSED = (
    "URBANISATION", "INCOME_WEALTH_QUANTILE", "EDUCATION_LEV", "OCCUPATION", "CUST_BREAKDOWN",
    "COMPOSITE_BREAKDOWN", "DISABILITY_STATUS", "ACTIVITY", "PRODUCT",
)  # fmt: skip
"""Dimensions by which no trafficking series is divided."""
SDMX_COLUMNS = (
    "DATAFLOW", "FREQ", "REPORTING_TYPE", "SERIES", "REF_AREA", "SEX", "AGE", *_UNUSED,
    "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "UNIT_MULT", "UNIT_MEASURE", "UPPER_BOUND",
    "LOWER_BOUND", "SOURCE_DETAIL", "COMMENT_TS",
)  # fmt: skip
SERIES = {
    model.FORCED_LABOUR: "VC_HTF_DETVFL",
    model.SEXUAL_EXPLOITATION: "VC_HTF_DETVSX",
    model.ORGAN_REMOVAL: "VC_HTF_DETVOG",
}
"""By form of exploitation; other forms have no series that holds them alone."""
DETECTED = "VC_HTF_DETV"
SEXES = {"female": "F", "male": "M"}
AGES = {"children": "Y0T17", "adults": "Y_GE18"}


def sdmx(sheet: MandatedTable, release: Release) -> str:
    """The table; texts in English, as all files for programs."""
    with language(LANGUAGES[0]):
        rows = [row for line in sheet.lines for row in _observations(sheet, line, release)]
    return as_csv(SDMX_COLUMNS, ([row[name] for name in SDMX_COLUMNS] for row in rows))


def left_out_of_sdmx(sheet: MandatedTable) -> tuple[int, int]:
    """Lines for which the dataflow has no code, and lines that the release does not show."""
    uncoded = [line for line in sheet.lines if _key(line) is None]
    hidden = [x for x in sheet.lines if _key(x) is not None and x.people.value is None]
    return len(uncoded), len(hidden)


def _observations(
    sheet: MandatedTable, line: MandatedLine, release: Release
) -> Iterator[dict[str, Any]]:
    key = _key(line)
    if key is None or line.people.value is None:
        return
    series, sex, age = key
    common = dict.fromkeys(_UNUSED, WHOLE) | {
        "DATAFLOW": DATAFLOW,
        "FREQ": "A",
        "REPORTING_TYPE": "N",
        "REF_AREA": str(int(countries.m49(line.country))),
        "SEX": sex,
        "AGE": age,
        "TIME_PERIOD": line.year,
        "OBS_STATUS": "E",
        "UNIT_MULT": 0,
        "SOURCE_DETAIL": wording.citation(release),
        "COMMENT_TS": wording.caveat(),
    }
    yield common | _value(series, "NUMBER", line.people, 0)
    whom = sheet.denominator(line)
    if whom is not None and line.rate is not None and line.rate.value is not None:
        people = words_of("population", line.per)
        comment = f"Per 100,000 of: {people} ({whom.source}, {whom.reference_date})"
        rate = _value(f"{series}R", "PER_100000_POP", line.rate, 4)
        yield common | rate | {"COMMENT_TS": f"{comment}. {wording.caveat()}"}


def _value(series: str, unit: str, card: NumberCard, digits: int) -> dict[str, Any]:
    low, value, high = (round(x or 0, digits or None) for x in (card.low, card.value, card.high))
    return {
        "SERIES": series,
        "UNIT_MEASURE": unit,
        "OBS_VALUE": value,
        "LOWER_BOUND": low,
        "UPPER_BOUND": high,
    }


def _key(line: MandatedLine) -> tuple[str, str, str] | None:
    """Series, sex and age of a line; None where the dataflow has no code for it."""
    match line.dimension:
        case "total":
            return DETECTED, WHOLE, WHOLE
        case "sex" if line.category in SEXES:
            return DETECTED, SEXES[line.category], WHOLE
        case "age" if line.category in AGES:
            return DETECTED, WHOLE, AGES[line.category]
        case "form_of_exploitation" if line.category in SERIES:
            return SERIES[line.category], WHOLE, WHOLE
    return None
