"""Invented protected answers for tests of release, statistics and site: seeded, about nobody."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from invented_people import citizenship_group

from ctdhub.border import (
    COUNTS,
    LISTS,
    MEASUREMENTS,
    Estimate,
    Guarantee,
    Protected,
    Sources,
    restore,
)
from ctdhub.dp.plan import epsilon_by_rows
from ctdhub.dp.policy import LinkingSettings
from ctdhub.dp.sources import DoubleTables, Overlap, SourceTables
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.schema.model import CONTRIBUTOR, PERIOD, load_schema

Z = 1.959964
YEARS = (2015, 2019)
FLAGS = {
    "exploitation": ("exploitation_forced_labour", "exploitation_sexual", "exploitation_other"),
    "means": ("means_threats", "means_withholds_documents", "means_false_promises"),
}
TABLES = (
    "year_of_registration",
    "gender",
    "age_band",
    "citizenship",
    "country_of_exploitation",
    "any_exploitation",
    "any_means",
    *FLAGS["exploitation"],
    *FLAGS["means"],
    "citizenship*country_of_exploitation",
    "citizenship*gender",
    "country_of_exploitation*gender",
    "citizenship*any_exploitation",
    "country_of_exploitation*any_exploitation",
    "citizenship*exploitation_sexual",
    "citizenship*exploitation_forced_labour",
    "country_of_exploitation*exploitation_sexual",
    "country_of_exploitation*exploitation_forced_labour",
    "year_of_registration*citizenship",
    "year_of_registration*country_of_exploitation",
)
KINDS = ("assistance_accommodation", "assistance_medical")
ASSISTED = (
    "citizenship_group",
    *KINDS,
    *(
        f"{kind}*{by}"
        for kind in KINDS
        for by in ("gender", "age_band", "country_of_exploitation", "citizenship_group")
    ),
    *(f"{kind}*gender*citizenship_group" for kind in KINDS),
)
"""Tables of assistance, for releases that have it beside :data:`TABLES`; accommodation is received
by 20 % of men and boys and by 60 % of all others, medical assistance by 60 % of all."""
FACTS: dict[str, Any] = {
    "hub": "Practice hub",
    "contributors": [
        {"id": "one", "name": "First organisation", "kind": "hotline", "years": [2015, 2019]},
        {"id": "two", "name": "Second organisation", "kind": "case_management"},
    ],
    "years": list(YEARS),
    "schema_version": "1.0",
    "languages": ["en"],
    "invented": True,
}


def people_rows(n: int = 4000, seed: int = 7) -> list[dict[str, str | None]]:
    """Rows of fictitious people."""
    rng, help_ = random.Random(seed), random.Random(seed + 1)
    ages = load_schema().codes["age_band"]
    rows = []
    for _ in range(n):
        row: dict[str, str | None] = {
            "year_of_registration": str(rng.choices(range(2015, 2019), (2, 3, 4, 5))[0]),
            "gender": rng.choices(
                ("female", "male", "transgender_nonconforming", None), (60, 30, 1, 9)
            )[0],
            "age_band": rng.choice((*ages[1:], None)),
            "citizenship": rng.choices(("UKR", "MDA", "PHL", "CIV", None), (40, 25, 20, 10, 5))[0],
            "country_of_exploitation": rng.choices(
                ("POL", "DEU", "ARE", "ITA", None), (40, 20, 20, 15, 5)
            )[0],
        }
        for group, flags in FLAGS.items():
            known = rng.random() < 0.8
            for flag in flags:
                row[flag] = "yes" if known and rng.random() < 0.5 else None
            row[f"any_{group}"] = "yes" if any(row[f] for f in flags) else None
        pair = row["citizenship"], row["country_of_exploitation"]
        row["citizenship_group"] = citizenship_group(*pair) or None
        for kind in KINDS:
            often = kind == KINDS[1] or row["gender"] != "male"
            status = "received" if help_.random() < (0.6 if often else 0.2) else "needed"
            row[kind] = status if help_.random() < 0.7 else None
        rows.append(row)
    return rows


def protected_answer(
    rows: Sequence[dict[str, str | None]] | None = None,
    *,
    sigma: float = 4.0,
    tables: Iterable[str] = TABLES,
    facts: dict[str, Any] | None = None,
) -> Protected:
    """A Protected value whose counts are exact, with intervals as if noise had been added."""
    rows = people_rows() if rows is None else rows
    half, tables = math.ceil(Z * sigma), tuple(tables)
    n = len(rows)
    cells: list[tuple[object, ...]] = [([], [], n, n - half, n + half, "shown")]
    for table in tables:
        names = table.split("*")
        for values, k in Counter(tuple(r.get(c) or "" for c in names) for r in rows).items():
            if k > half:
                cells.append((names, list(values), k, k - half, k + half, "shown"))
    columns = list(zip(*cells, strict=True))
    shown = {(tuple(cell[0]), tuple(cell[1])) for cell in cells}  # type: ignore[arg-type]
    names = sorted({c for table in (*TABLES, *tables) for c in table.split("*")})
    records = pa.table({c: pa.array([r.get(c) for r in rows], pa.string()) for c in names})
    return restore(
        records=records,
        counts=pa.table(
            [pa.array(c, f.type) for c, f in zip(columns, COUNTS, strict=True)], COUNTS
        ),
        people=Estimate(n, n - half, n + half),
        case_records=Estimate(n + n // 5, n, n + n // 2),
        guarantee=Guarantee(
            epsilon=1.0,
            delta=1e-9,
            rho=0.011,
            unit="person",
            mechanism="discrete Gaussian",
            level=0.95,
            sigma={"": sigma, **dict.fromkeys(tables, sigma)},
            charge="invented",
            by_rows=epsilon_by_rows(0.011, 1e-9, 1),
            drawn=dict.fromkeys(("", *tables), sigma),
        ),
        facts={**FACTS, **(facts or {})},
        measurements=by_year(rows, tables, shown, (facts or FACTS).get("years", YEARS)),
    )


def by_year(
    rows: Sequence[dict[str, str | None]],
    tables: Iterable[str],
    shown: set[tuple[tuple[str, ...], tuple[str, ...]]],
    years: Sequence[int] = YEARS,
) -> pa.Table:
    """Exact counts by year of every shown group, as if they had been measured."""
    found = []
    for table in (t for t in tables if PERIOD in t.split("*")):
        names = table.split("*")
        rest = tuple(n for n in names if n != PERIOD)
        counted = Counter(tuple(r.get(c) or "" for c in names) for r in rows)
        for _columns, group in sorted(cell for cell in shown if cell[0] == rest):
            for year in (*map(str, range(years[0], years[1] + 1)), ""):
                cell = dict(zip(rest, group, strict=True)) | {PERIOD: year}
                values = tuple(cell[n] for n in names)
                found.append({"columns": names, "values": values, "noisy": float(counted[values])})
    return pa.Table.from_pylist(found, MEASUREMENTS)


def invented_sources(lists: Sequence[str] = ("one", "two"), sigma: float = 12.0) -> Sources:
    """Contributors "one" and "two" of :data:`FACTS`: fictitious counts by year, gender and list."""
    found: list[dict[str, Any]] = []
    for i, who in enumerate(("", "one", "two")):
        for k, year in enumerate((*map(str, range(YEARS[0], YEARS[1] + 1)), "")):
            cell = ([CONTRIBUTOR, PERIOD], [who, year], 100.25 * i + 10 * k - 20)
            found.append(dict(zip(MEASUREMENTS.names, cell, strict=True)))
            for gender in ("", *load_schema().codes["gender"]):
                by = ([*cell[0], "gender"], [*cell[1], gender], 30.0 * i - len(gender))
                found.append(dict(zip(MEASUREMENTS.names, by, strict=True)))
    cells = {"one": 900.0, "two": 700.0, "one+two": -3.0} if lists else {}
    found += [{"columns": [LISTS], "values": [v], "noisy": n} for v, n in cells.items()]
    tables = [
        f"{CONTRIBUTOR}*{PERIOD}",
        f"{CONTRIBUTOR}*{PERIOD}*gender",
        *([LISTS] if lists else []),
    ]
    table = pa.Table.from_pylist(found, MEASUREMENTS)
    return Sources(("one", "two"), tuple(lists), table, dict.fromkeys(tables, sigma), 0.05)


OFTEN = "PHL"
"""The citizenship of most who may be counted twice."""


def counted_twice(folder: Path, **more: Any) -> Release:
    """A release of 400 rows; a tenth may be counted twice, most of them of one citizenship."""
    plain = protected_answer(people_rows(400), **more)
    by = load_schema().domain("citizenship", (2015, 2020))
    asked = DoubleTables(LinkingSettings(doubles=0.05), 1, by)
    captures = {"own_name": 20, "family_name": 20, "names": 5, "shared": 100}
    exact = Overlap(("x", "y"), (2015, 2020), 1, {}, 5, 0, {OFTEN: 40}, captures)
    sources = SourceTables({}, None, 0.05, 1, asked).measured(asked.counts(exact), 20.0)
    parts = {name: getattr(plain, name) for name in plain.__dataclass_fields__ if name != "_mint"}
    return open_release(
        write_release(restore(**parts | {"sources": sources}), folder, "2026.1", "First.")
    )
