"""Shares of a region's people by span of years: narrow where the sum of countries says nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import Codes, count
from ctdhub.dp.plan import Plan, plan_of
from ctdhub.dp.policy import Policy
from ctdhub.dp.simulate import rehearse
from ctdhub.dp.workload import cost, in_regions, regional, workload
from ctdhub.release.manifest import Manifest
from ctdhub.release.open import Release
from ctdhub.report.facts import place_sheet, press_sheet
from ctdhub.schema import countries
from ctdhub.schema.countries import place_of
from ctdhub.schema.model import AGE, CHILD_BANDS, ORIGIN, PERIOD, SEX, load_schema
from ctdhub.site.pages.facts import press_sheets
from ctdhub.stats.answers import Answers
from ctdhub.stats.estimator import Interval
from ctdhub.stats.query import Where
from ctdhub.stats.tables import children_share, place_facts

PEOPLE, WOMEN, CHILDREN = 6_000, 0.7, 0.3
POLICY = Policy(
    columns=(PERIOD, SEX, AGE, ORIGIN, "any_exploitation", "exploitation_sexual"),
    years=(2015, 2022),
    epsilon=0.3,
)
FIRST, LATER = (2015, 2018), (2019, 2022)
FACTS = {
    "hub": "Invented",
    "contributors": [],
    "years": [2015, 2022],
    "schema_version": "1.2",
    "languages": ["en"],
    "licence": "",
    "invented": True,
}


@cache
def plan() -> Plan:
    return plan_of(POLICY, load_schema())


@cache
def world() -> Codes:
    """People of all European countries alike; 7 of 10 are women, 3 of 10 children."""
    rng, of = np.random.default_rng(5), plan()
    europe = [of.domains[ORIGIN].index(c) + 1 for c in countries.members("europe")]
    child = [of.domains[AGE].index(band) + 1 for band in CHILD_BANDS]
    adult = [k for k in range(1, of.sizes[AGE]) if k not in child]
    young = rng.random(PEOPLE) < CHILDREN
    columns = {
        PERIOD: rng.integers(1, of.sizes[PERIOD], PEOPLE),
        SEX: np.where(rng.random(PEOPLE) < WOMEN, 1 + of.domains[SEX].index("female"), 2),
        AGE: np.where(young, rng.choice(child, PEOPLE), rng.choice(adult, PEOPLE)),
        ORIGIN: rng.choice(europe, PEOPLE),
        "exploitation_sexual": rng.integers(1, 3, PEOPLE),
        "any_exploitation": np.ones(PEOPLE, dtype=np.int64),
    }
    return Codes({n: columns[n].astype(np.uint8) for n in of.domains}, of.sizes, PEOPLE)


@cache
def answers() -> Answers:
    found = rehearse(plan(), POLICY.epsilon, POLICY.delta, world()).answer
    assert found is not None
    answer = replace(found, facts=FACTS)
    manifest = Manifest.describe(answer, "2022.1", datetime(2022, 12, 31, tzinfo=UTC), {})
    return Answers(Release(Path(), "2022.1", manifest, answer=answer))


def wide(found: Interval) -> float:
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def of_place(key: str, years: tuple[int, int]) -> tuple[Where, Where]:
    inside: Where = {
        ORIGIN: countries.members(key),
        PERIOD: [str(y) for y in range(years[0], years[1] + 1)],
    }
    return {**inside, SEX: ["female"]}, {**inside, SEX: answers().domain(SEX)}


def true(years: tuple[int, int]) -> float:
    codes = world().columns
    inside = (codes[PERIOD] > years[0] - 2015) & (codes[PERIOD] <= years[1] - 2014)
    women = codes[SEX] == 1 + plan().domains[SEX].index("female")
    return float(women[inside].mean())


@pytest.mark.parametrize("years", [FIRST, LATER])
def test_the_share_of_women_in_a_region_is_told(years: tuple[int, int]) -> None:
    part, whole = of_place("europe", years)
    found = answers().share(part, whole)
    assert wide(found) < 0.3, "the sum of 51 countries over the years says nothing of it"
    assert found.low - 0.1 < true(years) < found.high + 0.1  # seven standard deviations
    without = answers().share(
        {**part, PERIOD: ["2016", "2017"]}, {**whole, PERIOD: ["2016", "2017"]}
    )
    assert wide(without) > 2 * wide(found), "a part of a span was not measured by itself"


def test_the_records_agree_with_the_region() -> None:
    europe, first = countries.members("europe"), [str(y) for y in range(2015, 2019)]
    people = answers().release.protected.records.select([ORIGIN, PERIOD, SEX]).to_pylist()
    there = [r for r in people if r[ORIGIN] in europe and r[PERIOD] in first and r[SEX]]
    assert abs(sum(r[SEX] == "female" for r in there) / len(there) - WOMEN) < 0.12


def test_children_are_told_too() -> None:
    inside: Where = {
        ORIGIN: countries.members("europe"),
        PERIOD: [str(y) for y in range(2015, 2019)],
    }
    card = children_share(answers(), inside)
    assert card.low is not None
    assert card.high is not None
    assert card.high - card.low < 0.3
    assert card.low - 0.1 < CHILDREN < card.high + 0.1


@pytest.mark.parametrize("years", [FIRST, LATER])
def test_forms_of_exploitation_are_told_too(years: tuple[int, int]) -> None:
    """Half of all were exploited sexually."""
    inside = {name: of for name, of in of_place("europe", years)[1].items() if name != SEX}
    found = answers().share(
        {**inside, "exploitation_sexual": ["yes"]}, {**inside, "any_exploitation": ["yes"]}
    )
    assert wide(found) < 0.2
    assert found.low < 0.5 < found.high


def test_every_door_tells_the_same_share() -> None:
    place = place_of("europe")
    sheets = (
        press_sheet(answers(), place, FIRST),
        place_sheet(place_facts(answers(), place, FIRST), answers().release),
    )
    cards = [{line.id: line.card for line in s.sections[0].lines}["women"] for s in sheets]
    assert cards[0] == cards[1]
    part, whole = of_place("europe", FIRST)
    assert (cards[0].low, cards[0].high) == (
        answers().share(part, whole).low,
        answers().share(part, whole).high,
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_country_says_that_it_is_too_few(lang: str) -> None:
    """Not an interval such as 12 % to 94 %, which tells nothing."""
    with language(lang):
        told = press_sheet(answers(), place_of("FRA"), FIRST).sections[0]
        assert all("%" not in sentence.split(":")[0] for sentence in told.sentences[1:])
        region = press_sheet(answers(), place_of("europe"), FIRST).sections[0]
    women = [line for line in region.lines if line.id == "women"]
    assert women[0].card.state == "shown"
    assert not [line for line in told.lines if line.id == "women" and line.card.state == "shown"]


def test_the_page_of_a_region_has_a_paragraph_for_each_run_of_spans() -> None:
    """A span, and all of them; a part of a region was not measured by itself."""
    sheets = press_sheets(answers(), "europe")
    spans = [sheet.years for sheet in sheets]
    assert FIRST in spans
    assert (2015, 2022) in spans
    assert spans == sorted(set(spans))
    assert (
        sheets[spans.index(FIRST)].sections
        == press_sheet(answers(), place_of("europe"), FIRST).sections
    )
    assert press_sheets(answers(), "western_europe") == []


def test_tables_of_regions_are_sums_and_their_cost_is_in_the_budget() -> None:
    exact = count(world(), plan().regions)
    tables = in_regions(exact, plan())
    assert all(t.sum() == PEOPLE for t in tables.values())
    by_sex = next(t for t in plan().regions if SEX in t)
    europe = {"europe", "europe_eu"}
    axis = by_sex.index(ORIGIN)
    inside = [1 + k for k, name in enumerate(plan().region_axis(ORIGIN)) if name in europe]
    assert tables[by_sex].take(inside, axis).sum() == PEOPLE, "everybody is of a European country"
    rho = rho_of(POLICY.epsilon, POLICY.delta)
    both = float(cost(workload(plan(), rho)) + cost(regional(plan(), rho)))
    assert both <= rho
    assert math.isclose(both, rho, rel_tol=1e-3)
    assert plan_of(Policy(weights={"regions": 0}), load_schema()).regions == ()
