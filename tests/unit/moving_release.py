"""A fictitious release in which something moved, so that there is something to say of it.

Two contributors report from 2012 on, "one" to 2017 and "two" to 2019.  From 2018 on seven in ten of
those exploited in Poland are women, four in ten before.  Each year ten more go from Romania to
Germany.  Nationals are given accommodation far more
often than citizens of third countries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from invented_people import citizenship_group
from invented_release import ASSISTED, FACTS, FLAGS, TABLES, protected_answer

from ctdhub.border import MEASUREMENTS, Sources
from ctdhub.core.i18n import LANGUAGES
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.schema import countries
from ctdhub.schema.model import CONTRIBUTOR, PERIOD

YEARS = (2012, 2019)
LAST_OF_ONE = 2017
ROUTES = (
    ("UKR", "POL", "two", 300), ("POL", "POL", "two", 100), ("MDA", "DEU", "one", 200),
    ("ROU", "DEU", "two", 80), ("CIV", "ITA", "two", 120),
)  # fmt: skip
"""Citizenship, country of exploitation, contributor, people in the first year."""
GROWING = "ROU"
PAIR = "citizenship*country_of_exploitation"
MORE = (
    "year_of_registration*gender", f"year_of_registration*{PAIR}", f"{PAIR}*gender",
    f"{PAIR}*any_means", *(f"{PAIR}*{flag}" for flag in FLAGS["means"]),
    *(f"year_of_registration*{place}*gender" for place in PAIR.split("*")),
)  # fmt: skip
REGIONS = {"citizenship": "citizenship_region", "country_of_exploitation": "exploitation_region"}
Row = dict[str, str | None]
Helped = Callable[[str, int], str]


def helped(group: str, i: int) -> str:
    """Status of accommodation of the i-th person of a group: nationals receive it more often."""
    often = {"national": 8, "other_eu": 5}.get(group, 3)
    return "received" if i % 10 < often else "not_available"


def moving_rows(accommodation: Helped = helped) -> list[Row]:
    """Rows of fictitious people, with the contributor that knows them."""
    rows: list[Row] = []
    for year in range(YEARS[0], YEARS[1] + 1):
        for origin, place, who, people in ROUTES:
            if who == "one" and year > LAST_OF_ONE:
                continue
            women = 7 if place == "POL" and year > LAST_OF_ONE else 4
            grown = 10 * (year - YEARS[0]) if origin == GROWING else 0
            for i in range(people + grown):
                group = citizenship_group(origin, place)
                row: Row = {
                    PERIOD: str(year), "gender": "female" if i % 10 < women else "male",
                    "age_band": "30-38" if i % 2 else "18-20", "citizenship": origin,
                    "country_of_exploitation": place, "citizenship_group": group,
                    "exploitation_forced_labour": "yes", "any_exploitation": "yes",
                    "means_threats": "yes" if i % 2 else None,
                    "means_false_promises": None if i % 2 else "yes", "any_means": "yes",
                    "assistance_accommodation": accommodation(group, i // 2) if i % 2 else None,
                    "assistance_medical": "received" if i % 3 else "offered", CONTRIBUTOR: who,
                }  # fmt: skip
                rows.append(row)
    return rows


def moving_release(
    folder: Path, accommodation: Helped = helped, last_of_one: int = LAST_OF_ONE
) -> Release:
    """The release, written below a folder; counted by contributor, and without noise.

    Args:
        last_of_one: the year up to which "one" says that it reports.
    """
    one, two = (dict(c) for c in FACTS["contributors"])
    one["years"] = [YEARS[0], last_of_one]
    two["years"] = list(YEARS)
    rows = moving_rows(accommodation)
    answer = protected_answer(
        [{k: v for k, v in row.items() if k != CONTRIBUTOR} for row in rows],
        tables=(*TABLES, *ASSISTED, *MORE),
        facts={"years": list(YEARS), "contributors": [one, two], "languages": list(LANGUAGES)},
    )
    answer = replace(answer, sources=_sources(rows))
    return open_release(write_release(answer, folder / "releases", "2020.1", "Moved."))


def _sources(rows: list[Row]) -> Sources:
    """Exact counts by contributor and year, and by gender and regions."""
    found, tables = [], {}
    for name in ("", "gender", *REGIONS.values()):
        columns = [CONTRIBUTOR, PERIOD, *([name] if name else [])]
        counted = Counter(
            (r[CONTRIBUTOR], r[PERIOD], *([_value(r, name)] if name else [])) for r in rows
        )
        values = {cell[2] for cell in counted} | {""} if name else {None}
        for who in ("one", "two"):
            for year in (*map(str, range(YEARS[0], YEARS[1] + 1)), ""):
                for value in sorted(values, key=str):
                    cell = (who, year, *([value] if name else []))
                    found.append(
                        {"columns": columns, "values": list(cell), "noisy": float(counted[cell])}
                    )
        tables["*".join(columns)] = 4.0
    return Sources(("one", "two"), (), pa.Table.from_pylist(found, MEASUREMENTS), tables, 0.05)


def _value(row: Row, name: str) -> str:
    for variable, region in REGIONS.items():
        if region == name:
            return countries.region(row[variable] or "")
    return row[name] or ""
