"""Loops that numba compiles, and the error where numba is not installed.

A module of loops imports this one and numba with it, so it is imported when its loops begin to
run, never before: numba costs half a second and 80 MB.
"""

import importlib
from typing import Any

from ctdhub.core.errors import error

numba: Any
try:
    numba = importlib.import_module("numba")
except ImportError:
    numba = None


def compiled(**options: Any) -> Any:
    """A decorator: compile at first use; keep it on disk, or in memory where none is writable.

    numba reads the code of the function: what it may use is limited, so it is kept plain.

    Args:
        options: further options of ``numba.njit``.

    Raises:
        HubError: numba is not installed (rule "needs-hub").
    """
    require()

    def decorate(function: Any) -> Any:
        try:
            return numba.njit(cache=True, boundscheck=False, nogil=True, **options)(function)
        except RuntimeError:
            return numba.njit(boundscheck=False, nogil=True, **options)(function)

    return decorate


def require() -> None:
    """Nothing where numba is installed.

    Raises:
        HubError: it is not (rule "needs-hub").
    """
    if numba is None:
        raise error("needs-hub", name="numba")


def here() -> bool:
    """Whether numba is installed."""
    return numba is not None
