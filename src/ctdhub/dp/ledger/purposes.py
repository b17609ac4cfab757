"""What a charge is for, in words: English in the ledger, the reader's language where it is shown.

The ledger outlives the language of whoever charged, so that its words are always English.
"""

from __future__ import annotations

import re
from typing import Literal

from ctdhub.core.i18n import Field, Text, joined

Purpose = Literal["again", "adopted", "all", "columns"]


_TEXTS: dict[Purpose, Text] = {
    "again": Text("{purpose}; charged again, because charge {n} was cut off without an answer"),
    "adopted": Text(
        "{purpose}; made in another copy of the ledger, counted when this one was adopted"
    ),
    "all": Text("release of all public columns at epsilon {epsilon}, budget {budget}"),
    "columns": Text("release of {n} columns at epsilon {epsilon}, budget {budget}"),
}


def written(purpose: Purpose, /, **fields: object) -> str:
    """The English words for the ledger.

    >>> written("columns", n=3, epsilon="4", budget="12")
    'release of 3 columns at epsilon 4, budget 12'
    """
    return _TEXTS[purpose].message.format(**fields)


def told(what: str) -> Text:
    """What a ledger says a charge is for, to be said in any language; other words stay as they are.

    >>> told("release of 3 columns at epsilon 4, budget 12").fields
    {'budget': '12', 'epsilon': '4', 'n': '3'}
    """
    for text in _TEXTS.values():
        if found := re.fullmatch(_pattern(text.message), what):
            fields: dict[str, Field] = dict(found.groupdict())
            if "purpose" in fields:
                fields["purpose"] = told(found["purpose"])
            return text.holding(**fields)
    return joined([what], "")


def _pattern(text: str) -> str:
    """A text whose fields are groups; only a purpose inside another holds a semicolon."""
    return re.sub(
        r"\\{(\w+)\\}",
        lambda field: f"(?P<{field[1]}>{'.+' if field[1] == 'purpose' else '[^;]+'})",
        re.escape(text),
    )
