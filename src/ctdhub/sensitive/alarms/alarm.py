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

from ctdhub.core.i18n import Named, Numeral, Text
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
        text = _WHAT[self.name]
        return text.holding(**{k: v for k, v in fields.items() if f"{{{k}}}" in text.message})

    def as_json(self) -> dict[str, Any]:
        """As values that JSON knows; ``Alarm(**value)`` is the way back."""
        return asdict(self)


_WHAT: Mapping[str, Text] = {
    "unknown-texts": Text(
        "Cells of the column {about} with a text that no rule can read: {n} of {of}."
    ),
    "new-texts": Text(
        "Cells of the column {about} with an unknown text that the delivery before did not have: "
        "{n} of {of}."
    ),
    "new-column": Text("The column {about} is new, and no rule reads it."),
    "recorded-fell": Text(
        "{about}: recorded in {n} of {of} records; in the delivery before, {before_n} of "
        "{before_of}."
    ),
    "value-moved": Text(
        "{about}: one value is that of {n} of the {of} records in which it is recorded; in the "
        "delivery before, of {before_n} of {before_of}. Its codes may have changed their meaning."
    ),
    "all-under-18": Text("Every person whose age is recorded is under 18 (records: {of})."),
    "none-under-18": Text("No person whose age is recorded is under 18 (records: {of})."),
    "one-gender": Text("All records with a gender have the same one (records: {of})."),
    "one-citizenship": Text("All records with a citizenship have the same one (records: {of})."),
    "one-country": Text(
        "All records with a country of exploitation have the same one (records: {of})."
    ),
    "year-jump": Text(
        "The year {about} has at least ten times as many records as the years next to it ({n} of "
        "{of})."
    ),
    "all-first-of-january": Text("All dates in the column {about} are 1 January (cells: {of})."),
    "never-yes": Text("{about}: not “yes” in any of the {of} records in which it is recorded."),
    "no-exploitation": Text("Records in which no form of exploitation is “yes”: {n} of {of}."),
    "contradiction": Text(
        "{about}: in {n} of {of} records other than what follows from their other values."
    ),
    "many-rejects": Text("Rejected rows: {n} of {of}."),
    "many-excluded": Text("Rows that rules of the mapping leave out: {n} of {of}."),
    "key-two-genders": Text("Person keys with records of two genders: {n} of {of}."),
    "key-two-births": Text(
        "Person keys with dates of birth too different for one person: {n} of {of}."
    ),
    "many-records-a-key": Text("Person keys: {of}; records with these keys: {n}."),
    "sorted-lists": Text(
        "All lists of alleged perpetrators in the column {about} are sorted and without "
        "repeats (cells: {of}): they look like sets, whose order says nothing."
    ),
    "ids-rewritten": Text(
        "Numbers in the column {about} are written in another way, such as 17.0 or 0017 for 17: "
        "{n} of {of}. Their people would count twice, and those who withdrew are not recognised."
    ),
    "nobody-again": Text(
        "None of the people in earlier deliveries is in this one (people: {of}). If their numbers "
        "are now written in another way, they count twice, and those who withdrew are not "
        "recognised."
    ),
    "most-left": Text(
        "Most people in the delivery before are not in this one: {n} of {of}. If it holds only "
        "what is new or changed, its agreement must say deliveries: additions."
    ),
}


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
