"""The parts of a change add up exactly, whatever the numbers; what each part is about."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ctdhub.report.trends import recorded_share
from ctdhub.stats.cards import whole
from ctdhub.stats.decomposition import (
    EVERYBODY,
    Cell,
    ChangeSubject,
    ContributorGroup,
    Counts,
    Noisy,
    _moved,
    _recorded,
    split,
    total,
)

WOMEN = ChangeSubject("gender", "female")
Z = 1.959964
PEOPLE = st.floats(0, 1e5)
SHARES = st.integers(0, 10_000).map(lambda n: n / 10_000)


@st.composite
def cells(draw: st.DrawFn, name: str) -> Cell:
    """A cell with noise: of all people some are recorded, of these some are asked about."""
    everybody = draw(st.floats(1, 1e5))
    recorded = everybody * draw(SHARES)
    asked = recorded * draw(SHARES)
    sd = draw(st.floats(0, 20))
    made = (Noisy(v, {(name, i): sd}) for i, v in enumerate((asked, recorded, everybody)))
    return Cell(*made)


@st.composite
def counted(draw: st.DrawFn, question: ChangeSubject) -> Counts:
    """Up to five groups that report on 2020, on 2021, on both, or in part."""
    kinds = draw(st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=5))
    spans = {
        "A": ((2020, 2020),),
        "B": ((2021, 2021),),
        "C": ((2020, 2021),),
        "D": ((2020, 2021), (2021, 2021)),
        "E": ((2020, 2021), (2020, 2021)),
    }
    groups, found = [], {}
    for k, kind in enumerate(kinds):
        members = tuple((f"{k}{i}", *span) for i, span in enumerate(spans[kind]))
        group = ContributorGroup(str(k), members)
        groups.append(group)
        for year in (2020, 2021):
            if group.reporting(year):
                cell = draw(cells(f"{k} {year}"))
                if not question.variable:
                    cell = Cell(cell.asked, cell.asked, cell.asked)
                found[group.id, year] = cell
    return Counts(question, tuple(groups), found, True, frozenset(), 0.95, Z)


@given(st.sampled_from([EVERYBODY, WOMEN]).flatmap(counted))
def test_parts_add_up_exactly(counts: Counts) -> None:
    found = split(counts, 2020, 2021)
    sums = {
        year: math.fsum(c.asked.value for (_id, y), c in counts.cells.items() if y == year)
        for year in (2020, 2021)
    }
    if found is None:
        assert not all(any(y == year for _id, y in counts.cells) for year in sums)
        return
    assert found.value == sum(part.value for part in found.parts)
    assert abs(found.value - (sums[2021] - sums[2020])) <= 0.5 + 1e-6 * sum(sums.values())
    for part in (found, *found.parts):
        assert part.low <= part.value <= part.high
    if counts.question == EVERYBODY:
        assert not found.of("recording", "unclear")
        assert found.shares is None
    names = [name for part in found.of("left", "joined") for name in part.names]
    once = {g.members[0][0] for g in counts.groups if len(g.members) == 1}
    both = {n for g in counts.groups for n in g.reporting(2020) if n in g.reporting(2021)}
    assert set(names) == once - both


@given(counted(WOMEN))
def test_the_way_back_is_the_opposite(counts: Counts) -> None:
    """No part depends on which year is called the earlier one."""
    there, back = split(counts, 2020, 2021), split(counts, 2021, 2020)
    assume(there is not None)
    assert there is not None
    assert back is not None
    for kind, opposite in (("recording", "recording"), ("rest", "rest"), ("left", "joined")):
        forth = sum(p.value for p in there.of(kind))  # type: ignore[arg-type]
        again = sum(p.value for p in back.of(opposite))  # type: ignore[arg-type]
        assert abs(forth + again) <= len(there.parts) + len(back.parts)


def made(before: tuple[float, ...], after: tuple[float, ...]) -> Counts:
    group = ContributorGroup("one", (("One", 2020, 2021),))
    found = {
        ("one", year): Cell(*(Noisy(v, {(year, i): 1.0}) for i, v in enumerate(values)))
        for year, values in ((2020, before), (2021, after))
    }
    return Counts(WOMEN, (group,), found, True, frozenset(), 0.95, Z)


def test_recording_alone_changes_no_rest() -> None:
    """Half of the answers were recorded, then all: twice the women, and nothing has happened."""
    found = split(made((300, 500, 1000), (600, 1000, 1000)), 2020, 2021)
    assert found is not None
    assert {p.kind: p.value for p in found.parts} == {"recording": 300, "rest": 0}
    assert found.shares is not None
    assert [s.value for s in found.shares] == [0.5, 1.0]
    assert [(s.low, s.high) for s in found.shares] == [
        (
            pytest.approx(0.5 - Z * math.hypot(1, 0.5) / 1000),
            pytest.approx(0.5 + Z * math.hypot(1, 0.5) / 1000),
        ),
        (pytest.approx(1 - Z * math.hypot(1, 1) / 1000), 1.0),
    ]


def test_more_people_alone_is_no_recording() -> None:
    found = split(made((300, 500, 1000), (600, 1000, 2000)), 2020, 2021)
    assert found is not None
    assert {p.kind: p.value for p in found.parts} == {"recording": 0, "rest": 300}


def test_nothing_recorded_in_one_year_borrows_the_other() -> None:
    found = split(made((0, 1, 1000), (300, 500, 1000)), 2020, 2021)
    assert found is not None
    assert found.borrowed
    (recording,), (rest,) = found.of("recording"), found.of("rest")
    assert recording.value == 299
    assert rest.value == 1


def test_too_few_recorded_in_both_years_is_said() -> None:
    found = split(made((2, 3, 1000), (4, 4, 1000)), 2020, 2021)
    assert found is not None
    assert [(p.kind, p.names, p.value) for p in found.parts] == [("unclear", ("One",), 2)]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8))
def test_whole_numbers_keep_their_sum(values: list[float]) -> None:
    found = whole(values)
    assert sum(found) == round(math.fsum(values))
    assert all(abs(a - b) < 1.0 + 1e-9 for a, b in zip(found, values, strict=True))


@pytest.mark.parametrize("shared", [False, True])
def test_errors_follow_the_derivatives(shared: bool) -> None:
    """First-order errors beside differences of the function itself."""
    names = ("a", "a") if shared else ("a", "b")

    def f(x: float, y: float) -> Noisy:
        a, b = Noisy(x, {names[0]: 2.0}), Noisy(y, {names[1]: 3.0})
        return (a / b - b.times(0.1)) * (a + b)

    def value(x: float, y: float) -> float:
        return (x / y - 0.1 * y) * (x + y)

    h = 1e-6
    dx = (value(50 + h, 70) - value(50 - h, 70)) / (2 * h) * 2.0
    dy = (value(50, 70 + h) - value(50, 70 - h)) / (2 * h) * 3.0
    expected = abs(dx + dy) if shared else math.hypot(dx, dy)
    assert f(50, 70).sd == pytest.approx(expected, rel=1e-6)
    assert f(50, 70).value == pytest.approx(value(50, 70))
    assert total([]).sd == 0


def test_the_noisiest_contributor_is_moved_farthest() -> None:
    """The sum is moved to the published count in proportion to the variances."""
    cells = {
        name: Cell(*(Noisy(100.0, {(name, part): sd}) for part in range(3)))
        for name, sd in (("exact", 0.0), ("one", 1.0), ("two", 2.0))
    }
    moved = _moved(cells, Noisy(350.0, {"published": 3.0}))
    assert [c.asked.value for c in moved.values()] == [100.0, 110.0, 140.0]
    assert total(c.asked for c in moved.values()).sd == pytest.approx(3.0)
    assert all(moved[name].everybody == cells[name].everybody for name in cells)
    assert _moved(cells, None) == cells


def test_a_share_recorded_that_is_imprecise_is_a_range() -> None:
    """A thousand people with a noise of 1, and ten with a noise of 5."""
    for people, sd, said in (
        (1000.0, 1.0, "98.0% (97.7% to 98.3%)"),
        (10.0, 5.0, "between 0% and 100%"),
    ):
        cell = Cell(*(Noisy(n, {(n, k): sd}) for k, n in enumerate((0, 0.98 * people, people))))
        assert recorded_share(_recorded(cell, Z)) == said
