"""Masks: numbers that look random to everyone, and whose sum is the sum of what they hide.

Contributor i sends, cell by cell and modulo 2^32,

    y_i = x_i + G(b_i) + sum over j after i of G(s_ij) - sum over j before i of G(s_ij)

with a seed b_i of its own, a seed s_ij for each other contributor j, and the generator G: AES-256
in counter mode (NIST SP 800-38A), whose key is the seed and serves for nothing else.  In the sum
over all contributors every G(s_ij) comes once with each sign.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ctdhub.dp.secagg.layout import Cells

SEED = 32
"""Bytes of a seed."""

_AT_ONCE = 2**20


def mask(counts: Cells, own: bytes, pairs: Mapping[str, bytes], me: str) -> Cells:
    """Counts under the masks of one contributor.

    Args:
        counts: numbers; they stay as they are.
        own: the contributor's own seed.
        pairs: the seed that it has in common with each other contributor, by name.
        me: its name; which mask is added and which taken away follows from the order of names.

    >>> import numpy as np
    >>> x = np.array([3, 0, 7], dtype=np.uint32)
    >>> a = mask(x, b"1" * 32, {"b": b"3" * 32}, "a")
    >>> b = mask(x, b"2" * 32, {"a": b"3" * 32}, "b")
    >>> unmask(a + b, {"a": b"1" * 32, "b": b"2" * 32}, {}).tolist()
    [6, 0, 14]
    """
    masked = counts.copy()
    _add(masked, own)
    for other, seed in pairs.items():
        _add(masked, seed, minus=other < me)
    return masked


def unmask(total: Cells, own: Mapping[str, bytes], left: Mapping[tuple[str, str], bytes]) -> Cells:
    """The sum of counts out of the sum of masked counts.

    Args:
        total: the sum modulo 2^32 of the masked counts of some contributors.
        own: the own seed of each of these, by name.
        left: the seed of each pair (one of these, one who is not), which no other mask cancels.
    """
    counts = total.copy()
    for seed in own.values():
        _add(counts, seed, minus=True)
    for (there, gone), seed in left.items():
        _add(counts, seed, minus=gone > there)
    return counts


def _add(cells: Cells, seed: bytes, *, minus: bool = False) -> None:
    start = 0
    for part in _stream(seed, cells.size):
        piece = cells[start : start + part.size]
        (np.subtract if minus else np.add)(piece, part, out=piece)
        start += part.size


def _stream(seed: bytes, cells: int) -> Iterator[Cells]:
    """G(seed): ``cells`` numbers, little-endian, in parts."""
    encryptor = Cipher(algorithms.AES(seed), modes.CTR(bytes(16))).encryptor()
    for start in range(0, cells, _AT_ONCE):
        zeros = bytes(4 * min(_AT_ONCE, cells - start))
        yield np.frombuffer(encryptor.update(zeros), dtype="<u4").astype(np.uint32, copy=False)
