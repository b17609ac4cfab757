"""Sums over years and regions: where records contradict what was measured, they are mended."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ctdhub.dp.count import Codes
from ctdhub.dp.mechanism import MechanismOutput, answer
from ctdhub.dp.plan import Plan
from ctdhub.dp.published import sum_variance
from ctdhub.dp.workload import workload
from ctdhub.stats.estimator import SumVariances

PLACES = tuple(f"p{k}" for k in range(45))
PLAN = Plan(
    domains={
        "year": tuple(map(str, range(2002, 2026))),
        "origin": PLACES,
        "place": PLACES,
        "form": ("x", "y"),
        "sex": ("f", "m"),
    },
    core=("year", "origin", "place", "form", "sex"),
    corridor=("origin", "place"),
    by=("year", "form", "sex"),
    parents={n: (tuple(k // 5 for k in range(45)), tuple(k // 15 for k in range(45)))
             for n in ("origin", "place")},
    year="year",
)  # fmt: skip
RHO, LATE = 0.5, 20


ROUTE = {"origin": range(30, 31), "place": range(40, 41)}
REGIONS = {"origin": range(26, 31), "place": range(36, 41)}
"""Codes of a route, and of its regions."""


def world(*, ends: bool = False, route: dict[str, range] = ROUTE) -> Codes:
    """People on many small routes in all years, and on one, or on those between two regions, that
    begins late, or ends."""
    rng = np.random.default_rng(3)
    year = rng.integers(1, 25, 7_000)
    at = rng.zipf(1.4, (2, 7_000)) % 45 + 1
    own = rng.integers(LATE, 25, 2_500)
    year = np.concatenate([year, 25 - own if ends else own])
    ends_of = [rng.integers(codes[0], codes[-1] + 1, 2_500) for codes in route.values()]
    origin, place = np.concatenate([at, ends_of], axis=1)
    rows = dict(
        zip(PLAN.domains, (year, origin, place, *rng.integers(0, 3, (2, 9_500))), strict=True)
    )
    return Codes({n: c.astype(np.uint16) for n, c in rows.items()}, PLAN.sizes, 9_500)


@pytest.mark.parametrize("ends", [False, True])
def test_a_route_has_hardly_anybody_in_the_years_in_which_nobody_came(ends: bool) -> None:
    """2,500 people came in five years and nobody in nineteen; the records had 30 to 40 there, and
    as many too few in the five."""
    years = PLAN.domains["year"]
    quiet = years[25 - LATE :] if ends else years[: LATE - 1]
    off = []
    for seed in (0, 1, 2):
        found = answer(world(ends=ends), PLAN, RHO, np.random.default_rng(seed).bytes)
        sd = SumVariances(found.drawn, PLAN.sizes.__getitem__).of(
            {"origin": 1, "place": 1, "year": len(quiet)}
        )
        off.append(_people(found, quiet) / math.sqrt(sd))
    assert np.sqrt(np.mean(np.square(off))) < 2


@pytest.mark.parametrize("ends", [False, True])
def test_regions_have_hardly_anybody_in_the_years_in_which_nobody_came(ends: bool) -> None:
    """25 routes, none of which stands out: each alone contradicts nothing, their sum does.  Without
    sums of regions it was off by 2.7 standard deviations."""
    years = PLAN.domains["year"]
    quiet = years[25 - LATE :] if ends else years[: LATE - 1]
    people, off = world(ends=ends, route=REGIONS), []
    there = np.all([np.isin(people.columns[n], codes) for n, codes in REGIONS.items()], axis=0)
    true = np.isin(people.columns["year"][there], [1 + years.index(y) for y in quiet]).sum()
    for seed in (0, 1, 2):
        found = answer(people, PLAN, RHO, np.random.default_rng(seed).bytes)
        sd = SumVariances(found.drawn, PLAN.sizes.__getitem__).of(
            {"origin": 5, "place": 5, "year": len(quiet)}
        )
        off.append((_people(found, quiet, REGIONS) - true) / math.sqrt(sd))
    assert np.sqrt(np.mean(np.square(off))) < 2.3


def _people(found: MechanismOutput, years: tuple[str, ...], route: dict[str, range] = ROUTE) -> int:
    """Records of the planted route."""
    rows = found.records.select(["year", "origin", "place"]).to_pylist()
    of = {name: {PLACES[code - 1] for code in codes} for name, codes in route.items()}
    return sum(r["year"] in years and all(r[n] in of[n] for n in of) for r in rows)


def test_a_sum_has_the_variance_that_readers_compute() -> None:
    questions = workload(PLAN, RHO)
    readers = SumVariances(
        {"*".join(q.columns): q.sigma for q in questions}, PLAN.sizes.__getitem__
    )
    of = sum_variance(questions)
    for many in ({"year": 8, "origin": 1, "place": 5}, {"place": 2, "origin": 3}, {"year": 24}, {}):
        assert math.isclose(of(many), readers.of(many), rel_tol=1e-9)
