"""Published lists: the figures that other software gives, to the printed digits."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest

from ctdhub.stats.mse.estimate import Method, changes, estimate, relinked, unlinked
from ctdhub.stats.mse.lists import Lists
from ctdhub.stats.mse.loglinear import select

DATA = Path(__file__).parents[3] / "shared" / "data" / "mse"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="a public data set is missing: lay mse into ../shared/data"
)


def read(name: str) -> Lists:
    with (DATA / name).open(encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    cells: dict[tuple[bool, ...], float] = {}
    for row in rows:
        on = tuple(float(cell) == 1 for cell in row[:-1])
        cells[on] = cells.get(on, 0.0) + float(row[-1])
    return Lists.of(head[:-1], cells)


@cache
def methods(name: str) -> dict[str, Method]:
    return {m.name: m for m in estimate(read(name)).methods}


@pytest.mark.parametrize(
    ("name", "seen", "people"),
    [
        ("UKdat.csv", 2744, 11418),
        ("UKdat_5.csv", 2744, 11313),
        ("Ned.csv", 8234, 111139),
        ("Ned_5.csv", 8234, 121522),
    ],
)
def test_stepwise_selection(name: str, seen: int, people: int) -> None:
    lists = read(name)
    assert lists.people == seen
    found = select(lists.y[None], len(lists.names))
    assert round(float(found.people[0])) == people


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("UKdat_5.csv", 8785, 14701),
        ("Ned.csv", 45759, 171108),
    ],
)
def test_intervals_within_the_noise_of_the_bootstrap(name: str, low: int, high: int) -> None:
    """The ends that matter hang on few replicates, so they may differ by a tenth.  The reference is
    bias-corrected; what is shown are plain quantiles."""
    made = methods(name)["stepwise"].bootstrap
    assert made is not None
    assert made.corrected == pytest.approx((low, high), rel=0.1)


def test_where_the_correction_hangs_on_few_replicates_plain_quantiles_are_shown() -> None:
    found = methods("UKdat_5.csv")["stepwise"]
    assert found.bootstrap is not None
    assert found.bootstrap.z0 < -0.3
    assert found.bootstrap.mapped[0] < 0.005
    assert found.low > found.bootstrap.corrected[0]


@pytest.mark.parametrize("name", ["UKdat.csv", "UKdat_5.csv", "Ned.csv", "Ned_5.csv"])
def test_a_thousandth_of_wrong_links_moves_no_estimate_far(name: str) -> None:
    lists = read(name)
    k = len(lists.names)
    before = select(lists.y[None], k)
    for changed in (relinked(lists, 0.001), unlinked(lists, 0.001)):
        found = select(changed.y[None], k)
        assert found.people[0] == pytest.approx(before.people[0], rel=0.01)
        assert found.alone[0] == pytest.approx(before.alone[0], rel=0.01)


def test_missed_links_lower_the_estimates_of_the_netherlands() -> None:
    """At a fifth of missed links other pairs would be chosen, and halve the number: the row says
    so, and holds the pairs of the table itself."""
    found = [c for c in changes(read("Ned.csv"), 0.95) if c.kind == "missed_links"]
    values = [c.stepwise or 0.0 for c in found]
    assert 111_139 > values[0] > values[1] > values[2] > 80_000
    assert found[2].anew
    assert (found[2].others or 0.0) == pytest.approx(52_105, rel=0.01)


def test_methods_lie_far_apart() -> None:
    result = estimate(read("Ned_5.csv"))
    assert result.spread is not None
    assert result.spread[1] / result.spread[0] > 2
    assert result.pairs
