"""Plausibility alarms: records that a machine may have read wrongly, though every row is whole."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.text import fold
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import DESTINATION, HARM, ORIGIN, PERIOD, SEX
from ctdhub.sensitive.alarms.alarm import Alarm, AlarmLimits
from ctdhub.sensitive.alarms.delivered import CHILD, PERSON_KEY, ReadDelivery


def implausible(now: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """The alarms of a delivery by itself."""

    def alarm(name: str, n: int, of: int, about: str = "") -> Alarm:
        return Alarm(name, about, now.contributor, now.date, n, of)

    if now.rows >= limits.base and _more(now.rejected, now.rows, limits.rejects):
        yield alarm("many-rejects", now.rejected, now.rows)
    left_out = now.rows - now.rejected - now.records.num_rows
    if now.rows >= limits.base and left_out > limits.excluded * now.rows:
        yield alarm("many-excluded", left_out, now.rows)
    for column in now.columns:
        if column.dates >= limits.base and column.new_year == column.dates:
            yield alarm("all-first-of-january", column.new_year, column.dates, column.column)
        if column.lists >= limits.lists and column.sets == column.lists:
            yield alarm("sorted-lists", column.sets, column.lists, column.column)
    if now.records.num_rows < limits.base:
        return
    minors, ages = _under_18(now.records)
    if ages >= limits.base and minors in (0, ages):
        yield alarm("all-under-18" if minors else "none-under-18", minors, ages)
    for name, variable in (
        ("one-gender", SEX),
        ("one-citizenship", ORIGIN),
        ("one-country", DESTINATION),
    ):
        known = now.records[variable].drop_null()
        if len(known) >= limits.base and len(known.unique()) == 1 and _is_read(now, variable):
            yield alarm(name, len(known), len(known))
    for year, n in _jumps(now.records[PERIOD], limits):
        yield alarm("year-jump", n, now.records.num_rows, str(year))
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


def _jumps(years: pa.ChunkedArray, limits: AlarmLimits) -> Iterator[tuple[int, int]]:
    """Years with ten times as many records as the years next to them have on average.

    The newest year is left out, for it is most of what a small first delivery holds, and so are
    spans of less than three years.  Years between the first and the last without a record are 0.
    """
    counted = {c["values"]: c["counts"] for c in years.drop_null().value_counts().to_pylist()}
    if not counted or max(counted) - min(counted) < 2:
        return
    for year in range(min(counted), max(counted)):
        n = counted.get(year, 0)
        beside = [counted.get(year + step, 0) for step in (-1, 1) if year + step >= min(counted)]
        if n >= limits.base and n >= limits.jump * sum(beside) / len(beside):
            yield year, n


def _flags(now: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """Flags that are never yes although silence counts as no; records without exploitation.

    A rare form may truly have nobody: it rings only where its column holds unknown texts, in which
    a yes may hide.  A flag of the schema's core always rings.
    """
    of = now.records.num_rows
    schema = load_schema()
    strange = {fold(u.column) for u in now.all_unknown}
    for variable, rules in now.mapping.columns.items():
        silent = [rule for rule in rules if rule.absent]
        hidden = any(fold(column) in strange for rule in silent for column in rule.source)
        n = now.recorded.get(variable, 0) if hidden or schema.variable(variable).core else 0
        if silent and n >= limits.never and not now.ever(variable, "yes"):
            yield Alarm("never-yes", variable, now.contributor, now.date, 0, n)
    flags = [f for f in schema.flags(HARM) if f in now.mapping.columns]
    if flags:
        some = reduce(pc.or_, (pc.fill_null(pc.equal(now.records[f], "yes"), False) for f in flags))
        without = of - (pc.sum(some).as_py() or 0)
        if _more(without, of, limits.unexploited):
            yield Alarm("no-exploitation", "", now.contributor, now.date, without, of)


def _keys(now: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """Person keys of two genders or births, and too many records for their keys."""
    keyed = now.records.filter(pc.is_valid(now.records[PERSON_KEY])).select([PERSON_KEY, SEX])
    groups = keyed.group_by(PERSON_KEY).aggregate([(SEX, "count_distinct")])
    two = pc.sum(pc.greater(groups[f"{SEX}_count_distinct"], 1)).as_py() or 0
    if two:
        yield Alarm("key-two-genders", "", now.contributor, now.date, two, groups.num_rows)
    if now.births:
        yield Alarm("key-two-births", "", now.contributor, now.date, now.births, groups.num_rows)
    records, keys = keyed.num_rows, groups.num_rows
    if records >= limits.base and records > limits.records_a_key * keys:
        yield Alarm("many-records-a-key", "", now.contributor, now.date, records, keys)
