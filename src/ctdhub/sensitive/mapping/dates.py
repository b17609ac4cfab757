"""Dates as people write them, and what a mapping says about those that can be read in two ways.

Every function takes a folded text (``tables.fold``).  What names no year for certain is not read.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from ctdhub.core.errors import InvalidSetting
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text, read_shipped
from ctdhub.sensitive.ingest.options import Texts

# --------------------------------------------------------------------------------------------------
# Months by name, in the offered languages.

_WORD = re.compile(r"\d+|[^\W\d_]+")
_SAME = str.maketrans({"ٱ": "ا", "ى": "ي", "ی": "ي", "ة": "ه"})
_SIGNS = re.compile(r"[\w\s./,،'’°\-]*")


def parts_of(text: str) -> list[str | int] | None:
    """Numbers, as they are written, and months of a folded text, in order.

    A month that is named twice in a row (``آذار/مارس``) counts once.

    Returns:
        None where a word is neither a month nor goes with one, or a sign does not belong.

    >>> parts_of("jeudi 1er août 2020"), parts_of("12 تشرين الأول 2020"), parts_of("about 2020")
    (['1', 8, '2020'], ['12', 10, '2020'], None)
    """
    text = _bare(text)
    if not _SIGNS.fullmatch(text):
        return None
    months, beside = _words()
    parts: list[str | int] = []
    words = _WORD.findall(text)
    while words:
        pair = " ".join(words[:2])
        if pair in months:
            month, words = months[pair], words[2:]
        elif words[0][0].isdecimal():
            parts.append(words.pop(0))
            continue
        elif words[0] in months:
            month = months[words.pop(0)]
        elif words[0] in beside:
            words.pop(0)
            continue
        else:
            return None
        if not parts or parts[-1] != month:
            parts.append(month)
    return parts


def _bare(text: str) -> str:
    """A text without case, accents and vowel signs, its letters in one spelling."""
    apart = unicodedata.normalize("NFKD", text.lower().translate(_SAME))
    return "".join(c for c in apart if not unicodedata.combining(c) and c != "ـ")


@cache
def _words() -> tuple[dict[str, int], frozenset[str]]:
    """Words for months, and words that may stand beside them."""
    path = resources.files("ctdhub.sensitive.mapping") / "data" / "months.yaml"
    own = read_shipped(path)
    beside = frozenset(_bare(word) for words in own.pop("beside") for word in words)
    return {
        " ".join(map(_bare, name.split())): month for month, names in own.items() for name in names
    }, beside


DateOrder = Literal["dmy", "mdy"]

_TIME = (
    r"(?:(?:[,،]? |t)\d{1,2}(?:[:.h]\d{2}){1,2}(?:[.,]\d{1,9})?|t\d{4}(?:\d{2})?)"
    r"(?: ?(?:[ap]\. ?m\.?|[صم]|[a-z]{1,5}))?(?: ?[+-](?:0?\d|1[0-4])(?::?\d{2})?)?"
)
_MARK = r"( ?[-/.] ?| )"
_ISO = re.compile(rf"(\d{{4}}){_MARK}(\d{{1,2}})\2(\d{{1,2}})\.?(?:{_TIME})?")
_LATE = re.compile(rf"(\d{{1,2}}){_MARK}(\d{{1,2}})\2(\d{{4}})\.?(?:{_TIME})?")
_SHORT = re.compile(rf"(\d{{1,2}}){_MARK}(\d{{1,2}})\2(\d{{2}})\.?(?:{_TIME})?")
_PACKED = re.compile(rf"(\d{{4}})(\d{{2}})(\d{{2}})(?:\.0+|{_TIME})?")
_TIMED = re.compile(rf"(.*?)(?:{_TIME})?")
_YEAR = re.compile(r"(\d{4})(?:\.0+)?")
_MONTH = re.compile(r"(\d{4}) ?[-/.] ?(?:0?[1-9]|1[0-2])")
_MONTH_LATE = re.compile(r"(?:0?[1-9]|1[0-2]) ?[-/.] ?(\d{4})")
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_DATES_SIGNS = str.maketrans("؍／−‐‑–—٫", "//-----.")
_CODES = {
    "%d": r"(?P<d>\d{1,2})",
    "%m": r"(?P<m>\d{1,2})",
    "%b": r"(?P<b>\D+?)",
    "%B": r"(?P<b>\D+?)",
    "%y": r"(?P<y>\d{2})",
    "%Y": r"(?P<Y>\d{4})",
    "%H": r"\d{1,2}",
    "%M": r"\d{2}",
    "%S": r"\d{2}(?:[.,]\d+)?",
}
DAY_ZERO = date(1899, 12, 30)
"""Excel counts days from here on (from March 1900; before, it has a day that never was)."""

Part = tuple[int, int | None, int | None]
"""Year, month and day; the last, or the last two, unknown."""


class DateForm(FrozenModel):
    """What a mapping says about its dates (``dates``); an order alone is the short form.

    Attributes:
        order: whether the day or the month stands first where the year stands last.  With
            ``format`` such dates are read only if the order is written as well.
        century: first of the hundred years that two-digit years stand for; without it they are
            not read.
        format: how dates are written, with %d, %m, %b or %B (a month by name, in any of the
            offered languages), %Y or %y, and %H, %M, %S, which are passed over; several are tried
            in turn, before every other form.  A two-digit year without ``century`` is read where
            exactly one of the years that can be meant ends in it.

    >>> DateForm(century=1930).year("12.3.29"), DateForm(century=1930).year("12.3.30")
    ('2029', '1930')
    """

    order: DateOrder | None = None
    century: int | None = Field(default=None, ge=1800, le=2200)
    format: Texts = ()

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"order": value} if isinstance(value, str) else value

    @field_validator("format")
    @classmethod
    def _check_formats(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for text in formats:
            codes = re.findall("%.?", text)
            kinds = [code.lower() for code in codes if code not in ("%H", "%M", "%S")]
            if not set(codes) <= set(_CODES) or len(set(codes)) < len(codes):
                raise InvalidSetting(
                    Text("a date format is made of {codes}, each once", codes=", ".join(_CODES))
                )
            if kinds.count("%y") != 1 or ("%m" in kinds and "%b" in kinds):
                raise InvalidSetting(Text("a date format has one year and at most one month"))
        return formats

    def date(self, text: str, years: tuple[int, int] | None = None) -> str | None:
        """A full date as ISO text; a time that follows is dropped.

        Args:
            text: the folded text.
            years: first and last year that can be meant, both included.

        >>> form = DateForm()
        >>> form.date("2020-2-3t10:00"), form.date("12 mars 2020"), form.date("٠٣/٠٢/٢٠٢٠")
        ('2020-02-03', '2020-03-12', '2020-02-03')
        >>> form.date("31.2.2020"), form.date("3.2.20"), form.date("mars 2020")
        (None, None, None)
        """
        year, month, day = self._read(text, years) or (0, None, None)
        return None if month is None or day is None else date(year, month, day).isoformat()

    def year(self, text: str, years: tuple[int, int] | None = None) -> str | None:
        """The year of a number, of a year and month, or of a date.

        >>> form = DateForm()
        >>> form.year("2020.0"), form.year("03/2020"), form.year("mar 2020"), form.year("1/7/20")
        ('2020', '2020', '2020', None)

        Where no order is stated, a date that only the other order makes one has that year too.

        >>> form.year("07/15/2024"), form.date("07/15/2024")
        ('2024', None)
        """
        parts = self._read(text, years)
        if parts is None and self == DAY_FIRST_UNSTATED:
            parts = MONTH_FIRST._read(text, years)
        return f"{parts[0]:04d}" if parts else None

    def _read(self, text: str, years: tuple[int, int] | None) -> Part | None:
        text = _western(text)
        for format in self.format:
            if match := _shape(format).fullmatch(text):
                return self._formatted(match.groupdict(), years)
        if match := _ISO.fullmatch(text):
            return _valid(match[1], match[3], match[4])
        if match := _LATE.fullmatch(text):
            return self._ordered(match[1], match[3], match[4])
        if match := _YEAR.fullmatch(text) or _MONTH.fullmatch(text) or _MONTH_LATE.fullmatch(text):
            return int(match[1]), None, None
        if match := _PACKED.fullmatch(text):
            return _valid(match[1], match[2], match[3])
        if match := _SHORT.fullmatch(text):
            return self._ordered(match[1], match[3], self._whole(match[4]))
        return self._worded(text)

    def _ordered(self, first: str, second: str, year: str | None) -> Part | None:
        order = self.order or (None if self.format else "dmy")
        if year is None or order is None:
            return None
        day, month = (first, second) if order == "dmy" else (second, first)
        return _valid(year, month, day)

    def _worded(self, text: str) -> Part | None:
        """Day, month by name and year, in any order that says which is which."""
        timed = _TIMED.fullmatch(text)
        match parts_of(timed[1]) if timed else None:
            case [int(), str(year)] | [str(year), int()] if len(year) == 4:
                return int(year), None, None
            case [str(year), int(month), str(day)] if len(year) == 4 and len(day) <= 2:
                return _valid(year, str(month), day)
            case [str(day), int(month), str(year)] | [int(month), str(day), str(year)]:
                if len(day) <= 2:
                    return _valid(year if len(year) == 4 else self._whole(year), str(month), day)
        return None

    def _formatted(
        self, fields: dict[str, str | None], years: tuple[int, int] | None
    ) -> Part | None:
        month = fields.get("m")
        if (name := fields.get("b")) is not None:
            parts = parts_of(name) or []
            if len(parts) != 1 or not isinstance(parts[0], int):
                return None
            month = str(parts[0])
        year = fields.get("Y") or self._whole(fields.get("y") or "", years)
        if month is None or year is None:
            return (int(year), None, None) if year else None
        day = fields.get("d")
        whole = _valid(year, month, day or "1")
        return whole if whole is None or day else (whole[0], whole[1], None)

    def _whole(self, two: str, years: tuple[int, int] | None = None) -> str | None:
        """Four digits for two, None where nobody says of which century."""
        if len(two) != 2:
            return None
        if self.century is not None:
            return str(self.century + (int(two) - self.century) % 100)
        first, last = years or (0, -1)
        meant = [year for year in range(first, last + 1) if year % 100 == int(two)]
        return f"{meant[0]:04d}" if len(meant) == 1 else None


DAY_FIRST_UNSTATED = DateForm()
DAY_FIRST, MONTH_FIRST = DateForm(order="dmy"), DateForm(order="mdy")


def serial_dates(texts: Iterable[str], years: tuple[int, int]) -> dict[str, str] | None:
    """Days as Excel numbers them, as ISO dates; None unless every text is one, within the years.

    A few five-digit numbers among other texts may be anything; a whole column of them that fall
    into the years which can be meant is a column of dates that lost its format.

    >>> serial_dates(["43905", "44562.5"], (2002, 2025))
    {'43905': '2020-03-15', '44562.5': '2022-01-01'}
    >>> serial_dates(["43905", "2020"], (2002, 2025)), serial_dates(["99999"], (2002, 2025))
    (None, None)
    """
    days: dict[str, str] = {}
    for text in texts:
        match = _SERIAL.fullmatch(_western(text))
        day = DAY_ZERO + timedelta(int(match[1])) if match else date.min
        if not years[0] <= day.year <= years[1]:
            return None
        days[text] = day.isoformat()
    return days or None


def _western(text: str) -> str:
    """The text with digits of any script as 0 to 9, and dashes and strokes of one kind."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text.translate(_DATES_SIGNS)
    )


def _valid(year: str | None, month: str, day: str) -> Part | None:
    """The parts of a day that was or will be."""
    try:
        date(int(year or 0), int(month), int(day))
    except ValueError:
        return None
    return int(year or 0), int(month), int(day)


@cache
def _shape(format: str) -> re.Pattern[str]:
    """A format as a pattern for folded texts; numbers that stand side by side have two digits."""
    pieces = [p for p in re.split("(%.)", format) if p]
    shape = ""
    for i, piece in enumerate(pieces):
        code = _CODES.get(piece) or re.escape(piece.lower())
        beside = [p for p in (*pieces[i - 1 : i], *pieces[i + 1 : i + 2]) if p in _CODES]
        shape += code.replace("{1,2}", "{2}") if beside else code
    return re.compile(shape)
