"""What the contributors that did not change report: the series that can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ctdhub.stats.answers import Answers
from ctdhub.stats.signals.contributor_share import Piece, Pieces
from ctdhub.stats.signals.coverage_change import CoverageChange, reporting
from ctdhub.stats.signals.find import Found
from ctdhub.stats.signals.panel import SeriesPanel
from ctdhub.stats.signals.tails import Floats
from ctdhub.stats.signals.tested_series import Of

Basis = Literal["all", "others", "estimated", "undivided"]
CLEAR = 5.0
"""Deviations by which a whole lies above zero, before and now, or its share is not tested: a ratio
then errs by at most a fifth (as ``decomposition.split``)."""


@dataclass(frozen=True)
class Compared:
    """What of a series was compared.

    Attributes:
        basis: "all" (the changed sources report none of it, or too few to show), "others" (less
            what they report), "estimated" (the same, their part rests on all years together),
            "undivided" (the release cannot tell their part: the series as it is).
        parts: what each changed kind of source reports by year, shape (kinds, years).
        apart: whether the parts are of the changed contributors alone.
    """

    basis: Basis
    parts: Floats
    apart: bool = False

    @property
    def is_less(self) -> bool:
        """Whether something was taken away."""
        return self.basis in ("others", "estimated")


def remainder(
    answers: Answers,
    plain: Found,
    asked: tuple[tuple[Of, Of], ...],
    sources: tuple[CoverageChange, ...],
) -> tuple[SeriesPanel, tuple[Compared, ...]]:
    """The panel of what can be compared.

    Args:
        plain: what was found in the series as they are.
        asked: places and part of each series, by row.
        sources: the kinds of source that changed.
    """
    panel = plain.panel
    years = range(panel.periods[0].place, panel.periods[-1].place + 1)
    spread = np.ones(len(years))
    for first, last in (plain.past, plain.window):
        spread[first : last + 1] = last - first + 1
    pieces = [Pieces(answers, one, years, spread) for one in sources]
    left = _left(answers, sources, years, plain)
    arrays = [a.copy() for a in (panel.counts, panel.wholes, panel.noise, panel.noise_of_wholes)]
    counts, wholes, noise, noise_of_wholes = arrays
    compared = []
    for row, (places, rest) in enumerate(asked):
        parts = _all(p.part(places, rest) for p in pieces)
        whole: list[Piece] | None = []
        if not np.isnan(panel.wholes[row]).all():
            whole = _all(p.whole(places, rest[0][0]) for p in pieces)
        apart = parts is not None and all(p.apart for p in parts)
        if parts is None or whole is None or not left[apart].any():
            compared.append(Compared("undivided", np.zeros((len(sources), len(years)))))
            continue
        taken = np.stack([p.people for p in parts])
        if all(p.is_none for p in (*parts, *whole)):
            compared.append(Compared("all", taken))
            continue
        counts[row] = np.where(left[apart], counts[row] - taken.sum(axis=0), np.nan)
        noise[row] = _noise(noise[row], parts)
        if whole:
            less = np.sum([p.people for p in whole], axis=0)
            wholes[row] = np.where(left[apart], wholes[row] - less, np.nan)
            noise_of_wholes[row] = _noise(noise_of_wholes[row], whole)
            if not _clear(wholes[row], noise_of_wholes[row], plain):
                wholes[row] = np.nan
        estimated = any(p.estimated and not p.is_none for p in (*parts, *whole))
        compared.append(Compared("estimated" if estimated else "others", taken, apart))
    less = replace(
        panel, counts=counts, wholes=wholes, noise=noise, noise_of_wholes=noise_of_wholes
    )
    return less, tuple(compared)


def _all(found: Iterable[Piece | None]) -> list[Piece] | None:
    """All pieces; None where one of them is not known."""
    pieces = list(found)
    known = [p for p in pieces if p is not None]
    return known if len(known) == len(pieces) else None


def _noise(own: Floats, pieces: list[Piece]) -> Floats:
    """Noise of a difference; taken as independent, which is cautious: a series and its part are
    estimated from some of the same draws, which then cancel."""
    found: Floats = np.sqrt(own**2 + np.sum([p.sd**2 for p in pieces], axis=0))
    return found


def _left(
    answers: Answers, sources: tuple[CoverageChange, ...], years: range, plain: Found
) -> dict[bool, np.ndarray]:
    """Years on which somebody else reports: others of any kind (True), or of other kinds (False);
    none at all where past or window has no such year."""
    kinds = frozenset(one.kind for one in sources)
    moved = {name for one in sources for name in one.names}
    found = {}
    for apart in (True, False):
        every = frozenset(c.kind for c in answers.release.facts.contributors)
        here = [
            [
                c
                for c in reporting(answers.release, year, every if apart else every - kinds)
                if c.name not in moved
            ]
            for year in years
        ]
        mask = np.array([bool(names) for names in here])
        spans = (plain.past, plain.window)
        usable = all(mask[first : last + 1].any() for first, last in spans)
        found[apart] = mask & usable
    return found


def _clear(whole: Floats, noise: Floats, plain: Found) -> bool:
    for first, last in (plain.past, plain.window):
        at = slice(first, last + 1)
        known = ~np.isnan(whole[at])
        if whole[at][known].sum() <= CLEAR * np.sqrt((noise[at][known] ** 2).sum()):
            return False
    return True
