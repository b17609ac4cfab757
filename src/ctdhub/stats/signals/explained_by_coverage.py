"""Series that moved because who reports changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ctdhub.stats.signals.coverage_change import CoverageChange
from ctdhub.stats.signals.find import Finding, Found
from ctdhub.stats.signals.matched_sample import Compared
from ctdhub.stats.signals.tails import Floats

MOST = 0.5
"""Part of a movement that the changed sources make up, to explain it."""


@dataclass(frozen=True)
class Explained:
    """A series that is no signal of the world.

    Attributes:
        finding: as it is, with the reports of everybody.
        by: the changed sources whose reports moved most.
        settled: whether these make up at least half of its movement; otherwise the part of the
            others is too uncertain to tell.
    """

    finding: Finding
    by: CoverageChange
    settled: bool


def explained(
    plain: Found, found: Found, compared: tuple[Compared, ...], sources: tuple[CoverageChange, ...]
) -> tuple[Explained, ...]:
    """Series that moved as they are and not in what the others report, the largest first."""
    believed = {f.row for f in found.signals}
    moved = []
    for finding in plain.signals:
        of = compared[finding.row]
        if finding.row in believed or not of.is_less:
            continue
        parts = [_change(part, plain) for part in of.parts]
        most = int(np.argmax(np.abs(parts)))
        change = finding.count[1].value - finding.count[0].value
        settled = change != 0 and sum(parts) / change >= MOST
        moved.append((abs(change), Explained(finding, sources[most], settled)))
    largest = [one for _size, one in sorted(moved, key=lambda m: (-m[0], m[1].finding.name))]
    rising = plain.rising([one.finding for one in largest])
    return tuple(replace(one, finding=f) for one, f in zip(largest, rising, strict=True))


def _change(part: Floats, plain: Found) -> float:
    """Mean of a year in the window less that of the past."""
    (begin, end), (first, last) = plain.past, plain.window
    return float(part[first : last + 1].mean() - part[begin : end + 1].mean())
