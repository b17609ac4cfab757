"""The linkage key in shares: any k of n give it back, fewer say nothing about it.

Belongs here: Shamir's scheme, files of shares.  Does not belong here: the key itself (``file``).

A. Shamir, "How to share a secret", Communications of the ACM 22 (1979): byte by byte, each share is
the value at x of a random polynomial of degree k - 1 over GF(2^8) whose constant is the secret.
The field is that of AES (FIPS 197, section 4.2): modulo x^8 + x^4 + x^3 + x + 1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from ctdhub.errors import FileError
from ctdhub.i18n import _
from ctdhub.link.keys import armour
from ctdhub.link.keys.file import SHARE, SIZE, LinkageKey, checked

MOST = 255


def multiply(a: int, b: int) -> int:
    """Product in GF(2^8).

    >>> hex(multiply(0x57, 0x83))  # the example of FIPS 197
    '0xc1'
    """
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = (a << 1) ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def invert(a: int) -> int:
    """The inverse: a to the power of 254; zero has none and stays zero."""
    power = 1
    for __ in range(254):
        power = multiply(power, a)
    return power


def split(
    secret: bytes, need: int, shares: int, source: Callable[[int], bytes] = os.urandom
) -> tuple[bytes, ...]:
    """Shares 1 to n of a secret, each as long as it.

    Args:
        need: how many give it back, 2 to ``shares``.
        shares: how many there are, at most :data:`MOST`.
        source: gives so many random bytes.

    Raises:
        ValueError: need or shares out of range.
    """
    if not 2 <= need <= shares <= MOST:
        raise ValueError("need at least two, at most as many as there are, at most 255")
    polynomials = [(byte, *source(need - 1)) for byte in secret]
    return tuple(
        bytes(_value(polynomial, x) for polynomial in polynomials) for x in range(1, shares + 1)
    )


def join(points: Sequence[tuple[int, bytes]]) -> bytes:
    """The secret of (x, share) points, by Lagrange's interpolation at zero.

    Too few points, or wrong ones, give some other bytes.
    """
    secret = bytes(len(points[0][1]))
    for x, share in points:
        weight = 1
        for other, __ in points:
            if other != x:
                weight = multiply(weight, multiply(other, invert(other ^ x)))
        secret = bytes(s ^ multiply(weight, byte) for s, byte in zip(secret, share, strict=True))
    return secret


def _value(polynomial: Sequence[int], x: int) -> int:
    value = 0
    for coefficient in reversed(polynomial):
        value = multiply(value, x) ^ coefficient
    return value


def split_files(key: LinkageKey, need: int, shares: int, folder: Path) -> tuple[Path, ...]:
    """Write one file per share into a folder, which is made if it is not there.

    Raises:
        FileError: need or shares are out of range, or a file exists.
    """
    if not 2 <= need <= shares <= MOST:
        raise FileError(
            _("So many shares cannot be made."),
            _("Need at least 2, at most as many as there are shares, and at most 255 shares."),
            rule="shares",
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = []
    for number, share in enumerate(split(key.secret, need, shares), start=1):
        paths.append(folder / f"share-{number}-of-{shares}.key")
        armour.write(
            paths[-1],
            SHARE,
            {
                "note": f"any {need} of {shares} shares give the key; a hub never holds one",
                "generation": str(key.generation),
                "fingerprint": key.fingerprint,
                "need": str(need),
                "number": str(number),
                "share": armour.encode(share),
            },
        )
    return tuple(paths)


def join_files(paths: Sequence[Path]) -> LinkageKey:
    """The key out of files of shares.

    Raises:
        FileError: a file is no share or is damaged, shares belong to different keys, or they are
            too few.
    """
    points: dict[int, bytes] = {}
    seen: dict[str, str] = {}
    for path in paths:
        label, fields = armour.read(path)
        number = fields.get("number", "")
        if label != SHARE or not (number.isascii() and number.isdigit() and len(number) < 4):
            raise armour.broken(path)
        same = {name: fields.get(name, "") for name in ("generation", "fingerprint", "need")}
        seen = seen or same
        if same != seen:
            raise armour.broken(path, _("The shares belong to different keys."))
        if not 1 <= int(number) <= MOST:
            raise armour.broken(path)
        points[int(number)] = armour.decode(fields.get("share", ""), path, SIZE)
    if not (need := seen.get("need", "")).isdigit() or len(points) < int(need):
        raise FileError(
            _("These shares are too few: the key needs {need} different ones.").format(
                need=need or "2"
            ),
            _("Ask those who hold the others."),
            rule="shares",
        )
    return checked(paths[0], join(list(points.items())), seen)
