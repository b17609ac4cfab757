"""Inner loops of counting and fitting: compiled where numba is installed, else numpy's.

Both give the same bits.  :func:`sweep`, :func:`exchange` and :func:`settle` are compiled or not at
all: numpy has no form of them.
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def _chosen() -> Any:
    from ctdhub.core import compiled

    if compiled.here():
        from ctdhub.dp import kernels_numba

        return kernels_numba
    from ctdhub.dp import kernels_numpy

    return kernels_numpy


def shuffle(values: Any, words: Any) -> None:
    """Shuffle in place (Fisher and Yates) by one random 64-bit word for each value.

    A word modulo n favours some places by at most n / 2^64.
    """
    _chosen().shuffle(values, words)


def pack(codes: Any, order: Any, starts: Any, first: Any, planes: Any) -> None:
    """Set bits: plane ``first[j] + code - 1`` for each recorded code of column j.

    Args:
        codes: records x columns.
        order, starts: records by group, and the first of each group; a group begins a new word.
        first: the plane of each column's first value.
        planes: words x planes, zeros; filled.
    """
    _chosen().pack(codes, order, starts, first, planes)


def pairs_by_group(planes: Any, words: Any, wanted: Any, out: Any) -> None:
    """Records by group and pair of planes: ``out[g, k]`` for the k-th pair of ``wanted``.

    Args:
        planes: words x planes.
        words: first word of each group, and the end.
        wanted: pairs of planes; a pair of the same plane counts that plane.
        out: groups x pairs, zeros; filled.
    """
    _chosen().pairs_by_group(planes, words, wanted, out)


def triples(planes: Any, a: Any, b: Any, c: Any, out: Any) -> None:
    """Records by three planes out of three ranges: ``out[u, v, w]``; planes x words."""
    _chosen().triples(planes, a, b, c, out)


def require_sweep() -> None:
    """Nothing where :func:`sweep` can run; asked before anything is paid for records.

    Raises:
        HubError: numba is not installed (rule "needs-numba").
    """
    from ctdhub.core import compiled

    compiled.require()


def sweep(*arguments: Any) -> int:
    """One pass over records for a column; see ``kernels_numba.sweep``.

    Returns:
        How many records moved.

    Raises:
        HubError: numba is not installed (rule "needs-numba").
    """
    from ctdhub.dp import kernels_numba

    return int(kernels_numba.sweep(*arguments))


def exchange(*arguments: Any) -> int:
    """One pass of exchanges of a column; see ``kernels_numba.exchange``.

    Returns:
        How many exchanges were made.

    Raises:
        HubError: numba is not installed (rule "needs-numba").
    """
    from ctdhub.dp import kernels_numba

    return int(kernels_numba.exchange(*arguments))


def settle(*arguments: Any) -> int:
    """One pass in which records are repeated or left out; see ``kernels_numba.settle``.

    Returns:
        How many records changed.

    Raises:
        HubError: numba is not installed (rule "needs-numba").
    """
    from ctdhub.dp import kernels_numba

    return int(kernels_numba.settle(*arguments))
