"""The pairs that a clerical review speaks for, and the random sample of them that is reviewed.

The frame is every pair of persons of different files that was scored or ended in one cluster.  It
is cut into cells by whether a pair was joined, by its band of probability, by its group, and by
whether the hub would find the pair by itself, since tokens that leave out one fact agree.

Not here: the workbook (``review_book``), and what the decisions say (``review_accuracy``).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ctdhub.core.i18n import Text
from ctdhub.sensitive.linkage.identified.cluster_tokens import Own
from ctdhub.sensitive.linkage.identified.persons import IdentifiedPersons, Ints
from ctdhub.sensitive.linkage.identified.resolve import BANDS, pairs_of_persons
from ctdhub.sensitive.linkage.identified.scoring import Scored
from ctdhub.sensitive.linkage.pprl.derive import CAPTURES

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


@dataclass(frozen=True)
class CellKey:
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
        bands = np.searchsorted(BANDS, self.probability, side="right") - 1
        for at, band in enumerate(bands.tolist()):
            key = CellKey(
                bool(self.joined[at]), BANDS[band], self.group[at], bool(self.by_tokens[at])
            )
            found.setdefault(key, []).append(at)
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
