"""Guessing from the protected records, about people who are in the answer and people who are not.

What can be guessed about somebody who was never in the answer is knowledge about groups; only what
goes beyond that is a leak.  So people are held out by independent coins (the control fold), and
the same attack is made on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attacks.bounds import RateDifference, difference
from attacks.similarity import Likeness
from attacks.views import Setting, chosen
from ctdhub.dp import noise
from ctdhub.dp.count import Codes, encode
from ctdhub.dp.plan import Columns

HELD_OUT = 0.2
"""Chance of each person to be held out."""

TARGETS = 500
"""Expected number of targets on each side, where there are so many people."""


@dataclass(frozen=True)
class FoldSide:
    """Targets of one side of the fold.

    Attributes:
        targets: number of people attacked.
        right: guesses of a sensitive column that were right, one guess a person.
        copies: people whose every column equals some protected record's.
    """

    targets: int
    right: int
    copies: int


@dataclass(frozen=True)
class InferenceAttack:
    """The same attack on people in and out of the answer.

    Attributes:
        inside, outside: the two sides.
    """

    inside: FoldSide
    outside: FoldSide

    def guessed(self, risk: float) -> RateDifference:
        """Rate of right guesses, in minus out, with its interval."""
        return self._difference(self.inside.right, self.outside.right, risk)

    def copied(self, risk: float) -> RateDifference:
        """Share of exact copies, in minus out, with its interval."""
        return self._difference(self.inside.copies, self.outside.copies, risk)

    def _difference(self, inside: int, outside: int, risk: float) -> RateDifference:
        return difference((inside, self.inside.targets), (outside, self.outside.targets), risk)


def attack(setting: Setting, people: Codes, secret: Columns) -> InferenceAttack:
    """Hold people out, answer for the others, attack both.

    Args:
        secret: columns that are guessed, one at random for each target, of those that are
            recorded of her where there are any.
    """
    out = noise.uniform(people.people) < HELD_OUT
    answered = setting.answer(chosen(people, ~out))
    records = encode(answered.records, setting.plan.domains)
    held = max(1.0, float(answered.people.value))
    chance = np.where(out, TARGETS * (1 - HELD_OUT) / (held * HELD_OUT), TARGETS / held)
    target = noise.uniform(people.people) < chance
    sides = (guess(chosen(people, target & side), records, secret) for side in (~out, out))
    return InferenceAttack(*sides)


def guess(targets: Codes, records: Codes, secret: Columns) -> FoldSide:
    """Find each target's nearest protected records and guess a column that was left out.

    The distance is the number of columns that differ, "not recorded" being a value.  The guess is
    the commonest value among the records nearest in the other columns.
    """
    names = list(targets.columns)
    if not records.people:
        return FoldSide(targets.people, 0, 0)
    alike, right, copies = Likeness.of(targets, records), 0, 0
    coins = noise.words(targets.people)
    places = np.array([names.index(n) for n in secret])
    for row, (shared, coin) in enumerate(zip(alike.shared(), coins, strict=True)):
        copies += int(shared.max()) == len(names)
        recorded = places[alike.people[row, places] > 0]
        asked = recorded if recorded.size else places
        column = int(asked[int(coin) % asked.size])
        mine, theirs = alike.people[row, column], alike.records[:, column]
        others = shared - (theirs == mine)
        near = others == others.max()
        votes = np.bincount(theirs[near], weights=alike.times[near])
        right += int(votes.argmax()) == int(mine)
    return FoldSide(targets.people, right, copies)
