"""Who may be counted twice: what is counted, how far one person reaches, and what it covers."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cultures_source import MIXED, Recipe, cultures, offices, people
from hypothesis import given, settings
from hypothesis import strategies as st
from test_linkage_clusters import MAKER, Row, tables, token

from ctdhub.border import CAPTURE_CELLS, CAPTURES, COUNTS, UNKEYED, Estimate, Sources
from ctdhub.dp.policy import LinkingSettings
from ctdhub.dp.sources import POSSIBLE_BY, DoubleTables, Overlap, SourceTables
from ctdhub.practice.naming import write_names
from ctdhub.release.manifest import LEAST, LinkErrors
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.linkage.pprl.derive import QUALITIES, Identity, quality_of
from ctdhub.sensitive.linkage.token_joins import CELLS, SHARED, joins, possible_doubles

YEARS = (2002, 2030)
CITIZENSHIPS = load_schema().domain("citizenship", YEARS)
FULL, NO_KEY = QUALITIES["full"], QUALITIES["no_key"]


def overlap(rows: Sequence[Row], most: int = 0) -> Overlap:
    records, tokens = tables([{"year_of_registration": 2018, **r} for r in rows])
    found = possible_doubles(records, tokens, joins(records, tokens, most), most)
    parts = (dict(part) for part in (found.citizenship, found.captures))
    return Overlap((), YEARS, most, {}, 0, found.without_key, *parts)


def bits() -> Callable[[int], bytes]:
    """Noise that is the same in each run."""
    return np.random.default_rng(41).bytes


def asked(most: int = 0, rows: int = 1, **stated: float) -> DoubleTables:
    linking = LinkingSettings(people=most, lists=most, doubles=0.05, **stated)
    return DoubleTables(linking, rows, CITIZENSHIPS)


def measured(asked: DoubleTables, exact: Overlap, rho: float) -> Sources:
    tables = SourceTables({}, None, 0.05, 1, asked)
    return tables.measured(asked.counts(exact), rho, bits())


def test_both_sides_of_the_border_use_the_same_words() -> None:
    assert (*CELLS.values(), SHARED) == CAPTURE_CELLS


def test_one_fact_that_differs_is_found_and_shared_people_are_counted() -> None:
    same = [token("o", 1), token("p", 1), FULL]
    rows: list[Row] = [
        {"id": "x1", "by": "x", "key": "a", "tokens": same, "citizenship": "NGA"},
        {"id": "y1", "by": "y", "key": "a", "tokens": same, "citizenship": "NGA"},
        {"id": "y2", "by": "y", "key": "b", "tokens": [token("o", 1), token("p", 2), FULL]},
        {"id": "y3", "by": "y", "key": "c", "tokens": [NO_KEY], "citizenship": "MDA"},
    ]
    found = overlap(rows)
    assert found.captures == {
        "names": 0,
        "own_name": 1,
        "family_name": 0,
        "year_and_place": 0,
        "shared": 1,
    }
    assert found.possible == {"": 1, "MDA": 1}
    assert found.without_key == 1


PERSON = st.tuples(
    st.sets(st.sampled_from("xyz"), min_size=1),
    st.sets(st.tuples(st.sampled_from("jknopr"), st.integers(0, 2)), max_size=6),
    st.sampled_from(["NGA", "SYR", None]),
    st.sampled_from([*QUALITIES.values(), ""]),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(PERSON, min_size=1, max_size=8), st.integers(0, 2))
def test_one_person_changes_no_more_than_is_paid_for(
    group: list[tuple[Any, ...]], most: int
) -> None:
    rows: list[Row] = [
        {
            "id": f"{by}{i}", "by": by, "key": str(i), "citizenship": of,
            "tokens": [*(token(*t) for t in sorted(held)), *([quality] if quality else [])],
        }
        for i, (known, held, of, quality) in enumerate(group)
        for by in sorted(known)
    ]  # fmt: skip
    lists = asked(most)
    whole, without = (
        lists.counts(overlap(some, most)) for some in (rows, [r for r in rows if r["key"] != "0"])
    )
    for columns in (POSSIBLE_BY, (CAPTURES,), (UNKEYED,)):
        change = whole[columns].astype(int) - without[columns].astype(int)
        assert int((change**2).sum()) <= lists.tables[columns][1], columns


def test_the_bound_is_reached_and_grows_with_rows() -> None:
    bridge = [token(kind, "one") for kind in CELLS]
    rows: list[Row] = [{"id": "0", "by": "y", "key": "0", "tokens": [*bridge, FULL]}]
    rows += [
        {"id": str(i), "by": "x", "key": str(i), "tokens": [t, FULL]}
        for i, t in enumerate(bridge, 1)
    ]
    assert overlap(rows).possible == {"": 4}
    assert overlap(rows[1:]).possible == {}
    assert asked().tables[POSSIBLE_BY][1] == 16
    assert asked(rows=2).tables[POSSIBLE_BY][1] == 64


# Coverage: practice people, people of twelve cultures, and people named by other rules than both.

Known = Iterator[tuple[str, str, object, Identity, str | None]]
"""Office, case, person, how the office writes the person, citizenship."""


def practice(folder: Path) -> Known:
    """Four scripts, slips of the hand, births that are wrong or missing."""
    files = write_names(folder, 700, 23)
    with (folder / "truth.csv").open(encoding="utf-8") as lines:
        truth = {r["case"]: r["person"] for r in csv.DictReader(lines)}
    for office, path in files.items():
        with path.open(encoding="utf-8") as lines:
            for r in csv.DictReader(lines):
                who = Identity(r["given_name"], r["family_name"], r["birth_date"], r["town"])
                number = r["case_number"]
                yield office, number, truth[number], who, r["citizenship"] or None


def untuned(_folder: Path) -> Known:
    """Cultures that no rule was chosen on, births of every quality."""
    rng, recipe = np.random.default_rng(29), Recipe(MIXED.births, 0.9)
    for name in ("ethiopian", "filipino", "brazilian"):
        group = people(cultures()[name], 250, rng, recipe)
        for office, at, who in offices(group, rng, recipe, 0.5):
            one = f"{name}{at}"
            yield f"o{office}", f"{one}-{office}", one, who, cultures()[name].citizenship


def clerks(_folder: Path) -> Known:
    """Names of no language: clerks shorten, join, number the months and give half the years."""
    rng = np.random.default_rng(31)
    ends = ("ash", "orin", "umbe", "elki", "ostra", "iv", "anto", "yre")

    def name() -> str:
        start = "".join(rng.choice(list("bdfgklmnprstvz"), 2))
        return f"{start[0]}{rng.choice(list('aeiou'))}{start[1]}{rng.choice(ends)}"

    known = [name() for _ in range(120)]
    for person in range(800):
        own, house, nick = (str(rng.choice(known)) for _ in range(3))
        year, month, day = 1970 + int(rng.integers(35)), *(int(rng.integers(1, 28)) for _ in "ab")
        town, of = name()[:4], ("ROU", "NGA", "VNM")[person % 3]
        for office in range(4):
            if rng.random() > 0.45:
                continue
            given = own[:3] if rng.random() < 0.07 else own
            given += f"-{nick}" if rng.random() < 0.1 else ""
            family = nick if rng.random() < 0.12 else house
            birth = f"{year}-{month % 12 + 1:02}-{day:02}"
            if (draw := rng.random()) < 0.2:
                birth = f"{year}-01-01" if draw < 0.1 else str(year)
            who = Identity(given, family, birth, town if rng.random() < 0.8 else "")
            yield f"o{office}", f"{person}-{office}", person, who, of


@pytest.mark.parametrize("source", [practice, untuned, clerks])
@pytest.mark.parametrize("rho", [0.003, 0.3])
def test_the_second_interval_covers_the_people(
    tmp_path: Path,
    source: Callable[[Path], Known],
    rho: float,
    record_property: Callable[[str, object], None],
) -> None:
    """Of all, and of each citizenship; noise as a release draws it, at a usual and a high cost."""
    rows: list[Row] = []
    person, of = {}, {}
    for office, case, one, who, citizenship in source(tmp_path):
        first, every = MAKER.tokens(who)
        held = [*every, QUALITIES[quality_of(who)]]
        rows.append({"id": case, "by": office, "key": first or None, "tokens": held,
                     "citizenship": citizenship})  # fmt: skip
        person[case] = one
        of[one] = of.get(one) or citizenship or ""
    released: dict[object, str] = {}
    for row in rows:
        key = row["key"] or row["id"]
        released[key] = released.get(key) or str(row["citizenship"] or "")
    true, counted = len(of), len(released)
    exact = overlap(rows)
    lists = asked()
    tables = SourceTables({}, None, 0.05, 1, lists)
    rng, sigma, held_all, held_by, plain = np.random.default_rng(3), 10.0, [], [], []
    for _draw in range(60):
        sources = tables.measured(lists.counts(exact), rho)
        low = counted + sigma * rng.standard_normal() - 1.96 * sigma
        errors = errors_of(sources, round(low), round(low + 3.92 * sigma))
        assert errors is not None
        once = errors.once(low, low + 3.92 * sigma)
        held_all.append(once[0] <= true <= once[1])
        plain.append(low <= true <= low + 3.92 * sigma)
        for country in {*of.values()} - {""}:
            at = [list(some.values()).count(country) for some in (released, of)]
            low = at[0] + sigma * rng.standard_normal() - 1.96 * sigma
            by = errors.once(low, low + 3.92 * sigma, [country])
            held_by.append(by[0] <= at[1] <= by[1])
    record_property("coverage", f"{np.mean(held_all):.3f}, by citizenship {np.mean(held_by):.3f}; "
                    f"{counted} rows, {true} people; noise alone {np.mean(plain):.3f}")  # fmt: skip
    assert np.mean(plain) < 0.5, "the first interval does not hold them"
    assert np.mean(held_all) >= 0.95
    assert np.mean(held_by) >= 0.95


def errors_of(sources: object, low: int = 950, high: int = 1050) -> LinkErrors | None:
    answer = SimpleNamespace(
        sources=sources,
        guarantee=SimpleNamespace(level=0.95),
        people=Estimate((low + high) // 2, low, high),
        counts=COUNTS.empty_table(),
        facts={"contributors": [{"id": "x"}, {"id": "y"}, {"id": "z"}, {"id": "v"}, {"id": "w"}]},
    )
    return LinkErrors.of(answer)  # type: ignore[arg-type]


def test_a_review_takes_the_place_of_the_estimate_and_without_counts_there_is_no_interval() -> None:
    lists = asked(found=0.2, merged=0.01)
    captures = dict.fromkeys(CAPTURE_CELLS, 0) | {"own_name": 40, "shared": 300}
    exact = Overlap((), YEARS, 0, {}, 0, 0, {"NGA": 40}, captures)
    sources = measured(lists, exact, 50.0)
    told = errors_of(sources)
    assert told is not None
    assert (told.found, told.reviewed, told.merged) == (0.2, True, 11)
    assert told.doubles == pytest.approx(200, abs=30)
    assert told.most(2000, ["FRA"]) < told.most(2000, ["NGA"]) <= told.doubles
    assert told.most(10) == 8, "a person has no more rows than five contributors"
    plain = errors_of(replace(sources, found=None, merged=None))
    assert plain is not None
    assert plain.found > 0.5
    assert not plain.even_more
    assert errors_of(None) is None
    assert errors_of(replace(sources, sigma={})) is None


def test_tokens_that_nobody_shares_tell_nothing_of_what_is_missed() -> None:
    captures = dict.fromkeys(CAPTURE_CELLS, 0) | {"own_name": 40}
    told = errors_of(measured(asked(), Overlap(captures=captures), 50.0))
    assert told is not None
    assert told.found == LEAST
    assert told.even_more


@given(st.integers(1, 500), st.integers(0, 500), st.integers(0, 80), st.integers(0, 20))
def test_the_second_interval_of_a_share_holds_every_way_to_count_once(
    whole: int, part: int, doubles: int, merged: int
) -> None:
    part = min(part, whole)
    errors = LinkErrors(doubles, doubles, merged, 1.0, True, {}, 0.0)
    low, high = errors.share_once(part / whole, part / whole, whole)
    assert 0 <= low <= part / whole <= high <= 1
    for inside in range(0, min(doubles, part) + 1, 7):
        outside = min(doubles - inside, whole - part)
        for more in (0, merged):
            for x, n in (
                (part - inside + more, whole - inside - outside + more),
                (part - inside, whole - inside - outside + more),
            ):
                if n > 0:
                    assert low - 1e-9 <= x / n <= high + 1e-9
