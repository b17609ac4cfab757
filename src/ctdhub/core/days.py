"""Days as texts."""

from __future__ import annotations

from datetime import date


def is_day(text: str) -> bool:
    """Whether a text is a day as ISO 8601 writes it, with hyphens.

    >>> is_day("2026-02-28"), is_day("2026-02-30"), is_day("20260228"), is_day("juin")
    (True, False, False, False)
    """
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
