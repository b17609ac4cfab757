r"""How texts of cells are compared: trimmed, whatever the blank, and without regard to case."""

from __future__ import annotations

import re
import unicodedata

BLANKS = "\u00a0\u1680\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
"""Characters that count as a blank beside ASCII white space: no-break blanks, byte order mark."""

UNSEEN = "\u00ad\u061c" + "".join(map(chr, [*range(0x200B, 0x2010), *range(0x202A, 0x202F)]))
UNSEEN += "".join(map(chr, range(0x2060, 0x2070)))
"""Characters that nobody sees (marks of direction, zero-width joins, soft hyphens); they go."""

_TO_BLANK = str.maketrans(dict.fromkeys(BLANKS, " ") | dict.fromkeys(UNSEEN, ""))
_RUN = re.compile(r"[ \t]{2,}")
WHITE = " \t\n\r\v\f"


def trim(text: str) -> str:
    r"""The text without white space around it and without what nobody sees.

    Every kind of blank becomes a plain one, several become one, and a letter with its accent
    beside it becomes the one letter (Unicode NFC).

    >>> trim("\u00a0C\u00f4te\u00a0 d'Ivoire\u200f ")
    "Côte d'Ivoire"
    """
    if text.isascii():
        return _RUN.sub(" ", text.strip(WHITE))
    plain = unicodedata.normalize("NFC", text.translate(_TO_BLANK))
    return _RUN.sub(" ", plain.strip(WHITE))


def fold(text: str) -> str:
    """The form in which texts are compared.

    >>> fold(" Unknown ") == fold("UNKNOWN")
    True
    """
    return trim(text).lower()
