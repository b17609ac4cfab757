"""One text to a number or a band.

Every function takes a folded text (``text.fold``) and gives null where the text says nothing of
the kind.
"""

from __future__ import annotations

import re

OLDEST = 120
"""Ages above are taken for a slip of the pen (the oldest documented age is 122)."""

_NUMBER = re.compile(r"\d{1,9}(?:\.\d+|,(?!\d{3}$)\d+)?")
_DASH = re.compile(r"\s*[-\u2010-\u2015]+\s*|\s+(?:to|a|à)\s+")


def number_of(text: str) -> float | None:
    """The text as a number; a comma before three digits may stand for thousands and is not guessed.

    A plus before it may mean "and over" (``+18``), which is no number.

    >>> number_of("17"), number_of("17,5"), number_of("1,250"), number_of("about 17")
    (17.0, 17.5, None, None)
    """
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def band_of(text: str, bands: tuple[str, ...]) -> str | None:
    """The band of a number up to :data:`OLDEST`, or a band in another spelling.

    ``9-17`` holds 9 <= number < 18; ``48+`` holds 48 and more.

    >>> bands = ("0-8", "9-17", "48+")
    >>> [band_of(text, bands) for text in ("17.9", "09--17", "48 +", "20")]
    ['9-17', '9-17', '48+', None]
    """
    age = number_of(text)
    if age is None:
        spelt = re.sub(r"\b0+(?=\d)", "", _DASH.sub("-", text).replace(" +", "+"))
        return spelt if spelt in bands else None
    if age >= OLDEST + 1:
        return None
    return next((band for band in bands if holds(band, age)), None)


def holds(band: str, number: float) -> bool:
    """Whether a number lies in a band."""
    low, _dash, high = band.rstrip("+").partition("-")
    return number >= int(low) and (not high or number < int(high) + 1)
