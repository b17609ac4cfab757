"""Numbers, shares, dates and lists in the language in force: whatever a reader sees is made here.

In Arabic a number with a sign or a unit is isolated, so that the sign stays on its side.  Spanish
groups digits from five on with a thin space, which no country reads as a decimal sign.
"""

import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current, formula, ngettext

# --------------------------------------------------------------------------------------------------
# When a share is precise enough for a decimal: one rule for numbers, sentences and charts.

FINE = 0.02
"""Half-widths of shares below this are written with one decimal."""


def is_narrow(value: float, low: float, high: float) -> bool:
    """Whether a share is written with a decimal: where its interval is that narrow.

    >>> is_narrow(0.5, 0.49, 0.51), is_narrow(0.5, 0.49, 0.52)
    (True, False)
    """
    return max(high - value, value - low) < FINE


def number(value: float) -> str:
    """A whole number with the language's grouping.

    >>> number(12345.4)
    '12,345'
    """
    return _whole(round(value), None, current())


_NUMBER = re.compile("[0-9](?:[,.\u202f]?[0-9])*")


def last_number(written: str) -> int:
    """What a noun after a number or a range agrees with: the last number; a range is of several.

    >>> last_number("at least 1"), last_number("0 to 1"), last_number("1,002 ± 12")
    (1, 3, 12)
    """
    numbers = [int(re.sub("[^0-9]", "", text)) for text in _NUMBER.findall(written)]
    return numbers[-1] if len(numbers) == 1 else max(numbers[-1], 3)


def people_words(written: str) -> str:
    """People whom a number, a range or a bound counts; an interval follows them, and a bound is
    never left out for a form that names one or two without it.

    >>> people_words("1"), people_words("0 to 1"), people_words("1,002 (990 to 1,012)")
    ('1 person', '0 to 1 people', '1,002 people (990 to 1,012)')
    """
    size, bracket, interval = written.partition(" (")
    n = last_number(size)
    return _people(n if n > 2 or size.isdigit() else 100).format(people=size) + bracket + interval


def _people(n: int) -> str:
    return ngettext("{people} person", "{people} people", n)


def decimal(value: float, pattern: str = "#,##0.0") -> str:
    """A number with one decimal, or as the pattern says.

    >>> decimal(2.718), decimal(2, "0.##")
    ('2.7', '2')
    """
    return _grouped(format_decimal(value, pattern, locale=current(), numbering_system="default"))


def exact(value: float, digits: int = 6) -> str:
    """A number as it was set, such as epsilon: as many decimals as it has, up to ``digits``.

    One that would read zero is a power of ten.

    >>> exact(1), exact(0.5), exact(0.25123, 3), exact(1e-8), exact(0)
    ('1', '0.5', '0.251', '10⁻⁸', '0')
    """
    if 0 < abs(value) < 10.0**-digits:
        return tiny(value)
    return decimal(value + 0.0, "#,##0." + "#" * digits)


def signed(value: float, digits: int = 0) -> str:
    """A difference with its sign.

    >>> signed(1.25, 1), signed(-3), signed(0)
    ('+1.2', '−3', '0')
    """
    size = decimal(abs(value), "#,##0" + ("." + "0" * digits if digits else ""))
    if not any(digit in size for digit in "123456789"):
        return size
    return formula(f"{'+' if value > 0 else '−'}{size}")


_FOUR_DIGITS = re.compile(r"(?<![\d.])(\d)\.(\d{3})(?![\d.])")

_LEAST = 0.001
"""The smallest share that one decimal of a per cent tells from nothing."""


def share(value: float, *, fine: bool = False) -> str:
    """A share in 0..1 as whole per cent, or with one decimal; one above zero never reads zero.

    >>> share(0.543), share(0.54, fine=True), share(0.0042), share(0.0002), share(0)
    ('54%', '54.0%', '0.4%', '<0.1%', '0%')
    """
    if 0 < value <= _LEAST / 2:
        return formula(f"<{share(_LEAST)}")
    fine = fine or 0 < value < 0.005
    return formula(_percent(value + 0.0, fine, current()))  # of -0.0 and 0.0 one text


def interval(low: float, high: float, *, fine: bool = False) -> tuple[str, str]:
    """Ends of an interval of shares, rounded outwards: what is printed always covers it.

    >>> interval(0.5449, 0.5501), interval(0.0715, 0.0718, fine=True)
    (('54%', '56%'), ('7.1%', '7.2%'))
    >>> interval(0.0049, 0.012), interval(0.0002, 0.0049), interval(0, 0.3)
    (('0.4%', '2%'), ('<0.1%', '1%'), ('0%', '30%'))
    >>> interval(0.0089, 0.06), interval(0.00097, 0.16)
    (('0.8%', '6%'), ('<0.1%', '16%'))
    >>> interval(0.0007, 0.3)  # at least 0.1% would not cover it, 0% would say nobody
    ('<0.1%', '30%')
    """
    steps = 1000 if fine else 100
    few = 1000 if 0 < low < 0.01 else steps
    ends = math.floor(low * few + 1e-9) / few, math.ceil(high * steps - 1e-9) / steps
    first = share(ends[0] or min(low, _LEAST / 2), fine=fine or few > steps)
    return first, share(ends[1], fine=fine)


def signs() -> dict[str, str | int | dict[str, str]]:
    """What a script needs to write numbers as this module does in the language in force.

    Returns:
        ``digits`` from 0 to 9, ``group`` and ``decimal`` as signs, ``grouped``: the least number of
        digits that is written in groups, ``percent`` with ``{n}`` for the number, ``least``, the
        text of a share too small for one decimal, and ``people`` by kind of number (CLDR).

    >>> signs()["group"], signs()["grouped"], signs()["percent"]
    (',', 4, '{n}%')
    """
    kind = Locale.parse(current()).plural_form
    return {
        "digits": "".join(number(n) for n in range(10)),
        "group": number(12345)[2:-3],
        "decimal": decimal(0.5)[1:-1],
        "grouped": 4 if len(number(1234)) > len("1234") else 5,
        "percent": share(0.05).replace(number(5), "{n}"),
        "least": share(_LEAST / 4),
        "people": {kind(n): _people(n) for n in (100, 0, 1, 2, 3, 11)},
    }


def share_ranged(value: float, low: float, high: float) -> str:
    """A share with its interval, as :func:`share_parts` writes them.

    >>> share_ranged(0.55, 0.546, 0.554), share_ranged(0.55, 0.5, 0.6)
    ('55.0% (54.6% to 55.4%)', '55% (50% to 60%)')
    """
    text, first, last = share_parts(value, low, high)
    return _("{share} ({low} to {high})").format(share=text, low=first, high=last)


def share_parts(value: float, low: float, high: float) -> tuple[str, str, str]:
    """A share and the ends of its interval, which are rounded outwards: to whole per cent, or to
    one decimal where the interval is narrow.  One share has one text everywhere."""
    fine = is_narrow(value, low, high)
    return share(value, fine=fine), *interval(low, high, fine=fine)


def tiny(value: float) -> str:
    """A positive number far below one, as a power of ten.

    >>> tiny(1e-8), tiny(5.8e-6)
    ('10⁻⁸', '5.8 × 10⁻⁶')
    """
    digits, _e, exponent = f"{value:.1e}".partition("e")
    power = "10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return formula(power if digits == "1.0" else f"{decimal(float(digits))} × {power}")


def set_apart(name: str) -> str:
    """A name of any script that keeps its own direction inside any sentence (UAX 9)."""
    return f"\u2068{name}\u2069"


def isolated(name: str) -> str:
    """A name that keeps its own direction inside a sentence that runs from right to left."""
    return set_apart(name) if current() in RIGHT_TO_LEFT else name


def year(value: int | str) -> str:
    """A year, without grouping."""
    return _whole(int(value), "0", current())


def span(years: tuple[int, int]) -> str:
    """A year, or the first and the last on one line.

    >>> span((2018, 2020)), span((2020, 2020))
    ('2018\xa0–\xa02020', '2020')
    """
    first, last = (year(y) for y in years)
    return first if first == last else f"{first}\u00a0–\u00a0{last}"


def day(value: date) -> str:
    """A date in words.

    >>> day(date(2026, 11, 5))
    '5 November 2026'
    """
    text = str(format_date(value, "long", locale=region()))
    return f"1er{text[1:]}" if current() == "fr" and value.day == 1 else text


def clock(written: str) -> str:
    """A time of day, of 24 hours, such as 9:05.

    >>> clock("9:05")
    '09:05'
    """
    hours, minutes = written.split(":")
    french = f"{int(hours)}\u00a0h\u00a0{minutes}".removesuffix("\u00a000")
    return french if current() == "fr" else written.zfill(5)


def stamped(text: str) -> str:
    """The day of a time that is written down, such as in a ledger, and its hour where it has one.

    Args:
        text: by ISO 8601, in UTC.

    >>> stamped("2026-11-05T15:05:59Z"), stamped("2026-11-05")
    ('5 November 2026, 15:05', '5 November 2026')
    """
    when = datetime.fromisoformat(text)
    return day(when) if len(text) == len("2026-11-05") else f"{day(when)}, {clock(f'{when:%H:%M}')}"


def region() -> str:
    """The language in force as Babel knows its dates: English is that of Europe."""
    return "en_GB" if current() == "en" else current()


def inline(label: str) -> str:
    """A label inside a sentence: its first letter small, unless it starts a capitalised word.

    >>> inline("Forced labour"), inline("SMS")
    ('forced labour', 'SMS')
    """
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def listed(items: Sequence[str]) -> str:
    """Items as a list in words.

    >>> listed(["a", "b", "c"])
    'a, b, and c'
    """
    return format_list(list(items), locale=current())


@lru_cache(maxsize=2**16)
def _whole(value: int, pattern: str | None, code: str) -> str:
    return _grouped(format_decimal(value, pattern, locale=code, numbering_system="default"), code)


def _grouped(text: str, code: str | None = None) -> str:
    """Spanish digits in groups as the Academy writes them: by a thin space, from five digits on.

    A point is a decimal sign to many who read Spanish.
    """
    if (code or current()) != "es":
        return text
    return _FOUR_DIGITS.sub(r"\1\2", text).replace(".", "\u202f")


@lru_cache(maxsize=2**16)
def _percent(value: float, fine: bool, code: str) -> str:
    """Rounded half to even, as all numbers of Babel are."""
    steps = Decimal(str(value)).scaleb(3 if fine else 2)
    return _rounded_percent(int(steps.quantize(Decimal(1))), fine, code)


@lru_cache(maxsize=2**13)
def _rounded_percent(steps: int, fine: bool, code: str) -> str:
    """So many hundredths, or thousandths; pages have few different ones."""
    pattern = Locale.parse(code).percent_formats[None].pattern
    if fine:
        pattern = pattern.replace("##0", "##0.0")
    value = Decimal(steps).scaleb(-3 if fine else -2)
    text = format_percent(value, pattern, locale=code, numbering_system="default")
    return _grouped(str(text).replace("\u200e", ""), code)
