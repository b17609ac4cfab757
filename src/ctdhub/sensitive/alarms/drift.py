"""Alarms that stop a build: texts nobody can read, and what changed since the delivery before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ctdhub.core.tabular import FILE_ROW
from ctdhub.core.text import fold
from ctdhub.sensitive.alarms.alarm import Alarm, AlarmLimits
from ctdhub.sensitive.alarms.delivered import ReadDelivery
from ctdhub.sensitive.mapping.unknown_texts import UnknownText


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
            yield Alarm(name, column.column, now.contributor, now.date, n, column.filled)


def _new_columns(now: ReadDelivery, before: ReadDelivery) -> Iterator[Alarm]:
    had = {
        FILE_ROW,
        *(fold(c.column) for c in before.columns),
    }  # the first bundle after plain files
    new = [c for c in now.columns if fold(c.column) not in had and not c.read and not c.decided]
    for column in new:
        yield Alarm(
            "new-column", column.column, now.contributor, now.date, len(new), len(now.columns)
        )


def _fell(now: ReadDelivery, before: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """Variables whose recorded share fell by half or more."""
    of, was_of = now.records.num_rows, before.records.num_rows
    if min(of, was_of) < limits.base:
        return
    for variable, was in before.recorded.items():
        n = now.recorded.get(variable, 0)
        if was < limits.base or n / of > limits.fell * was / was_of:
            continue
        yield Alarm("recorded-fell", variable, now.contributor, now.date, n, of, was, was_of)
