"""When somebody answers: written once for all languages, said in that of the reader.

The form is a small part of the ``opening_hours`` of OpenStreetMap.
"""

from __future__ import annotations

import re

from babel import Locale

from ctdhub.core.format import isolated, listed
from ctdhub.core.i18n import _, current

ALWAYS = "24/7"
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY = f"(?:{'|'.join(DAYS)})"
_TIME = r"(?:[01]?\d|2[0-4]):[0-5]\d"
_DAYS, _TIMES = rf"{_DAY}(?:-{_DAY})?", f"{_TIME}-{_TIME}"
_PART = re.compile(rf"(?:({_DAYS}(?:, ?{_DAYS})*) )?({_TIMES}(?:, ?{_TIMES})*)")


def in_every_language(text: str) -> bool:
    """Whether hours have the form that :func:`said` knows.

    >>> in_every_language("Mo-Fr 09:00-17:00; Sa 10:00-12:00"), in_every_language("9 to 17")
    (True, False)
    """
    return text == ALWAYS or all(_PART.fullmatch(part) for part in _parts(text))


def said(text: str) -> str:
    """Hours in the language in force; other words as they are, isolated.

    Args:
        text: "24/7", or days and times such as "Mo-Fr 09:00-12:00, 14:00-17:00; Sa 10:00-12:00";
            times without days are those of every day.

    >>> said("24/7"), said("20:00-02:00")
    ('every day, day and night', 'every day from 20:00 to 02:00')
    >>> said("Mo-Fr 09:00-17:00; Sa,Su 10:00-12:00")
    'Monday to Friday from 09:00 to 17:00; Saturday and Sunday from 10:00 to 12:00'
    """
    if text == ALWAYS:
        return _("every day, day and night")
    if not in_every_language(text):
        return isolated(text)
    return _("; ").join(_said(part) for part in _parts(text))


def _parts(text: str) -> list[str]:
    return re.split(r" ?; ?", text)


def _said(part: str) -> str:
    found = _PART.fullmatch(part)
    assert found is not None
    times = listed(
        [
            _("from {first} to {last}").format(first=first.zfill(5), last=last.zfill(5))
            for first, last in (span.split("-") for span in re.split(", ?", found[2]))
        ]
    )
    if not found[1]:
        return _("every day {times}").format(times=times)
    days = listed([_span(span) for span in re.split(", ?", found[1])])
    return _("{days} {times}").format(days=days, times=times)


def _span(span: str) -> str:
    names = Locale(current()).days["format"]["wide"]
    first, *last = (str(names[DAYS.index(day)]) for day in span.split("-"))
    return _("{day} to {other_day}").format(day=first, other_day=last[0]) if last else first
