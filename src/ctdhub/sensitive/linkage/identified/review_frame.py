"""The pairs that a clerical review speaks for, and what its decisions say of all of them."""

import hashlib
import math
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ctdhub.core.i18n import Text
from ctdhub.sensitive.linkage.identified.model import Scored
from ctdhub.sensitive.linkage.identified.resolve import (
    BANDS,
    IdentifiedPersons,
    Ints,
    Own,
    pairs_of_persons,
)
from ctdhub.sensitive.linkage.pprl.derive import CAPTURES

# --------------------------------------------------------------------------------------------------
# The pairs that a clerical review speaks for, and the random sample of them that is reviewed.
#
# The frame is every pair of persons of different files that was scored or ended in one cluster.  It
# is cut into cells by whether a pair was joined, by its band of probability, by its group, and by
# whether the hub would find the pair by itself, since tokens that leave out one fact agree.
#
# Not here: the workbook, and what the decisions say (``clerical_review``).

GROUPS = 8
"""Groups that are told apart, the largest; the pairs of all others are one group."""

OTHERS = "*"
"""What the group of the others is called."""

LEAST = 3
"""Pairs of each cell that are drawn, as far as it has them."""

SCRIPTS = {
    "latin": Text("Latin script"),
    "arabic": Text("Arabic script"),
    "cyrillic": Text("Cyrillic script"),
    "greek": Text("Greek script"),
    "other": Text("another script"),
}
"""Scripts that names are written in, by which pairs are grouped where no column is named."""

_SPREAD = 0.02
"""Variance of a decision that is reckoned with where the model is sure."""

Bools = NDArray[np.bool_]


class PairSampler(Protocol):
    """What draws and shuffles: ``secrets.SystemRandom()``, and a seeded generator in tests."""

    def sample(self, population: Sequence[int], k: int) -> list[int]:
        """``k`` of the population, without replacement."""

    def shuffle(self, x: list[int]) -> None:
        """Put a list into random order."""


class CellKey(NamedTuple):
    """One cell of the frame: joined, lower end of the band, group, found by the hub's tokens."""

    joined: bool
    band: float
    group: str
    by_tokens: bool


@dataclass(frozen=True)
class PairFrame:
    """All pairs, each once, in an order that the files alone decide.

    Attributes:
        one, other: persons; ``one`` is the smaller.
        rows: the two rows that agree best, counted over all files, shape (n, 2).
        probability: by the model, 0 where a pair was not scored.
        joined: whether both are of one cluster without any decision.
        by_tokens: whether the pair is apart and a token of the kinds CAPTURES agrees.
        group: of each pair.
        run: what another run of the same files and options has as well, and no other has.
    """

    one: Ints
    other: Ints
    rows: Ints
    probability: NDArray[np.float64]
    joined: Bools
    by_tokens: Bools
    group: list[str]
    run: str

    def id_of(self, at: int) -> str:
        """What a pair is called in the workbook."""
        text = f"{self.run} {self.one[at]} {self.other[at]}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @cached_property
    def cells(self) -> dict[CellKey, list[int]]:
        """Pairs of each cell."""
        found: dict[CellKey, list[int]] = {}
        bands = np.array(BANDS)[np.searchsorted(BANDS, self.probability, side="right") - 1]
        joined, by_tokens = self.joined.tolist(), self.by_tokens.tolist()
        for at, key in enumerate(zip(joined, bands.tolist(), self.group, by_tokens, strict=True)):
            found.setdefault(CellKey(*key), []).append(at)
        return found

    def draw(self, size: int, chance: PairSampler) -> set[int]:
        """A random sample, simple within each cell.

        :data:`LEAST` pairs of each cell, the rest of ``size`` in proportion to the root of the
        cell's size times the standard deviation of a decision there, so that small groups are
        measured too.

        Args:
            size: pairs in all; more where the cells need them, fewer where there are no more.
            chance: the system's randomness, ``secrets.SystemRandom()``.
        """
        cells = list(self.cells.values())
        weights = []
        for cell in cells:
            p = float(self.probability[cell].mean())
            weights.append((len(cell) * max(p * (1 - p), _SPREAD)) ** 0.5)
        wanted = [min(LEAST, len(cell)) for cell in cells]
        while sum(wanted) < size and any(n < len(c) for n, c in zip(wanted, cells, strict=True)):
            open_ = [i for i, cell in enumerate(cells) if wanted[i] < len(cell)]
            wanted[max(open_, key=lambda i: weights[i] / (wanted[i] + 1))] += 1
        return {at for cell, n in zip(cells, wanted, strict=True) for at in chance.sample(cell, n)}


def frame_of(
    persons: IdentifiedPersons,
    scored: Scored,
    cluster: Ints,
    own: Sequence[Own],
    labels: Sequence[str],
    asked: str,
) -> PairFrame:
    """The frame of a run.

    Args:
        persons: of all files.
        scored: candidate pairs of rows.
        cluster: of each person, without any decision.
        own: tokens of each row.
        labels: group of each row.
        asked: hashes of the files, and options.
    """
    pairs = pairs_of_persons(persons, scored)
    members: dict[int, list[int]] = {}
    for person, at in enumerate(cluster.tolist()):
        members.setdefault(at, []).append(person)
    known = set(zip(pairs.one.tolist(), pairs.other.tolist(), strict=True))
    chained = [
        pair
        for some in members.values()
        for pair in combinations(some, 2)
        if pair not in known and persons.file[pair[0]] != persons.file[pair[1]]
    ]
    more = np.array(chained, np.int64).reshape(-1, 2)
    one, other = np.append(pairs.one, more[:, 0]), np.append(pairs.other, more[:, 1])
    best = np.column_stack([scored.one[pairs.row], scored.other[pairs.row]])
    probability = np.append(pairs.probability, np.zeros(len(more)))
    joined = cluster[one] == cluster[other]
    captures: list[set[str]] = [set() for _person in persons.row]
    for person, (_first, tokens) in zip(persons.of_row.tolist(), own, strict=True):
        captures[person] |= {token for token in tokens if token[0] in CAPTURES}
    by_tokens = [
        not same and not captures[a].isdisjoint(captures[b])
        for a, b, same in zip(one.tolist(), other.tolist(), joined.tolist(), strict=True)
    ]
    said = [labels[row] for row in persons.row.tolist()]
    group = _grouped(
        [_both(said[a], said[b]) for a, b in zip(one.tolist(), other.tolist(), strict=True)]
    )
    state = hashlib.sha256(asked.encode())
    for array in (one, other, np.round(probability, 6), joined):
        state.update(np.ascontiguousarray(array).tobytes())
    state.update("\0".join(group).encode())
    return PairFrame(
        one=one,
        other=other,
        rows=np.concatenate([best, persons.row[more]]),
        probability=probability,
        joined=joined,
        by_tokens=np.array(by_tokens, bool),
        group=group,
        run=state.hexdigest()[:32],
    )


def _both(one: str, other: str) -> str:
    return " + ".join(sorted({one, other} - {""}))


def _grouped(found: list[str]) -> list[str]:
    """The largest groups; all others are one."""
    most = Counter(found).most_common()
    kept = {name for name, _n in sorted(most, key=lambda one: (-one[1], one[0]))[:GROUPS]}
    return [name if name in kept else OTHERS for name in found]


def script_of(name: str) -> str:
    """The script of the first letter, one of :data:`SCRIPTS`; empty without a letter.

    >>> script_of("Anu"), script_of("آنو"), script_of("")
    ('latin', 'arabic', '')
    """
    letter = next((c for c in name if c.isalpha()), "")
    if not letter:
        return ""
    script = unicodedata.name(letter, "").split(" ")[0].lower()
    return script if script in SCRIPTS else "other"


# --------------------------------------------------------------------------------------------------
# What reviewed pairs say of all: how many links are found and how many are wrong, with intervals.
#
# In a cell of the frame pairs are drawn without replacement, so how many of the cell are one person
# has the exact interval of the hypergeometric distribution.  A number f of several cells has as its
# lower end
#
#     f(x) - sqrt(sum over cells of (f(x) - f(x with the worse end in that cell))²)
#
# so that errors of cells, which are independent, do not add up as if they came together.  What was
# not decided counts at each end as whatever makes that end worse.  So do wrong decisions: of those
# who are one person, and of those who are two, at most a share e is taken for the other.

LEVEL = 0.95
"""Of every interval."""

EACH = 0.98
"""Of a cell's interval, more than :data:`LEVEL`, since squares are added as if errors were as large
to both sides, and those of rare pairs are not; so that planted truths are held as often as said."""

BEYOND = 2
"""The most times that links beyond the frame are more than the model says: what it said of missing
links was within this factor of the truth (see docs/explanation/linkage.md)."""

Floats = NDArray[np.float64]


class ReviewedCell(NamedTuple):
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
        counts = [n for some in (said, known) for n in (sum(some), len(some) - sum(some))]
        made.append(ReviewedCell(key, len(pairs), len(sample), *counts))
    return made


class ReviewAccuracy:
    """Shares that the reviewed cells tell.

    Args:
        cells: of the frame, or of one group of it.
        unseen: share of links that are no pairs of the frame, by the model.
        errors: share of decisions that may be wrong, at most.
    """

    def __init__(
        self, cells: Sequence[ReviewedCell], unseen: float = 0.0, errors: float = 0.0
    ) -> None:
        self.cells, self.unseen, self.errors = cells, unseen, errors
        self._joined = np.array([cell.key.joined for cell in cells], bool)
        self._by_tokens = np.array([cell.key.by_tokens for cell in cells], bool)
        counts = [(cell.pairs, cell.all_yes, cell.all_no) for cell in cells]
        self._pairs, self._all_yes, self._all_no = np.array(counts, float).reshape(-1, 3).T
        mean = errors * (self._all_yes + self._all_no)
        self._slips = mean + 2 * np.sqrt(mean)
        """The most wrong decisions of each cell: the mean and what chance adds to it."""

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

    def _beyond(self, t: Floats, low: bool | None) -> float:
        """Links beyond the frame: what the model says; none at a high end; at a low end
        :data:`BEYOND` times as many, and what chance adds to that."""
        mean = self.unseen / (1 - self.unseen) * float(t.sum())
        if low is None or not mean:
            return mean
        return BEYOND * mean + 2 * math.sqrt(BEYOND * mean) + 1 if low else 0.0

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
            def value(t: Sequence[float] | Floats) -> float:
                return _ratio(of(np.array(t), low), empty=not low)

            sides = [(c, up != low, self.errors) for c, up in zip(self.cells, rises, strict=True)]
            base, worse = np.array([_ends(*side) for side in sides]).reshape(-1, 2).T
            at, square = value(base), 0.0
            for i in np.flatnonzero(worse != base):
                moved = base.copy()
                moved[i] = worse[i]
                step = value(moved) - at
                square += max(-step if low else step, 0.0) ** 2
            off, sure = math.sqrt(square), value([_certain(*side) for side in sides])
            return min(1.0, max(0.0, max(at - off, sure) if low else min(at + off, sure)))

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
    possible = range(seen, pairs - (drawn - seen) + 1)
    chance = partial(_at_most, seen, drawn, pairs)  # the more are one person, the smaller
    return seen - 1 + bisect_left(possible, (EACH - 1) / 2, key=lambda marked: -chance(marked))


def _at_most(seen: int, drawn: int, pairs: int, marked: int) -> float:
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
        "found": whole.found().as_json(),
        "merged": whole.merged(people).as_json(),
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
