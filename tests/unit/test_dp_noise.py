"""The sampler is exact: against the probabilities, against OpenDP, and bit by bit.

Thresholds are chosen so that a correct sampler fails a test with a chance below 1e-9.
"""

from __future__ import annotations

import itertools
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from ctdhub.dp.noise import Sampler, _cumulative, permutation, sampler, uniform

DRAWS = 1_000_000


def pmf(sigma2: Fraction, reach: int) -> npt.NDArray[np.float64]:
    k = np.arange(-reach, reach + 1)
    weight = np.exp(-(k**2) / (2 * float(sigma2)))
    everything = np.exp(-(np.arange(-40 * reach, 40 * reach + 1) ** 2) / (2 * float(sigma2))).sum()
    result: npt.NDArray[np.float64] = weight / everything
    return result


def chi_square_limit(freedom: int) -> float:
    """A bound passed with a chance below 1e-9 (Laurent and Massart 2000, lemma 1)."""
    x = math.log(1e9)
    return freedom + 2 * math.sqrt(freedom * x) + 2 * x


def chi_square(drawn: npt.NDArray[np.int64], sigma2: Fraction) -> tuple[float, int]:
    """Statistic and degrees of freedom over cells of expectation >= 500, the tails pooled."""
    reach = next(r for r in itertools.count(1) if pmf(sigma2, r)[0] * DRAWS < 500)
    chance = pmf(sigma2, reach)
    seen = np.bincount(np.clip(drawn, -reach, reach) + reach, minlength=2 * reach + 1)
    inner = chance[1:-1]
    chance = np.concatenate([[(1 - inner.sum()) / 2], inner, [(1 - inner.sum()) / 2]])
    held = chance * drawn.size > 20
    expected = chance[held] * drawn.size
    return float(((seen[held] - expected) ** 2 / expected).sum()), int(held.sum()) - 1


@pytest.mark.parametrize(
    "sigma2", [Fraction(3, 10), Fraction(1), Fraction(50), Fraction(40_000, 7)]
)
def test_draws_follow_the_distribution(sigma2: Fraction) -> None:
    statistic, freedom = chi_square(Sampler(sigma2).draw(DRAWS), sigma2)
    assert statistic < chi_square_limit(freedom) + freedom * 0.05  # + the discreteness of counts


def test_the_chi_square_test_can_fail() -> None:
    statistic, freedom = chi_square(Sampler(Fraction(9)).draw(DRAWS), Fraction(37, 4))
    assert statistic > chi_square_limit(freedom) + freedom * 0.05


def test_draws_match_those_of_opendp() -> None:
    """Two-sample test on the distribution functions (Dvoretzky-Kiefer-Wolfowitz)."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    n, sigma = 200_000, 6.0
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
    theirs = np.array((space >> dp.m.then_gaussian(scale=sigma))([0] * n))
    ours = Sampler(Fraction(36)).draw(n)
    grid = np.arange(-40, 41)
    gap = np.abs((ours[:, None] <= grid).mean(0) - (theirs[:, None] <= grid).mean(0)).max()
    assert gap < 2 * math.sqrt(math.log(4e9) / (2 * n))


def test_tails_are_neither_cut_nor_fat() -> None:
    sigma2 = Fraction(16)
    drawn = np.abs(Sampler(sigma2).draw(DRAWS))
    for sigmas in (3, 4):
        expected = DRAWS * 2 * pmf(sigma2, 80)[80 + sigmas * 4 :].sum()
        wide = 7 * math.sqrt(expected) + 14  # Bernstein
        assert abs((drawn >= sigmas * 4).sum() - expected) < wide


def scripted(first: int, rest: Iterable[int]) -> Callable[[int], bytes]:
    stream = itertools.chain([first], rest)
    return lambda size: bytes(next(stream) for _ in range(size))


@pytest.mark.parametrize("sigma2", [Fraction(3), Fraction(1, 2)])
def test_every_stream_of_two_narrow_words_gives_its_outcome(sigma2: Fraction) -> None:
    """With words of 8 bits the rare branch is common: all 65,536 beginnings are gone through, and
    each outcome gets its share to within the two beginnings that its ends may split."""
    narrow = Sampler(sigma2, bits=8)
    seen: Counter[int] = Counter()
    for first in range(256):
        if first in narrow._words:
            for second in range(256):
                outcome = narrow.draw(
                    1, scripted(first, itertools.chain([second], itertools.repeat(128)))
                )
                seen[int(outcome[0])] += 1
        else:
            seen[int(narrow.draw(1, scripted(first, []))[0])] += 256
    chance = pmf(sigma2, 40)
    for k in range(-40, 41):
        assert abs(seen[k] - 65_536 * chance[k + 40]) <= 2


def test_a_word_on_the_boundary_is_resolved_by_more_bits() -> None:
    exact = Sampler(Fraction(25))
    for k in (-20, -3, 0, 7):
        word = int(exact._words[k + exact.reach])
        zeros = _stream([word, 0, 0])
        ones = _stream([word, 2**64 - 1, 2**64 - 1])
        assert exact.draw(1, zeros)[0] == k  # just under F(k)
        assert exact.draw(1, ones)[0] == k + 1  # just above it


def _stream(values: list[int]) -> Callable[[int], bytes]:
    data = iter(values)

    def source(size: int) -> bytes:
        assert size == 8
        return next(data).to_bytes(8, "little")

    return source


def test_the_far_tail_can_be_reached() -> None:
    exact = Sampler(Fraction(4))
    drawn = int(exact.draw(1, _stream([0, 0, 1]))[0])
    assert drawn < -exact.reach - 2
    assert int(exact.draw(1, _stream([2**64 - 1, 2**64 - 1, 2**64 - 2]))[0]) > exact.reach + 2


@pytest.mark.parametrize("sigma2", [Fraction(1, 256), Fraction(7, 3), Fraction(900)])
@pytest.mark.parametrize("width", [64, 128])
def test_words_enclose_the_true_distribution_function(sigma2: Fraction, width: int) -> None:
    """Against a straightforward sum with 120 digits."""
    reach, bounds = _cumulative(sigma2, width)
    with localcontext(prec=120):
        scale = -Decimal(sigma2.denominator) / (2 * Decimal(sigma2.numerator))
        weight = [(scale * k * k).exp() for k in range(3 * reach + 60)]
        total = weight[0] + 2 * sum(weight[1:])
        below = sum(weight[reach + 1 :])
        for k, (low, high) in enumerate(bounds, start=-reach):
            below += weight[abs(k)]
            assert low <= below / total * 2**width <= high <= low + 1
    assert bounds[0] == (0, 1)
    assert bounds[-1] == (2**width - 1, 2**width)


def test_the_product_draws_from_the_operating_system() -> None:
    assert sampler(Fraction(9)) is sampler(Fraction(9))
    for method in (Sampler.draw, permutation, uniform):
        assert method.__defaults__ is not None
        assert method.__defaults__[-1] is os.urandom


def test_orders_are_orders() -> None:
    assert sorted(permutation(1000).tolist()) == list(range(1000))
    assert 0 <= uniform(1000).min() <= uniform(1000).max() < 1


@pytest.mark.parametrize("sigma2", [Fraction(0), Fraction(1, 1000), Fraction(10**11)])
def test_sigma_out_of_range_is_refused(sigma2: Fraction) -> None:
    with pytest.raises(ValueError, match="range"):
        Sampler(sigma2)
