"""Sums over years and regions: where records contradict what was measured, they are mended."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ctdhub.dp.count import Codes
from ctdhub.dp.mechanism import MechanismOutput, answer
from ctdhub.dp.plan import Plan
from ctdhub.dp.workload import sum_variance, workload
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


def world(*, ends: bool = False) -> Codes:
    """People on many small routes in all years, and on one that begins late, or ends."""
    rng = np.random.default_rng(3)
    year = rng.integers(1, 25, 7_000)
    at = rng.zipf(1.4, (2, 7_000)) % 45 + 1
    own = rng.integers(LATE, 25, 2_500)
    year = np.concatenate([year, 25 - own if ends else own])
    origin, place = np.concatenate([at, np.tile([[30], [40]], 2_500)], axis=1)
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


def _people(found: MechanismOutput, years: tuple[str, ...]) -> int:
    """Records of the planted route."""
    rows = found.records.select(["year", "origin", "place"]).to_pylist()
    return sum(r["origin"] == "p29" and r["place"] == "p39" and r["year"] in years for r in rows)


def test_a_sum_has_the_variance_that_readers_compute() -> None:
    questions = workload(PLAN, RHO)
    readers = SumVariances(
        {"*".join(q.columns): q.sigma for q in questions}, PLAN.sizes.__getitem__
    )
    of = sum_variance(questions)
    for many in ({"year": 8, "origin": 1, "place": 5}, {"place": 2, "origin": 3}, {"year": 24}, {}):
        assert math.isclose(of(many), readers.of(many), rel_tol=1e-9)
