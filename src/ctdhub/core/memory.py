"""What Python does with memory while much is made that stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage in cycles inside the block: what is made there is kept until its end.

    Each search visits all that is kept, and finds next to nothing; so would the one that is due at
    the end: what is kept then counts as old instead, and waits for a search of everything.  What is
    in no cycle is freed as ever.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.freeze()
            gc.unfreeze()
            gc.enable()
