"""The same people seen from two sides: which signals are told together.

A share that rises makes another share of the same whole fall: the fall is told with the largest
rise.  A place whose number falls makes the numbers of its women and its children fall: these are
told with the place.  Together they stand where the largest of them does.  A
citizenship, a country and the corridor between them are not the same people, but may be mostly so:
these, and signals of the same place, are linked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import DESTINATION, HARM, ORIGIN
from ctdhub.stats.signals.find import Finding, Found, What
from ctdhub.stats.signals.judging import Way
from ctdhub.stats.signals.one_event import Lead, each_event_once
from ctdhub.stats.signals.tested_series import Looked, Of

MOST = 0.5
"""Part of a citizenship's or a country's people in a corridor that makes its signals linked."""
_KIND = "kind of exploitation"
Moves = dict[int, dict[What, Way]]
"""What moved which way, by row."""


def leads_among(found: Found, looked: Sequence[Looked]) -> tuple[Lead, ...]:
    """All signals, each once as a lead or under one, the largest first.

    Args:
        looked: the series by row of the panel.
    """
    signals, rate = found.signals, found.settings.rate
    moves = {f.row: {t.what: t.way for t in f.moved(rate)} for f in signals}
    over: dict[int, int] = {}
    for finding in signals:
        for other in signals:
            if _told_with(looked, moves, finding, other):
                over[finding.row] = other.row
                break
    rows = [over.get(f.row, f.row) for f in signals]
    held = {f.row: f for f in signals}
    heads = [held[row] for row in dict.fromkeys(rows)]
    return tuple(
        Lead(
            head,
            tuple(f for f in signals if over.get(f.row) == head.row),
            tuple(f for f in heads if f is not head and _linked(found, looked, moves, head, f)),
        )
        for head in heads
    )


def told_once(found: Found, looked: Sequence[Looked]) -> Found:
    """The false discovery rate over what is told, see :func:`each_event_once`."""
    return each_event_once(found, lambda of: leads_among(of, looked))


def _told_with(looked: Sequence[Looked], moves: Moves, finding: Finding, other: Finding) -> bool:
    """Whether a signal is the other one, seen from its other side or from within."""
    one, two = looked[finding.row], looked[other.row]
    mine, theirs = moves[finding.row], moves[other.row]
    if one.places != two.places or not one.part:
        return False
    if not two.part:
        return set(mine) == {"count"} and mine["count"] == theirs["count"]
    ways = mine.get("share"), theirs.get("share")
    return ways == ("fall", "rise") and _answers_to(one.part) == _answers_to(two.part)


def _answers_to(part: Of) -> str:
    """The question that a part answers; types of exploitation are answers to one."""
    return _KIND if part[0][0] in load_schema().flags(HARM) else part[0][0]


def _linked(
    found: Found, looked: Sequence[Looked], moves: Moves, one: Finding, two: Finding
) -> bool:
    a, b = looked[one.row], looked[two.row]
    if a.places == b.places:
        return bool(a.places)
    if a.part != b.part or not moves[one.row].items() & moves[two.row].items():
        return False
    places = dict(a.places) | dict(b.places)
    if set(places) != {ORIGIN, DESTINATION}:
        return False
    if not (set(a.places) <= set(places.items()) and set(b.places) <= set(places.items())):
        return False
    return _mostly_same(found, looked, places)


def _mostly_same(found: Found, looked: Sequence[Looked], places: dict[str, str]) -> bool:
    """Whether half of the citizens, or of those exploited in the country, are of the corridor."""
    rows = {frozenset(one.of): row for row, one in enumerate(looked)}
    corridor = _people(found, rows.get(frozenset(places.items())))
    sides = [_people(found, rows.get(frozenset({pair}))) for pair in places.items()]
    return any(side > 0 and corridor / side >= MOST for side in sides)


def _people(found: Found, row: int | None) -> float:
    """People of the compared years; none where there is no series."""
    if row is None:
        return 0.0
    first, last = found.past[0], found.window[1]
    return float(np.nansum(found.panel.counts[row, first : last + 1]))
