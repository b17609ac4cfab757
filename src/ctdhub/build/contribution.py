"""One file as a contributor sent it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

_ISO = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Contribution:
    """One raw file as received: ``contributions/<contributor>/<date>/<file>``."""

    contributor: str
    date: str
    file: Path


def is_date(text: str) -> bool:
    """Whether a text is a day as ISO 8601 writes it, with hyphens.

    >>> is_date("2026-02-28"), is_date("2026-02-30"), is_date("20260228"), is_date("juin")
    (True, False, False, False)
    """
    if not _ISO.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
