"""A secret in n shares: any k of them give it back, fewer say nothing of it at all.

Each byte of the secret is the value at 0 of a polynomial of degree k - 1 whose other coefficients
are random; the share of place x holds its values at x (Shamir, *How to share a secret*, 1979).
For any k - 1 places and any secret there is exactly one polynomial through them, so that k - 1
shares are uniform whatever the secret is.  The field is that of AES: polynomials over two elements
modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197, section 4), in which 3 generates all others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

MOST = 255
"""Places of the field other than 0."""

_MODULUS = 0x11B


def _tables() -> tuple[list[int], list[int]]:
    powers, logs, power = [0] * 510, [0] * 256, 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = power
        logs[power] = exponent
        double = power << 1
        power ^= double ^ (_MODULUS if double & 0x100 else 0)
    return powers, logs


_POWERS, _LOGS = _tables()


class Share(NamedTuple):
    """One share: its place, from 1 to 255, and as many bytes as the secret has."""

    place: int
    content: bytes


def split(
    secret: bytes, shares: int, needed: int, source: Callable[[int], bytes] = os.urandom
) -> list[Share]:
    """Shares of a secret, at the places 1 to ``shares``.

    Args:
        secret: any number of bytes.
        shares: how many shares, 1 to 255.
        needed: how many give the secret back, 1 to ``shares``.
        source: random bytes; the operating system's in the product.

    Raises:
        ValueError: a number is out of range.

    >>> parts = split(b"secret", 5, 3)
    >>> join(parts[1:4], 3)
    b'secret'
    """
    if not 1 <= needed <= shares <= MOST:
        raise ValueError("numbers of shares are out of range")
    rest = [source(len(secret)) for _ in range(needed - 1)]
    coefficients = [secret, *rest]
    found = []
    for place in range(1, shares + 1):
        content = bytes(len(secret))
        for coefficient in reversed(coefficients):  # Horner's rule
            content = bytes(
                _times(value, place) ^ c for value, c in zip(content, coefficient, strict=True)
            )
        found.append(Share(place, content))
    return found


def join(shares: Sequence[Share], needed: int) -> bytes:
    """The secret, from the first ``needed`` of some shares (Lagrange's formula at 0).

    Shares of another secret, or too small a ``needed``, give other bytes and no error: whoever
    must know keeps a hash of the secret.

    Raises:
        ValueError: there are fewer shares, of unequal length, or two of one place.
    """
    used = list(shares)[:needed]
    places = [share.place for share in used]
    if needed < 1 or len(used) < needed or len(set(places)) < needed:
        raise ValueError("too few shares, or two of one place")
    if len({len(share.content) for share in used}) > 1 or not all(0 < p <= MOST for p in places):
        raise ValueError("shares do not belong together")
    secret = bytes(len(used[0].content))
    for share in used:
        weight = 1
        for other in places:
            if other != share.place:
                weight = _times(weight, _divided(other, other ^ share.place))
        secret = bytes(
            s ^ _times(value, weight) for s, value in zip(secret, share.content, strict=True)
        )
    return secret


def _times(a: int, b: int) -> int:
    return _POWERS[_LOGS[a] + _LOGS[b]] if a and b else 0


def _divided(a: int, b: int) -> int:
    return _POWERS[_LOGS[a] + 255 - _LOGS[b]] if a else 0
