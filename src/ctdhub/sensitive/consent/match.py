"""Which records belong to people who withdrew.

A person withdraws, not a row: a record that is found by its case or its person key leaves, and so
does every record, of whatever contributor, that has the same person key.  Whom tokens join with her
stays: a false link would leave out somebody else (decision 27).

Where several people share the number of a case, the rows that are hers are chosen, and the marks of
the others are kept: a row of that case that nobody has spoken of may be hers, corrected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.sensitive.consent.entry import mark
from ctdhub.sensitive.consent.in_force import InForce

RULE = "withdrawn"
"""Name of the rule by which rows of people who withdrew are excluded, in the account of rows."""


@dataclass(frozen=True)
class Filed:
    """One file of a contributor.

    Attributes:
        contributor: its id.
        records: ``record_id``, ``person_key`` (null allowed).
        cases: ``record_id``, ``case`` of the records that have one.
    """

    contributor: str
    records: pa.Table
    cases: pa.Table


def row_mark(secret: bytes, person_key: str | None, record_id: str) -> str:
    """What stands in the register for a row of a case: its person key, else its record."""
    return mark(secret, person_key if person_key is not None else f"\0record\0{record_id}")


def unspoken(file: Filed, force: InForce, secret: bytes) -> bool:
    """Whether a case of which rows were chosen has a row that nobody has spoken of."""
    known = {e.mark for e in force.entries} | force.seen
    return any(
        row_mark(secret, row["person_key"], row["record_id"]) not in known
        for row in _of_cases(file, force.chosen, secret).to_pylist()
    )


def left_out(files: Iterable[Filed], force: InForce, secret: bytes) -> pa.Array:
    """Ids of the records that are left out.

    Args:
        files: all files that take part; those of contributors that withdrew count as left out.
            They are gone through twice, so that no more than one need be in memory.
        force: the withdrawals.
        secret: the hub's person key.
    """
    persons, chosen = force.persons, force.chosen
    ids, keys = _Found(), _Found()
    for file in files:
        records = file.records
        if file.contributor in force.contributors:
            ids.add(records["record_id"])
            continue
        everywhere = _found(file, persons, chosen, secret)
        ids.add(records["record_id"].filter(everywhere))
        keys.add(records["person_key"].filter(everywhere))
        if here := force.records_at(file.contributor):
            ids.add(records["record_id"].filter(_found(file, here, chosen, secret)))
    known = keys.all()
    for file in files if len(known) else ():
        same = pc.is_in(file.records["person_key"], value_set=known)
        ids.add(file.records["record_id"].filter(same))
    return ids.all()


def carried(file: Filed, force: InForce, secret: bytes) -> frozenset[str]:
    """Marks in force of people whom a file has a record of: by its key, its case, or itself."""
    wanted = {e.mark for e in force.entries}
    columns = (file.records["person_key"], file.cases["case"])
    keys = {key for column in columns for key in column.unique().drop_null().to_pylist()}
    rows = _of_cases(file, force.chosen, secret).to_pylist()
    found = {mark(secret, key) for key in keys}
    found |= {row_mark(secret, row["person_key"], row["record_id"]) for row in rows}
    return frozenset(wanted & found)


def also_known(files: Sequence[Filed], cases: Iterable[str]) -> dict[str, set[str]]:
    """Person keys of the records of each case, where it has any.

    They are written down with the case, so that a person stays out of the files of others after
    the file that tells of both is gone.

    Args:
        files: of the contributor that tells the cases.
        cases: keys of cases.
    """
    wanted, found = pa.array(sorted(set(cases)), pa.string()), dict[str, set[str]]()
    for file in files:
        hers = file.cases.filter(pc.is_in(file.cases["case"], value_set=wanted))
        place = pc.index_in(hers["record_id"], value_set=file.records["record_id"].combine_chunks())
        keys = file.records["person_key"].take(place)
        for case, key in zip(hers["case"].to_pylist(), keys.to_pylist(), strict=True):
            if key is not None:
                found.setdefault(case, set()).add(key)
    return found


class _Found:
    """Texts gathered from several columns."""

    def __init__(self) -> None:
        self._parts: list[pa.Array] = [pa.array([], pa.string())]

    def add(self, texts: pa.ChunkedArray) -> None:
        self._parts.append(texts.combine_chunks())

    def all(self) -> pa.Array:
        """Each of them once, none of them null."""
        return pa.concat_arrays(self._parts).drop_null().unique()


def _found(
    file: Filed, marks: frozenset[str], chosen: frozenset[str], secret: bytes
) -> pa.ChunkedArray:
    """Whether each record of a file is found by its person key, its case, or itself."""
    records, cases = file.records, file.cases
    by_key = _marked(records["person_key"], marks, secret)
    found = cases["record_id"].filter(_marked(cases["case"], marks, secret)).to_pylist()
    for row in _of_cases(file, chosen if marks else frozenset(), secret).to_pylist():
        if row_mark(secret, row["person_key"], row["record_id"]) in marks:
            found.append(row["record_id"])
    by_case = pc.is_in(records["record_id"], value_set=pa.array(found, pa.string()))
    return pc.or_(by_key, by_case)


def _of_cases(file: Filed, marks: frozenset[str], secret: bytes) -> pa.Table:
    """Records of the cases with these marks."""
    hers = file.cases["record_id"].filter(_marked(file.cases["case"], marks, secret))
    return file.records.filter(pc.is_in(file.records["record_id"], value_set=hers.combine_chunks()))


def _marked(keys: pa.ChunkedArray, marks: frozenset[str], secret: bytes) -> pa.ChunkedArray:
    known = keys.unique().drop_null() if marks else pa.array([], pa.string())
    named = [key for key in known.to_pylist() if mark(secret, key) in marks]
    return pc.is_in(keys, value_set=pa.array(named, pa.string()))
