"""Numbers and lists in the language in force.

Belongs here: formatting.  Does not belong here: sentences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from ctdhub.i18n import RIGHT_TO_LEFT, current


def number(value: float) -> str:
    """A whole number with the language's grouping.

    >>> number(12345.4)
    '12,345'
    """
    return str(format_decimal(round(value), locale=current(), numbering_system="default"))


def decimal(value: float, pattern: str = "#,##0.0") -> str:
    """A number with one decimal, or as the pattern says.

    >>> decimal(2.718), decimal(2, "0.##")
    ('2.7', '2')
    """
    return str(format_decimal(value, pattern, locale=current(), numbering_system="default"))


def share(value: float, *, fine: bool = False) -> str:
    """A share in 0..1 as whole per cent, or with one decimal.

    >>> share(0.543), share(0.54, fine=True)
    ('54%', '54.0%')
    """
    pattern = Locale.parse(current()).percent_formats[None].pattern
    if fine:
        pattern = pattern.replace("##0", "##0.0")
    return str(format_percent(value, pattern, locale=current(), numbering_system="default"))


def interval(low: float, high: float, *, fine: bool = False) -> tuple[str, str]:
    """Ends of an interval of shares, rounded outwards: what is printed always covers it.

    >>> interval(0.5449, 0.5501), interval(0.0715, 0.0718, fine=True)
    (('54%', '56%'), ('7.1%', '7.2%'))
    """
    steps = 1000 if fine else 100
    ends = math.floor(low * steps + 1e-9) / steps, math.ceil(high * steps - 1e-9) / steps
    return share(ends[0], fine=fine), share(ends[1], fine=fine)


def tiny(value: float) -> str:
    """A positive number far below one, as a power of ten.

    >>> tiny(1e-8), tiny(5.8e-6)
    ('10⁻⁸', '5.8 × 10⁻⁶')
    """
    digits, _e, exponent = f"{value:.1e}".partition("e")
    power = "10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return formula(power if digits == "1.0" else f"{decimal(float(digits))} × {power}")


def formula(text: str) -> str:
    """Text that runs left to right inside a sentence of any direction, such as "5 ± 1"."""
    return f"\u2066{text}\u2069" if current() in RIGHT_TO_LEFT else text


def named(text: str) -> str:
    """A name inside a sentence that runs right to left: set apart, whatever its own direction."""
    return f"\u2068{text}\u2069" if current() in RIGHT_TO_LEFT else text


def year(value: int | str) -> str:
    """A year, without grouping."""
    return str(format_decimal(int(value), "0", locale=current(), numbering_system="default"))


def day(value: date) -> str:
    """A date in words.

    >>> day(date(2026, 11, 5))
    'November 5, 2026'
    """
    return str(format_date(value, "long", locale=current()))


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
