"""An alarm: something about a delivery that somebody must look at before it counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.i18n import Named, Numeral, Text, texts
from ctdhub.core.tables import fold
from ctdhub.schema import model
from ctdhub.schema.labels import label
from ctdhub.schema.model import DESTINATION, HARM, ORIGIN, PERIOD, SEX, load_schema
from ctdhub.sensitive.mapping.file_account import ColumnContent, FileTexts, UnknownText
from ctdhub.sensitive.mapping.mapping import ALARMS, STOPPING, Accepted
from ctdhub.sensitive.mapping.mapping import Mapping as ColumnMapping


@dataclass(frozen=True)
class Alarm:
    """Something that looks wrong.

    Attributes:
        name: one of ``accept.ALARMS``.
        about: the column, variable or year, "" where it is about the whole delivery.
        contributor, delivery: whose, and its date.
        n, of: what was counted, and among how many; exact, for the steward alone.
        before_n, before_of: the same of the delivery before, where it is compared with that.
        accepted: whether the mapping accepts it by name.
        reason: why it is accepted, where the mapping says.

    >>> Alarm("unknown-texts", "Tipo", "our-ngo", "2026-01-15", 5, 100).entry
    'unknown-texts: Tipo'
    """

    name: str
    about: str
    contributor: str
    delivery: str
    n: int
    of: int
    before_n: int = 0
    before_of: int = 0
    accepted: bool = False
    reason: str = ""

    @property
    def stops(self) -> bool:
        """Whether it stops a build while it is open; the others stop a charge."""
        return self.name in STOPPING

    @property
    def entry(self) -> str:
        """The entry under ``accept`` that accepts it."""
        return f"{self.name}: {self.about}" if self.about else self.name

    @property
    def accepting(self) -> str:
        """An entry, as YAML, that accepts it for its delivery alone.

        >>> Alarm("unknown-texts", "Tipo", "our-ngo", "2026-01-15", 5, 100).accepting
        '{alarm: "unknown-texts: Tipo", delivery: "2026-01-15"}'
        """
        return (
            f'{{alarm: {json.dumps(self.entry, ensure_ascii=False)}, delivery: "{self.delivery}"}}'
        )

    def decided(self, accept: Iterable[Accepted]) -> Alarm:
        """The alarm, accepted where an entry of the mapping names it."""
        for entry in accept:
            if entry.is_for(self.name, self.about, self.delivery):
                return replace(self, accepted=True, reason=entry.reason)
        return self

    def what(self) -> Text:
        """What was found, with its counts, and without a value of a case record."""
        about: Any = self.about
        if ALARMS[self.name] == "variable":
            about = Named.of(lambda lang: label(self.about, lang))
        fields = {
            "about": about,
            "n": Numeral(self.n),
            "of": Numeral(self.of),
            "before_n": Numeral(self.before_n),
            "before_of": Numeral(self.before_of),
        }
        text = texts("ctdhub.sensitive.alarms", "alarm")[self.name]
        return text.holding(**{k: v for k, v in fields.items() if f"{{{k}}}" in text.message})

    def as_json(self) -> dict[str, Any]:
        """As values that JSON knows; ``Alarm(**value)`` is the way back."""
        return asdict(self)


@dataclass(frozen=True)
class AlarmLimits:
    """When alarms ring; shares are between 0 and 1.

    Attributes:
        unknown_share: of a column's filled cells that may be unknown texts.
        least: cells with unknown texts from which on they are too many.
        base: records, dates or rows below which no other alarm rings, for chance could ring it.
        fell: a recorded share that is this part of the one before, or less.
        moved: by how much the share of a value differs from the one before; 3.5 standard errors
            are needed too, for many values are compared.
        jump: times as many records as the years next to a year have.
        never: records in which a flag is never yes, where a "no" may be mere silence.
        unexploited: of records without any form of exploitation.
        rejects: of rows; as with ``unexploited``, two standard errors more are needed.
        excluded: of rows, that rules of the mapping leave out.
        records_a_key: records for a person key.
        lists: cells that look like sorted sets.
    """

    unknown_share: float = 0.01
    base: int = 50
    least: int = 3
    fell: float = 0.5
    moved: float = 0.2
    jump: int = 10
    never: int = 500
    unexploited: float = 0.05
    rejects: float = 0.02
    excluded: float = 0.5
    records_a_key: float = 1.5
    lists: int = 20


# --------------------------------------------------------------------------------------------------
# What one contributor sent on one day, as far as alarms look at it.

CHILD = "child"
"""The mark of the schema that names codes of people under 18."""

PERSON_KEY = "person_key"


@dataclass(frozen=True)
class ReadDelivery:
    """The files of one contributor and date.  Sensitive.

    Attributes:
        contributor, date: whose, and the date of the folder.
        mapping: by which they were read.
        texts: of each file.
        records: its records; at least the columns :func:`columns_for` names.
        rows, rejected: rows read, and rows rejected.
        births: person keys with records of births too far apart for one person.
        kind: the kind of contributor that the agreement names; "" where none is known.
    """

    contributor: str
    date: str
    mapping: ColumnMapping
    texts: tuple[FileTexts, ...]
    records: pa.Table
    rows: int
    rejected: int
    births: int = 0
    kind: str = ""

    @cached_property
    def columns(self) -> tuple[ColumnContent, ...]:
        """Its columns, those of several files that have one name as one."""
        found: dict[str, ColumnContent] = {}
        for one in (c for file in self.texts for c in file.columns):
            key = fold(one.column)
            found[key] = _both(found[key], one) if key in found else one
        return tuple(found.values())

    @cached_property
    def unknown(self) -> tuple[UnknownText, ...]:
        """Its unknown texts that nobody accepted, those of several files as one."""
        accept, day = self.mapping.accept, self.date
        known = {u for u in self.all_unknown for a in accept if a.knows(u.column, u.text, day)}
        return tuple(u for u in self.all_unknown if u not in known)

    @cached_property
    def all_unknown(self) -> tuple[UnknownText, ...]:
        """Its unknown texts, accepted ones too."""
        return merged(u for file in self.texts for u in file.unknown)

    @cached_property
    def people(self) -> frozenset[str]:
        """Its person keys."""
        return frozenset(self.records[PERSON_KEY].drop_null().unique().to_pylist())

    @cached_property
    def recorded(self) -> Mapping[str, int]:
        """Records in which each mapped variable is recorded."""
        of = self.records.num_rows
        return {name: of - self.records[name].null_count for name in self.mapping.columns}

    def ever(self, variable: str, code: str) -> bool:
        """Whether any record has this code."""
        return bool(pc.any(pc.equal(self.records[variable], code)).as_py())

    def alarm(
        self, name: str, n: int, of: int, about: str = "", before_n: int = 0, before_of: int = 0
    ) -> Alarm:
        """An alarm about it."""
        return Alarm(name, about, self.contributor, self.date, n, of, before_n, before_of)


def columns_for(mapping: ColumnMapping, available: Iterable[str]) -> list[str]:
    """Columns of records that alarms look at."""
    wanted = {*looked_at(), *mapping.columns}
    return [name for name in available if name in wanted]


def looked_at() -> tuple[str, ...]:
    """Columns of records that alarms need whatever the mapping is."""
    schema = load_schema()
    ages = [name for name, marks in schema.marks.items() if CHILD in marks]
    then = (name for _of, _codes, name, _code in schema.implied())
    own = (PERSON_KEY, PERIOD, SEX, ORIGIN, DESTINATION, model.CONTRIBUTOR_KIND)
    return (*own, *ages, *schema.flags(HARM), *then)


def merged(texts: Iterable[UnknownText]) -> tuple[UnknownText, ...]:
    """Unknown texts of several files as one list, those of most rows first in each column."""
    first: dict[tuple[str, str], UnknownText] = {}
    rows: Counter[tuple[str, str]] = Counter()
    for one in texts:
        key = fold(one.column), fold(one.text)
        first.setdefault(key, one)
        rows[key] += one.rows
    found = [replace(one, rows=rows[key]) for key, one in first.items()]
    return tuple(sorted(found, key=lambda u: (fold(u.column), -u.rows, fold(u.text))))


def _both(one: ColumnContent, other: ColumnContent) -> ColumnContent:
    counts = {name: n + getattr(other, name) for name, n in vars(one).items() if type(n) is int}
    built = tuple(sorted({*one.built, *other.built}))
    read, decided = one.read or other.read, one.decided or other.decided
    return replace(one, read=read, decided=decided, built=built, **counts)
