"""Corridors of a file: the totals by origin and by destination, and one lead for one event."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ctdhub.stats.signals.find import Finding, Found, What
from ctdhub.stats.signals.judging import Way
from ctdhub.stats.signals.one_event import Lead
from ctdhub.stats.signals.panel import SeriesPanel, Side
from ctdhub.stats.signals.tails import Floats

MOST_MISSING = 0.2
"""Part of a total, by the means of its series, that may be missing in a period."""
NEARLY_ALL = 0.7
"""Part of the movement of a total that one corridor makes up, to lead instead of it."""
MOSTLY = 0.5
"""Part of the movement of a total that series of another one make up, to be told with that one."""
_NAMED = re.compile(r"(.+?)\s*(?: to |→|->)\s*(.+)")


def sides_of(names: Sequence[str]) -> tuple[Side, ...]:
    """Origin and destination where every name is of the form "A to B"; else ()."""
    found = [_NAMED.fullmatch(name) for name in names]
    sides = tuple((m[1].strip(), m[2].strip()) for m in found if m)
    return sides if len(sides) == len(names) else ()


def with_totals(panel: SeriesPanel) -> SeriesPanel:
    """The panel and, below its series, the totals of every side that has two corridors or more.

    A total's side leaves the other end empty.  A period in which corridors are missing takes their
    means; it is missing itself where these make up more than :data:`MOST_MISSING`.
    """
    if not panel.sides:
        return panel
    rows: list[Floats] = []
    noise: list[Floats] = []
    sides: list[Side] = []
    for end in (1, 0):
        for place in sorted({side[end] for side in panel.sides}):
            members = [k for k, side in enumerate(panel.sides) if side[end] == place]
            if len(members) > 1 and place:
                total, of_noise = _total(panel, members)
                rows.append(total)
                noise.append(of_noise)
                sides.append((place, "") if end == 0 else ("", place))
    if not rows:
        return panel
    empty = np.full((len(rows), len(panel.periods)), np.nan)
    return replace(
        panel,
        names=(*panel.names, *(_name(side) for side in sides)),
        counts=np.vstack([panel.counts, rows]),
        wholes=np.vstack([panel.wholes, empty]),
        noise=np.vstack([panel.noise, noise]),
        noise_of_wholes=np.vstack([panel.noise_of_wholes, 0 * np.nan_to_num(empty)]),
        sides=(*panel.sides, *sides),
    )


def _name(side: Side) -> str:
    return f"origin={side[0]}" if side[0] else f"destination={side[1]}"


def _total(panel: SeriesPanel, members: list[int]) -> tuple[Floats, Floats]:
    counts = panel.counts[members]
    known = ~np.isnan(counts)
    sums = np.where(known, counts, 0.0).sum(axis=1)
    means = (sums / np.maximum(known.sum(axis=1), 1))[:, None]
    missing = np.where(known, 0.0, means).sum(axis=0)
    total = np.where(known, counts, means).sum(axis=0)
    some = known.any(axis=0) & (missing <= MOST_MISSING * max(float(means.sum()), 1e-9))
    noise = np.sqrt((np.where(known, panel.noise[members], 0.0) ** 2).sum(axis=0))
    return np.where(some, total, np.nan), noise


def leads_of(found: Found) -> tuple[Lead, ...]:
    """All signals, each once as a lead or under one, the largest first."""
    left = list(found.signals)
    if not found.panel.sides:
        return tuple(Lead(f) for f in left)
    rate = found.settings.rate
    told = []
    while left:
        head = _narrowest(found, left)
        left = [f for f in left if f is not head]
        under = [f for f in left if _same_event(found, head, f, rate)]
        left = [f for f in left if f not in under]
        told.append(Lead(head, tuple(under)))
    return tuple(told)


def _narrowest(found: Found, left: list[Finding]) -> Finding:
    """The first signal, or the one corridor that makes up most of it."""
    first, rate = left[0], found.settings.rate
    members = _members(found.panel, first.row)
    change = _change(found, sorted(members))
    for other in left[1:]:
        if {other.row} < members and _ways(other, rate) & _ways(first, rate):
            own = _change(found, [other.row])
            if change and own / change >= NEARLY_ALL:
                return other
    return first


def _same_event(found: Found, head: Finding, other: Finding, rate: float) -> bool:
    if not _ways(head, rate) & _ways(other, rate):
        return False
    a, b = (_members(found.panel, f.row) for f in (head, other))
    if b <= a:
        return True
    change = _change(found, sorted(b))
    shared = _change(found, sorted(a & b))
    return bool(a & b) and change * shared > 0 and shared / change >= MOSTLY


def _ways(finding: Finding, rate: float) -> set[tuple[What, Way]]:
    return {(t.what, t.way) for t in finding.moved(rate)}


def _members(panel: SeriesPanel, row: int) -> set[int]:
    """Rows of the corridors that a series counts."""
    origin, destination = panel.sides[row]
    if origin and destination:
        return {row}
    return {
        k
        for k, (a, b) in enumerate(panel.sides)
        if a and b and (not origin or a == origin) and (not destination or b == destination)
    }


def _change(found: Found, rows: list[int]) -> float:
    """People of a period in the window less those of the past."""
    (begin, end), (first, last) = found.past, found.window
    counts = found.panel.counts[rows]
    before, now = counts[:, begin : end + 1], counts[:, first : last + 1]
    return sum(
        float(np.nanmean(b) - np.nanmean(a))
        for a, b in zip(before, now, strict=True)
        if not (np.isnan(a).all() or np.isnan(b).all())
    )
