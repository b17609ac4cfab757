"""Alarms about who is in a delivery: numbers written anew, nobody of before, or hardly anybody."""

from __future__ import annotations

from collections.abc import Iterator

from ctdhub.core.text import fold
from ctdhub.sensitive.alarms.alarm import Alarm, AlarmLimits
from ctdhub.sensitive.alarms.delivered import ReadDelivery
from ctdhub.sensitive.mapping.unknown_texts import ColumnContent


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
    held = {fold(c.column): c for c in before.columns} if before else {}
    for column in now.columns:
        if n := _rewritten(column, held.get(fold(column.column)), cumulative, limits.least):
            of = column.digits + column.decimals
            yield Alarm("ids-rewritten", column.column, now.contributor, now.date, n, of)
    people = now.people
    if min(len(people), len(known)) < limits.base:
        return
    if not people & known:
        yield Alarm("nobody-again", "", now.contributor, now.date, 0, len(people))
    elif cumulative and before is not None and len(before.people) >= limits.base:
        left, again = len(before.people - people), len(before.people & people)
        if left > again:
            yield Alarm("most-left", "", now.contributor, now.date, left, left + again)


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
