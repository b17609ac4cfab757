"""How much work something is, on any machine: the calls that Python makes for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def calls() -> Iterator[list[int]]:
    """The number of calls of functions, those in C too, that this thread makes in it.

    >>> with calls() as made:
    ...     ordered = [abs(n) for n in range(7)]
    >>> 7 <= made[0] < 20
    True
    """
    made = [0]

    def count(_frame: FrameType, event: str, _what: object) -> None:
        made[0] += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield made
    finally:
        sys.setprofile(before)
