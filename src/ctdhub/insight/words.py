"""Numbers and lists in the language in force.

Belongs here: formatting.  Does not belong here: sentences.
"""

from __future__ import annotations

from collections.abc import Sequence

from babel import Locale
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from ctdhub.i18n import current


def number(value: float) -> str:
    """A whole number with the language's grouping.

    >>> number(12345.4)
    '12,345'
    """
    return str(format_decimal(round(value), locale=current(), numbering_system="default"))


def decimal(value: float) -> str:
    """A number with one decimal.

    >>> decimal(2.718)
    '2.7'
    """
    return str(format_decimal(value, "#,##0.0", locale=current(), numbering_system="default"))


def share(value: float, *, fine: bool = False) -> str:
    """A share in 0..1 as whole per cent, or with one decimal.

    >>> share(0.543), share(0.54, fine=True)
    ('54%', '54.0%')
    """
    pattern = Locale.parse(current()).percent_formats[None].pattern
    if fine:
        pattern = pattern.replace("##0", "##0.0")
    return str(format_percent(value, pattern, locale=current(), numbering_system="default"))


def year(value: int | str) -> str:
    """A year, without grouping."""
    return str(format_decimal(int(value), "0", locale=current(), numbering_system="default"))


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
