"""One text to a number, a band, a date or a year.

Every function takes a folded text (``text.fold``) and gives null where the text says nothing of
the kind.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

OLDEST = 120
"""Ages above are taken for a slip of the pen (the oldest documented age is 122)."""

DateOrder = Literal["dmy", "mdy"]

_NUMBER = re.compile(r"\+?\d{1,9}(?:\.\d+|,(?!\d{3}$)\d+)?")
_DASH = re.compile(r"\s*[-\u2010-\u2015]+\s*|\s+(?:to|a|à)\s+")
_ISO = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[t ].*)?", re.DOTALL)
_LATE = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4})(?:[t ].*)?", re.DOTALL)
_YEAR = re.compile(r"(\d{4})(?:\.0+)?")
_MONTH = re.compile(r"(\d{4})[-/.](?:0?[1-9]|1[0-2])")


def number_of(text: str) -> float | None:
    """The text as a number; a comma before three digits may stand for thousands and is not guessed.

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


def date_of(text: str, order: DateOrder) -> str | None:
    """A full date as ISO text; what follows it (the time) is dropped.

    Understood are year-month-day, and day, month and four-digit year in the order given.

    >>> date_of("2020-2-3t10:00", "dmy"), date_of("3.2.2020", "dmy"), date_of("2/3/2020", "mdy")
    ('2020-02-03', '2020-02-03', '2020-02-03')
    >>> date_of("31.2.2020", "dmy"), date_of("3.2.20", "dmy")
    (None, None)
    """
    if found := _ISO.fullmatch(text):
        year, _mark, month, day = found.groups()
    elif found := _LATE.fullmatch(text):
        first, _mark, second, year = found.groups()
        day, month = (first, second) if order == "dmy" else (second, first)
    else:
        return None
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def year_of(text: str, order: DateOrder) -> str | None:
    """The year of a number, of a year and month, or of a date.

    >>> year_of("2020", "dmy"), year_of("2020.0", "dmy"), year_of("2020-07", "dmy")
    ('2020', '2020', '2020')
    >>> year_of("01/07/2020", "dmy"), year_of("1/7/20", "dmy")
    ('2020', None)
    """
    if found := _YEAR.fullmatch(text) or _MONTH.fullmatch(text):
        return f"{int(found[1]):04d}"  # digits of any script
    whole = date_of(text, order)
    return whole[:4] if whole else None
