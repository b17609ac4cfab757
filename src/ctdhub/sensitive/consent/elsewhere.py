"""How many people of other contributors the withdrawals of one take out.

A person withdraws everywhere, so one contributor can take out what another sent: also by planting a
row with somebody's token.  Who sent it is not asked, for the question would tell it that she
withdrew.  So these people are counted, for the steward alone, by who told it and in which quarter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.sensitive.consent.entry import Withdrawal, mark
from ctdhub.sensitive.consent.in_force import InForce
from ctdhub.sensitive.consent.match import Filed, row_mark

Told = tuple[str, str]
"""A contributor that told, and the quarter in which it did, as 2026-Q1."""


@dataclass(frozen=True)
class _Hit:
    """A record of somebody who withdrew, with the marks that find it."""

    contributor: str
    person: str
    key: str | None
    marks: frozenset[str]


def quarter(time: str) -> str:
    """The quarter of a time.

    >>> quarter("2026-11-05T10:00:00.000000+00:00")
    '2026-Q4'
    """
    return f"{time[:4]}-Q{(int(time[5:7]) + 2) // 3}"


def elsewhere(files: Iterable[Filed], force: InForce, secret: bytes) -> Mapping[Told, int]:
    """People of other contributors who are left out, by who told that they withdrew, and when.

    A person of whom the other contributor told it as well is not counted: it took her out itself.

    Args:
        files: all files that take part, without records that newer deliveries replace; they are
            gone through twice.
        force: the withdrawals; each line has its time.
        secret: the hub's person key.
    """
    telling: dict[str, list[Withdrawal]] = {}
    for entry in force.entries:
        if entry.scope in ("person", "records"):
            telling.setdefault(entry.mark, []).append(entry)
    if not force.persons:
        return {}
    by_key: dict[str, set[str]] = {}
    hits: list[_Hit] = []
    for file in files:
        for hit in _hits(file, frozenset(telling), force.chosen, secret):
            hits.append(hit)
            if hit.key is not None and (marks := hit.marks & force.persons):
                by_key.setdefault(hit.key, set()).update(marks)
    hits = [hit for hit in hits if hit.key not in by_key]
    known = pa.array(sorted(by_key), pa.string())
    for file in files if len(known) else ():
        keys = file.records["person_key"]
        same = keys.filter(pc.is_in(keys, value_set=known)).unique().to_pylist()
        hits += [_Hit(file.contributor, key, key, frozenset(by_key[key])) for key in same]
    people: dict[Told, set[str]] = {}
    for hit in hits:
        told = [entry for each in hit.marks for entry in telling.get(each, ())]
        own = mark(secret, hit.key) if hit.key is not None else ""
        told += telling.get(own, ())
        if hit.contributor in force.contributors or any(
            entry.contributor == hit.contributor for entry in told
        ):
            continue
        for entry in told:
            if entry.scope == "person":
                people.setdefault((entry.contributor, quarter(entry.time)), set()).add(hit.person)
    return {told: len(each) for told, each in sorted(people.items())}


def _hits(
    file: Filed, marks: frozenset[str], chosen: frozenset[str], secret: bytes
) -> Iterator[_Hit]:
    """The records of a file that some of the marks find."""
    found: dict[str, set[str]] = {}
    keys = {k: m for k in _texts(file.records["person_key"]) if (m := mark(secret, k)) in marks}
    cases = {c: m for c in _texts(file.cases["case"]) if (m := mark(secret, c)) in marks | chosen}
    named = pa.array(list(cases), pa.string())
    of_cases = file.cases.filter(pc.is_in(file.cases["case"], value_set=named)).to_pylist()
    for row in of_cases:
        found.setdefault(row["record_id"], set()).add(cases[row["case"]])
    ids, wanted = pa.array(list(found), pa.string()), pa.array(list(keys), pa.string())
    records = file.records
    near = pc.or_(
        pc.is_in(records["record_id"], value_set=ids),
        pc.is_in(records["person_key"], value_set=wanted),
    )
    for row in records.filter(near).to_pylist():
        id_, key = row["record_id"], row["person_key"]
        row_marks = found.get(id_, set()) | {row_mark(secret, key, id_)}
        if here := frozenset(row_marks & marks):
            yield _Hit(file.contributor, key if key is not None else id_, key, here)


def _texts(column: pa.ChunkedArray) -> list[str]:
    return column.unique().drop_null().to_pylist()  # type: ignore[no-any-return]
