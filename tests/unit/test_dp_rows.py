"""Rows wherever they lie: counts in parts are counts at once, one question, nothing kept whole."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from invented_people import FACTS, overlap_of, people, protect, reported, small_policy

from ctdhub.core.errors import PolicyError
from ctdhub.dp import count as rows
from ctdhub.dp.count import Bound, Counts, InMemory, InParquet, Tally, count, encode
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.plan import plan_of
from ctdhub.dp.sources import mentioned, sourced
from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.model import PERSON, load_schema

SCHEMA = load_schema()
POLICY = small_policy(
    columns=("year_of_registration", "gender", "citizenship", "country_of_exploitation"),
    epsilon=60,
    budget={"epsilon": 900},
)
PEOPLE, KNOWN = reported(people(300, POLICY))
OVERLAP = overlap_of(KNOWN, POLICY)
PLAN = plan_of(POLICY, SCHEMA)
WHOLE = Tally(PLAN.domains, tuple(PLAN.tables))
BOUNDED = Tally({"said": ("a", "b", "c")}, (("said",), ()), bound=Bound(PERSON, 2, b"k" * 32))


def same(one: Counts, other: Counts) -> bool:
    return list(one) == list(other) and all(np.array_equal(one[t], other[t]) for t in one)


def source_tally() -> Tally:
    found = sourced(OVERLAP, POLICY, SCHEMA, FACTS)
    assert found is not None
    return found.tally


def in_files(folder: Path, table: pa.Table, cuts: list[int], group: int = 2**20) -> Path:
    folder.mkdir(exist_ok=True)
    for i, (a, b) in enumerate(zip([0, *cuts], [*cuts, table.num_rows], strict=True)):
        pq.write_table(
            table.slice(a, b - a), folder / f"part-{i:03d}.parquet", row_group_size=group
        )
    return folder


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data(), st.integers(1, 130), st.integers(1, 200))
def test_counts_in_parts_are_counts_at_once(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, at_once: int, group: int
) -> None:
    """However the rows are cut into files, row groups and batches, empty files among them."""
    cuts = sorted(data.draw(st.lists(st.integers(0, PEOPLE.num_rows), max_size=4)))
    order = data.draw(st.permutations(range(5)))
    blocks = [PEOPLE.slice(60 * i, 60) for i in order]
    folder = in_files(tmp_path_factory.mktemp("p"), pa.concat_tables(blocks), cuts, group)
    tallies = [WHOLE, source_tally()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "AT_ONCE", at_once)
        found = InParquet(folder).counts(tallies)
    for counts, whole in zip(found, InMemory(PEOPLE).counts(tallies), strict=True):
        assert same(counts, whole)
    assert same(found[0], count(encode(PEOPLE, PLAN.domains), WHOLE.tables))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example([("u", "a")] * 3, 2)
@example([("u", "a"), ("v", None), ("u", "b"), ("u", None), ("v", "a")], 2)
@example([], 1)
@given(
    st.lists(st.tuples(st.sampled_from("uvwxyz"), st.sampled_from(["a", "b", "c", None])),
             max_size=40),
    st.integers(1, 7),
)  # fmt: skip
def test_rows_of_a_person_are_bounded_together_however_they_are_read(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, str | None]], at_once: int
) -> None:
    table = pa.table({PERSON: pa.array([p for p, _ in said], pa.string()),
                      "said": pa.array([s for _, s in said], pa.string())})  # fmt: skip
    path = tmp_path_factory.mktemp("p") / "child.parquet"
    pq.write_table(table.sort_by(PERSON), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "AT_ONCE", at_once)
        [found] = InParquet(path, grouped_by=PERSON).counts([BOUNDED])
    [whole] = InMemory(table).counts([BOUNDED])
    assert same(found, whole)
    persons = [p for p, _ in said]
    assert found[()] == sum(min(2, persons.count(p)) for p in set(persons))


def test_a_bound_needs_the_rows_of_a_person_together(tmp_path: Path) -> None:
    table = pa.table({PERSON: ["u", "w", "u"], "said": ["a", "b", "c"]})
    pq.write_table(table, tmp_path / "c.parquet")
    for by in (None, PERSON):
        with pytest.raises(ValueError, match="stand together"):
            InParquet(tmp_path / "c.parquet", grouped_by=by).counts([BOUNDED])


def test_what_is_counted_can_be_sent_to_where_rows_lie() -> None:
    child = mentioned(None, POLICY, SCHEMA)
    assert child is not None
    for tally in (WHOLE, source_tally(), BOUNDED, child.tally(((),), b"k" * 32)):
        assert pickle.loads(pickle.dumps(tally)) == tally


def test_tables_and_files_ask_one_question(tmp_path: Path) -> None:
    """The same people with the same perpetrators: charged once, wherever they lie."""
    names = [v.name for v in SCHEMA.table("perpetrators")]
    nobody = pa.schema([pa.field(PERSON, pa.string()), *arrow_schema("perpetrators")]).empty_table()
    said = {name: pa.nulls(60, pa.string()) for name in names}
    said["perpetrator_gender"] = pa.array(["male", "female", None] * 20)
    child = pa.table({PERSON: [f"p{i:02d}" for i in range(60)], **said}).sort_by(PERSON)
    ledger = Ledger(tmp_path / "ledger")
    folder = in_files(tmp_path / "people", PEOPLE, [100, 100, 250], group=40)
    for i, table in enumerate((child, nobody)):
        pq.write_table(table, tmp_path / f"{i}.parquet")
        held = InParquet(tmp_path / f"{i}.parquet", grouped_by=PERSON)
        first = protect(PEOPLE, POLICY, ledger, FACTS, None, table, OVERLAP)
        again = protect(InParquet(folder), POLICY, ledger, FACTS, None, held, OVERLAP)
        assert first.guarantee == again.guarantee
        assert first.records.equals(again.records)
        assert len(ledger.entries()) == i + 1


def test_files_that_lack_a_column_or_hold_a_strange_value(tmp_path: Path) -> None:
    pq.write_table(PEOPLE.slice(0, 0).drop_columns("gender"), tmp_path / "a.parquet")
    with pytest.raises(PolicyError) as caught:
        InParquet(tmp_path / "a.parquet").counts([WHOLE])
    assert caught.value.column == "gender"
    at = PEOPLE.column_names.index("gender")
    odd = PEOPLE.set_column(at, "gender", pa.array(["S3CRET-VALUE"] * PEOPLE.num_rows))
    pq.write_table(odd, tmp_path / "a.parquet")
    with pytest.raises(PolicyError) as caught:
        InParquet(tmp_path / "a.parquet").counts([WHOLE])
    assert "S3CRET" not in repr(caught.value)
    for nowhere in (tmp_path / "b.parquet", tmp_path / "empty"):
        with pytest.raises(FileNotFoundError):
            InParquet(nowhere)
        (tmp_path / "empty").mkdir(exist_ok=True)
