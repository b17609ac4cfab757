"""Routes that begin late, or end: are their sums over years right, and do intervals hold the truth?

    python benchmarks/onset.py [--draws 20] [--epsilon 1 2 4]

A world of its own: 40 x 40 places, 24 years, some 30,000 fictitious people, four corridors that
begin late and two that end early.  Noise is drawn again and again, and a reader asks for sums over
spans of years.  Coverage is printed by class, for the worst class counts:

    onset    planted corridors, spans that hold their first or last year
    quiet    planted corridors, spans in which hardly anybody came that way
    busy     planted corridors, spans in which they were used
    small    other corridors that are shown, of fewer than 60 people
    large    other corridors of 200 people and more
    region   from a region to a country, from a country to a region, and a region alone

Phantom people are those that the records have more than there were in the quiet years of a planted
corridor: rms over corridors and draws, in people and in standard deviations of the unbiased sum.
Goals: coverage of every class at least .95; at most 1.5 standard deviations.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ctdhub.border import Guarantee, restore
from ctdhub.dp import mechanism
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import Codes
from ctdhub.dp.plan import Plan, hierarchy, plan_of
from ctdhub.dp.policy import Policy
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.schema import countries
from ctdhub.schema.model import load_schema
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Where

YEAR, SEX, FROM, TO = "year_of_registration", "gender", "citizenship", "country_of_exploitation"
FORMS = ("exploitation_forced_labour", "exploitation_sexual", "any_exploitation")
FIRST, LAST, PLACES, DELTA, SEED = 2002, 2025, 40, 1e-7, 11
YEARS = tuple(range(FIRST, LAST + 1))
COVERED, PHANTOM = 0.95, 1.5
SPANS = ((2002, 2009), (2002, 2013), (2006, 2017), (2010, 2021), (2014, 2019), (2018, 2025),
         (2019, 2022), (2021, 2023))  # fmt: skip


class Route(NamedTuple):
    """A planted corridor: places by number, people, the years in which it is used, and the people
    of all other years together."""

    origin: int
    destination: int
    people: int
    first: int
    last: int
    others: int

    @property
    def quiet(self) -> tuple[int, int]:
        """The years in which hardly anybody comes this way."""
        return (FIRST, self.first - 1) if self.first > FIRST else (self.last + 1, LAST)


ROUTES = (
    Route(3, 5, 2600, 2021, LAST, 20),
    Route(8, 1, 1500, 2019, LAST, 0),
    Route(20, 11, 1000, 2016, LAST, 8),
    Route(31, 17, 700, 2022, LAST, 0),
    Route(14, 9, 1200, FIRST, 2008, 0),
    Route(25, 2, 800, FIRST, 2012, 10),
)


class World(NamedTuple):
    """People by column, each a code of its domain, "not recorded" first; and the plan."""

    columns: dict[str, np.ndarray]
    plan: Plan

    def count(self, where: Where) -> int:
        """People who meet all conditions."""
        kept = np.ones(len(self.columns[YEAR]), bool)
        for name, values in where.items():
            own = ["", *self.plan.domains[name]]
            kept &= np.isin(self.columns[name], [own.index(v) for v in values if v in own])
        return int(kept.sum())


def world() -> World:
    """The people, always the same."""
    rng, schema = np.random.default_rng(SEED), load_schema()
    plan = plan_of(Policy(columns=(YEAR, SEX, FROM, TO, *FORMS), years=(FIRST, LAST)), schema)
    places = tuple(sorted(rng.choice(plan.domains[FROM], PLACES, replace=False).tolist()))
    domains = {**plan.domains, FROM: places, TO: places}
    plan = replace(plan, domains=domains, parents={n: hierarchy(places) for n in (FROM, TO)})
    size = (
        rng.pareto(1.1, PLACES)[:, None] * rng.pareto(1.1, PLACES) * rng.pareto(1.5, (PLACES,) * 2)
    )
    for route in ROUTES:
        size[route.origin, route.destination] = 0
    people = rng.poisson(22_000 * size / size.sum())
    rows = []
    for origin, destination in np.argwhere(people):
        trend = np.exp(rng.normal(0, 0.08) * np.arange(24) + np.cumsum(rng.normal(0, 0.2, 24)))
        n = people[origin, destination]
        rows.append(_rows(rng, origin, destination, rng.choice(24, n, p=trend / trend.sum())))
    for route in ROUTES:
        used = rng.integers(route.first, route.last + 1, route.people) - FIRST
        rest = rng.integers(route.quiet[0], route.quiet[1] + 1, route.others) - FIRST
        rows.append(_rows(rng, route.origin, route.destination, np.concatenate([used, rest])))
    found = np.concatenate(rows)
    return World(dict(zip((YEAR, FROM, TO, SEX, *FORMS), found.T, strict=True)), plan)


def _rows(rng: np.random.Generator, origin: int, destination: int, year: np.ndarray) -> np.ndarray:
    n, women = len(year), rng.beta(2, 1)
    sex = np.where(rng.random(n) < 0.1, 0, np.where(rng.random(n) < women, 1, 2))
    forms = rng.random((2, n)) < rng.beta(1, 1.5, (2, 1))
    columns = (
        year + 1,
        np.full(n, origin + 1),
        np.full(n, destination + 1),
        sex,
        *forms,
        forms.any(0),
    )
    return np.stack([c.astype(np.uint16) for c in columns], axis=1)


class Draw:
    """Releases of the world under seeded noise."""

    def __init__(self, of: World, epsilon: float, folder: Path) -> None:
        self.world, self.epsilon, self.folder = of, epsilon, folder
        self.first: Release | None = None

    def answers(self, seed: int) -> Answers:
        """What a reader of one release is told."""
        plan, rng = self.world.plan, np.random.default_rng(seed)
        rho = rho_of(self.epsilon, DELTA)
        columns = {n: self.world.columns[n].copy() for n in plan.domains}
        codes = Codes(columns, plan.sizes, len(columns[YEAR]))
        made = mechanism.answer(codes, plan, rho, rng.bytes)
        protected = restore(
            records=made.records,
            counts=made.counts,
            people=made.people,
            case_records=made.case_records,
            guarantee=Guarantee(
                self.epsilon, DELTA, rho, "person", "discrete Gaussian", plan.level, made.sigma,
                "onset", drawn=made.drawn, regions=made.regions,
            ),
            facts={"hub": "Fictitious", "contributors": ["One"], "years": [FIRST, LAST],
                   "schema_version": "1.0", "invented": True},
            measurements=made.measurements,
        )  # fmt: skip
        if self.first is None:
            self.first = open_release(write_release(protected, self.folder, "2026.1", ""))
        return OfWorld(replace(self.first, answer=protected), plan.domains)


class OfWorld(Answers):
    """Answers of a release whose public places are those of the world."""

    def __init__(self, release: Release, domains: Mapping[str, tuple[str, ...]]) -> None:
        self._own = domains
        super().__init__(release)

    def domain(self, variable: str) -> tuple[str, ...]:
        """Public values of a variable."""
        return self._own[variable]


def span(first: int, last: int) -> tuple[str, ...]:
    """Years as codes."""
    return tuple(map(str, range(first, last + 1)))


def questions(of: World) -> Iterator[tuple[str, Where]]:
    """Class and question, about the truth alone."""
    places = of.plan.domains[FROM]
    planted = {(r.origin, r.destination): r for r in ROUTES}
    for (origin, destination), route in planted.items():
        where = {FROM: (places[origin],), TO: (places[destination],)}
        first, last = route.quiet
        edge = route.first if route.first > FIRST else route.last
        for a, b in {*SPANS, (first, last), (first + 2, last - 1), (first, last - 2)}:
            quiet = first <= a and b <= last
            kind = "quiet" if quiet else "onset" if a <= edge <= b else "busy"
            yield kind, {**where, YEAR: span(a, b)}
        yield "busy", {**where, YEAR: span(route.first, route.last)}
    together = np.zeros((PLACES, PLACES), int)
    np.add.at(together, (of.columns[FROM] - 1, of.columns[TO] - 1), 1)
    for kind, low, high in (("small", 20, 60), ("large", 200, 10**6)):
        for origin, destination in np.argwhere((together >= low) & (together < high)):
            if (origin, destination) not in planted:
                where = {FROM: (places[origin],), TO: (places[destination],)}
                yield from ((kind, {**where, YEAR: span(*s)}) for s in SPANS)
    for region in sorted({countries.region(p) for p in places}):
        inside = tuple(p for p in places if countries.region(p) == region)
        for s in SPANS:
            for one in (FROM, TO):
                yield "region", {one: inside, YEAR: span(*s)}
            for country in places[:12]:
                yield "region", {FROM: inside, TO: (country,), YEAR: span(*s)}
                yield "region", {FROM: (country,), TO: inside, YEAR: span(*s)}


def main() -> int:
    """Print the table; 1 where a goal is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--epsilon", type=float, nargs="+", default=[1.0, 2.0, 4.0])
    given = parser.parse_args()
    of, missed = world(), False
    asked = [(kind, where, of.count(where)) for kind, where in questions(of)]
    kinds = ("onset", "quiet", "busy", "small", "large", "region")
    print(f"{len(of.columns[YEAR]):,} people", *(f"{k}" for k in kinds))
    for epsilon in given.epsilon:
        with tempfile.TemporaryDirectory() as folder:
            draw = Draw(of, epsilon, Path(folder))
            held, phantom = defaultdict[str, list[bool]](list), list[tuple[float, float]]()
            wide = defaultdict[str, list[float]](list)
            for seed in range(given.draws):
                answers = draw.answers(seed)
                for kind, where, true in asked:
                    found = answers.count(where)
                    held[kind].append(found.low <= true <= found.high)
                    wide[kind].append(found.high - found.low)
                phantom += [_phantom(answers, of, r) for r in ROUTES]
        shares = {k: float(np.mean(held[k])) for k in kinds}
        worst = min(shares, key=shares.__getitem__)
        people, sds = (float(np.sqrt(np.mean(np.square(x)))) for x in zip(*phantom, strict=True))
        print(
            f"epsilon {epsilon:g}:",
            *(f"{k} {v:.3f} ({np.mean(wide[k]):.0f})" for k, v in shares.items()),
            f"worst {worst}; phantom {people:.0f} people, {sds:.2f} sd rms, "
            f"{max(s for _, s in phantom):.1f} worst",
            flush=True,
        )
        missed |= shares[worst] < COVERED or sds > PHANTOM
    return int(missed)


def _phantom(answers: Answers, of: World, route: Route) -> tuple[float, float]:
    places = of.plan.domains[FROM]
    years = span(*route.quiet)
    where: Where = {FROM: (places[route.origin],), TO: (places[route.destination],), YEAR: years}
    sd = answers._fitted.of({FROM: 1, TO: 1, YEAR: len(years)}) ** 0.5
    more = (answers.count(where).value or 0) - of.count(where)
    return more, more / sd


if __name__ == "__main__":
    sys.exit(main())
