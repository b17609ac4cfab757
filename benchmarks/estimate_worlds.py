"""Fictitious populations behind lists, of known size: what ``benchmarks/estimate.py`` estimates.

``ALIKE`` and ``DIFFERING`` are eight worlds that the method was built on.  ``OTHERS`` were written
afterwards, on other assumptions: chances from a continuous distribution, lists that follow or avoid
each other, strata, a list that holds everybody of one of them, lists that reach other people.  The
strongest form and the limit of z were chosen with these in sight, ``LATER`` were written after it.
``TIED`` have lists that refer people to each other, or refuse each other's, of several sizes.
In ``REACH`` most people are seen, or most are hardly ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ctdhub.stats.mse.lists import Lists, members

Floats = npt.NDArray[np.float64]
World = Callable[[np.random.Generator], tuple[int, Floats]]
"""Draws a population: how many there are, and the people in each combination of lists."""

FOUR = (0.12, 0.08, 0.06, 0.04)


def lists_from(counts: Floats) -> Lists:
    """Counts as lists a, b, c ..."""
    names = "abcdefghij"[: (len(counts) + 1).bit_length() - 1]
    return Lists(tuple(names), tuple(map(float, counts)))


def cells(chances: Sequence[float]) -> Floats:
    """Chance of each combination of independent lists."""
    on = members(len(chances))
    return np.asarray(np.prod(np.where(on, chances, 1 - np.array(chances)), axis=1))


def _thrown(rng: np.random.Generator, people: int, chances: Floats) -> Floats:
    return rng.multinomial(people, np.append(chances, 1 - chances.sum()))[:-1].astype(np.float64)


def classes(people: int, parts: Sequence[tuple[float, Sequence[float]]]) -> World:
    """Independent lists within classes: (share of the people, their chances)."""
    p = np.sum([share * cells(chances) for share, chances in parts], axis=0)
    return lambda rng: (people, _thrown(rng, people, p))


def pair(people: int, chances: Sequence[float], on: float, off: float) -> World:
    """The chance of the second list is ``on`` for those on the first, ``off`` for the others."""
    first = chances[0]
    p = np.zeros(2 ** len(chances) - 1)
    for chance, second in ((1.0, on), (0.0, off)):
        share = first if chance else 1 - first
        p += share * cells([chance, second, *chances[2:]])
    return lambda rng: (people, _thrown(rng, people, p))


def persons(people: int, draw: Callable[[np.random.Generator, int], Floats]) -> World:
    """Chances drawn for each person: people x lists."""

    def world(rng: np.random.Generator) -> tuple[int, Floats]:
        chances = np.clip(draw(rng, people), 0.0, 1.0)
        on = rng.random(chances.shape) < chances
        held = on @ (1 << np.arange(chances.shape[1]))
        return people, np.bincount(held, minlength=2 ** chances.shape[1])[1:].astype(float)

    return world


def _easy(share: float, up: float, down: float) -> list[tuple[float, list[float]]]:
    return [(share, [up * p for p in FOUR]), (1 - share, [down * p for p in FOUR])]


SECOND_OFF = (0.08 - 0.12 * 0.25) / 0.88
ALIKE: dict[str, World] = {
    "4 independent lists": classes(5000, [(1.0, FOUR)]),
    "dependent pair": pair(5000, FOUR, 0.25, SECOND_OFF),
    "referral pair, 3 lists": pair(3000, (0.15, 0.12, 0.08), 0.03, 0.12),
    "sparse, dependent pair": pair(3000, (0.07, 0.05, 0.04, 0.03, 0.02), 0.2, 0.04),
    "sparser, 5 lists": classes(2000, [(1.0, (0.03, 0.04, 0.05, 0.02, 0.015))]),
    "UK-like, 6 lists": classes(12000, [(1.0, (0.045, 0.03, 0.08, 0.07, 0.03, 0.006))]),
}
DIFFERING: dict[str, World] = {
    "20 % easy people": classes(5000, _easy(0.2, 2.6, 0.6)),
    "15 % visible people": classes(
        5000, [(0.15, (0.3, 0.25, 0.2, 0.15)), (0.85, (0.03, 0.025, 0.02, 0.015))]
    ),
}


def _beta(rng: np.random.Generator, n: int) -> Floats:
    """One factor a person: beta(0.8, 3.2) / 0.2, mean 1, CV2 0.8."""
    return np.asarray(rng.beta(0.8, 3.2, (n, 1)) / 0.2 * np.array(FOUR))


def _lognormal(rng: np.random.Generator, n: int) -> Floats:
    """One factor a person: lognormal of mean 1, CV2 0.65, on the odds of four lists."""
    a = np.exp(rng.normal(-0.25, 0.5**0.5, (n, 1)))
    odds = a * np.array(FOUR) / (1 - np.array(FOUR))
    return np.asarray(odds / (1 + odds))


def _mild(rng: np.random.Generator, n: int) -> Floats:
    """The same with CV2 0.1: people differ a little."""
    return np.asarray(np.exp(rng.normal(-0.048, 0.31, (n, 1))) * np.array(FOUR))


def _three_pairs(rng: np.random.Generator, n: int) -> Floats:
    """Five lists; b follows a, d follows c, e avoids a: three dependences of three strengths."""
    a, c = rng.random(n) < 0.1, rng.random(n) < 0.07
    b, d = np.where(a, 0.25, 0.06), np.where(c, 0.2, 0.05)
    e = np.where(a, 0.02, 0.07)
    return np.column_stack([a * 1.0, b, c * 1.0, d, e])


def _ages(rng: np.random.Generator, n: int) -> Floats:
    """Three ages; each list reaches them differently, and not in the same order."""
    reach = np.array([
        [0.20, 0.02, 0.10, 0.03],
        [0.06, 0.12, 0.05, 0.06],
        [0.02, 0.10, 0.02, 0.10],
    ])  # fmt: skip
    return np.asarray(reach[rng.choice(3, n, p=[0.25, 0.5, 0.25])])


def _registry(rng: np.random.Generator, n: int) -> Floats:
    """A list that holds everybody of one stratum (15 %) and few of the others."""
    inside = rng.random(n) < 0.15
    return np.column_stack([np.where(inside, 1.0, 0.05), *(np.full(n, p) for p in FOUR[:3])])


def _unreachable(rng: np.random.Generator, n: int) -> Floats:
    """30 % whom one list alone can ever reach."""
    hidden = rng.random((n, 1)) < 0.3
    return np.where(hidden, [[0.12, 0.0, 0.0, 0.0]], [FOUR])


def _small_and_uneven(rng: np.random.Generator, n: int) -> Floats:
    """Few people, very different: what a young hub has."""
    return np.asarray(rng.beta(0.5, 2.0, (n, 1)) / 0.2 * np.array([[0.15, 0.1, 0.08, 0.06]]))


def _two_factors(rng: np.random.Generator, n: int) -> Floats:
    """Two factors a person, gamma of CV2 1, correlated .5: two lists follow each."""
    shared = rng.gamma(0.5, 1.0, (n, 1))
    one, two = (shared + rng.gamma(0.5, 1.0, (n, 1)) for _factor in range(2))
    return np.hstack([one * [[0.12, 0.08]], two * [[0.06, 0.04]]])


def _gamma_six(rng: np.random.Generator, n: int) -> Floats:
    """Gamma of CV2 .5 on six lists."""
    return np.asarray(rng.gamma(2.0, 0.5, (n, 1)) * [[0.06, 0.05, 0.08, 0.04, 0.03, 0.02]])


def _few_visible(rng: np.random.Generator, n: int) -> Floats:
    """5 % who are met everywhere, a third who can hardly be met, the others alike."""
    a = rng.choice([6.0, 0.15, 1.0], (n, 1), p=[0.05, 0.33, 0.62])
    return np.asarray(a * [FOUR])


def _three_lists(rng: np.random.Generator, n: int) -> Floats:
    """Lognormal of CV2 1 on three large lists."""
    return np.exp(rng.normal(-0.35, 0.83, (n, 1))) * np.array([[0.15, 0.12, 0.1]])


OTHERS: dict[str, World] = {
    "beta, CV2 .8": persons(5000, _beta),
    "lognormal, CV2 .65": persons(5000, _lognormal),
    "lognormal, CV2 .1": persons(5000, _mild),
    "beta, CV2 1.1, 800 people": persons(800, _small_and_uneven),
    "three dependent pairs": persons(6000, _three_pairs),
    "three ages": persons(5000, _ages),
    "a list of a whole stratum": persons(5000, _registry),
    "30 % on one list only": persons(5000, _unreachable),
}
LATER: dict[str, World] = {
    "two factors": persons(5000, _two_factors),
    "gamma, CV2 .5, 6 lists": persons(8000, _gamma_six),
    "5 % visible, 33 % hidden": persons(20_000, _few_visible),
    "lognormal, CV2 1, 3 lists": persons(8000, _three_lists),
}


def tied(people: int, chances: Sequence[float], odds: dict[tuple[int, int], float]) -> World:
    """The odds of the later list of a pair are multiplied for those on the earlier one."""

    def draw(rng: np.random.Generator, n: int) -> Floats:
        on: list[Floats] = []
        for k, chance in enumerate(chances):
            factor = np.ones(n)
            for (first, second), times in odds.items():
                if second == k:
                    factor = factor * np.where(on[first] > 0, times, 1.0)
            own = factor * chance / (1 - chance)
            on.append((rng.random(n) < own / (1 + own)).astype(float))
        return np.column_stack(on)

    return persons(people, draw)


def _turned_away(rng: np.random.Generator, n: int) -> Floats:
    """Shelters: whoever is on an earlier list has a third of the chance of each later one."""
    taken = np.zeros(n, dtype=bool)
    on = []
    for chance in LARGE:
        here = rng.random(n) < chance * np.where(taken, 0.33, 1.0)
        taken |= here
        on.append(here.astype(float))
    return np.column_stack(on)


LARGE = (0.25, 0.2, 0.15, 0.1)
_ALL = [(a, b) for b in range(4) for a in range(b)]
TIED: dict[str, World] = {
    "shelters: a third, 5,000": persons(5000, _turned_away),
    "shelters: a third, 800": persons(800, _turned_away),
    "all pairs avoid, odds 1/3": tied(5000, LARGE, dict.fromkeys(_ALL, 1 / 3)),
    "all pairs avoid, odds 1/2": tied(5000, LARGE, dict.fromkeys(_ALL, 0.5)),
    "all pairs avoid, odds .7": tied(5000, LARGE, dict.fromkeys(_ALL, 0.7)),
    "3 lists avoid, odds 1/3": tied(5000, LARGE[:3], dict.fromkeys(_ALL[:3], 1 / 3)),
    "all pairs refer, odds 2": tied(5000, FOUR, dict.fromkeys(_ALL, 2.0)),
    "one avoids, one refers": tied(5000, LARGE, {(0, 1): 0.3, (2, 3): 3.5}),
    "the same, 3 lists": tied(5000, LARGE[:3], {(0, 1): 0.33, (1, 2): 3.0}),
    "the same, 600 people": tied(600, LARGE, {(0, 1): 0.3, (2, 3): 3.5}),
    "the same, odds 1/2 and 2": tied(5000, LARGE, {(0, 1): 0.5, (2, 3): 2.0}),
}
SIZES: dict[str, World] = {
    "independent, 300 people": tied(300, LARGE, {}),
    "independent, 50,000": tied(50_000, FOUR, {}),
    "lognormal, CV2 .65, 50,000": persons(50_000, _lognormal),
    "beta, CV2 1.1, 20,000": persons(20_000, _small_and_uneven),
}
FEW_LISTS, MORE = (0.3, 0.25, 0.2, 0.2), (0.3, 0.25, 0.2, 0.2, 0.2)


def _tenth(chances: Sequence[float]) -> list[float]:
    return [p / 10 for p in chances]


REACH: dict[str, World] = {
    "independent, most are seen": classes(1000, [(1.0, (0.6, 0.5, 0.5))]),
    "2 independent, most are seen": classes(1000, [(1.0, (0.7, 0.6))]),
    "60 % found a tenth as often": classes(2500, [(0.4, FEW_LISTS), (0.6, _tenth(FEW_LISTS))]),
    "the same, 5 lists": classes(2500, [(0.4, MORE), (0.6, _tenth(MORE))]),
}
"""Lists that know most people, and lists that most people are hardly ever on."""
INDEPENDENT = frozenset({
    "4 independent lists", "sparser, 5 lists", "UK-like, 6 lists", "independent, 300 people",
    "independent, 50,000", "independent, most are seen", "2 independent, most are seen",
})  # fmt: skip
"""Worlds of which the interval of independent lists is said to hold the population."""
