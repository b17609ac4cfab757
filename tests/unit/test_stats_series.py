"""Series by year, by contributor, and the overlap of lists, as statistics take them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from invented_release import invented_sources, people_rows, protected_answer

from ctdhub.border import MEASUREMENTS
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.stats.mse.of_release import lists_in
from ctdhub.stats.trend import all_series, by_contributor, series

ROWS = people_rows(1500)
YEARS = ("2015", "2016", "2017", "2018", "2019")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    answer = replace(protected_answer(ROWS), sources=invented_sources())
    folder = tmp_path_factory.mktemp("releases")
    return open_release(write_release(answer, folder, "2026.1", "First."))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Release:
    answer = replace(protected_answer(ROWS), measurements=MEASUREMENTS.empty_table())
    folder = tmp_path_factory.mktemp("bare")
    return open_release(write_release(answer, folder, "2026.1", "First."))


def test_a_series_is_found_by_its_values_in_any_order(release: Release) -> None:
    found = series(release, {"citizenship": "UKR"})
    assert found is not None
    assert (found.of, found.years, found.sigma) == (
        (("citizenship", "UKR"),),
        YEARS,
        4.0 * math.sqrt(6 / 5),
    )
    exact = [
        sum(r["citizenship"] == "UKR" and r["year_of_registration"] == y for r in ROWS)
        for y in YEARS
    ]
    assert found.noisy.tolist() == exact
    assert found.noisy.dtype == np.float64
    assert found.no_year == 0.0


def test_everybody_and_not_recorded_are_series_too(release: Release) -> None:
    everybody = series(release, {})
    assert everybody is not None
    assert everybody.of == ()
    assert everybody.noisy.sum() == len(ROWS)
    blank = series(release, {"citizenship": ""})
    assert blank is not None
    assert blank.noisy.sum() == sum(r["citizenship"] is None for r in ROWS)


@pytest.mark.parametrize(
    "where",
    [{"citizenship": "FRA"}, {"nothing": "x"}, {"citizenship": "UKR", "gender": "female"},
     {"year_of_registration": "2015"}],
)  # fmt: skip
def test_what_is_not_in_the_release_is_none(release: Release, where: dict[str, str]) -> None:
    assert series(release, where) is None


def test_all_series_are_those_of_every_group(release: Release) -> None:
    found = all_series(release)
    rows = release.protected.measurements.num_rows
    assert len(found) * (len(YEARS) + 1) == rows
    assert len({s.of for s in found}) == len(found)
    for one in found:
        again = series(release, dict(one.of))
        assert again is not None
        assert (again.noisy == one.noisy).all()


def test_contributors_have_series_and_the_rest_only_where_there_is_one(release: Release) -> None:
    found = by_contributor(release, {})
    assert list(found) == ["one", "two"]  # both are named, so "all others" is nobody
    assert found["two"].noisy.tolist() == [180.5, 190.5, 200.5, 210.5, 220.5]
    assert found["two"].no_year == 230.5
    assert (found["one"].sigma, found["one"].of) == (12.0, (("reporting_entity", "one"),))
    women = by_contributor(release, {"gender": "female"})
    assert women["one"].noisy.tolist() == [24.0] * 5
    assert by_contributor(release, {"age_band": "0-8"}) == {}
    assert by_contributor(release, {"gender": "female", "citizenship": "UKR"}) == {}
    facts = dict(release.protected.facts)
    facts["contributors"] = [*facts["contributors"], {"id": "three", "name": "Third"}]
    wider = replace(release, manifest=release.manifest.model_copy(update={"facts": facts}))
    assert list(by_contributor(wider, {})) == ["one", "two", ""]


def test_overlap_names_every_set(release: Release) -> None:
    found = lists_in(release)
    assert found is not None
    assert (found.names, found.sigma) == (("one", "two"), 12.0)
    cells = dict(zip(map(tuple, found.on.tolist()), found.y, strict=True))
    assert cells == {(True, False): 900.0, (False, True): 700.0, (True, True): -3.0}
    sources = invented_sources(lists=())
    without = replace(release, answer=replace(release.protected, sources=sources))
    assert lists_in(without) is None


def test_an_older_release_has_none_of_them(bare: Release) -> None:
    assert all_series(bare) == ()
    assert series(bare, {}) is None
    assert by_contributor(bare, {}) == {}
    assert lists_in(bare) is None
