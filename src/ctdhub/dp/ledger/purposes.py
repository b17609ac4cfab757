"""What a charge is for, in words: English in the ledger, the reader's language where it is shown.

The ledger outlives the language of whoever charged, so that its words are always English.
"""

from __future__ import annotations

import re
from typing import Literal

from ctdhub.core.i18n import _, language

Purpose = Literal["again", "all", "columns", "audit"]


def _texts() -> dict[Purpose, str]:
    """In the language in force."""
    return {
        "again": _("{purpose}; charged again, because charge {n} was cut off without an answer"),
        "all": _("release of all public columns at epsilon {epsilon}, budget {budget}"),
        "columns": _("release of {n} columns at epsilon {epsilon}, budget {budget}"),
        "audit": _("publication of an audit: {kinds}"),
    }


def written(purpose: Purpose, /, **fields: object) -> str:
    """The English words for the ledger.

    >>> written("columns", n=3, epsilon="4", budget="12")
    'release of 3 columns at epsilon 4, budget 12'
    """
    with language("en"):
        return _texts()[purpose].format(**fields)


def told(what: str) -> str:
    """What a ledger says a charge is for, in the language in force; other words stay as they are.

    >>> with language("fr"):
    ...     told("a chart")
    'a chart'
    """
    with language("en"):
        english = _texts()
    for purpose, text in english.items():
        if found := re.fullmatch(_pattern(text), what):
            fields = found.groupdict()
            if "purpose" in fields:
                fields["purpose"] = told(fields["purpose"])
            return _texts()[purpose].format(**fields)
    return what


def _pattern(text: str) -> str:
    """A text whose fields are groups; only a purpose inside another holds a semicolon."""
    return re.sub(
        r"\\{(\w+)\\}",
        lambda field: f"(?P<{field[1]}>{'.+' if field[1] == 'purpose' else '[^;]+'})",
        re.escape(text),
    )
