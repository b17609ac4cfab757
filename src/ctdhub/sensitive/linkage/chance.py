"""How many pairs of people agree on a set of keys by chance, whomever contributors hold twice.

Two people of one contributor, told apart by its own case numbers, are two people, and their pairs
tell how often chance makes an agreement.  But contributors hold one person twice, and such doubles
look like chance.  So chance is the least of four numbers, each of which is at least as large as
chance, as far as it can be told:

inside: pairs of one contributor, scaled; too high by doubles.
bound: what chance makes of a weaker key of the agreement alone, and a tenth of it for each name and
    each part of the birth date that agrees as well; too high where that is rarer.
without doubles: inside less doubles, where these are to links as they are in agreements in which
    the bound leaves no room for chance; with one standard deviation on top.
taken: pairs of which one side surely is a third, and the other surely is not, scaled by how often
    people who hold the same kinds of keys surely are somebody else's; too high where three
    contributors know one person and one spells her unlike both others.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SAYS = {
    "a": (2, 1, 1),
    "b": (2, 1, 1),
    "c": (2, 1, 0),
    "d": (2, 0, 1),
    "e": (2, 0, 0),
    "f": (1, 1, 1),
    "g": (1, 1, 0),
    "h": (1, 1, 1),
    "i": (0, 1, 1),
}
"""Names, year of birth, and its day and month that a kind of key agrees on.  Places do not count:
chance often makes people of one town agree on them.  A kind that is not here says nothing."""

WHOLE = "b"
"""Kind of key that agrees on both names and the whole birth date: between two cases of one
contributor it speaks of one person held twice."""

RARER = 0.1
"""How often, at most, chance adds one name, or one part of the birth date, to a weaker key."""

TELLING = 0.2
"""Share of chance pairs expected to be taken, below which those that are tell nothing."""


def bounds(found: Ints, inside: Mapping[int, int], facts: int) -> Floats:
    """Pairs of two people of one contributor that agree on each pattern, at most.

    A bound comes from the parts of a pattern that occur at all.  Where none does it is infinite,
    but 0 where both names and the whole birth date agree.

    Args:
        found: patterns, as bits.
        inside: pairs of one contributor by their pattern.
        facts: bits that stand for facts of the hub; patterns are compared where these are equal.
    """
    seen = np.unique(np.concatenate([found, np.array([*inside], np.int64)]))
    pairs = np.array([inside.get(int(bits), 0) for bits in seen], float)
    says = np.array([_says(int(bits)) for bits in seen]).reshape(-1, 3)
    most = np.full(len(found), np.inf)
    for at, bits in enumerate(found):
        own = _says(int(bits))
        parts = ((seen & bits) == seen) & ((seen & facts) == (bits & facts))
        beyond = sum(own) - says.sum(axis=1)
        if own == SAYS[WHOLE] and not (parts & (beyond > 0)).any():
            most[at] = 0
        for less in np.unique(says[parts & (beyond > 0)], axis=0):
            alike = parts & (says == less).all(axis=1)
            most[at] = min(most[at], RARER ** (sum(own) - less.sum()) * pairs[alike].sum())
    return most


def _says(bits: int) -> tuple[int, int, int]:
    known = [said for kind, said in SAYS.items() if bits & bit(kind)]
    names, years, days = (max((said[i] for said in known), default=0) for i in range(3))
    return names, years, days


def without_doubles(between: Floats, inside: Floats, most: Floats, ratio: float) -> Floats:
    """Pairs of different people of one contributor, for each agreement, doubles taken off.

    Args:
        between, inside: pairs of different contributors and of one, for each agreement.
        most: at most so many of ``inside`` are different people, see :func:`bounds`; infinite where
            nothing is known, or doubles may be copies that agree on everything.
        ratio: pairs of different contributors for each pair of one.
    """
    known = np.isfinite(most)
    people = np.minimum(inside, np.where(known, most, 0))
    doubles, links = (inside - people)[known].sum(), (between - ratio * people)[known].sum()
    share = float(doubles / links) if links > 0 else 0.0
    left = 1 - ratio * share
    if not share or left <= 0:
        return inside
    spread = np.sqrt(inside + share**2 * between)
    return np.asarray(np.minimum(inside, (np.maximum(inside - share * between, 0) + spread) / left))


def taken(
    pattern: Ints, patterns: int, one: Ints, other: Ints, holds: Ints, strong: Ints
) -> Floats:
    """Pairs of different people between contributors, for each agreement, by who is taken.

    Args:
        pattern: number of the agreement of each pair between contributors.
        patterns: how many agreements there are.
        one, other: their persons.
        holds: by person, a number for the kinds of keys that it has.
        strong: pairs that are hardly chance, shape (n, 2): persons, of one contributor or several.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = strong[:, 0], strong[:, 1]
    ties = coo_array((np.ones(len(strong), np.int8), ends), shape=(len(holds), len(holds)))
    group = connected_components(ties, directed=False)[1]
    found = np.bincount(group)[group] > 1
    rate = np.bincount(holds, found) / np.maximum(np.bincount(holds), 1)
    is_taken = (found[one] | found[other]) & (group[one] != group[other])
    likely = 1 - (1 - rate[holds[one]]) * (1 - rate[holds[other]])
    pairs, seen, expected = (
        np.bincount(pattern, weights, minlength=patterns)
        for weights in (np.ones(len(one)), is_taken.astype(float), likely)
    )
    share = np.where(expected >= TELLING * pairs, seen / np.maximum(expected, 1e-9), 1.0)
    return np.asarray(pairs * np.minimum(share, 1.0))


def bit(letter: str) -> int:
    """The bit of a letter: a is 1, b is 2, c is 4, …"""
    return 1 << (ord(letter) - ord("a"))
