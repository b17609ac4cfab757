"""The randomness of the tests: the same in every run, whatever ran before and in which process.

The product draws from :func:`os.urandom`.  Here that is a stream that begins anew with each test
and each fixture of more than one test, from a seed and their names; so a test that compares an
error or a coverage with a bound says the same of the same code each time.  What a bound is worth
is seen with other seeds: ``CTDHUB_TEST_SEED=2 make test-all``.  Identifiers and keys that Python's
``secrets`` or a library draws stay random.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLE = "CTDHUB_TEST_SEED"
FIRST = "1"


class Chance:
    """In place of ``os.urandom``.

    >>> drawn = Chance("1")
    >>> drawn.begin("a test")
    >>> one, next_one = drawn(4), drawn(4)
    >>> with drawn.apart("a fixture"):
    ...     other = drawn(4)
    >>> drawn.begin("a test")
    >>> drawn(4) == one, drawn(4) == next_one, other in (one, next_one)
    (True, True, False)
    """

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self.begin("what is drawn before the first test")

    def __call__(self, size: int) -> bytes:
        return self._stream.randbytes(size)

    def begin(self, name: str) -> None:
        """From here on, what follows from the seed and this name."""
        self._stream = random.Random(f"{self.seed} {name}")

    @contextmanager
    def apart(self, name: str) -> Iterator[None]:
        """In it, what follows from this name; after it, what would have come without it."""
        kept = self._stream
        self.begin(name)
        try:
            yield
        finally:
            self._stream = kept

    def divide(self) -> None:
        """Before a fork: the child will draw other bytes than its parent and its siblings."""
        self._next = self(32).hex()

    def follow(self) -> None:
        """In the child of a fork."""
        self.begin(self._next)


chance = Chance(os.environ.get(VARIABLE, FIRST))
"""What the tests of this process draw from."""


def install() -> None:
    """Let this process draw from :data:`chance`; before anything of ours is loaded, for what is
    loaded keeps what ``os.urandom`` was."""
    os.urandom = chance
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=chance.divide, after_in_child=chance.follow)
