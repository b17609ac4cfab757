"""Fictitious people meet the published figures and carry the planted facts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.practice.people import BANDS, BLOCKS, People, draw, load_marginals, pick
from ctdhub.practice.write import facts
from ctdhub.schema.countries import ALPHA3
from ctdhub.schema.model import load_schema

M = load_marginals()
PEOPLE = 60_000
NORTH = ("USA", "CAN", "MEX")


@pytest.fixture(scope="module")
def people() -> People:
    return draw(PEOPLE, np.random.default_rng(7), M)


@pytest.fixture(scope="module")
def truth(people: People) -> dict:
    return facts(people, M)


def test_europe_is_near_the_published_sentence(truth: dict) -> None:
    europe = truth["europe"]
    for who, target in (
        ("citizens", "european_citizens_until_2018"),
        ("exploited", "exploited_in_europe_until_2018"),
    ):
        assert europe[who]["share"] == pytest.approx(M.targets[target].share, abs=0.05)
        women = M.targets["women_among_them"].share
        assert europe[who]["women_share"] == pytest.approx(women, abs=0.05)


def test_north_america_has_its_share(people: People) -> None:
    there = np.isin(people.codes["country_of_exploitation"], [ALPHA3.index(c) for c in NORTH])
    assert there.mean() == pytest.approx(M.targets["usa_canada_mexico"].share, abs=0.04)


def test_countries_are_as_many_as_published(people: People) -> None:
    for variable, target in (
        ("citizenship", "nationalities"),
        ("country_of_exploitation", "countries_of_exploitation"),
    ):
        assert len(np.unique(people.codes[variable])) == M.targets[target].count


def test_every_published_figure_names_its_source() -> None:
    assert all(len(target.source) > 20 for target in M.targets.values())


def test_the_marginals_fit_the_schema_and_each_other() -> None:
    schema, groups = load_schema(), ("exploitation", "labour", "sex", "recruiter", "means")
    for kind in M.classes.values():
        for group in groups:
            kinds = {f"{group}_{k}" for k in getattr(kind, group) if k != "none"}
            assert kinds <= set(schema.flags(group))
    assert all(set(mix) <= set(M.classes) for mix in M.profiles.values())
    for origin, country, _weight, profile in M.all_corridors():
        assert {origin, country} <= set(ALPHA3)
        assert profile in M.profiles
    assert M.assistance.order == schema.domain("assistance_medical")
    assert all(set(one.missing) == set(BLOCKS) for one in M.contributors.values())


def test_the_planted_share_rises_while_the_count_falls(truth: dict) -> None:
    years = truth["corridor"]["years"]
    first, last = years["2020"], years["2025"]
    assert last["all"] < first["all"] / 2
    assert last["women"] > first["women"]
    assert first["share"] == pytest.approx(0.08, abs=0.01)
    assert last["share"] == pytest.approx(0.46, abs=0.01)
    later = [years[str(y)]["share"] for y in range(2021, 2026)]
    assert later == sorted(later)


def test_accommodation_is_half_as_likely_for_third_country_nationals(truth: dict) -> None:
    groups = truth["accommodation"]
    ratio = groups["third_country"]["share"] / groups["national"]["share"]
    assert ratio == pytest.approx(0.5, abs=0.05)


def test_one_contributor_stops_three_years_before_the_end(people: People, truth: dict) -> None:
    (stopped,) = truth["stopped"]
    assert stopped["last_year"] == M.years[1] - 3
    column = people.ids.index(stopped["contributor"])
    assert people.year[people.known[:, column]].max() == M.years[1] - 3


def test_lists_overlap_by_chance_alone(people: People, truth: dict) -> None:
    lists = truth["lists"]
    assert lists["known_to_several"] / PEOPLE == pytest.approx(0.04, abs=0.005)
    one, other = (people.ids.index(name) for name in list(M.lists.chance)[:2])
    sizes = people.known.sum(axis=0)
    both = (people.known[:, one] & people.known[:, other]).sum()
    petersen = sizes[one] * sizes[other] / both
    assert petersen == pytest.approx(lists["population"], rel=0.08)
    assert lists["known_to_none"] > 0
    hotline = people.known[:, people.ids.index("beacon-hotline")]
    assert hotline.mean() == pytest.approx(M.lists.hotline_share)
    assert not (people.known[hotline].sum(axis=1) > 1).any()


def test_columns_hang_together(people: People) -> None:
    women = people.is_gender("female")
    assert women[people.is_yes("labour_domestic_work")].mean() > 0.8
    assert women[people.is_yes("labour_construction")].mean() < 0.2
    labour = people.is_yes("exploitation_forced_labour")
    hours = people.is_yes("means_excessive_working_hours")
    assert hours[labour].mean() > 3 * hours[~labour].mean()
    sexual = people.is_yes("means_sexual_abuse")
    assert sexual[people.is_yes("exploitation_sexual")].mean() > 2 * sexual[labour].mean()


def test_ages_and_bands_agree(people: People) -> None:
    low, high = np.array(BANDS).T
    band = people.codes["age_band"]
    assert ((people.age >= low[band]) & (people.age <= high[band])).all()
    adult = people.codes["majority_status"] == load_schema().domain("majority_status").index(
        "adult"
    )
    assert (adult == (people.age >= 18)).all()


def test_truth_is_in_hub_codes(people: People) -> None:
    schema = load_schema()
    table = people.table([f"{i:064x}" for i in range(PEOPLE)])
    for column in set(table.column_names) & {v.name for v in schema.records}:
        if column != "year_of_registration":
            assert set(table[column].unique().to_pylist()) <= {None, *schema.domain(column)}
    assert "NAM" in ALPHA3
    assert table.filter(np.asarray(table["citizenship"]) == "NAM").num_rows > 20


@settings(max_examples=25, deadline=None)
@given(people=st.integers(1_000, 4_000), seed=st.integers(0, 2**32))
def test_any_size_and_seed_keeps_the_laws(people: int, seed: int) -> None:
    drawn = draw(people, np.random.default_rng(seed), M)
    assert len(drawn.year) == people
    assert drawn.known.any(axis=1).all()
    for i, contributor in enumerate(M.contributors.values()):
        years = drawn.year[drawn.known[:, i]]
        assert years.size == 0 or contributor.years[0] <= years.min()
        assert years.size == 0 or years.max() <= contributor.years[1]


@given(st.lists(st.floats(0, 10), min_size=1, max_size=6).filter(any), st.integers(0, 9))
def test_pick_never_takes_what_has_no_weight(weights: list[float], seed: int) -> None:
    chosen = pick(np.random.default_rng(seed), 200, weights)
    assert all(weights[i] > 0 for i in np.unique(chosen))
