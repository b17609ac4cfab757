"""What is known of exports of some systems: what no mapping needs, and whose ids are in them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Literal

from ctdhub.core.i18n import read_shipped
from ctdhub.sensitive.ingest.options import LongTable

OUTER = "outer"
"""Member of a record that holds the form around it, where a form holds several records."""

Action = Literal["strip", "case", "hash"]
"""A decision for a column that identifies somebody, in the words of a mapping."""


@dataclass(frozen=True)
class ExportSystem:
    """A system and what its exports have.

    Attributes:
        name: what it is called.
        marks: sets of columns; a file that has all of one set comes from this system.
        drop: paths that no mapping needs: metadata, copies, places.
        own: last part of the column that numbers the records, to its decision: ``hash`` where a
            record is a person, ``case`` where it is a form that was filled in.
        users: last parts of columns that name users of the system, devices or single entries.
    """

    name: str
    marks: tuple[frozenset[str], ...]
    drop: tuple[str, ...] = ()
    own: dict[str, Action] = field(default_factory=dict)
    users: frozenset[str] = frozenset()


def _plain(name: str) -> str:
    return name.replace(" ", "").casefold()


@cache
def systems() -> tuple[ExportSystem, ...]:
    """The systems that are known."""
    return tuple(
        ExportSystem(
            one["name"],
            tuple(frozenset(map(_plain, mark)) for mark in one["marks"]),
            tuple(one.get("drop", ())),
            {_plain(name): decision for name, decision in one["own"].items()},
            frozenset(map(_plain, one["users"].split())),
        )
        for one in read_shipped(resources.files("ctdhub.sensitive.ingest.shape") / "systems.yaml")
    )


def system_of(columns: Iterable[str]) -> ExportSystem | None:
    """The system whose export has these columns, None where none is recognised.

    >>> system_of(["_uuid", "_submission_time", "sex"]).name
    'KoboToolbox'
    """
    names = frozenset(_plain(column.removeprefix(f"{OUTER}.")) for column in columns)
    return next((s for s in systems() if any(mark <= names for mark in s.marks)), None)


def known_identifiers(columns: Sequence[str], children: Iterable[str] = ()) -> dict[str, Action]:
    """Decisions that are sure for columns of a known system.

    Args:
        columns: columns of the table and of its child rows.
        children: names of the child tables; their ids are those of entries, not of people.

    >>> known_identifiers(["_uuid", "_submission_time", "_id", "sex", "perp._id"], ["perp"])
    {'_uuid': 'strip', '_id': 'case', 'perp._id': 'strip'}
    """
    system = system_of(columns) or ExportSystem("", ())
    stems = tuple(f"{child}." for child in children)
    decided: dict[str, Action] = {}
    for name in columns:
        last = _plain(re.split(r"[./]", name)[-1])
        own = _plain(name.removeprefix(f"{OUTER}."))
        if own in system.own and not name.startswith(stems):
            decided[name] = "case" if name.startswith(f"{OUTER}.") else system.own[own]
        elif last in system.users or (last in system.own and name.startswith(stems)):
            decided[name] = "strip"
    return decided


_LONG = {"event": "dataElement", "trackedEntity": "displayName"}


def recognise_long(names: Iterable[str]) -> LongTable | None:
    """How the lines of a long table become rows, None where a table is not one that is known.

    >>> recognise_long(["event", "orgUnit", "dataElement", "value"]).id
    'event'
    """
    there = {*names}
    lines = (LongTable(id=of, name=name, value="value") for of, name in _LONG.items())
    return next((one for one in lines if {one.id, one.name, one.value} <= there), None)
