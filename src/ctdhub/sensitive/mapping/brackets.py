"""Lists in brackets, as JSON writes them: what some programs put into one cell of a table."""

from __future__ import annotations

import json

from ctdhub.core.text import fold, trim

OPENING = ("[", "{")
"""A cell that begins with one of these and that no rule spells out is a list, or cannot be read."""


def listed(cell: str) -> list[str] | None:
    """The texts of a list in brackets, trimmed; None where the cell is no list of single values.

    >>> listed('["a", " b ", null, 7]'), listed("['a']"), listed('[["a"]]'), listed("a")
    (['a', 'b', '', '7'], None, None, None)
    """
    if not cell.startswith("["):
        return None
    try:
        found = json.loads(cell, parse_int=str, parse_float=str, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    if any(isinstance(element, list | dict) for element in found):
        return None
    return [_text(element) for element in found]


def broken(cell: str, spelt: frozenset[str]) -> bool:
    """Whether a cell begins like a list in brackets, is none, and begins with no text of a rule.

    Args:
        cell: the trimmed cell.
        spelt: folded texts in brackets that some rule names as they are.

    >>> broken("['a']", frozenset()), broken("[1] x; [2] y", frozenset({"[1] x"}))
    (True, False)
    """
    begins = cell.startswith(OPENING) and not fold(cell).startswith(tuple(spelt))
    return begins and listed(cell) is None


def _text(element: str | bool | None) -> str:
    if isinstance(element, str):
        return trim(element)
    return "" if element is None else str(element).lower()


def _refused(constant: str) -> str:
    raise ValueError(constant)
