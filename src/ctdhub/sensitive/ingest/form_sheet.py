"""What tells the sheet of a form from a table of records."""

from __future__ import annotations

from collections.abc import Iterable

from ctdhub.core.text import fold

_TYPES = frozenset(
    ("text", "integer", "decimal", "date", "datetime", "time", "note", "calculate", "start", "end")
) | {"select_one", "select_multiple", "begin_group", "begin_repeat", "geopoint", "today"}
"""Types of questions that most forms have (xlsform.org)."""


def is_form(names: Iterable[str], types: Iterable[str | None]) -> bool:
    """Whether a table is the survey sheet of an XLSForm, and no data.

    Args:
        names: its column names.
        types: cells of its column ``type``.

    >>> is_form(["type", "name", "label"], ["text", "select_one sex", None])
    True
    """
    held = {fold(name).partition(":")[0] for name in names}
    said = [fold(text).replace(" ", "_") for text in types if text]
    known = sum(any(text == t or text.startswith(f"{t}_") for t in _TYPES) for text in said)
    return {"type", "name", "label"} <= held and known > 0.5 * len(said)
