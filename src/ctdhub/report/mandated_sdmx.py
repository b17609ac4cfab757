"""SDG 16.2.2 as SDMX-CSV, in the structure of the global SDG dataflow (IAEG-SDGs, DF_SDG_GLH).

Columns and codes are those of files of that dataflow: annual series of detected victims and of
their rates per 100,000 population, reference areas by M49 number.  The comment of a rate names its
population.  A line that the dataflow has no
code for, or that the release does not show, is no observation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ctdhub.core.datafiles import as_csv
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.open import Release
from ctdhub.report.mandated_wording import population_label
from ctdhub.report.wording import caveat, citation
from ctdhub.schema import countries
from ctdhub.schema.roles import FORCED_LABOUR, ORGAN_REMOVAL, SEXUAL_EXPLOITATION
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.mandated import sdg
from ctdhub.stats.mandated.lines import MandatedLine, MandatedTable

FORM = "sdmx-csv"
SHAPES = (sdg.NAME,)
"""Tables that can be written so."""
DATAFLOW = "IAEG-SDGs:DF_SDG_GLH(1.24)"
WHOLE = "_T"
_UNUSED = (
    "URBANISATION", "INCOME_WEALTH_QUANTILE", "EDUCATION_LEV", "OCCUPATION", "CUST_BREAKDOWN",
    "COMPOSITE_BREAKDOWN", "DISABILITY_STATUS", "ACTIVITY", "PRODUCT",
)  # fmt: skip
"""Dimensions by which no trafficking series is divided."""
COLUMNS = (
    "DATAFLOW", "FREQ", "REPORTING_TYPE", "SERIES", "REF_AREA", "SEX", "AGE", *_UNUSED,
    "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "UNIT_MULT", "UNIT_MEASURE", "UPPER_BOUND",
    "LOWER_BOUND", "SOURCE_DETAIL", "COMMENT_TS",
)  # fmt: skip
SERIES = {
    FORCED_LABOUR: "VC_HTF_DETVFL",
    SEXUAL_EXPLOITATION: "VC_HTF_DETVSX",
    ORGAN_REMOVAL: "VC_HTF_DETVOG",
}
"""By form of exploitation; other forms have no series that holds them alone."""
DETECTED = "VC_HTF_DETV"
SEXES = {"female": "F", "male": "M"}
AGES = {"children": "Y0T17", "adults": "Y_GE18"}


def written(sheet: MandatedTable, release: Release) -> str:
    """The table; texts in English, as all files for programs."""
    with language(LANGUAGES[0]):
        rows = [row for line in sheet.lines for row in _observations(sheet, line, release)]
    return as_csv(COLUMNS, ([row[name] for name in COLUMNS] for row in rows))


def left_out(sheet: MandatedTable) -> tuple[int, int]:
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
        "SOURCE_DETAIL": citation(release),
        "COMMENT_TS": caveat(),
    }
    yield common | _value(series, "NUMBER", line.people, 0)
    whom = sheet.denominator(line)
    if whom is not None and line.rate is not None and line.rate.value is not None:
        comment = f"Per 100,000 of: {population_label(line)} ({whom.source}, {whom.reference_date})"
        rate = _value(f"{series}R", "PER_100000_POP", line.rate, 4)
        yield common | rate | {"COMMENT_TS": f"{comment}. {caveat()}"}


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
