"""Inner loops of counting and fitting, which numba compiles: loaded when the first of them runs.

What needs no numba: small tables (``count``), and random orders, which are the same bits without.
"""

from typing import Any

import numpy as np


def __getattr__(name: str) -> Any:
    """A loop of ``kernels_numba``.

    Raises:
        HubError: numba is not installed (rule "needs-hub").
    """
    from ctdhub.dp import kernels_numba

    return getattr(kernels_numba, name)


def here() -> bool:
    """Whether the loops can run."""
    from ctdhub.core import compiled

    return compiled.here()


def require_sweep() -> None:
    """Nothing where they can; asked before anything is paid for records.

    Raises:
        HubError: numba is not installed (rule "needs-hub").
    """
    from ctdhub.core import compiled

    compiled.require()


def shuffle(values: Any, words: Any) -> None:
    """Shuffle in place (Fisher and Yates) by one random 64-bit word for each value.

    A word modulo n favours some places by at most n / 2^64.
    """
    if here():
        __getattr__("shuffled")(values, words)
        return
    last = np.arange(1, len(values) + 1, dtype=np.uint64)
    partners = (np.asarray(words[: len(values)]) % last).tolist()
    entries = values.tolist()
    for i in range(len(entries) - 1, 0, -1):
        k = partners[i]
        entries[i], entries[k] = entries[k], entries[i]
    values[:] = entries
