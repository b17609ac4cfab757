"""What reviewed pairs say of all: how many links are found and how many are wrong, with intervals.

In a cell of the frame pairs are drawn without replacement, so how many of the cell are one person
has the exact interval of the hypergeometric distribution.  A number f of several cells has as its
lower end

    f(x) - sqrt(sum over cells of (f(x) - f(x with the worse end in that cell))²)

so that errors of cells, which are independent, do not add up as if they came together.  What was
not decided counts at each end as whatever makes that end worse.  So do wrong decisions: of those
who are one person, and of those who are two, at most a share e is taken for the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctdhub.sensitive.linkage.identified.review_frame import CellKey, PairFrame

LEVEL = 0.95
"""Of every interval."""

EACH = 0.98
"""Of a cell's interval, more than :data:`LEVEL`, since squares are added as if errors were as large
to both sides, and those of rare pairs are not; so that planted truths are held as often as said."""

BEYOND = 2
"""The most times that links beyond the frame are more than the model says: what it said of missing
links was within this factor of the truth (see docs/explanation/linkage.md)."""

LEAST_FOUND, MOST_MERGED = 0.05, 0.2
"""Bounds of ``found`` and ``merged`` in a policy."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReviewedCell:
    """A cell of the frame and what was decided in it.

    Attributes:
        key: which.
        pairs: all of it.
        drawn: of the random sample.
        yes, no: decided among those drawn.
        all_yes, all_no: decided among all pairs of the workbook.
    """

    key: CellKey
    pairs: int
    drawn: int
    yes: int
    no: int
    all_yes: int
    all_no: int


@dataclass(frozen=True)
class ReviewedShare:
    """A share of pairs: its interval, and the estimate where every cell has a decision."""

    low: float
    high: float
    value: float | None

    def as_json(self) -> dict[str, float | None]:
        """Rounded, the interval to the outside."""
        value = None if self.value is None else round(self.value, 4)
        return {
            "low": math.floor(self.low * 1e4) / 1e4,
            "high": math.ceil(self.high * 1e4) / 1e4,
            "value": value,
        }


def reviewed_cells(
    frame: PairFrame, drawn: Collection[int], decided: Mapping[int, bool]
) -> list[ReviewedCell]:
    """Count the decisions.

    Args:
        frame: all pairs.
        drawn: pairs of the random sample.
        decided: whether a pair is one person.
    """
    made = []
    for key, pairs in frame.cells.items():
        known = [decided[at] for at in pairs if at in decided]
        sample = [at for at in pairs if at in drawn]
        said = [decided[at] for at in sample if at in decided]
        if len(known) == len(pairs):  # nothing is left to chance
            sample, said = pairs, known
        yes, all_yes = sum(said), sum(known)
        made.append(
            ReviewedCell(
                key, len(pairs), len(sample), yes, len(said) - yes, all_yes, len(known) - all_yes
            )
        )
    return made


@dataclass(frozen=True)
class ReviewAccuracy:
    """Shares that the reviewed cells tell.

    Attributes:
        cells: of the frame, or of one group of it.
        unseen: share of links that are no pairs of the frame, by the model.
        errors: share of decisions that may be wrong, at most.
    """

    cells: Sequence[ReviewedCell]
    unseen: float = 0.0
    errors: float = 0.0

    def recall(self, after: bool) -> ReviewedShare:
        """Share of links that are joined: by the model alone, or ``after`` the decisions too."""

        def of(t: Floats, low: bool | None) -> tuple[float, float]:
            added = np.minimum(self._true_yes(low), t)[~self._joined].sum() if after else 0.0
            part = float(t[self._joined].sum() + added)
            return part, float(t.sum()) + self._beyond(t, low)

        return self._share(of, rises=self._joined)

    def false(self) -> ReviewedShare:
        """Share of the model's links that are two people: one minus the precision."""
        whole = float(self._pairs[self._joined].sum())
        return self._share(
            lambda t, _low: (whole - float(t[self._joined].sum()), whole), rises=~self._joined
        )

    def found(self) -> ReviewedShare:
        """Share of the links still missing after the decisions that the hub's tokens find."""

        def left(t: Floats, low: bool | None) -> tuple[float, float]:
            fewer = None if low is None else not low
            known = np.where(self._by_tokens, self._true_yes(fewer), self._true_yes(low))
            missing = np.maximum(t - known, 0)[~self._joined]
            found = float(missing[self._by_tokens[~self._joined]].sum())
            return found, float(missing.sum()) + self._beyond(t, low)

        return self._share(left, rises=self._by_tokens)

    def merged(self, people: int) -> ReviewedShare:
        """Hidden people after the decisions, as a share of all: at most one for each false pair.

        Args:
            people: clusters after the decisions.
        """
        whole = float(self._pairs[self._joined].sum())

        def hidden(t: Floats, low: bool | None) -> tuple[float, float]:
            wrong = self._all_yes - self._true_yes(None if low is None else not low)
            fewer = self._all_no - (0 if low else self._slips)
            split = np.maximum(fewer, 0)[self._joined].sum()
            left = max(0.0, whole - float(t[self._joined].sum() + split))
            return left + float(wrong[~self._joined].sum()), people

        return self._share(hidden, rises=~self._joined)

    def _true_yes(self, low: bool | None) -> Floats:
        """Of all pairs decided to be one person, how many are: at least at a low end, else all."""
        return np.asarray(np.maximum(self._all_yes - self._slips, 0) if low else self._all_yes)

    @property
    def _slips(self) -> Floats:
        """The most wrong decisions of each cell: the mean and what chance adds to it."""
        mean = self.errors * (self._all_yes + self._all_no)
        return np.asarray(mean + 2 * np.sqrt(mean))

    def _beyond(self, t: Floats, low: bool | None) -> float:
        """Links beyond the frame: what the model says; none at a high end; at a low end
        :data:`BEYOND` times as many, and what chance adds to that."""
        mean = self.unseen / (1 - self.unseen) * float(t.sum())
        if low is None or not mean:
            return mean
        return BEYOND * mean + 2 * math.sqrt(BEYOND * mean) + 1 if low else 0.0

    @property
    def _joined(self) -> NDArray[np.bool_]:
        return np.array([cell.key.joined for cell in self.cells], bool)

    @property
    def _by_tokens(self) -> NDArray[np.bool_]:
        return np.array([cell.key.by_tokens for cell in self.cells], bool)

    @property
    def _pairs(self) -> Floats:
        return np.array([cell.pairs for cell in self.cells], float)

    @property
    def _all_yes(self) -> Floats:
        return np.array([cell.all_yes for cell in self.cells], float)

    @property
    def _all_no(self) -> Floats:
        return np.array([cell.all_no for cell in self.cells], float)

    def _share(
        self,
        of: Callable[[Floats, bool | None], tuple[float, float]],
        rises: NDArray[np.bool_],
    ) -> ReviewedShare:
        """Interval and estimate of a share of pairs.

        Args:
            of: part and whole, by how many pairs of each cell are one person, and whether it is
                for the low end, the high end (False) or the estimate (None).
            rises: cells of which more make the share larger.
        """

        def end(low: bool) -> float:
            ends = [
                _ends(c, up != low, self.errors) for c, up in zip(self.cells, rises, strict=True)
            ]
            base = np.array([middle for middle, _worse in ends])
            at = _ratio(of(base, low), empty=not low)
            square: float = 0.0
            for i, (middle, worse) in enumerate(ends):
                if worse != middle:
                    moved = base.copy()
                    moved[i] = worse
                    step = _ratio(of(moved, low), empty=not low) - at
                    square += max(-step if low else step, 0.0) ** 2
            known = [
                _certain(c, up != low, self.errors) for c, up in zip(self.cells, rises, strict=True)
            ]
            sure = _ratio(of(np.array(known), low), empty=not low)
            found = max(at - math.sqrt(square), sure) if low else min(at + math.sqrt(square), sure)
            return min(1.0, max(0.0, found))

        middle = [_middle(cell) for cell in self.cells]
        value = None
        if None not in middle:
            at = np.array(middle, float)
            part, whole = of(at, None)
            value = part / whole if whole else None
        return ReviewedShare(end(True), end(False), value)


def _ratio(of: tuple[float, float], empty: bool) -> float:
    part, whole = of
    return part / whole if whole > 0 else float(empty)


def _middle(cell: ReviewedCell) -> float | None:
    said = cell.yes + cell.no
    return cell.pairs * cell.yes / said if said else None


def _certain(cell: ReviewedCell, high: bool, errors: float) -> float:
    """The most or the least pairs of the cell that can be one person, by what is decided."""
    if errors:
        return float(cell.pairs if high else 0)
    return float(cell.pairs - cell.all_no if high else cell.all_yes)


def _ends(cell: ReviewedCell, high: bool, errors: float) -> tuple[float, float]:
    """Pairs of the cell that are one person, so many that a share is worse: in the sample, and at
    the end of the interval.

    Either may pass what is certain, so that cells cancel each other's chance.  The end is two
    standard deviations off at least: a rare pair that was drawn is then counted too often, and in
    several cells at once, though none can be far from the truth.
    """
    if not cell.drawn:
        return (_certain(cell, high, errors),) * 2
    seen = cell.drawn - cell.no if high else cell.yes
    share, end = seen / cell.drawn, exact_end(seen, cell.drawn, cell.pairs, high) / cell.pairs
    spread = math.sqrt(share * (1 - share) / cell.drawn * (1 - cell.drawn / cell.pairs))
    # What chance adds to the mean of wrong decisions, also where all pairs are drawn.
    slips = (2 * math.sqrt(errors * cell.pairs) + 1) / cell.pairs if errors else 0.0
    off = math.hypot(max(abs(end - share), 2 * spread), slips)
    less = 0.0 if high else errors
    middle, worse = share - less, (share + off if high else share - off) - less
    return cell.pairs * middle / (1 - errors), cell.pairs * worse / (1 - errors)


def exact_end(seen: int, drawn: int, pairs: int, high: bool) -> int:
    """One end of the exact interval, at :data:`EACH`, of how many of all pairs are one person.

    It is the last number under which so few (so many) in the sample have a chance of more than
    (1 - EACH) / 2, as Clopper and Pearson (1934) take it, here for draws without replacement.

    >>> exact_end(0, 10, 1000, True), exact_end(9, 9, 10, False), exact_end(5, 5, 5, True)
    (367, 9, 5)
    """
    if not high:
        return pairs - exact_end(drawn - seen, drawn, pairs, True)
    low, top = seen, pairs - (drawn - seen)
    while low < top:
        middle = (low + top + 1) // 2
        if _at_most(seen, drawn, middle, pairs) > (1 - EACH) / 2:
            low = middle
        else:
            top = middle - 1
    return low


def _at_most(seen: int, drawn: int, marked: int, pairs: int) -> float:
    """Chance of at most ``seen`` marked pairs among those drawn (hypergeometric)."""
    from scipy.special import gammaln

    def ways(of: int, some: NDArray[np.int64]) -> Floats:
        return np.asarray(gammaln(of + 1) - gammaln(some + 1) - gammaln(of - some + 1))

    some = np.arange(max(0, drawn - (pairs - marked)), min(seen, marked) + 1)
    logs = ways(marked, some) + ways(pairs - marked, drawn - some)
    return float(np.exp(logs - ways(pairs, np.array([drawn]))).sum())


def accuracy_json(
    cells: Sequence[ReviewedCell], unseen: float, errors: float, people: int
) -> dict[str, Any]:
    """All shares, in all and by group, with what they rest on.

    Args:
        cells: of the frame.
        unseen, errors: see :class:`ReviewAccuracy`.
        people: clusters after the decisions.
    """
    whole = ReviewAccuracy(cells, unseen, errors)
    found, merged = whole.found().as_json(), whole.merged(people).as_json()
    names = sorted({cell.key.group for cell in cells})
    by_group = {name: [c for c in cells if c.key.group == name] for name in names}
    return {
        "level": LEVEL,
        "errors": errors,
        "beyond": round(unseen, 6),
        **_of(whole),
        "groups": {
            name: _of(ReviewAccuracy(some, unseen, errors)) for name, some in by_group.items()
        },
        "found": found,
        "merged": merged,
        "policy": {
            "found": found["low"] if (found["low"] or 0) >= LEAST_FOUND else None,
            "merged": merged["high"] if (merged["high"] or 0) <= MOST_MERGED else None,
        },
    }


def _of(accuracy: ReviewAccuracy) -> dict[str, Any]:
    cells = accuracy.cells
    drawn, said = sum(c.drawn for c in cells), sum(c.yes + c.no for c in cells)
    return {
        "pairs": sum(c.pairs for c in cells),
        "reviewed": said,
        "undecided": drawn - said,
        "recall": accuracy.recall(after=False).as_json(),
        "recall_after": accuracy.recall(after=True).as_json(),
        "false_links": accuracy.false().as_json(),
    }
