"""Compiled multinomial draws from random words that are handed in; apart, for numba compiles
them.

All draws are exact up to floating point.  Gamma: Marsaglia and Tsang 2000 (ACM Trans. Math. Softw.
26:363).  Binomial: the number of trials is halved by order statistics of uniforms until sequential
inversion is cheap (Ahrens and Dieter 1974, Computing 12:223; Devroye 1986, Non-Uniform Random
Variate Generation, X.4.3).

``words`` are random 64-bit words and ``at[0]`` is the place of the next one.  Where they run out,
``at[0]`` ends above their number and what was drawn means nothing: the caller draws again with
more words behind the same ones.
"""

from typing import Any

import numpy as np

from ctdhub.core.compiled import compiled

_CHEAP = 16.0
"""Expected values up to which inversion is used."""


_compiled: Any = compiled()


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
    """Gamma of that shape, at least 1, and scale one."""
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
            return d * v
    return shape


@_compiled
def _beta(a: Any, b: Any, words: Any, at: Any) -> Any:
    """Beta; both shapes are at least 1."""
    x = _gamma(a, words, at)
    y = _gamma(b, words, at)
    return x / (x + y) if x + y > 0.0 else 0.5


@_compiled
def _binomial(n: Any, p: Any, words: Any, at: Any) -> Any:
    """Number of successes in n trials."""
    successes = 0
    while n > 0 and n * min(p, 1.0 - p) > _CHEAP and at[0] <= len(words):
        i = n // 2 + 1
        b = _beta(float(i), float(n + 1 - i), words, at)  # the i-th smallest of n uniforms
        if b <= p:
            successes += i
            n -= i
            p = (p - b) / (1.0 - b) if b < 1.0 else 0.0
        else:
            n = i - 1
            p = p / b
    if at[0] > len(words):  # inversion of so many trials would count to them one by one
        return successes
    p = min(max(p, 0.0), 1.0)
    few = min(p, 1.0 - p)
    if n <= 0:
        return successes
    x = 0
    if few > 0.0:
        odds = few / (1.0 - few)
        chance = (1.0 - few) ** n
        u = _uniform(words, at)
        while u > chance and x < n:
            u -= chance
            x += 1
            chance *= odds * (n + 1 - x) / x
    return successes + (x if few == p else n - x)


@_compiled
def multinomials(n: Any, chances: Any, out: Any, words: Any, at: Any) -> None:
    """Fill each row of ``out`` with a multinomial of ``n`` people; ``chances`` add up to one."""
    for row in range(len(out)):
        if at[0] > len(words):
            return
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
