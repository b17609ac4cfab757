"""Laws of harmonising, for any table and any mapping: no row is lost, doubled or moved."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ctdhub.core.i18n import Text
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import REJECTS, Reject, reject_table
from ctdhub.sensitive.mapping.evaluation import TextTable
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.run import harmonise
from ctdhub.sensitive.mapping.transform import Transformed

SOURCES = ("a", "b", "c")
TEXTS = (
    "",
    "x",
    "Y ",
    "1",
    "0",
    "x;1",
    "France",
    "CI",
    "Côte d’Ivoire",
    "2019",
    "1.2.2020",
    "12 mars 2020",
    '["x", "1"]',
    '["France"]',
    "{x",
    "17",
    "-99",
    "é",
)
SCHEMA = load_schema()
TARGETS = [v for v in SCHEMA.records if v.kind in ("year", "code", "country", "flag", "status")]

columns = st.sampled_from(SOURCES)
texts = st.sampled_from(TEXTS)


@st.composite
def rules(draw: st.DrawFn, name: str) -> dict[str, Any]:
    variable = SCHEMA.variable(name)
    domain = SCHEMA.domain(name)
    rule: dict[str, Any] = {"from": draw(st.lists(columns, min_size=1, max_size=2, unique=True))}
    kind = draw(st.sampled_from(["map", "plain", "own"]))
    if kind == "map":
        keys = st.sampled_from([t.strip() for t in TEXTS if t not in ("", "-99")])
        rule["map"] = draw(st.dictionaries(keys, st.sampled_from([*domain[:5], None]), max_size=4))
    if kind == "own" and variable.kind == "year":
        rule["year"] = True
    if kind == "own" and variable.kind == "country":
        rule["country"] = True
    if kind == "own" and variable.kind == "flag":
        rule |= {"has": ["x", "1"], "split": ";", "absent": draw(st.sampled_from(["no", None]))}
    if name == "age_band":
        rule["band"] = True
    if "has" not in rule and draw(st.booleans()):
        rule |= {"split": ";", "take": draw(st.sampled_from(["first", "last"]))}
    ways = ["pass", "reject", "null"] if "has" in rule else ["keep", "reject", "null"]
    rule["unknown"] = draw(st.sampled_from(ways))
    if draw(st.booleans()):
        rule["when"] = {draw(columns): [draw(texts)]}
    return rule


@st.composite
def mappings(draw: st.DrawFn) -> Mapping:
    names = draw(st.lists(st.sampled_from([v.name for v in TARGETS]), max_size=4, unique=True))
    exclusions = draw(st.lists(st.tuples(columns, texts, st.booleans()), max_size=2))
    return Mapping.model_validate(
        {
            "version": 1,
            "empty": ["", "-99"],
            "exclude": [
                {"rule": f"rule-{i}", "unless" if negated else "when": {column: [text]}}
                for i, (column, text, negated) in enumerate(exclusions)
            ],
            "columns": {n: draw(st.lists(rules(n), min_size=1, max_size=2)) for n in names},
        }
    )


few = st.lists(st.tuples(*[st.none() | texts] * len(SOURCES)), max_size=12)
tables = few | st.lists(few, min_size=8, max_size=8).map(
    lambda parts: [row for part in parts for row in part]
)
"""A run costs more than its rows: half of the tables are eight in one, so that 25 mappings meet
more than 100."""

HARD = Mapping.model_validate(
    {
        "version": 1,
        "empty": ["", "-99"],
        "exclude": [{"rule": "rule-0", "unless": {"c": ["x", "1"]}}],
        "columns": {
            "gender": {"from": ["a", "b"], "map": {"x": "female", "1": "male"}},
            "year_of_registration": [
                {"from": ["a"], "year": True, "unknown": "null", "when": {"c": ["x"]}},
                {"from": ["b", "c"], "year": True, "unknown": "null"},
            ],
            "means_threats": {"from": ["b", "c"], "has": ["x"], "split": ";", "absent": "no"},
        },
    }
)
HARD_ROWS = [
    ("x", "é", "x"), ("é", "x", "1"), ("é", "é", "x"), (None, "1", "1"), ("x", None, "Y "),
    ("x", "1", "x;1"), ("-99", "x", "1"), ("x", "x", "x"), ("x", "x", "x"), (None, None, None),
]  # fmt: skip
"""A second column that cannot be read, and a first; rows that are excluded and could not be read
either; rows that are equal."""


@settings(max_examples=25, deadline=None)
@given(tables, mappings(), st.integers(0, 2))
@example(HARD_ROWS, HARD, 1)
@example([], HARD, 2)
def test_conservation(rows: list[tuple[str | None, ...]], mapping: Mapping, unread: int):
    columns = {n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate(SOURCES)}
    numbers = pa.array([2 + 3 * i for i in range(len(rows))], pa.int64())
    table = pa.table({**columns, "_row": numbers})
    lost = [
        Reject(row=900 + i, rule="ragged", reason=Text("Too few cells.")) for i in range(unread)
    ]
    rejects = reject_table("f.csv", lost) if lost else REJECTS.empty_table()
    raw = RawTable("f.csv", "00" * 32, table, rejects, len(rows) + unread)
    done = harmonise(raw, mapping, "c", (2010, 2025), bytes(32))
    account = done.conservation
    assert account.rows_read == len(rows) + unread
    kept = done.records["source_row"].to_pylist()
    rejected = set(done.rejects["source_row"].to_pylist())
    assert kept == sorted(set(kept))
    assert not rejected & set(kept)
    assert len(rejected) == account.rejected
    gone = set(numbers.to_pylist()) - set(kept) - rejected
    assert len(gone) == sum(account.excluded.values())
    assert len(set(done.records["record_id"].to_pylist())) == account.records
    for name in mapping.columns:
        domain = SCHEMA.domain(name, (2010, 2025))
        assert {str(v) for v in done.records[name].drop_null().to_pylist()} <= set(domain)


@settings(max_examples=25, deadline=None)
@given(tables, mappings())
@example(HARD_ROWS, HARD)
def test_a_row_does_not_depend_on_the_others(rows: list[tuple[str | None, ...]], mapping: Mapping):
    """Neither on their order, nor on which of them are there, nor on whether any is."""
    columns = {n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate(SOURCES)}
    table = pa.table({**columns, "_row": pa.array(range(len(rows)), pa.int64())})

    def run(table: pa.Table) -> list[dict[str, Any]]:
        return Transformed(mapping, TextTable(table), (2010, 2025)).values.to_pylist()

    together = {row["_row"]: row for row in run(table)}
    whole = range(len(rows))
    for some in (whole[::-1], whole[::3], whole[len(rows) // 2 :][:1]):
        found = run(table.take(pa.array(some, pa.int64())))
        assert found == [together[i] for i in some if i in together]
