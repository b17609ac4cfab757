"""Noisy counts by year: of the groups that are shown, whole, unbiased, with the stated noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from invented_people import people, small_policy

from ctdhub.border import MEASUREMENTS
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import count, encode
from ctdhub.dp.mechanism import MechanismOutput, answer
from ctdhub.dp.plan import Plan, plan_of
from ctdhub.dp.standalone.domains import scope_of_schema
from ctdhub.schema.model import MERGED, PERIOD, load_schema

SCHEMA = load_schema()
POLICY = small_policy(
    columns=(PERIOD, "gender", "age_band", "citizenship", "country_of_exploitation"), epsilon=4
)
PLAN = plan_of(POLICY, SCHEMA)
RHO = rho_of(4, 1e-8)
Cells = dict[tuple[tuple[str, ...], tuple[str, ...]], float]


def bits(seed: int) -> Callable[[int], bytes]:
    rng = np.random.default_rng(seed)
    return lambda size: rng.bytes(size)


def by_year(found: MechanismOutput) -> list[dict[str, list[str]]]:
    """Rows of single years; the others are of regions in spans of years."""
    rows: list[dict[str, list[str]]] = found.measurements.to_pylist()
    assert all((PERIOD in r["columns"]) != (MERGED[PERIOD] in r["columns"]) for r in rows)
    return [r for r in rows if PERIOD in r["columns"]]


def cells(found: MechanismOutput) -> Cells:
    return {(tuple(r["columns"]), tuple(r["values"])): r["noisy"] for r in by_year(found)}  # type: ignore[misc]


def without_year(columns: tuple[str, ...], values: tuple[str, ...]) -> tuple[object, object]:
    kept = [(c, v) for c, v in zip(columns, values, strict=True) if c != PERIOD]
    return tuple(c for c, _v in kept), tuple(v for _c, v in kept)


@pytest.fixture(scope="module")
def found() -> MechanismOutput:
    return answer(encode(people(2000, POLICY), PLAN.domains), PLAN, RHO, bits(1))


def test_rows_are_all_years_of_each_shown_group_of_each_table_with_years(
    found: MechanismOutput,
) -> None:
    shown = {
        (tuple(r["columns"]), tuple(r["values"]))
        for r in found.counts.to_pylist()
        if r["state"] == "shown"
    }
    tables = [t for t in PLAN.tables if PERIOD in t]
    assert ("citizenship", "country_of_exploitation") in {c for c, _v in shown}
    years = [*PLAN.domains[PERIOD], ""]
    expected = []
    for t in tables:
        rest = tuple(n for n in t if n != PERIOD)
        for columns, values in sorted(shown):
            if columns == rest:
                for year in years:
                    by_name = dict(zip(columns, values, strict=True)) | {PERIOD: year}
                    expected.append((t, tuple(by_name[n] for n in t)))
    assert set(cells(found)) == set(expected)
    assert len(by_year(found)) == len(expected) > len(tables)
    assert found.measurements.schema.equals(MEASUREMENTS)
    # Years of a group follow each other, "not recorded" last.
    texts = [dict(zip(r["columns"], r["values"], strict=True))[PERIOD] for r in by_year(found)]
    assert texts == years * (len(texts) // len(years))


def test_they_are_not_truncated_and_shown_counts_agree_with_them(found: MechanismOutput) -> None:
    """A shown count is that of the records; its interval lies around what was measured."""
    measured = cells(found)
    assert min(measured.values()) < 0
    met = 0
    for row in found.counts.to_pylist():
        key = (tuple(row["columns"]), tuple(row["values"]))
        if key in measured:
            assert row["low"] < measured[key] < row["high"]
            met += 1
    assert met > 50


def test_every_table_has_its_noise(found: MechanismOutput) -> None:
    for columns, _values in cells(found):
        assert found.sigma["*".join(columns)] > 0


def test_noise_is_unbiased_at_the_stated_sigma() -> None:
    """Over many seeded runs: mean zero, the stated variance, for pooled tables and for large.

    Of groups that every run shows: the choice of the others by their totals favours noise that is
    positive, by as much a year as the total is off, divided by the years.
    """
    table = people(600, POLICY)
    small = plan_of(small_policy(columns=(PERIOD, "gender", "age_band"), epsilon=4), SCHEMA)
    codes = encode(table, small.domains)
    exact = count(codes, list(small.tables))
    place = {n: {v: i for i, v in enumerate(["", *d])} for n, d in small.domains.items()}
    cell_errors: dict[object, list[float]] = {}
    runs = 40
    for seed in range(runs):
        done = answer(codes, small, RHO, bits(seed))
        for (columns, values), noisy in cells(done).items():
            at = tuple(place[c][v] for c, v in zip(columns, values, strict=True))
            cell_errors.setdefault((columns, values), []).append(noisy - float(exact[columns][at]))
    errors: dict[tuple[str, ...], list[float]] = {}
    for (columns, _values), off in cell_errors.items():
        if len(off) == runs:
            errors.setdefault(columns, []).extend(off)
    assert {len(c) for c in errors} == {1, 2, 3}
    for columns, off in errors.items():
        sigma, n = done.sigma["*".join(columns)], len(off)
        assert abs(np.mean(off)) < 5 * sigma / n**0.5, columns
        # cells of pooled tables hang together a little within a run, hence the width
        assert np.std(off) == pytest.approx(sigma, rel=0.25), columns


def test_a_function_of_noise_alone_has_the_same_rows_for_neighbours() -> None:
    """Rows come from what is shown, never from who is there: a shown group has every year."""
    table = people(2000, POLICY)
    for codes in (encode(table, PLAN.domains), encode(table.slice(1), PLAN.domains)):
        done = answer(codes, PLAN, RHO, bits(3))
        groups: dict[object, int] = {}
        for key in cells(done):
            groups[(key[0], without_year(*key))] = groups.get((key[0], without_year(*key)), 0) + 1
        assert set(groups.values()) == {len(PLAN.domains[PERIOD]) + 1}


def test_nobody_no_group(found: MechanismOutput) -> None:
    empty = answer(encode(people(0, POLICY), PLAN.domains), PLAN, RHO, bits(9))
    assert {len(c) for c, _v in cells(empty)} <= {1, 2}
    assert empty.measurements.schema.equals(found.measurements.schema)


@pytest.mark.parametrize(
    "plan",
    [
        plan_of(small_policy(columns=("gender", "age_band")), SCHEMA),
        scope_of_schema(["gender", "age_band"]).plan,
    ],
)
def test_without_a_column_of_years_there_is_none(plan: Plan) -> None:
    assert plan.year is None
    table = people(300, POLICY)
    found = answer(encode(table, plan.domains), plan, RHO)
    assert found.measurements.equals(MEASUREMENTS.empty_table())


def test_a_table_that_is_protected_alone_has_them() -> None:
    plan = scope_of_schema([PERIOD, "gender"]).plan
    found = answer(encode(people(600, POLICY), plan.domains), plan, RHO, bits(5))
    assert {columns for columns, _values in cells(found)} == {(PERIOD,), (PERIOD, "gender")}
