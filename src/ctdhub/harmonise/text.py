r"""How texts of cells are compared: trimmed, whatever the blank, and without regard to case.

Belongs here: the one folding that rules, conditions and empties share.
Does not belong here: the wider folding of country names (``country_names``).
"""

from __future__ import annotations

BLANKS = "\u00a0\u202f\u2007\ufeff"
"""Characters that count as a blank beside ASCII white space: no-break blanks, byte order mark."""

_TO_BLANK = str.maketrans(BLANKS, " " * len(BLANKS))
WHITE = " \t\n\r\v\f"


def trim(text: str) -> str:
    r"""The text without white space around it; every kind of blank becomes a plain one.

    >>> trim("\u00a0C\u00f4te\u00a0d'Ivoire ")
    "Côte d'Ivoire"
    """
    return text.translate(_TO_BLANK).strip(WHITE)


def fold(text: str) -> str:
    """The form in which texts are compared.

    >>> fold(" Unknown ") == fold("UNKNOWN")
    True
    """
    return trim(text).lower()
