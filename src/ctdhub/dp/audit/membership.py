"""Guessing from the protected records, about people who are in the answer and people who are not.

What can be guessed about somebody who was never in the answer is knowledge about groups; only what
goes beyond that is a leak.  So people are held out by independent coins (the control fold), and
the same attack is made on both sides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ctdhub.dp import noise
from ctdhub.dp.audit.bounds import RateDifference, difference
from ctdhub.dp.audit.similarity import Likeness
from ctdhub.dp.audit.views import Setting, chosen
from ctdhub.dp.count import Codes, encode
from ctdhub.dp.plan import Columns

HELD_OUT = 0.2
"""Chance of each person to be held out."""

TARGETS = 500
"""Expected number of targets on each side, where there are so many people."""

SIGMA2 = Fraction(100)
"""Noise of each published count, see :func:`protected`."""


@dataclass(frozen=True)
class FoldSide:
    """Targets of one side of the fold.

    Attributes:
        targets: number of people attacked.
        right: guesses of a sensitive column that were right, one guess a person.
        copies: people whose every column equals some protected record's.
        distances: by number of columns that differ from the nearest protected record, people; None
            where that is not to be told.
    """

    targets: int
    right: int
    copies: int
    distances: tuple[int, ...] | None


@dataclass(frozen=True)
class InferenceAudit:
    """The same attack on people in and out of the answer.

    Attributes:
        inside, outside: the two sides.
        columns: number of columns of a record.
        noise: standard deviation of the noise in each count; 0 where they are exact.
    """

    inside: FoldSide
    outside: FoldSide
    columns: int
    noise: float = 0.0

    @property
    def advantage(self) -> RateDifference:
        """Rate of right guesses, in minus out, with its 95 % interval."""
        return self._difference(self.inside.right, self.outside.right)

    @property
    def copies(self) -> RateDifference:
        """Share of exact copies, in minus out, with its 95 % interval."""
        return self._difference(self.inside.copies, self.outside.copies)

    def _difference(self, inside: int, outside: int) -> RateDifference:
        sides = (inside, self.inside.targets), (outside, self.outside.targets)
        return difference(*sides, noise=self.noise)


def audit(
    setting: Setting,
    people: Codes,
    secret: Columns,
    told: Callable[[float], None] = lambda share: None,
) -> InferenceAudit:
    """Hold people out, answer for the others, attack both.

    Args:
        secret: columns that are guessed, one at random for each target, of those that are
            recorded of her where there are any.
    """
    out = noise.uniform(people.people) < HELD_OUT
    answered = setting.answer(chosen(people, ~out))
    told(0.5)
    records = encode(answered.records, setting.plan.domains)
    # Chances of being a target depend on the protected number of people only: see `protected`.
    held = max(1.0, float(answered.people.value))
    chance = np.where(out, TARGETS * (1 - HELD_OUT) / (held * HELD_OUT), TARGETS / held)
    target = noise.uniform(people.people) < chance
    inside = attack(chosen(people, target & ~out), records, secret)
    told(0.75)
    return InferenceAudit(
        inside, attack(chosen(people, target & out), records, secret), len(people.columns)
    )


def protected(found: InferenceAudit) -> InferenceAudit:
    """The audit with noise in its counts, so that it can be published at the price of :func:`cost`.

    Given the answer, each person is a target or not by a coin of her own whose chance depends on
    the answer alone, and what is guessed about her depends on her row and the answer alone.  So
    one person changes the counts of one side by at most 1 each: an L2 sensitivity of sqrt 3.  Where
    tokens join rows, she changes as many rows as the plan's ``reach`` pays for, which multiplies
    its square.
    """
    sides = []
    for side in (found.inside, found.outside):
        drawn = noise.sampler(SIGMA2).draw(3)
        given = np.array([side.targets, side.right, side.copies]) + drawn
        targets = max(0, int(given[0]))
        right, copies = (min(max(0, int(n)), targets) for n in given[1:])
        sides.append(FoldSide(targets, right, copies, None))
    return replace(found, inside=sides[0], outside=sides[1], noise=float(SIGMA2) ** 0.5)


def cost(reach: int = 1) -> float:
    """What :func:`protected` costs in rho, the answer that was attacked not counted: 3 / 2 sigma
    squared, times the reach.

    Args:
        reach: squared L2 sensitivity of rows of people, ``Plan.reach``.

    >>> cost()
    0.015
    """
    return float(3 * reach / (2 * SIGMA2))


def attack(targets: Codes, records: Codes, secret: Columns) -> FoldSide:
    """Find each target's nearest protected records and guess a column that was left out.

    The distance is the number of columns that differ, "not recorded" being a value.  The guess is
    the commonest value among the records nearest in the other columns.
    """
    names = list(targets.columns)
    distances = np.zeros(len(names) + 1, dtype=np.int64)
    if not records.people:
        return FoldSide(targets.people, 0, 0, tuple(distances.tolist()))
    alike, right = Likeness.of(targets, records), 0
    coins = noise.words(targets.people)
    places = np.array([names.index(n) for n in secret])
    for row, (shared, coin) in enumerate(zip(alike.shared(), coins, strict=True)):
        distances[len(names) - int(shared.max())] += 1
        recorded = places[alike.people[row, places] > 0]
        asked = recorded if recorded.size else places
        column = int(asked[int(coin) % asked.size])
        mine, theirs = alike.people[row, column], alike.records[:, column]
        others = shared - (theirs == mine)
        near = others == others.max()
        votes = np.bincount(theirs[near], weights=alike.times[near])
        right += int(votes.argmax()) == int(mine)
    return FoldSide(targets.people, right, int(distances[0]), tuple(distances.tolist()))
