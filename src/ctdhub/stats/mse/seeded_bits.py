"""Random bits that belong to a table: the same table always gives the same intervals.

A reader must be able to cite an interval and to find it again, so the bits are not fresh: they are
the output of SHAKE-256 (an extendable-output hash, FIPS 202) over the table itself.  Nobody can
choose them, as one can choose a seed until a result pleases, and nobody needs to store them.  No
secret hangs on them: all they are used on is either published already or belongs to the user.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from ctdhub.stats.mse.lists import Lists

Source = Callable[[int], bytes]
"""Gives that many random bytes; each call gives new ones.  :func:`os.urandom` is one."""

_BLOCK = 2**20


def bits_of(lists: Lists, purpose: str) -> Source:
    """The random bits of a table for one purpose; purposes are independent of each other.

    >>> lists = Lists(("a", "b"), (5.0, 6.0, 2.0))
    >>> bits_of(lists, "x")(3) == bits_of(lists, "x")(3) != bits_of(lists, "y")(3)
    True
    """
    content = json.dumps(["ctdhub estimate 1", purpose, lists.names, lists.counts, lists.sigma])
    key = hashlib.sha256(content.encode()).digest()
    held, block = b"", 0

    def source(size: int) -> bytes:
        nonlocal held, block
        parts, have = [held], len(held)
        while have < size:
            parts.append(hashlib.shake_256(key + block.to_bytes(8, "big")).digest(_BLOCK))
            have, block = have + _BLOCK, block + 1
        joined = b"".join(parts)
        held = joined[size:]
        return joined[:size]

    return source
