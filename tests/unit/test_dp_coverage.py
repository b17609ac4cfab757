"""No record and no published cell is of a year that nobody reports on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_people import protect, small_policy

from ctdhub.core.errors import PolicyError, WouldCharge
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.plan import covered_years
from ctdhub.dp.policy import Policy
from ctdhub.dp.quote import up_to
from ctdhub.dp.standalone.domains import read_column
from ctdhub.schema.model import CONTRIBUTOR, PERIOD, load_schema

POLICY = small_policy(columns=(PERIOD, "gender"), years=(2015, 2024), epsilon=1.0,
                      perpetrators={"share": 0.0}, sources={"share": 0.3})  # fmt: skip
SPAN = st.tuples(st.integers(2010, 2030), st.integers(0, 6)).map(lambda s: (s[0], s[0] + s[1]))


def agreed(*spans: tuple[int, int] | None, until: int = 2024) -> dict[str, Any]:
    """Public facts of contributors with these years."""
    given = [
        {"id": f"c{k}", "name": f"C{k}"} | ({"years": list(span)} if span else {})
        for k, span in enumerate(spans)
    ]
    return {"contributors": given, "years": [2015, until]}


def rows(years: range) -> pa.Table:
    """Two fictitious people a year, one known to each contributor."""
    both = [str(year) for year in years for _ in range(2)]
    texts = {PERIOD: both, "gender": ["female", "male"] * len(years),
             CONTRIBUTOR: ["c0", "c1"] * len(years)}  # fmt: skip
    return pa.table({name: pa.array(each, pa.string()) for name, each in texts.items()})


def ledger(folder: Path) -> Ledger:
    return Ledger(folder / "ledger")


def years_told(answer: Any) -> set[int]:
    """Every year of a record, a published cell, a measurement."""
    found = {*answer.records[PERIOD].drop_null().to_pylist()}
    tables = [answer.counts, answer.measurements, answer.sources.measurements]
    for table in tables:
        for names, values in zip(
            *(table[n].to_pylist() for n in ("columns", "values")), strict=True
        ):
            found |= {v for n, v in zip(names, values, strict=True) if n == PERIOD and v}
    return {int(year) for year in found}


@settings(max_examples=12, deadline=None)
@given(st.lists(SPAN, min_size=2, max_size=3), st.integers(2014, 2026))
def test_every_year_that_is_told_is_covered(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, int]], until: int
) -> None:
    """Agreements start later, end earlier, leave gaps, lie outside; rows are of all years."""
    facts = agreed(*spans, until=until)
    covered = {
        year
        for year in range(2015, min(2024, until) + 1)
        if any(first <= year <= last for first, last in spans)
    }
    book = ledger(tmp_path_factory.mktemp("covered"))
    if not covered:
        with pytest.raises(PolicyError) as met:
            protect(rows(range(2015, 2025)), POLICY, book, facts)
        assert met.value.rule == "policy-coverage"
        assert book.entries() == ()
        return
    answer = protect(rows(range(2015, 2025)), POLICY, book, facts)
    assert years_told(answer) <= covered
    assert {*map(int, _axis(answer))} == covered


def _axis(answer: Any) -> set[str]:
    """The years of one group of the measurements."""
    table = answer.sources.measurements
    both = zip(table["columns"].to_pylist(), table["values"].to_pylist(), strict=True)
    return {v[1] for n, v in both if n == [CONTRIBUTOR, PERIOD] and v[1]}


def test_a_person_of_a_year_that_nobody_covers_is_counted_without_it(tmp_path: Path) -> None:
    people = pa.concat_tables([rows(range(2015, 2025))] * 40)
    answer = protect(people, POLICY, ledger(tmp_path), agreed((2016, 2017)))
    assert abs(answer.people.value - people.num_rows) < 60
    assert years_told(answer) <= {2016, 2017}
    blank = answer.records[PERIOD].null_count
    assert abs(blank - 40 * 2 * 8) < 80, "they are people still, of no recorded year"


def test_coverage_is_a_part_of_the_question(tmp_path: Path) -> None:
    """The same agreements are not charged twice; other ones are another question."""
    book, people = ledger(tmp_path), rows(range(2015, 2020))
    facts = agreed((2015, 2018), None, until=2019)
    first = protect(people, POLICY, book, facts)
    assert protect(people, POLICY, book, facts, pay=up_to(0)).guarantee == first.guarantee
    same = agreed((2015, 2018), (2000, 2019), until=2030)
    assert protect(people, POLICY, book, same, pay=up_to(0)).guarantee == first.guarantee
    with pytest.raises(WouldCharge):
        protect(people, POLICY, book, agreed((2015, 2018), None, until=2020), pay=up_to(0))
    assert len(book.entries()) == 1


def test_who_has_no_agreements_keeps_the_domains_that_were_given() -> None:
    everything = frozenset(range(2015, 2025))
    assert covered_years(POLICY, {}) == everything
    assert covered_years(POLICY, {"contributors": ["a name alone"]}) == everything
    assert len(POLICY.domains(load_schema())[PERIOD]) == 10
    assert read_column("{years: [2002, 2040]}").domain == tuple(map(str, range(2002, 2041)))


def test_the_years_of_the_policy_are_the_outer_bound() -> None:
    assert covered_years(Policy(years=(2018, 2019)), agreed((2000, 2050))) == {2018, 2019}
