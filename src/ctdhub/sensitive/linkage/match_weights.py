"""How sure a link is, by which keys agree, learnt from pairs that are known to be two people.

The weights of Fellegi and Sunter (1969, "A theory for record linkage", JASA 64) compare how often
keys agree between records of one person (m) and of two people (u).  Composite keys share parts, so
their agreements are not independent and are weighed as whole patterns.  u needs no guess: two
people of one contributor, told apart by its own case numbers, are two people.  How often a pattern
occurs among them, scaled to pairs between contributors, is how often chance makes it there:

    probability of a pattern = 1 - (pairs expected by chance) / (pairs found)

which is one minus the local false discovery rate (Efron 2004, JASA 99).  Contributors also hold one
person twice, and such doubles look like chance: ``chance`` tells them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctdhub.schema.roles import ORIGIN, SEX
from ctdhub.sensitive.duck import run_whole
from ctdhub.sensitive.linkage.chance import WHOLE, bit, bounds, taken, without_doubles
from ctdhub.sensitive.linkage.pprl.derive import PERSON

MOST = 100
"""Persons that share a token at most; a token that more share tells nobody apart, and goes."""

CHANCE = 1e-5
"""Guess, before any pair is seen, of how often two people agree on a pattern by chance: one first
name in a hundred, born in one year of forty, in one town of a hundred make 2.5e-6, and the guess is
four times that.  It counts for little once there are some hundred people."""

STRONG = 0.99
"""Probability from which a person counts as found in another, see ``chance.taken``."""

_WEIGHED_AS = {PERSON: WHOLE}
"""The token that stands for a person says what :data:`WHOLE` says, by another reading of names."""

FACTS = {SEX: "x", ORIGIN: "y"}
"""Facts of the hub whose agreement is weighed too, by a letter that no kind of key has."""

_PAIRS = f"""
WITH shared AS (SELECT token FROM held GROUP BY token HAVING count(*) BETWEEN 2 AND {MOST})
SELECT a.unit AS one, b.unit AS other, any_value(a.source) AS source,
       any_value(b.source) AS other_source, bit_or(a.kind) AS kinds
FROM held a JOIN shared USING (token) JOIN held b USING (token)
WHERE a.unit < b.unit
GROUP BY a.unit, b.unit
ORDER BY 1, 2
"""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """Pairs of persons that share a token, each once.

    Attributes:
        one, other: persons, from 0; ``one`` is the smaller.
        within: whether both are of one contributor.
        kinds: set of what agrees, as bits: kinds of keys (a = 1, b = 2, c = 4, …) and
            :data:`FACTS`.
        sources: contributor of both, from 0; columns one and other.
        too_common: tokens left out because more than :data:`MOST` share them.
        holds: by person, kinds of keys that it has, as bits; numbered from 0.
    """

    one: Ints
    other: Ints
    within: NDArray[np.bool_]
    kinds: Ints
    sources: Ints
    too_common: int
    holds: Ints

    @property
    def doubles(self) -> NDArray[np.bool_]:
        """Pairs that are perhaps one person whom a contributor holds twice."""
        both: NDArray[np.bool_] = self.within & ((self.kinds & bit(WHOLE)) != 0)
        return both


def pairs_of(
    unit: Ints, source: Ints, tokens: pa.Array, facts: Mapping[str, Ints] | None = None
) -> Pairs:
    """Find the pairs.

    Args:
        unit: person of each token, from 0.
        source: contributor of each token, from 0.
        tokens: texts that begin with the letter of their kind.
        facts: :data:`FACTS` as codes by person, -1 where not recorded.
    """
    kind = pc.binary_slice(tokens.cast(pa.binary()), 0, 1).to_numpy(zero_copy_only=False)
    bits = np.array([bit(_WEIGHED_AS.get(chr(k[0]), chr(k[0]))) for k in kind], np.int64)
    held = pa.table({"unit": unit, "source": source, "token": tokens, "kind": bits})
    held = held.group_by(["unit", "source", "token", "kind"]).aggregate([])
    found = run_whole(_PAIRS, held=held)
    one, other, source_, other_source, kinds = (
        found[name].to_numpy().astype(np.int64)
        for name in ("one", "other", "source", "other_source", "kinds")
    )
    for name, codes in (facts or {}).items():
        agree = (codes[one] == codes[other]) & (codes[one] >= 0)
        kinds = kinds | np.where(agree, bit(FACTS[name]), 0)
    sizes = pc.value_counts(held["token"].combine_chunks()).field("counts").to_numpy()
    sources = np.column_stack([source_, other_source])
    too_common = int((sizes > MOST).sum())
    holds = np.zeros(int(unit.max(initial=-1)) + 1, np.int64)
    np.bitwise_or.at(holds, unit, bits)
    holds = np.unique(holds, return_inverse=True)[1]
    return Pairs(one, other, source_ == other_source, kinds, sources, too_common, holds)


@dataclass(frozen=True)
class Pattern:
    """What a set of agreeing keys is worth.

    Attributes:
        kinds: letters of what agrees.
        pairs: pairs between contributors with exactly this agreement.
        by_chance: pairs among them expected to be two people.
        probability: that such a pair is one person, 0 to 1.
    """

    kinds: str
    pairs: int
    by_chance: float
    probability: float


def held_twice(pairs: Pairs, worth: Mapping[int, Pattern], persons: Ints) -> NDArray[np.float64]:
    """About how many people each contributor holds twice: pairs of its persons beyond chance.

    Args:
        pairs: pairs that share a token.
        worth: of :func:`patterns`.
        persons: number of persons of each contributor.
    """
    ratio = _ratio(persons)
    found, which, inside = np.unique(
        pairs.kinds[pairs.within], return_inverse=True, return_counts=True
    )
    chance = [
        worth[bits].by_chance / ratio if ratio and bits in worth else float(n)
        for bits, n in zip(found.tolist(), inside, strict=True)
    ]
    share = 1 - np.minimum(1.0, np.array(chance) / np.maximum(inside, 1))
    of = pairs.sources[pairs.within, 0]
    return np.bincount(of, share[which], minlength=len(persons)).astype(np.float64)


def _ratio(persons: Ints) -> float:
    """Pairs of persons of different contributors for each pair of one."""
    within = float((persons * (persons - 1) // 2).sum())
    across = float((persons.sum() ** 2 - (persons**2).sum()) // 2)
    return across / within if within else 0.0


def patterns(pairs: Pairs, persons: Ints) -> dict[int, Pattern]:
    """Every pattern that occurs between contributors, by its bits.

    Who agrees on more keys is never less likely one person: a pattern is worth at least what any
    part of it is worth.

    Args:
        pairs: pairs that share a token.
        persons: number of persons of each contributor.
    """
    within = float((persons * (persons - 1) // 2).sum())
    across = float((persons.sum() ** 2 - (persons**2).sum()) // 2)
    ratio = _ratio(persons)
    guess = min(0.5, CHANCE * within) * ratio if within else CHANCE * across
    found, which, between = np.unique(
        pairs.kinds[~pairs.within], return_inverse=True, return_counts=True
    )
    seen = dict(zip(*np.unique(pairs.kinds[pairs.within], return_counts=True), strict=True))
    inside = np.array([seen.get(bits, 0) for bits in found], float)
    most = bounds(found, seen, _FACT_BITS)
    respelt = np.where(found & bit(WHOLE), np.inf, most)
    chance = (
        np.minimum(most, without_doubles(between.astype(np.float64), inside, respelt, ratio))
        * ratio
    )
    sure = found[1 - np.maximum(chance, guess) / between >= STRONG]
    strong = np.isin(pairs.kinds, sure)
    chance = np.minimum(
        chance,
        taken(
            which,
            len(found),
            pairs.one[~pairs.within],
            pairs.other[~pairs.within],
            pairs.holds,
            np.column_stack([pairs.one[strong], pairs.other[strong]]),
        ),
    )
    chance = np.maximum(chance, guess)
    raw = 1 - np.minimum(1.0, chance / np.maximum(between, 1))
    worth = [
        float(raw[(found & bits) == found].max(initial=0.0)) for bits in found
    ]  # the parts of a pattern, itself among them
    return {
        int(bits): Pattern(letters(int(bits)), int(n), float(by_chance), probability)
        for bits, n, by_chance, probability in zip(found, between, chance, worth, strict=True)
    }


_FACT_BITS = sum(bit(letter) for letter in FACTS.values())


def letters(bits: int) -> str:
    """Letters of a set of kinds.

    >>> letters(0b101)
    'ac'
    """
    return "".join(chr(ord("a") + i) for i in range(26) if bits >> i & 1)
