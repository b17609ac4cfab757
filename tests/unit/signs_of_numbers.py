"""Where the sign of a number would go to the other side of it in a text from right to left."""

from __future__ import annotations

import re

NUMBER = r"\d[\d.,\u202f\u00a0]*"
SIGNED = re.compile(rf"<?{NUMBER}[ \u00a0\u202f]?[%٪]|[+−±<]\s?{NUMBER}")
"""A number with its unit, or behind a sign."""

OPEN, CLOSE, MARK = "\u2066", "\u2069", "\u200e"


def astray(text: str) -> list[str]:
    """The numbers of an Arabic text whose sign an eye sees on the wrong side (UAX 9, W2 and W5).

    Behind an Arabic letter digits become Arabic numbers and leave their signs; inside an isolate,
    or behind a mark of direction, they do not.
    """
    return [
        text[max(found.start() - 20, 0) : found.end() + 10]
        for found in SIGNED.finditer(text)
        if text.count(OPEN, 0, found.start()) <= text.count(CLOSE, 0, found.start())
        and text[: found.start()][-1:] != MARK
    ]
