"""The change between two years, split into parts that add up to it exactly.

Method.  N(y) counts the people asked about whom the contributors registered in year y.
1. **Contributors.**  What a contributor counted that reports on one of the two years only belongs
   to the mix of contributors, whole.
2. Within each contributor c of both years, with T(y) people, R(y) of them with the answer recorded
   and N(y) asked about, N = r W, where r = R / T is the share recorded, and W = N / r the people
   that there would be if those not recorded were like those recorded.  The change of this product
   is shared out as Shapley does, by the mean over both orders of the two factors:
     **recording**  (r' - r) (W + W') / 2
     **the rest**   (W' - W) (r + r') / 2
   which add up to N' - N.  No order of the three steps gives the contributors another part, so
   this is the Shapley value of all three.  Where hardly anybody is recorded in one of the years
   (R not clear of the noise), W is T times N / R of the other year, and the rest is what is left.
3. Contributors that are counted together cannot be split unless the same of them report on both
   years: their change is a part of its own, and never under the name of one that left or joined.
Contributors in which those recorded are clear of the noise in neither year are split together.

Sources: P. Das Gupta, Standardization and Decomposition of Rates, U.S. Bureau of the Census,
P23-186 (1993), for two factors; A. F. Shorrocks, J. Economic Inequality 11:99 (2013), for Shapley.

Intervals.  Contributors' and undivided parts are exact linear combinations of independent noise.
Recording and the rest are not linear; their errors are of first order (``errors``).  Each interval
holds for its own part at the release's level.  They are about the noise of the protection, and say
nothing about chance in who was identified.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ctdhub.stats.breaks import DeclaredBreak
from ctdhub.stats.decomposition.contributors import POOLED, ContributorGroup
from ctdhub.stats.decomposition.counts import Cell, Counts
from ctdhub.stats.decomposition.errors import Noisy, total
from ctdhub.stats.intervals import Interval
from ctdhub.stats.rounding import whole

Kind = Literal["left", "joined", "recording", "rest", "undivided", "unmeasured", "unclear"]
CLEAR = 5.0
"""People recorded lie above zero by so many standard deviations, or a group is not split alone:
the quotients then err by at most a fifth, and the term of second order by a few per cent."""


@dataclass(frozen=True)
class ChangePart:
    """A part of a change: how many more people there are in the later year because of it.

    Attributes:
        kind: "left" and "joined" (contributors of one of the years only), "recording", "rest",
            "undivided" (contributors counted together, not all of them in both years),
            "unmeasured" (the same, because the release counted no contributor apart), "unclear"
            (contributors of both years with too few people recorded to tell the last two apart).
        names: the contributors that it is about; () for all of both years.
        value, low, high: people, whole numbers; negative where there are fewer.
    """

    kind: Kind
    names: tuple[str, ...]
    value: int
    low: int
    high: int

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Split:
    """A change and its parts.

    Attributes:
        earlier, later: the two years.
        value, low, high: how many more people the later year has.
        parts: they add up to ``value``.
        shares: share of people, in 0..1, for whom the answer is recorded in the earlier and the
            later year among the contributors of both, each with its interval (of first order, cut
            to 0..1); None where that is no part.
        borrowed: whether some contributors recorded hardly any answer in one of the years, so
            that those recorded in the other year stand for both.
        level: coverage of each interval.
        breaks: that contributors of both years declared between the two.
    """

    earlier: int
    later: int
    value: int
    low: int
    high: int
    parts: tuple[ChangePart, ...]
    shares: tuple[Interval, Interval] | None
    borrowed: bool
    level: float
    breaks: tuple[DeclaredBreak, ...] = ()

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0

    def of(self, *kinds: Kind) -> tuple[ChangePart, ...]:
        """The parts of some kinds."""
        return tuple(part for part in self.parts if part.kind in kinds)


def split(counts: Counts, earlier: int, later: int) -> Split | None:
    """Split the change between two years; None where nobody reports on one of them."""
    left: list[ContributorGroup] = []
    joined: list[ContributorGroup] = []
    both: list[ContributorGroup] = []
    mixed: list[ContributorGroup] = []
    for group in counts.groups:
        before, after = group.reporting(earlier), group.reporting(later)
        if group.id == POOLED and before != after:
            mixed.append(group)  # no name stands for what several were counted together
        elif before and not after:
            left.append(group)
        elif after and not before:
            joined.append(group)
        elif before and before == after:
            both.append(group)
        elif before:
            mixed.append(group)
    if not all(any(g.reporting(year) for g in counts.groups) for year in (earlier, later)):
        return None
    found: list[tuple[Kind, tuple[str, ...], Noisy]] = []
    for group in left:
        gone = counts.cells[group.id, earlier].asked.times(-1)
        found.append(("left", group.reporting(earlier), gone))
    for group in joined:
        found.append(("joined", group.reporting(later), counts.cells[group.id, later].asked))
    shares = None
    pairs, unclear = _pairs(counts, both, earlier, later)
    rest = total(after.asked - before.asked for before, after in pairs)
    if pairs and counts.question.variable:
        recording = total(_recording(*pair) for pair in pairs)
        found.append(("recording", (), recording))
        shares, rest = _shares(pairs, counts.z), rest - recording
    if pairs:
        found.append(("rest", (), rest))
    together: Kind = "undivided" if counts.apart else "unmeasured"
    others: tuple[tuple[Kind, list[ContributorGroup]], ...] = (
        (together, mixed),
        ("unclear", unclear),
    )
    for kind, held in others:
        if held:
            old, new = (
                total(counts.cells[g.id, year].asked for g in held if g.reporting(year))
                for year in (earlier, later)
            )
            both_years = (g.reporting(year) for g in held for year in (earlier, later))
            names = tuple(dict.fromkeys(name for found_here in both_years for name in found_here))
            found.append((kind, names, new - old))
    borrowed = shares is not None and any(_borrows(pair) for pair in pairs)
    return _rounded(counts, earlier, later, found, shares, borrowed)


_Pair = tuple[Cell, Cell]


def _pairs(
    counts: Counts, both: Sequence[ContributorGroup], earlier: int, later: int
) -> tuple[list[_Pair], list[ContributorGroup]]:
    """Cells of both years that can be split, and the groups that cannot even together."""
    pairs, small = [], []
    for group in both:
        pair = counts.cells[group.id, earlier], counts.cells[group.id, later]
        if _is_clear(counts, pair):
            pairs.append(pair)
        else:
            small.append((group, pair))
    if not small:
        return pairs, []
    befores, afters = zip(*(pair for _group, pair in small), strict=True)
    joint = _sum(befores), _sum(afters)
    if _is_clear(counts, joint):
        return [*pairs, joint], []
    return pairs, [group for group, _pair in small]


def _is_clear(counts: Counts, pair: _Pair) -> bool:
    if not counts.question.variable:
        return True
    everybody = all(c.everybody.is_clear(CLEAR) for c in pair)
    return everybody and any(c.recorded.is_clear(CLEAR) for c in pair)


def _sum(cells: Sequence[Cell]) -> Cell:
    first, *others = cells
    for other in others:
        first = first + other
    return first


def _if_all(cell: Cell, other: Cell) -> Noisy:
    """The people asked about if all were recorded, like those who are, in the other year if none
    is in this one."""
    like = cell if cell.recorded.is_clear(CLEAR) else other
    return cell.everybody * (like.asked / like.recorded)


def _recording(before: Cell, after: Cell) -> Noisy:
    shares = after.recorded / after.everybody - before.recorded / before.everybody
    return (shares * (_if_all(before, after) + _if_all(after, before))).times(0.5)


def _borrows(pair: _Pair) -> bool:
    """Whether those recorded of one year must stand for the other year as well."""
    return not all(cell.recorded.is_clear(CLEAR) for cell in pair)


def _shares(pairs: Sequence[_Pair], z: float) -> tuple[Interval, Interval]:
    before, after = (_sum(cells) for cells in zip(*pairs, strict=True))
    return _recorded(before, z), _recorded(after, z)


def _recorded(cell: Cell, z: float) -> Interval:
    """The share recorded, cut to 0..1; anything where there may be nobody at all."""
    if not cell.everybody.is_clear(z):
        return Interval(0.0, 0.0, 1.0)
    found = cell.recorded / cell.everybody
    half = z * found.sd
    value, low, high = (
        min(1.0, max(0.0, x)) for x in (found.value, found.value - half, found.value + half)
    )
    return Interval(value, low, high, width=2 * half)


def _rounded(
    counts: Counts,
    earlier: int,
    later: int,
    found: Sequence[tuple[Kind, tuple[str, ...], Noisy]],
    shares: tuple[Interval, Interval] | None,
    borrowed: bool,
) -> Split:
    """Whole people that still add up; intervals are rounded outwards."""
    change = total(number for *_kind, number in found)
    values = whole([number.value for *_kind, number in found])
    parts = tuple(
        ChangePart(kind, names, value, *_ends(number, value, counts.z))
        for (kind, names, number), value in zip(found, values, strict=True)
    )
    value = sum(values)
    low, high = _ends(change, value, counts.z)
    return Split(earlier, later, value, low, high, parts, shares, borrowed, counts.level)


def _ends(number: Noisy, value: int, z: float) -> tuple[int, int]:
    half = z * number.sd
    low, high = math.floor(number.value - half), math.ceil(number.value + half)
    return min(low, value), max(high, value)
