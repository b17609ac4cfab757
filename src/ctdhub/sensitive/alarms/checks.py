"""Alarms: what must be looked at before a delivery counts, decided by what the mapping accepts."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.i18n import LocalName, Numeral, Text, texts
from ctdhub.core.tables import FILE_ROW, counts_of, fold
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
            about = LocalName.of(lambda lang: label(self.about, lang))
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
        columns: dict[str, ColumnContent] = {}
        for one in (c for file in self.texts for c in file.columns):
            key = fold(one.column)
            columns[key] = _both(columns[key], one) if key in columns else one
        return tuple(columns.values())

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
    unknown = [replace(one, rows=rows[key]) for key, one in first.items()]
    return tuple(sorted(unknown, key=lambda u: (fold(u.column), -u.rows, fold(u.text))))


def _both(one: ColumnContent, other: ColumnContent) -> ColumnContent:
    counts = {name: n + getattr(other, name) for name, n in vars(one).items() if type(n) is int}
    built = tuple(sorted({*one.built, *other.built}))
    read, decided = one.read or other.read, one.decided or other.decided
    return replace(one, read=read, decided=decided, built=built, **counts)


# --------------------------------------------------------------------------------------------------
# All alarms of a contributor's deliveries, each decided by what the mapping accepts.


# --------------------------------------------------------------------------------------------------
# Alarms that stop a build: texts nobody can read, and what changed since the delivery before.


def drifted(now: ReadDelivery, before: ReadDelivery | None, limits: AlarmLimits) -> Iterator[Alarm]:
    """The alarms of a delivery.

    Args:
        now: the delivery.
        before: the last one of the same contributor, None where it is the first.
        limits: when an alarm rings.
    """
    yield from _many(now, "unknown-texts", now.unknown, limits)
    if before is None:
        return
    seen = {(fold(u.column), fold(u.text)) for u in before.all_unknown}
    new = [u for u in now.unknown if (fold(u.column), fold(u.text)) not in seen]
    yield from _many(now, "new-texts", new, limits)
    yield from _new_columns(now, before)
    yield from _fell(now, before, limits)
    yield from _moved(now, before, limits)


def _many(
    now: ReadDelivery, name: str, unknown: Iterable[UnknownText], limits: AlarmLimits
) -> Iterator[Alarm]:
    """Columns in which too many of the filled cells hold these texts.

    A text that the mapping lets pass in writing (``unknown: pass``) is listed and does not count.
    """
    cells: Counter[str] = Counter()
    for one in unknown:
        if one.outcome != "passed-over":
            cells[fold(one.column)] += one.rows
    for column in now.columns:
        n = cells[fold(column.column)]
        if n >= limits.least and n > limits.unknown_share * column.filled:
            yield now.alarm(name, n, column.filled, column.column)


def _new_columns(now: ReadDelivery, *before: ReadDelivery) -> Iterator[Alarm]:
    had = {fold(c.column) for one in before for c in one.columns}
    had.add(FILE_ROW)  # the first bundle after plain files
    new = [c for c in now.columns if fold(c.column) not in had and not c.read and not c.decided]
    for column in new:
        yield now.alarm("new-column", len(new), len(now.columns), column.column)


def _fell(now: ReadDelivery, before: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """Variables whose recorded share fell by half or more."""
    of, was_of = now.records.num_rows, before.records.num_rows
    if min(of, was_of) < limits.base:
        return
    for variable, was in before.recorded.items():
        n = now.recorded.get(variable, 0)
        if was < limits.base or n / of > limits.fell * was / was_of:
            continue
        yield now.alarm("recorded-fell", n, of, variable, was, was_of)


def _moved(now: ReadDelivery, before: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """Variables of which a value has another share of the records: the value that moved most."""
    schema, coded = load_schema(), ("code", "flag", "country")
    for variable in before.mapping.columns.keys() & now.mapping.columns.keys():
        if variable == PERIOD or schema.variable(variable).kind not in coded:
            continue
        texts = [one.records[variable].cast(pa.string()).drop_null() for one in (now, before)]
        counts = [Counter(counts_of(each)) for each in texts]
        of, was_of = (count.total() for count in counts)
        if min(of, was_of) < limits.base:
            continue
        moves = {}
        for value in counts[0].keys() | counts[1].keys():
            n, was = (count[value] for count in counts)
            share = (n + was) / (of + was_of)
            error = math.sqrt(share * (1 - share) * (1 / of + 1 / was_of))
            if abs(n / of - was / was_of) > max(limits.moved, 3.5 * error):
                moves[value] = (abs(n / of - was / was_of), n, was)
        if moves:
            _move, n, was = max(moves.values())
            yield now.alarm("value-moved", n, of, variable, was, was_of)


# --------------------------------------------------------------------------------------------------
# Alarms about who is in a delivery: numbers written anew, nobody of before, or hardly anybody.


def about_people(
    now: ReadDelivery,
    before: ReadDelivery | None,
    known: frozenset[str],
    cumulative: bool,
    limits: AlarmLimits,
) -> Iterator[Alarm]:
    """The alarms of a delivery.

    Args:
        now: the delivery.
        before: the last one that is compared with it, None where there is none.
        known: person keys of the earlier deliveries that may be compared with it.
        cumulative: whether each delivery holds everybody anew; if not, nobody leaves.
        limits: when an alarm rings.
    """
    columns = {fold(c.column): c for c in before.columns} if before else {}
    for column in now.columns:
        if n := _rewritten(column, columns.get(fold(column.column)), cumulative, limits.least):
            of = column.digits + column.decimals
            yield now.alarm("ids-rewritten", n, of, column.column)
    people = now.people
    if min(len(people), len(known)) < limits.base:
        return
    if not people & known and (cumulative or not _built_alike(now, columns)):
        yield now.alarm("nobody-again", 0, len(people))
    elif cumulative and before is not None and len(before.people) >= limits.base:
        left, again = len(before.people - people), len(before.people & people)
        if left > again:
            yield now.alarm("most-left", left, left + again)


def _built_alike(now: ReadDelivery, columns: Mapping[str, ColumnContent]) -> bool:
    """Whether numbers of people are built as before, so that new ones are new people."""
    keyed = now.mapping.key_columns()
    names = [fold(name) for name in keyed[0]] if keyed else []
    mine = {fold(c.column): c.built for c in now.columns}
    return bool(names) and all(
        name in columns and set(mine.get(name, ())) & set(columns[name].built) for name in names
    )


def _rewritten(now: ColumnContent, was: ColumnContent | None, cumulative: bool, least: int) -> int:
    """Cells that a spreadsheet wrote anew; of each spelling of a number another key is made.

    In one file 17 stands beside 18.0; or a delivery has only the one where that before had only the
    other; or no number of everybody begins with 0 any more, or some do for the first time.
    """
    if min(now.digits, now.decimals) >= least:
        return now.decimals
    if was is None or now.digits + now.decimals < least:
        return 0
    if now.decimals and was.digits >= least > was.decimals:
        return now.decimals
    if not now.decimals and was.decimals >= least > was.digits:
        return now.digits
    pads, padded = (c.padded >= least for c in (now, was))
    if cumulative and was.digits >= least and pads != padded and not min(now.padded, was.padded):
        return now.padded or now.digits
    return 0


# --------------------------------------------------------------------------------------------------
# Plausibility alarms: records that a machine may have read wrongly, though every row is whole.


def implausible(now: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """The alarms of a delivery by itself."""
    if now.rows >= limits.base and _more(now.rejected, now.rows, limits.rejects):
        yield now.alarm("many-rejects", now.rejected, now.rows)
    left_out = now.rows - now.rejected - now.records.num_rows
    if now.rows >= limits.base and left_out > limits.excluded * now.rows:
        yield now.alarm("many-excluded", left_out, now.rows)
    for column in now.columns:
        if column.dates >= limits.base and column.new_year == column.dates:
            yield now.alarm("all-first-of-january", column.new_year, column.dates, column.column)
        if column.lists >= limits.lists and column.sets == column.lists:
            yield now.alarm("sorted-lists", column.sets, column.lists, column.column)
    if now.records.num_rows < limits.base:
        return
    minors, ages = _under_18(now.records)
    if ages >= limits.base and minors in (0, ages):
        yield now.alarm("all-under-18" if minors else "none-under-18", minors, ages)
    single = {"one-gender": SEX, "one-citizenship": ORIGIN, "one-country": DESTINATION}
    for name, variable in single.items():
        known = now.records[variable].drop_null()
        if len(known) >= limits.base and len(known.unique()) == 1 and _is_read(now, variable):
            yield now.alarm(name, len(known), len(known))
    for year, n in _jumps(now.records[PERIOD], limits):
        yield now.alarm("year-jump", n, now.records.num_rows, str(year))
    yield from _flags(now, limits)
    yield from _keys(now, limits)


def _more(n: int, of: int, share: float) -> bool:
    """Whether n is more than a share of all, by more than chance (two standard errors) does."""
    return n > share * of + 2 * math.sqrt(share * (1 - share) * of)


def _is_read(now: ReadDelivery, variable: str) -> bool:
    """Whether a variable comes from cells: a constant was decided in writing."""
    rules = now.mapping.columns.get(variable, ())
    return any(rule.value is None for rule in rules)


def _under_18(records: pa.Table) -> tuple[int, int]:
    """Records of people under 18, and records that say whether somebody is."""
    known, minor = [], []
    for name, marks in load_schema().marks.items():
        if CHILD in marks and name in records.column_names:
            known.append(pc.is_valid(records[name]))
            minor.append(pc.is_in(records[name], value_set=pa.array(marks[CHILD])))
    some, recorded = (pc.sum(reduce(pc.or_, each)).as_py() for each in (minor, known))
    return some or 0, recorded or 0


def contradictions(now: ReadDelivery) -> Iterator[Alarm]:
    """Variables of which records say otherwise than what follows from other variables.

    A flag says otherwise also where it is not recorded: its people are missing from the form.
    """
    schema, wrong = load_schema(), defaultdict[str, list[pa.ChunkedArray]](list)
    for of, codes, name, code in schema.implied():
        if of in now.mapping.columns:
            basis = pc.is_in(now.records[of], value_set=pa.array(codes))
            silent = schema.variable(name).kind != "flag"
            same = pc.fill_null(pc.equal(now.records[name], code), silent)
            wrong[name].append(pc.and_not(basis, same))
    if now.kind:
        other = pc.not_equal(now.records[model.CONTRIBUTOR_KIND], now.kind)
        wrong[model.CONTRIBUTOR_KIND].append(pc.fill_null(other, False))
    for name, each in wrong.items():
        if n := pc.sum(reduce(pc.or_, each)).as_py():
            of = now.records.num_rows
            yield now.alarm("contradiction", n, of, name)


def _jumps(years: pa.ChunkedArray, limits: AlarmLimits) -> Iterator[tuple[int, int]]:
    """Years with ten times as many records as the years next to them have on average.

    The newest year is left out, for it is most of what a small first delivery holds, and so are
    spans of less than three years.  Years between the first and the last without a record are 0.
    """
    counted = counts_of(years.drop_null())
    if not counted or max(counted) - min(counted) < 2:
        return
    for year in range(min(counted), max(counted)):
        n = counted.get(year, 0)
        beside = [counted.get(year + step, 0) for step in (-1, 1) if year + step >= min(counted)]
        if n >= limits.base and n >= limits.jump * sum(beside) / len(beside):
            yield year, n


def _flags(now: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """Flags that are never yes; records without exploitation.

    Where silence counts as no, a rare form may truly have nobody: it rings only where its column
    holds unknown texts, in which a yes may hide.  A flag of the schema's core always rings, and so
    does a column that is answered yes or no.
    """
    of = now.records.num_rows
    schema = load_schema()
    strange = {fold(u.column) for u in now.all_unknown}
    for variable, rules in now.mapping.columns.items():
        silent = [rule for rule in rules if rule.absent]
        hidden = any(fold(column) in strange for rule in silent for column in rule.source)
        open_ = bool(silent) and (hidden or schema.variable(variable).core)
        asked = any("no" in (rule.map or {}).values() for rule in rules)
        n, least = now.recorded.get(variable, 0), limits.base if asked else limits.never
        if (open_ or asked) and n >= least and not now.ever(variable, "yes"):
            yield now.alarm("never-yes", 0, n, variable)
    flags = [f for f in schema.flags(HARM) if f in now.mapping.columns]
    if flags:
        some = reduce(pc.or_, (pc.fill_null(pc.equal(now.records[f], "yes"), False) for f in flags))
        without = of - (pc.sum(some).as_py() or 0)
        if _more(without, of, limits.unexploited):
            yield now.alarm("no-exploitation", without, of)


def _keys(now: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """Person keys of two genders or births, and too many records for their keys."""
    keyed = now.records.filter(pc.is_valid(now.records[PERSON_KEY])).select([PERSON_KEY, SEX])
    groups = keyed.group_by(PERSON_KEY).aggregate([(SEX, "count_distinct")])
    two = pc.sum(pc.greater(groups[f"{SEX}_count_distinct"], 1)).as_py() or 0
    if two:
        yield now.alarm("key-two-genders", two, groups.num_rows)
    if now.births:
        yield now.alarm("key-two-births", now.births, groups.num_rows)
    records, keys = keyed.num_rows, groups.num_rows
    if records >= limits.base and records > limits.records_a_key * keys:
        yield now.alarm("many-records-a-key", records, keys)


_DRIFT = frozenset(
    {"new-texts", "new-column", "recorded-fell", "value-moved"}
    | {"ids-rewritten", "nobody-again", "most-left"}
)
"""Alarms that compare a delivery with an older one."""


def ring(
    deliveries: Sequence[ReadDelivery],
    limits: AlarmLimits,
    newest: bool = False,
    cumulative: bool = True,
    corrections: frozenset[str] = frozenset(),
) -> tuple[Alarm, ...]:
    """The alarms.

    A delivery is compared with the last one that was itself like those before it, or was accepted:
    what rang an alarm does not become usual by being sent once more.

    Args:
        deliveries: of one contributor, the oldest first.
        limits: when an alarm rings.
        newest: whether the newest delivery alone counts, so that no older one rings.
        cumulative: whether each delivery holds everybody anew; if not, nobody leaves.
        corrections: dates of deliveries of corrections: they hold whom somebody chose, so that
            they are compared with nothing but for the columns that all earlier ones have.
    """
    alarms: list[Alarm] = []
    before: ReadDelivery | None = None
    known = frozenset[str]()
    for place, now in enumerate(deliveries):
        corrects = now.date in corrections
        rang = [
            *drifted(now, None if corrects else before, limits),
            *(_new_columns(now, *deliveries[:place]) if corrects else ()),
            *about_people(now, before, known, cumulative, limits),
        ]
        drift = [alarm.decided(now.mapping.accept) for alarm in rang]
        if not newest or now is deliveries[-1]:
            alarms += drift
            alone = (*contradictions(now), *implausible(now, limits))
            alarms += [alarm.decided(now.mapping.accept) for alarm in alone]
        if not any(alarm.name in _DRIFT and not alarm.accepted for alarm in drift):
            before = before if corrects else now
            known |= now.people
    return tuple(alarms)
