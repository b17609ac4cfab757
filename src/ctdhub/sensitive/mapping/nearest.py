"""The likest of known texts: what an unknown one may have meant, for a person to check."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from ctdhub.core.text import fold

ALIKE = 0.8
"""How like two texts must be, 0 to 1 (``difflib``), to be called near."""

_Meaning = TypeVar("_Meaning")


def nearest(text: str, known: Mapping[str, _Meaning]) -> _Meaning | None:
    """What the likest of some folded texts means, None where none is near.

    >>> nearest("Femal", {"female": "f", "male": "m"}), nearest("x", {"female": "f"})
    ('f', None)
    """
    found = difflib.get_close_matches(fold(text), known, 1, ALIKE)
    return known[found[0]] if found else None
