"""Fictitious case records: 37 columns, two of them countries, heavy corridors, many blanks.

Belongs here: one generator, fixed but for the number of rows and the seed.  Does not belong here:
other shapes of tables (``shapes``), files.

A case comes by a route (origin, destination, weight by Zipf), is met by a contributor that prefers
some routes, and has one of several types of exploitation.  A contributor records whole blocks of
columns or leaves them blank, which changes with the year: 7.8 cells of a case are recorded.  Not
fitted to any real data.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

WORLD = 41
"""Seed of what stays the same whatever the rows are: routes, contributors, types."""

YEARS = tuple(str(year) for year in range(2003, 2025))
AGES = ("0-8", "9-17", "18-20", "21-23", "24-26", "27-29", "30-38", "39-47", "48+")
ORIGIN, DESTINATION = "citizenship", "country_of_exploitation"
MEANS = tuple(f"means_{k}" for k in range(1, 13))
TYPES = ("is_labour", "is_sexual", "is_marriage", "is_other")
LABOUR = tuple(f"labour_{k}" for k in range(1, 8))
SEXUAL = tuple(f"sexual_{k}" for k in range(1, 4))
RECRUITERS = tuple(f"recruiter_{k}" for k in range(1, 5))
BLOCKS = ("gender", "age", "majority", ORIGIN, DESTINATION, "months", "means", "labour", "sexual",
          "recruiter")  # fmt: skip
ROUTES, SOURCES = 1_200, 6

Table = dict[str, tuple[tuple[str, ...], np.ndarray]]
"""By column its public values, and a code by row: 0 is not recorded, k the k-th value."""


def case_records(rows: int, countries: Sequence[str], seed: int = 1) -> Table:
    """The table.

    Args:
        countries: the public list of codes of both country columns.
    """
    w, r = np.random.default_rng(WORLD), np.random.default_rng(seed)
    n_types, places = len(TYPES), len(countries)
    # The world: routes, what contributors meet and record, what types look like.
    fame = 1 / np.arange(1, places + 1) ** 1.1
    origin = w.choice(w.permutation(places), ROUTES, p=fame / fame.sum())
    abroad = w.choice(w.permutation(places), ROUTES, p=fame / fame.sum())
    destination = np.where(w.random(ROUTES) < 0.3, origin, abroad)
    heavy = 1 / np.arange(1, ROUTES + 1) ** 1.2
    prefers = heavy * np.exp(w.normal(0, 1.6, (SOURCES, ROUTES)))
    prefers /= prefers.sum(1, keepdims=True)
    met = np.array([0.40, 0.27, 0.14, 0.10, 0.06, 0.03])
    first, spell = w.integers(0, 12, SOURCES), w.integers(7, 12, SOURCES)
    records = w.beta(0.7, 0.7, (SOURCES, len(BLOCKS)))
    records[:, BLOCKS.index(ORIGIN)] = w.beta(6, 1.5, SOURCES)
    records[:, BLOCKS.index(DESTINATION)] = w.beta(6, 1.5, SOURCES)
    records[:, BLOCKS.index("gender")] = w.beta(20, 1, SOURCES)
    types = w.dirichlet([1.2, 1.5, 0.12, 0.25], ROUTES)
    women = np.array([0.35, 0.95, 0.93, 0.5])
    age_mean, age_sd = np.array([27.0, 20, 17, 15]), np.array([9.0, 6, 5, 8])
    base = w.normal(-1.6, 0.9, (n_types, len(MEANS)))
    load = w.uniform(0.7, 1.9, len(MEANS))
    sub_labour = w.dirichlet(np.full(len(LABOUR), 0.4), ROUTES)
    sub_sexual = w.uniform(0.05, 0.8, (SOURCES, len(SEXUAL)))
    recruits = w.dirichlet(np.full(len(RECRUITERS), 0.7), n_types)

    # The sample.
    source = r.choice(SOURCES, rows, p=met)
    route = np.empty(rows, dtype=np.int64)
    for s in range(SOURCES):
        here = np.flatnonzero(source == s)
        route[here] = r.choice(ROUTES, here.size, p=prefers[s])
    year = np.minimum(first[source] + (spell[source] * r.beta(1.6, 1.2, rows)).astype(int),
                      len(YEARS) - 1)  # fmt: skip
    kind = (r.random(rows)[:, None] > types.cumsum(1)[route]).sum(1).clip(0, n_types - 1)
    effort = r.normal(-0.7, 1.0, rows)

    def recorded(block: str) -> np.ndarray:
        p = np.clip(records[source, BLOCKS.index(block)], 0.01, 0.99)
        drift = 0.12 * (year - 10) * (1 if BLOCKS.index(block) % 2 else -1)
        return r.random(rows) < 1 / (1 + np.exp(-(np.log(p / (1 - p)) * 1.4 + effort + drift)))

    female = r.random(rows) < women[kind]
    gender = np.where(r.random(rows) < 0.004, 3, np.where(female, 1, 2))
    years_old = r.normal(age_mean[kind] + np.where(female, -1, 2), age_sd[kind]).clip(1, 80)
    age = 1 + np.searchsorted([9, 18, 21, 24, 27, 30, 39, 48], years_old, side="right")
    out: Table = {
        "year": (YEARS, year + 1),
        "gender": (("woman", "man", "other"), np.where(recorded("gender"), gender, 0)),
        "age": (AGES, np.where(recorded("age"), age, 0)),
        "majority": (("minor", "adult"), np.where(recorded("majority"), 1 + (years_old >= 18), 0)),
        ORIGIN: (tuple(countries), np.where(recorded(ORIGIN), origin[route] + 1, 0)),
        DESTINATION: (
            tuple(countries), np.where(recorded(DESTINATION), destination[route] + 1, 0),
        ),
        "months": (
            ("0-12", "13-24", "25+"),
            np.where(recorded("months"), 1 + r.choice(3, rows, p=[0.66, 0.2, 0.14]), 0),
        ),
    }  # fmt: skip

    def flags(names: Sequence[str], yes: np.ndarray) -> None:
        for k, name in enumerate(names):
            out[name] = (("1",), yes[:, k].astype(np.int64))

    hard = r.normal(0, 1, rows)[:, None]
    told = recorded("means")[:, None]
    odds = base[kind] + load * hard
    flags(MEANS, told & (r.random((rows, len(MEANS))) < 1 / (1 + np.exp(-odds))))
    of_type = (kind[:, None] == np.arange(n_types)) | (r.random((rows, n_types)) < 0.03)
    flags(TYPES, of_type & (r.random(rows) < 0.93)[:, None])
    told = (recorded("labour") & of_type[:, 0])[:, None]
    pick = (r.random(rows)[:, None] > sub_labour.cumsum(1)[route]).sum(1).clip(0, len(LABOUR) - 1)
    flags(LABOUR, told & (pick[:, None] == np.arange(len(LABOUR))))
    told = (recorded("sexual") & of_type[:, 1])[:, None]
    flags(SEXUAL, told & (r.random((rows, len(SEXUAL))) < sub_sexual[source]))
    told = recorded("recruiter")[:, None]
    who = (r.random(rows)[:, None] > recruits.cumsum(1)[kind]).sum(1).clip(0, len(RECRUITERS) - 1)
    flags(RECRUITERS, told & (who[:, None] == np.arange(len(RECRUITERS))))
    return out
