"""What shape a document has, looked at before a mapping says so.

Only drafts look.  What is found is written into the mapping, and a build reads what is written.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Literal

from ctdhub.core.i18n import read_shipped
from ctdhub.core.tables import trim
from ctdhub.sensitive.ingest.options import (
    LONGEST,
    SELF,
    Child,
    LongTable,
    NameValue,
    follow,
    steps_of,
)
from ctdhub.sensitive.ingest.shape.trees import OUTER, envelope, list_paths, records_at

# --------------------------------------------------------------------------------------------------
# What is known of the exports of some systems: what no mapping needs, and whose ids are in them.

Known = Literal["strip", "case", "hash"]
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
    own: dict[str, Known] = field(default_factory=dict)
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
    found = frozenset(column.removeprefix(f"{OUTER}.") for column in columns)
    return next((s for s in systems() if any(mark <= found for mark in s.marks)), None)


def known_identifiers(columns: Iterable[str], children: Iterable[str] = ()) -> dict[str, Known]:
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
    decided: dict[str, Known] = {}
    for name in names if system else ():
        assert system is not None
        last = re.split(r"[./]", name)[-1]
        own = name.removeprefix(f"{OUTER}.")
        if own in system.own and not name.startswith(stems):
            decided[name] = system.own[own] if own == name else "case"
        elif last in system.users or (last in system.own and name.startswith(stems)):
            decided[name] = "strip"
    return decided


LOOKED_AT = 2_000
"""Records that are looked at."""

KINDS = 12
"""Kinds of child rows, such as stages of a programme, up to which each is a child table."""

_NAMES = ("displayName", "label", "name", "attribute", "dataElement", "key", "code", "question")
_VALUES = ("value", "answer")
_STAGE = "programStage"
_LONG = LongTable(id="event", name="dataElement", value="value")
CASE, TYPE = "case_id", "case_type"
"""Columns that number and name cases of CommCare."""


@dataclass
class _Seen:
    """What stands at the paths of records."""

    columns: dict[str, None] = field(default_factory=dict)
    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    lists: bool = False
    nested: bool = False
    broken: dict[str, None] = field(default_factory=dict)

    def look(self, value: Any, at: str, raw: str = "") -> None:
        """Look at a value at a path, whose own name in the file is ``raw``."""
        if isinstance(value, dict):
            self.nested |= bool(at)
            for key, member in value.items():
                if trim(key):
                    self.look(member, f"{at}.{key}" if at else key, key)
        elif isinstance(value, list) and value:
            self.columns.setdefault(at)
            if all(isinstance(member, dict) for member in value):
                self.objects.setdefault(at, []).extend(value)
                for member in value:
                    for key, inner in member.items():
                        if trim(key):
                            self.look(inner, f"{at}.{key.removeprefix(f'{raw}/')}", key)
            elif any(isinstance(member, dict | list) for member in value):
                self.broken.setdefault(at)
            else:
                self.lists = True
        elif at:
            self.columns.setdefault(at)


def recognise(document: Any, stated: str | None = None) -> dict[str, Any]:
    """What is to be said under ``read`` so that the document becomes one flat table.

    Args:
        document: the document.
        stated: where its records are, if that is known.

    Returns:
        Settings of :class:`ShapeOptions`; none for a flat list, and none where it is not clear
        where the records are.

    >>> recognise({"count": "1", "results": [{"p": [{"p/s": "m"}, {"p/s": "f"}]}]})["children"]
    {'p': Child(path='p', sheet=None, file=None, where={}, key=None, of=None, parent=None, \
fold={}, count=False)}
    """
    rows = stated or _rows(document)
    records = records_at(document, rows) if rows not in (None, SELF) else document
    if stated == SELF and isinstance(document, dict):
        records = [document]
    if not isinstance(records, list):
        return {}
    seen = _Seen()
    for record in records[:LOOKED_AT]:
        if isinstance(record, dict):
            seen.look(record, "")
    system = system_of(seen.columns)
    dropped = [*(system.drop if system else ()), *seen.broken]
    if "attributes" in seen.objects:  # an enrolment repeats those of its tracked entity
        dropped += [path for path in seen.objects if path.endswith(".attributes")]
    lists = {
        path: members
        for path, members in seen.objects.items()
        if len(path) <= LONGEST and not _is_dropped(path, dropped)
    }
    found_pairs = {path: _pair(members, len(records)) for path, members in lists.items()}
    pairs = {path: pair for path, pair in found_pairs.items() if pair}
    children = dict(_children({p: m for p, m in lists.items() if p not in pairs}))
    children |= _cases(records)
    used = [path for path in dropped if path in seen.broken or path in seen.objects or system]
    found = {"rows": rows, "pairs": pairs, "drop": tuple(used), "children": children}
    shape = {key: value for key, value in found.items() if value}
    if seen.lists or (seen.nested and not shape):
        shape["lists"] = ";"
    return shape if seen.nested or seen.objects or seen.lists or seen.broken or rows else {}


def recognise_long(names: Iterable[str]) -> LongTable | None:
    """How the lines of a long table become rows, None where a table is not one that is known.

    >>> recognise_long(["event", "orgUnit", "dataElement", "value"]).id
    'event'
    """
    return _LONG if {_LONG.id, _LONG.name, _LONG.value} <= set(names) else None


def _rows(document: Any) -> str | None:
    if (known := envelope(document)) or not isinstance(document, dict):
        return known
    lists = list_paths(document)
    single = [value for value in document.values() if not isinstance(value, list | dict)]
    return lists[0] if len(lists) == 1 and not single else None


def _pair(members: list[dict[str, Any]], records: int) -> NameValue | None:
    """How a list of objects says names and values, None where it says something else.

    Names of questions come again in record after record; names of people do not, and must not
    become names of columns.
    """
    value = next((key for key in _VALUES if all(key in m for m in members)), None)
    names = tuple(key for key in _NAMES if any(key in m for m in members))
    if value is None or not all(any(m.get(key) for key in names) for m in members):
        return None
    said = Counter(next(str(m[key]) for key in names if m.get(key)) for m in members)
    if records > 1 and len(said) > len(members) / 2:
        return None
    return NameValue(name=names, value=value)


def _children(lists: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, Child]]:
    """A child table for each list of objects; for each stage where its rows are of several."""
    taken: Counter[str] = Counter()
    for path, members in lists.items():
        name = re.sub(r"[\s.\[\]=]+", "_", re.split(r"[./]", path)[-1]) or "child"
        taken[name] += 1
        name = name if taken[name] == 1 else f"{name}_{taken[name]}"
        stages = {str(m[_STAGE]) for m in members if m.get(_STAGE)}
        if 1 < len(stages) <= KINDS:
            for stage in sorted(stages):
                yield f"{name}_{stage}", Child(path=path, where={_STAGE: (stage,)})
        else:
            yield name, Child(path=path)


def _cases(records: list[Any]) -> dict[str, Child]:
    """Cases of a type that always belong to a case of another type in the file."""
    types: dict[str, list[tuple[dict[str, Any], str]]] = {TYPE: [], f"properties.{TYPE}": []}
    for record in records:
        for path, found in types.items():
            if isinstance(record, dict) and isinstance(record.get(CASE), str):
                kinds = follow(record, steps_of(path))
                found += [(record, kind) for kind in kinds if isinstance(kind, str) and kind]
    path, cases = max(types.items(), key=lambda item: len(item[1]))
    ids = {case[CASE]: kind for case, kind in cases}
    links: dict[str, set[str | None]] = {}
    for case, kind in cases:
        indices = case.get("indices")
        found_links = [
            name
            for name, index in (indices.items() if isinstance(indices, dict) else ())
            if isinstance(index, dict) and ids.get(str(index.get(CASE)), kind) != kind
        ]
        links.setdefault(kind, set()).update(found_links or [None])
    return {
        kind: Child(where={path: (kind,)}, key=CASE, parent=f"indices.{next(iter(names))}.{CASE}")
        for kind, names in links.items()
        if len(names) == 1 and None not in names and not re.search(r"[\s.\[\]=]", kind)
    }


def _is_dropped(at: str, dropped: list[str]) -> bool:
    path = at.removeprefix(f"{OUTER}.")
    return any(
        path.startswith(d[:-1]) if d.endswith("*") else path == d or path.startswith(f"{d}.")
        for d in dropped
    )
