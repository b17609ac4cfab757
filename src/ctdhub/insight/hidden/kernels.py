"""Compiled random draws, from random words that are handed in; moves of the latent class model.

Belongs here: loops that numpy cannot express without many passes.  Does not belong here: where
random words come from (``bits``), what is drawn for which purpose (``draws``, ``latent``).

All draws are exact up to floating point.  Gamma: Marsaglia and Tsang 2000 (ACM Trans. Math. Softw.
26:363).  Binomial and Poisson: large parameters are halved by order statistics of uniforms and by
waiting times until sequential inversion is cheap (Ahrens and Dieter 1974, Computing 12:223;
Devroye 1986, Non-Uniform Random Variate Generation, X.4.3 and X.3.3).

``words`` are random 64-bit words and ``at[0]`` is the place of the next one.  Where they run out,
``at[0]`` ends above their number and what was drawn means nothing: the caller draws again with
more words behind the same ones.
"""

# numba reads the code of these functions: what they may use is limited, so they are kept plain.

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

_CHEAP = 16.0
"""Expected values up to which inversion is used."""


def _compiled(function: Any) -> Any:
    """Compile at first use; keep the result on disk, or in memory where no folder is writable."""
    try:
        return nb.njit(cache=True, boundscheck=False, nogil=True)(function)
    except RuntimeError:
        return nb.njit(boundscheck=False, nogil=True)(function)


@_compiled
def _uniform(words: Any, at: Any) -> Any:
    """Uniform in (0, 1)."""
    i = at[0]
    at[0] = i + 1
    if i >= len(words):
        return 0.5
    return (np.float64(words[i] >> np.uint64(11)) + 0.5) * 2.0**-53


@_compiled
def _gamma(shape: Any, words: Any, at: Any) -> Any:
    """Gamma of that shape and scale one."""
    boost = 1.0
    if shape < 1.0:
        boost = _uniform(words, at) ** (1.0 / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    while at[0] <= len(words):
        size = np.sqrt(-2.0 * np.log(_uniform(words, at)))
        x = size * np.cos(2.0 * np.pi * _uniform(words, at))
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        if np.log(_uniform(words, at)) < 0.5 * x * x + d - d * v + d * np.log(v):
            return d * v * boost
    return shape


@_compiled
def _beta(a: Any, b: Any, words: Any, at: Any) -> Any:
    """Beta; one shape is at least 1, so that the two gammas do not vanish together."""
    x = _gamma(a, words, at)
    y = _gamma(b, words, at)
    return x / (x + y) if x + y > 0.0 else 0.5


@_compiled
def _binomial(n: Any, p: Any, words: Any, at: Any) -> Any:
    """Number of successes in n trials."""
    found = 0
    while n > 0 and n * min(p, 1.0 - p) > _CHEAP and at[0] <= len(words):
        i = n // 2 + 1
        b = _beta(float(i), float(n + 1 - i), words, at)  # the i-th smallest of n uniforms
        if b <= p:
            found += i
            n -= i
            p = (p - b) / (1.0 - b) if b < 1.0 else 0.0
        else:
            n = i - 1
            p = p / b
    p = min(max(p, 0.0), 1.0)
    few = min(p, 1.0 - p)
    if n <= 0:
        return found
    x = 0
    if few > 0.0:
        odds = few / (1.0 - few)
        chance = (1.0 - few) ** n
        u = _uniform(words, at)
        while u > chance and x < n:
            u -= chance
            x += 1
            chance *= odds * (n + 1 - x) / x
    return found + (x if few == p else n - x)


@_compiled
def _poisson(mean: Any, words: Any, at: Any) -> Any:
    """Poisson of that mean."""
    found = 0
    while mean > _CHEAP and at[0] <= len(words):
        m = int(0.875 * mean)
        x = _gamma(float(m), words, at)
        if x > mean:
            return found + _binomial(m - 1, mean / x, words, at)
        found += m
        mean -= x
    chance = np.exp(-mean)
    u = _uniform(words, at)
    x = 0
    while u > chance and x < 1000:
        u -= chance
        x += 1
        chance *= mean / x
    return found + x


@_compiled
def multinomials(n: Any, chances: Any, out: Any, words: Any, at: Any) -> None:
    """Fill each row of ``out`` with a multinomial of ``n`` people; ``chances`` add up to one."""
    for row in range(len(out)):
        left, rest = n, 1.0
        for c in range(len(chances)):
            if left <= 0 or chances[c] <= 0.0:
                out[row, c] = 0
                continue
            k = left
            if chances[c] < rest:
                k = _binomial(left, chances[c] / rest, words, at)
            out[row, c] = k
            left -= k
            rest -= chances[c]


@_compiled
def _normal(words: Any, at: Any) -> Any:
    """Standard normal."""
    size = np.sqrt(-2.0 * np.log(_uniform(words, at)))
    return size * np.cos(2.0 * np.pi * _uniform(words, at))


@_compiled
def _catching(row: Any, catch: Any) -> Any:
    """Chance that a class with these chances of lists is on exactly the lists of a row."""
    chance = 1.0
    for j in range(len(row)):
        chance *= catch[j] if row[j] else 1.0 - catch[j]
    return chance


@_compiled
def _prior(share: Any, alpha: Any) -> Any:
    """Log density of shares from sticks, in the coordinates log(share / last share).

    The density of the shares is alpha^(C-1) share_C^(alpha-1) / (R_1 ... R_(C-1)), R_k the shares
    from k on; the change of coordinates multiplies it by all shares.
    """
    total = share.sum()
    left = total
    log = (alpha - 1.0) * np.log(share[len(share) - 1] / total)
    for k in range(len(share)):
        log += np.log(share[k] / total)
        if k < len(share) - 1:
            log -= np.log(max(left / total, 1e-300))
            left -= share[k]
    return log


@_compiled
def _move(people: Any, on: Any, share: Any, catch: Any, alpha: Any, heat: Any, times: Any,
          words: Any, at: Any) -> Any:  # fmt: skip
    """Metropolis moves of one particle; gives its log likelihood (see :func:`moves`)."""
    classes, lists = catch.shape
    cells, n = len(people), people.sum()
    chance, missed = np.empty((cells, classes)), np.empty(classes)
    nobody = np.zeros(lists, dtype=np.bool_)
    total, found = np.zeros(cells), 0.0
    for k in range(classes):
        missed[k] = _catching(nobody, catch[k])
        found += share[k] * (1.0 - missed[k])
        for c in range(cells):
            chance[c, k] = _catching(on[c], catch[k])
            total[c] += share[k] * chance[c, k]
    fit = -n * np.log(max(found, 1e-300))
    for c in range(cells):
        fit += people[c] * np.log(max(total[c], 1e-300))
    prior = _prior(share, alpha)
    fresh, column, proposed = np.empty(lists), np.empty(cells), np.empty(cells)
    for _time in range(times):
        if at[0] > len(words):
            break
        k = int(_uniform(words, at) * classes)
        kind = _uniform(words, at)
        if kind < 0.1:
            other = int(_uniform(words, at) * classes)
            share[k], share[other] = share[other], share[k]
            swapped = _prior(share, alpha)
            if np.log(_uniform(words, at)) < swapped - prior:
                prior = swapped
                for j in range(lists):
                    catch[k, j], catch[other, j] = catch[other, j], catch[k, j]
                for c in range(cells):
                    chance[c, k], chance[c, other] = chance[c, other], chance[c, k]
                missed[k], missed[other] = missed[other], missed[k]
            else:
                share[k], share[other] = share[other], share[k]
            continue
        wide = (0.04, 0.15, 0.6, 2.0)[int(_uniform(words, at) * 4)]
        shift = wide * _normal(words, at)
        only = int(_uniform(words, at) * lists)
        ratio = 0.0
        for j in range(lists):
            step = 0.0
            if kind < 0.4:  # larger and harder to reach, or the reverse
                step = -shift
            elif kind < 0.6:  # all chances
                step = wide * _normal(words, at)
            elif kind < 0.85 and j == only:  # one chance
                step = shift
            odds = catch[k, j] / (1.0 - catch[k, j]) * np.exp(step)
            fresh[j] = min(max(odds / (1.0 + odds), 1e-12), 1.0 - 1e-12)
            ratio += np.log(fresh[j] * (1.0 - fresh[j]))
            ratio -= np.log(catch[k, j] * (1.0 - catch[k, j]))
        old = share[k]
        size = old if 0.4 <= kind < 0.85 else old * np.exp(shift)
        lost = _catching(nobody, fresh)
        seen = found - old * (1.0 - missed[k]) + size * (1.0 - lost)
        if not (seen > 1e-300 and size > 1e-250):
            continue
        moved = -n * np.log(seen)
        for c in range(cells):
            column[c] = _catching(on[c], fresh)
            proposed[c] = total[c] - old * chance[c, k] + size * column[c]
            moved += people[c] * np.log(max(proposed[c], 1e-300))
        share[k] = size
        after = _prior(share, alpha)
        if np.log(_uniform(words, at)) < ratio + heat * (moved - fit) + after - prior:
            prior, found, fit, missed[k] = after, seen, moved, lost
            for j in range(lists):
                catch[k, j] = fresh[j]
            for c in range(cells):
                total[c], chance[c, k] = proposed[c], column[c]
        else:
            share[k] = old
    share /= share.sum()
    return fit


@_compiled
def moves(people: Any, on: Any, share: Any, catch: Any, alpha: Any, fit: Any, heat: Any,
          times: Any, start: Any, words: Any, at: Any) -> Any:  # fmt: skip
    """Metropolis moves of many particles of the latent class model (see ``latent``).

    People on no list and the classes of people are summed out.  Many hidden people who are hard to
    reach and few who are easy to reach fit alike, so a class is made larger by a factor and its
    chances of lists smaller by about the same; or its chances, one chance or its share change at
    random; or two classes change places.  Moves are symmetric in log odds of chances and in log
    ratios of shares.  The concentration is then drawn given the shares.

    Args:
        people: by cell; cells without people may be left out.
        on: cells x lists.
        share, catch, alpha: particles x classes; x lists; particles.  Changed in place.
        fit: filled with the log likelihood of each particle.
        heat: power of the likelihood, in 0..1.
        times: moves of each particle.
        start: the first particle to move.

    Returns:
        the first particle that was not moved, because words ran out; ``at[0]`` is then the place
        where its words began.
    """
    classes = share.shape[1]
    for i in range(start, len(share)):
        began = at[0]
        kept_share, kept_catch = share[i].copy(), catch[i].copy()
        fit[i] = _move(people, on, share[i], catch[i], alpha[i], heat, times, words, at)
        drawn = _gamma(classes - 0.75, words, at)
        if at[0] > len(words):
            share[i], catch[i], at[0] = kept_share, kept_catch, began
            return i
        alpha[i] = max(drawn / (0.25 - np.log(max(share[i, classes - 1], 1e-300))), 1e-6)
    return len(share)


@_compiled
def begin(share: Any, catch: Any, alpha: Any, words: Any, at: Any) -> None:
    """Draw particles of the latent class model from its prior."""
    for i in range(len(share)):
        alpha[i] = max(4.0 * _gamma(0.25, words, at), 1e-6)
        left = 1.0
        for k in range(share.shape[1]):
            stick = 1.0
            if k < share.shape[1] - 1:
                stick = _beta(1.0, alpha[i], words, at)
            share[i, k] = max(stick * left, 1e-250)
            left *= 1.0 - stick
            for j in range(catch.shape[2]):
                catch[i, k, j] = min(max(_uniform(words, at), 1e-12), 1.0 - 1e-12)


@_compiled
def unseen(seen: Any, share: Any, catch: Any, out: Any, words: Any, at: Any) -> None:
    """Draw the people on no list given each particle: negative binomial (prior 1/N)."""
    nobody = np.zeros(catch.shape[2], dtype=np.bool_)
    for i in range(len(share)):
        hidden = 0.0
        for k in range(share.shape[1]):
            hidden += share[i, k] * _catching(nobody, catch[i, k])
        odds = hidden / max(1.0 - hidden, 1e-12)
        out[i] = _poisson(min(_gamma(float(seen), words, at) * odds, 1e15), words, at)
