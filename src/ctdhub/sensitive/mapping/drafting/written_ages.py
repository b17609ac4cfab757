"""Ages as people write them: a number, a number with its unit, a range, an open range.

Only reads; what becomes of an age is decided where a rule is proposed.
"""

import re
from dataclasses import dataclass
from functools import cache

from ctdhub.core.tables import fold
from ctdhub.schema.model import CHILD_BANDS, load_schema
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary
from ctdhub.sensitive.mapping.parsers import OLDEST, holds, number_of

MONTHS = 12


@dataclass(frozen=True)
class AgeRange:
    """Completed years of age from ``low`` to ``high``, both included."""

    low: int
    high: int


def years_in(text: str) -> AgeRange | None:
    """The ages that a text means, None where it means none.

    >>> years_in("17 ans"), years_in("8 months"), years_in("18 à 25")
    (AgeRange(low=17, high=17), AgeRange(low=0, high=0), AgeRange(low=18, high=25))
    >>> years_in("moins de 18"), years_in("35 et +"), years_in("about 17")
    (AgeRange(low=0, high=17), AgeRange(low=35, high=120), None)
    >>> years_in("+18"), years_in("٢٥ سنة"), years_in("25 ans et 6 mois")
    (AgeRange(low=18, high=120), AgeRange(low=25, high=25), AgeRange(low=25, high=25))
    """
    plain = fold(text).replace("_", " ")
    if (age := number_of(plain)) is not None:
        return _within(int(age), int(age))
    for pattern, low, high in _patterns():
        if match := pattern.fullmatch(plain):
            first = int(match["a"])
            second = int(match["b"]) if "b" in pattern.groupindex else first
            if pattern.groupindex.get("months"):
                first, second = first // MONTHS, second // MONTHS
            lowest = 0 if low is None else first + low
            return _within(lowest, OLDEST if high is None else second + high)
    return None


def about(text: str) -> int | None:
    """The age that a text says is not exact, None where it says nothing of the kind.

    >>> about("env. 25"), about("~ 25 ans"), about("25?"), about("25 aprox."), about("25")
    (25, 25, 25, 25, None)
    """
    plain = fold(text)
    for pattern in _approximate():
        if (match := pattern.fullmatch(plain)) and int(match["a"]) <= OLDEST:
            return int(match["a"])
    return None


def years_about(text: str) -> AgeRange | None:
    """The ages that an age which is not exact may be: a tenth more or less, at least a year.

    >>> years_about("env. 16 ans"), years_about("unos 30"), years_about("30")
    (AgeRange(low=15, high=17), AgeRange(low=27, high=33), None)
    """
    age = about(text)
    if age is None:
        return None
    span = max(1, age // 10)
    return _within(max(age - span, 0), age + span)


def months_in(text: str) -> int | None:
    """The months of a duration with its unit, None where it says nothing of the kind.

    >>> months_in("6 months"), months_in("2 ans"), months_in("2")
    (6, 24, None)
    """
    said = _ages()
    match = re.fullmatch(rf"(\d{{1,3}})\s*(?:(?P<m>{said['months']})|{said['years']})", fold(text))
    if match is None:
        return None
    return int(match[1]) * (1 if match["m"] else MONTHS)


def band_holding(years: AgeRange, bands: tuple[str, ...]) -> str | None:
    """The one band that holds all ages of a range."""
    return next((b for b in bands if holds(b, years.low) and holds(b, years.high)), None)


def side(years: AgeRange) -> str | None:
    """Minor or adult, None where a range holds both."""
    minor, adult = load_schema().codes["majority"]
    eighteen = 1 + max(int(band.partition("-")[2]) for band in CHILD_BANDS)
    return minor if years.high < eighteen else adult if years.low >= eighteen else None


def _within(low: int, high: int) -> AgeRange | None:
    return AgeRange(low, high) if 0 <= low <= high <= OLDEST else None


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], int | None, int | None], ...]:
    """Each form with what is added to its first and last number; None leaves that end open."""
    said = _ages()
    unit = rf"(?:\s*(?:{said['years']})\.?(?:\s+old)?)?"
    number = r"(?P<a>\d{1,3})"
    forms = [
        (rf"{number}{unit}", 0, 0),
        (rf"{number}\s*(?P<months>{said['months']})\.?(?:\s+old)?", 0, 0),
        (
            rf"(?:(?:entre|between|de|from|du|بين|من)\s+)?{number}{unit}"
            rf"\s*(?:[-\u2010-\u2015]+|\s(?:{said['between']})\s)\s*(?P<b>\d{{1,3}}){unit}",
            0,
            0,
        ),
        (
            rf"{number}\s*(?:{said['years']})\.?\s*(?:and|et|y|e|و)?\s*"
            rf"(?:\d{{1,2}}\s*(?:{said['months']})\.?|demie?|medio|½)",
            0,
            0,
        ),
        (rf"(?:{said['below']})\s*{number}{unit}", None, -1),
        (rf"(?:{said['up_to']})\s*{number}{unit}", None, 0),
        (rf"(?:{said['from']})\s*{number}{unit}", 0, None),
        (rf"(?:{said['above']})\s*(?:de\s+)?{number}{unit}", 0, None),
        (rf"{number}{unit}\s*(?:{said['and_over']})", 0, None),
        (r"(?P<a>[1-9]0)['’]?s", 0, 9),
    ]
    return tuple((re.compile(form), low, high) for form, low, high in forms)


@cache
def _approximate() -> tuple[re.Pattern[str], ...]:
    said = _ages()
    unit = rf"(?:\s*(?:{said['years']})\.?)?"
    number = r"(?P<a>\d{1,3})"
    mark = rf"\(?(?:{said['about']})\)?"
    return (re.compile(rf"{mark}\s*{number}{unit}"), re.compile(rf"{number}{unit}\s*{mark}"))


@cache
def _ages() -> dict[str, str]:
    """Words with which ages are written, as alternatives of a pattern."""
    return {
        name: "|".join(re.escape(fold(said)) for said in sorted(words, key=len, reverse=True))
        for name, words in vocabulary().ages.items()
    }
