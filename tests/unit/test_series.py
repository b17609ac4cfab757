"""What a series of releases tells of contributors whose counts are not shown."""

from __future__ import annotations

import random

import numpy as np
import pytest

from ctdhub.hub.stages.differencing import Published, disclosures, following

YEARS = (2010, 2012)


def release(
    hidden: str, shown: str = "s", *, by_year: bool = True, counted: bool = True, **years: list[int]
) -> Published:
    """A release with contributors of one letter; ``years`` where not all, by contributor."""
    given = [
        {"id": i, "name": i, "kind": "ngo", "years": years.get(i, list(YEARS))}
        | ({} if i in shown else {"show_counts": False})
        for i in hidden + shown
    ]
    named = shown if counted else ""
    return Published.of("v", given, YEARS, by_year=by_year, by_kind=False, shown=named)


def says(*series: Published) -> set[tuple[str, str]]:
    """Whom the last of these releases tells of, and why."""
    return {(one.id, one.why) for one in disclosures(series[:-1], series[-1])}


@pytest.mark.parametrize("shown", ["s", ""])
@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize(
    ("series", "found"),
    [
        (["ab", "ab"], ""),
        (["ab", "abc"], "c joins"),
        (["ab", "abcd"], ""),
        (["abc", "ab"], "c leaves"),
        (["abcd", "ab"], ""),
        (["abc", "abd"], "c leaves, d joins"),
        (["ab", "abcd", "abc"], "c leaves, d leaves"),
        (["ab", "abcd", "abc", "abc"], ""),
        (["abc", "ab", "abc"], "c joins"),
        (["abc", "ab", "abd"], "d joins"),
    ],
)
def test_who_joins_and_who_leaves(series: list[str], found: str, shown: str, counted: bool) -> None:
    releases = [release(hidden, shown, counted=counted) for hidden in series]
    assert says(*releases) == {tuple(one.split()) for one in found.split(", ") if one}


def test_totals_of_several_releases_are_added_and_subtracted() -> None:
    """Pairs come and go, and single counts follow all the same."""
    three = [release("abc"), release("cd"), release("abcd")]
    assert says(*three) == {("c", "follows"), ("d", "follows")}
    swapped = [release("ab"), release("bc"), release("abc")]
    assert says(*swapped) == {("a", "joins"), ("b", "follows"), ("c", "follows")}
    pairs = [release(hidden) for hidden in ("ab", "abcd", "abcdef", "abce", "abdf", "abcf")]
    assert {id_ for id_, _why in says(*pairs)} == {"c", "d", "e", "f"}


def test_shown_counts_are_subtracted_and_agreement_is_no_leak() -> None:
    assert says(release("abc"), release("ab", "sc")) == set()
    assert says(release("ab"), release("ab", "sc")) == set()
    assert says(release("ab", "st", counted=False), release("ab", counted=False)) == set()
    assert says(release("ab"), release("acd", "sb")) == {("a", "follows")}
    assert says(release("ab", counted=False), release("acd", "sb", counted=False)) == set()
    assert says(release("ab"), release("abs", "")) == set(), "its counts were shown before"


def test_years_are_looked_at_one_by_one() -> None:
    before, now = release("ab"), release("abcd", c=[2010, 2011], d=[2011, 2012])
    assert [(t.id, t.years) for t in disclosures([before], now)] == [("c", (2010,)), ("d", (2012,))]
    alone = disclosures([release("ab", by_year=False)], release("abc", by_year=False))
    assert [(t.id, t.why, t.years) for t in alone] == [("c", "joins", ())]
    assert not disclosures([before], release("abcd", by_year=False, c=[2010, 2011], d=[2011, 2012]))


def test_another_id_of_the_same_contributor() -> None:
    given = [{"id": i, "name": i, "kind": "ngo", "show_counts": False} for i in ("a", "old")]
    before = Published.of("1", given, YEARS, by_year=True, by_kind=False, known_as={"old": "b"})
    assert says(before, release("ab", "")) == set()
    assert says(before, release("abc", "")) == {("c", "joins")}


def test_it_is_what_linear_algebra_says() -> None:
    """Against the null space of numpy: one follows where no change of all others can hide it."""
    draw, found = random.Random(4), 0
    for _ in range(200):
        names = "abcdef"[: draw.randint(1, 6)]
        groups = {
            frozenset(i for i in names if draw.random() < 0.6) for _ in range(draw.randint(1, 5))
        }
        known = frozenset(i for i in names if draw.random() < 0.2)
        rows = np.array([[i in g for i in names] for g in groups], float)
        rows = np.vstack([rows, [[float(i == k) for i in names] for k in known]] if known else rows)
        _u, size, right = np.linalg.svd(rows, full_matrices=True)
        null = right[int((size > 1e-9).sum()) :]
        fixed = {i for at, i in enumerate(names) if not np.abs(null[:, at]).max(initial=0) > 1e-9}
        assert following(frozenset(groups), known) == fixed - known
        found += len(fixed - known)
    assert found > 100
