"""Invented releases in which a hotline stops reporting, for tests and benchmarks: seeded.

Forty citizenships are reported by case managers, 25 of them by a hotline as well, which ends in
2022.  In ten citizenships, six of them the hotline's too, the case managers register 2.2 times as
many people in the last three years; nothing else changes, least of all any share within a kind of
source.  So every number that moves elsewhere moved because of who reports.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from invented_release import protected_answer

from ctdhub.border import COUNTS, MEASUREMENTS
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.schema.model import load_schema

YEARS, LAST, END = range(2014, 2031), 2025, 2022
CITIZENSHIPS, TOUCHED, RATE, TIMES = 40, 25, 0.1, 2.2
TRUE = (0, 1, 2, 3, 4, 5, 30, 31, 32, 33)
"""Places that truly change; those below :data:`TOUCHED` are the hotline's too."""
Y, S, C, E, G = (
    "year_of_registration",
    "source_type",
    "citizenship",
    "country_of_exploitation",
    "gender",
)
SIGMA = {
    f"{Y}*{C}": 8.7,
    f"{Y}*{C}*{E}": 12.0,
    f"{Y}*{G}*{C}": 19.0,
    f"{Y}*{S}*{C}": 17.9,
    f"{S}*{C}": 13.8,
    f"{S}*{G}*{C}": 29.7,
    f"{S}*{C}*{E}": 18.9,
}
"""Noise of a practice hub with the default policy, rounded."""
HOTLINE = {"id": "line", "name": "Line", "kind": "hotline", "years": [2014, END]}
CASES = {"id": "cases", "name": "Cases", "kind": "case_management", "years": [2014, LAST]}
COUNTRIES = tuple(load_schema().domain(C, (2014, 2030)))[:CITIZENSHIPS]
Cell = tuple[str, tuple[str, ...]]


def template(folder: Path, contributors: tuple[dict[str, Any], ...] = (HOTLINE, CASES)) -> Release:
    """A release of these contributors, whose numbers :func:`simulated` replaces."""
    facts = {"years": [YEARS[0], YEARS[-1]], "contributors": list(contributors)}
    return open_release(write_release(protected_answer(facts=facts), folder, "2026.1", "First."))


@dataclass(frozen=True)
class Simulated:
    """A release, and the names of the series whose numbers truly moved."""

    release: Release
    true: frozenset[str]
    touched: frozenset[str]


def simulated(
    base: Release, seed: int, *, by_source: bool = True, times: float = TIMES
) -> Simulated:
    """One draw of people and noise.

    Args:
        by_source: whether the release counted people by kind of source.
    """
    rng = np.random.default_rng(seed)
    cells: dict[Cell, np.ndarray] = {}
    for k, country in enumerate(COUNTRIES):
        cases = np.exp(rng.uniform(np.log(60 if k in TRUE else 20), np.log(200)))
        line = np.exp(rng.uniform(np.log(10), np.log(300))) if k < TOUCHED else 0.0
        for kind, mean, last in (("case_management", cases, LAST), ("hotline", line, END)):
            mu = np.array([mean if y <= last else 0.0 for y in YEARS])
            if k in TRUE and kind == "case_management":
                mu[[y > END for y in YEARS]] *= times
            _people(cells, rng, mu, kind, country)
    true = {f"{C}={COUNTRIES[k]}" for k in TRUE}
    every = {f"{C}={COUNTRIES[k]}" for k in TRUE if k < TOUCHED}
    kept = {cell: n for cell, n in cells.items() if by_source or S not in cell[0]}
    plain = base.protected
    sigma = {t: s for t, s in SIGMA.items() if by_source or S not in t}
    all_ = {"": plain.guarantee.sigma[""], **sigma}
    protected = replace(
        plain,
        records=plain.records.append_column(S, pa.nulls(plain.records.num_rows, pa.string())),
        measurements=_measured(kept, rng),
        counts=pa.concat_tables([plain.counts.slice(0, 1), _counted(kept, rng)]),
        guarantee=replace(plain.guarantee, sigma=all_, drawn=all_),
    )
    return Simulated(replace(base, answer=protected), frozenset(true), frozenset(every))


def _people(
    cells: dict[Cell, np.ndarray], rng: np.random.Generator, mu: np.ndarray, kind: str, country: str
) -> None:
    """Counts by year of a kind of source in a place: all, women, and those of one corridor."""
    n = np.where(mu > 0, rng.negative_binomial(30, 30 / (30 + mu)), 0)
    women, here = rng.uniform(0.2, 0.8), rng.uniform(0.3, 0.9)
    parts = {
        (G, "female"): rng.binomial(n, rng.beta(women * 99, (1 - women) * 99, n.size)),
        (E, country): rng.binomial(n, rng.beta(here * 99, (1 - here) * 99, n.size)),
    }
    parts[G, "male"] = n - parts[G, "female"]
    for source in ((), ((S, kind),)):
        _add(cells, ((*source, (C, country))), n)
        for (name, value), people in parts.items():
            pair = ((C, country), (name, value))
            _add(cells, (*source, *(pair if name == E else pair[::-1])), people)


def _add(cells: dict[Cell, np.ndarray], of: tuple[tuple[str, str], ...], n: np.ndarray) -> None:
    key = "*".join(name for name, _v in of), tuple(value for _n, value in of)
    cells[key] = cells.get(key, np.zeros(n.size)) + n


def _measured(cells: dict[Cell, np.ndarray], rng: np.random.Generator) -> pa.Table:
    """Noisy counts by year of the groups that are large enough over all years."""
    rows = []
    for (table, values), n in cells.items():
        sd = SIGMA.get(f"{Y}*{table}")
        if sd is None or n.sum() + rng.normal(0, 13.8) < 3 * 13.8:
            continue
        noisy = [*(n + rng.normal(0, sd, n.size)), rng.normal(0, sd)]
        for year, value in zip((*map(str, YEARS), ""), noisy, strict=True):
            cell = ([Y, *table.split("*")], [year, *values], value)
            rows.append(dict(zip(MEASUREMENTS.names, cell, strict=True)))
    return pa.Table.from_pylist(rows, MEASUREMENTS)


def _counted(cells: dict[Cell, np.ndarray], rng: np.random.Generator) -> pa.Table:
    """Protected counts of all years."""
    rows = []
    for (table, values), n in cells.items():
        if table in SIGMA:
            half, value = round(1.96 * SIGMA[table]), round(n.sum() + rng.normal(0, SIGMA[table]))
            if value > half:
                cell = (table.split("*"), list(values), value, value - half, value + half, "shown")
                rows.append(dict(zip(COUNTS.names, cell, strict=True)))
    return pa.Table.from_pylist(rows, COUNTS)
