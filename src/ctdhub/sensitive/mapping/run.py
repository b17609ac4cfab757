"""One file through one mapping: decide identifiers, test the mapping, run it, account for rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Text
from ctdhub.core.text import fold
from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import CONTRIBUTOR
from ctdhub.sensitive.ingest.formulas import unescaped
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import REJECTS
from ctdhub.sensitive.ingest.totals import RULE as TOTALS
from ctdhub.sensitive.mapping.examples import check_mapping
from ctdhub.sensitive.mapping.identifiers import Keying, check_decided, keyings, without_stripped
from ctdhub.sensitive.mapping.keyed_rows import births_differ, no_record
from ctdhub.sensitive.mapping.lineage import lineage_of
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.note_rows import but_rows, note_rows, without_notes
from ctdhub.sensitive.mapping.parsers import Header
from ctdhub.sensitive.mapping.record_ids import record_ids
from ctdhub.sensitive.mapping.result import Conservation, Harmonised
from ctdhub.sensitive.mapping.rule import Rule
from ctdhub.sensitive.mapping.texts import as_codes
from ctdhub.sensitive.mapping.tokens import token_table, tokens_of, told_apart
from ctdhub.sensitive.mapping.transform import NOT_COUNTED_RULE, Transform, Transformed

RECORDS = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("person_key", pa.string()),
        pa.field("source_file", pa.string(), nullable=False),
        pa.field("source_row", pa.int64(), nullable=False),
        *arrow_schema("records"),
    ]
)
PERPETRATORS = pa.schema(
    [pa.field("record_id", pa.string(), nullable=False), *arrow_schema("perpetrators")]
)
CASES = pa.schema(
    [pa.field("record_id", pa.string(), nullable=False), pa.field("case", pa.string())]
)
"""Keys of cases by record, where the mapping has a column for them that is no person key."""


def harmonise(
    raw: RawTable,
    mapping: Mapping,
    contributor: str,
    years: tuple[int, int],
    key: bytes,
    progress: Callable[[Text, float], None] | None = None,
) -> Harmonised:
    """Turn a contributor's file into records of the hub's schema.

    Args:
        raw: the file as read.
        mapping: how its format becomes the schema.
        contributor: id of the contributor; part of record ids and of hashed person keys, and
            the reporting entity where the mapping names none.
        years: first and last year of the public bounds, both included.
        key: the hub's secret for record ids and for person keys made by ``hash``; at least 16
            bytes.
        progress: called with a message and the fraction done.

    Raises:
        IdentifierFound: a likely identifier that the mapping does not decide.
        MappingError: the mapping's own tests fail.
        FileError: the file lacks columns that the mapping reads.
        ValueError: the key is too short.
    """
    if len(key) < 16:
        raise ValueError("the key for person keys needs at least 16 bytes")
    report = progress or (lambda message, fraction: None)
    children = {name: unescaped(rows) for name, rows in raw.children.items()}
    whole = replace(raw, table=unescaped(raw.table), children=children)
    raw = without_stripped(whole, mapping)
    report(Text("Looking for identifiers"), 0.0)
    _check_columns(raw, mapping)  # first: without a header row its "names" are people's data
    check_decided(raw, mapping)
    report(Text("Testing the mapping"), 0.1)
    check_mapping(mapping)
    message = Text("Applying the mapping")
    report(message, 0.2)
    transform = Transform(mapping, years)
    codes = as_codes(whole.table)
    done = transform.run(
        codes.select(raw.table.column_names),
        lambda fraction: report(message, 0.2 + 0.6 * fraction),
        raw.children,
    )
    report(Text("Accounting for every row"), 0.8)
    done = without_notes(done, whole, codes, mapping)
    notes = note_rows(done)  # nobody's rows, which have no key
    table = but_rows(raw.table, notes) if len(notes) else raw.table
    person, case = keyings(mapping, contributor, key)
    rows = done.values["_row"]
    place = _places(table["_row"], rows)
    all_keys, told = _keys(table, person), _keys(table, case)
    keys, told = (found if place is None else found.take(place) for found in (all_keys, told))
    found = tokens_of(table, mapping, rows.combine_chunks())
    apart = told_apart(found, keys)
    records, perpetrators = _records(raw, contributor, key, keys, [told, apart], done)
    cases = pa.table([records["record_id"], told], schema=CASES).filter(pc.is_valid(told))
    tokens = token_table(found, records["record_id"].combine_chunks(), contributor)
    rejects = pa.concat_tables([raw.rejects.cast(REJECTS), _with_file(done.rejects, raw.file)])
    counts = Counter((rules := done.excluded["rule"]).to_pylist())
    if raw.totals:
        counts[TOTALS] += raw.totals
    conservation = Conservation(
        rows_read=raw.rows_read,
        records=records.num_rows,
        rejected=raw.rejects.num_rows + done.rejected,
        excluded={e.rule: counts[e.rule] for e in mapping.exclude} | counts,
    )
    lineage = lineage_of(
        mapping, records, perpetrators, done.folded, done.texts.ignored, done.untied
    )
    excluded = done.excluded["_row"].combine_chunks()
    others = no_record(table, all_keys, rows.combine_chunks(), excluded)
    births = births_differ(table, place, keys, mapping)
    report(Text("Harmonised"), 1.0)
    return Harmonised(
        records,
        perpetrators,
        tokens,
        cases,
        rejects,
        lineage,
        conservation,
        others,
        births,
        done.texts,
        tuple(notes.to_pylist()),
        tuple(done.excluded.filter(pc.equal(rules, NOT_COUNTED_RULE))["_row"].to_pylist()),
    )


def _check_columns(raw: RawTable, mapping: Mapping) -> None:
    header = Header(raw.column_names())
    spared = {fold(column) for column in mapping.optional} | replaced(mapping, header)
    missing = [
        column
        for column in mapping.needed()
        if header.find(column) is None and fold(column) not in spared
    ]
    if missing:
        raise error("missing-columns", file=raw.file, columns=", ".join(missing))


def replaced(mapping: Mapping, header: Header) -> set[str]:
    """Folded columns that a file need not have, for it has another that a rule takes instead.

    Of a flag all columns must be there: one that is missing could hold the only yes.
    """
    keys, _action = mapping.key_columns() or ((), "")
    asked = {fold(c) for c in (*keys, *mapping.tokens, mapping.case_column() or "")}
    others_there: set[str] = set()
    for place, rule in mapping.uses():
        columns = {fold(column) for column in rule.columns()}
        if isinstance(rule, Rule) and load_schema().variable(str(place[-1])).kind != "flag":
            others = {fold(c) for c in rule.source if header.find(c) is None}
            if len(others) < len(set(map(fold, rule.source))):
                others_there |= others
                columns -= others
        asked |= columns
    return others_there - asked


def _places(all_rows: pa.ChunkedArray, rows: pa.ChunkedArray) -> pa.Array | None:
    """Where in the file the rows stand that became records; None where all of them did."""
    if len(rows) == len(all_rows):
        return None
    return pc.index_in(rows.combine_chunks(), value_set=all_rows.combine_chunks())


def _keys(table: pa.Table, keying: Keying | None) -> pa.Array:
    """The key of each row of a table, null where it has none."""
    if keying is None:
        return pa.nulls(table.num_rows, pa.string())
    return keying.keys(table)


def _records(
    raw: RawTable, contributor: str, key: bytes, keys: pa.Array, apart: list[pa.Array],
    done: Transformed,
) -> tuple[pa.Table, pa.Table]:  # fmt: skip
    """The records and their perpetrators, tied by ids."""
    rows = done.values["_row"]
    columns: dict[str, object] = {
        "record_id": pa.repeat(pa.scalar(""), len(rows)),
        "person_key": keys,
        "source_file": pa.repeat(pa.scalar(raw.file), len(rows)),
        "source_row": rows,
    }
    records = _shaped(RECORDS, columns, done.values)
    place = records.schema.get_field_index(CONTRIBUTOR)
    named = records[CONTRIBUTOR].cast(pa.string()).fill_null(contributor)
    records = records.set_column(place, CONTRIBUTOR, named)
    children = PERPETRATORS.empty_table()
    of = pa.array([], pa.int32())
    if done.children is not None:
        of = pc.index_in(done.children["_row"], value_set=rows.combine_chunks()).combine_chunks()
        blank = pa.repeat(pa.scalar(""), len(of))
        children = _shaped(PERPETRATORS, {"record_id": blank}, done.children)
    said = children.drop_columns(["record_id"])
    ids = record_ids(records, apart, said, of, contributor, key)
    return (
        _named(RECORDS, records.set_column(0, "record_id", ids)),
        children.set_column(0, "record_id", ids.take(of)).cast(PERPETRATORS),
    )


def _shaped(schema: pa.Schema, columns: dict[str, object], values: pa.Table) -> pa.Table:
    """The columns of the schema in order, codes as they are; what is not mapped is null."""
    for field in schema:
        if field.name in values.column_names:
            found = values[field.name]
            coded = pa.types.is_dictionary(found.type)
            columns[field.name] = found if coded else found.cast(field.type)
        elif field.name not in columns:
            columns[field.name] = pa.nulls(values.num_rows, field.type)
    return pa.table({name: columns[name] for name in schema.names})


def _named(schema: pa.Schema, table: pa.Table) -> pa.Table:
    """The table with the fields of the schema, codes as they are."""
    kinds = zip(schema, table.schema.types, strict=True)
    return table.cast(pa.schema([field.with_type(kind) for field, kind in kinds]))


def _with_file(rejects: pa.Table, file: str) -> pa.Table:
    named = rejects.drop_columns(["target"]).add_column(
        0, "source_file", pa.repeat(pa.scalar(file), rejects.num_rows)
    )
    return named.sort_by("source_row").cast(REJECTS)
