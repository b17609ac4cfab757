"""What is known of exports of some systems: what no mapping needs, and whose ids are in them."""

import re
from collections.abc import Iterable
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


@cache
def systems() -> tuple[ExportSystem, ...]:
    """The systems that are known."""
    shipped = resources.files("ctdhub.sensitive.ingest.shape") / "systems.yaml"
    return tuple(
        ExportSystem(
            one["name"],
            tuple(map(frozenset, one["marks"])),
            tuple(one.get("drop", ())),
            one["own"],
            frozenset(one["users"].split()),
        )
        for one in read_shipped(shipped)
    )


def system_of(columns: Iterable[str]) -> ExportSystem | None:
    """The system whose export has these columns, None where none is recognised.

    >>> system_of(["_uuid", "_submission_time", "sex"]).name
    'KoboToolbox'
    """
    names = frozenset(column.removeprefix(f"{OUTER}.") for column in columns)
    return next((s for s in systems() if any(mark <= names for mark in s.marks)), None)


def known_identifiers(columns: Iterable[str], children: Iterable[str] = ()) -> dict[str, Action]:
    """Decisions that are sure for columns of a known system.

    Args:
        columns: columns of the table and of its child rows.
        children: names of the child tables; their ids are those of entries, not of people.

    >>> known_identifiers(["_uuid", "_submission_time", "_id", "sex", "perp._id"], ["perp"])
    {'_uuid': 'strip', '_id': 'case', 'perp._id': 'strip'}
    """
    names = list(columns)
    system = system_of(names)
    stems = tuple(f"{child}." for child in children)
    decided: dict[str, Action] = {}
    for name in names if system else ():
        assert system is not None
        last = re.split(r"[./]", name)[-1]
        own = name.removeprefix(f"{OUTER}.")
        if own in system.own and not name.startswith(stems):
            decided[name] = system.own[own] if own == name else "case"
        elif last in system.users or (last in system.own and name.startswith(stems)):
            decided[name] = "strip"
    return decided


_LONG = LongTable(id="event", name="dataElement", value="value")


def recognise_long(names: Iterable[str]) -> LongTable | None:
    """How the lines of a long table become rows, None where a table is not one that is known.

    >>> recognise_long(["event", "orgUnit", "dataElement", "value"]).id
    'event'
    """
    return _LONG if {_LONG.id, _LONG.name, _LONG.value} <= set(names) else None
