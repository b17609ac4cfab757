"""A list of texts as one cell, which a rule with ``split`` takes apart into the same texts."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ctdhub.core.text import trim

BLANK = "\u2205"
"""Stands in a list for an entry that says nothing: a child row whose cell is empty."""


def list_cell(texts: Sequence[str | None], mark: str) -> str | None:
    r"""The texts with ``mark`` between them; null where none of them says anything.

    Where a text could be taken for two, or for a list itself, the cell is a list in brackets as
    JSON writes it.

    >>> list_cell(["a", None, "b"], ";") == f"a;{BLANK};b", list_cell([None], ";")
    (True, None)
    >>> print(list_cell(["a;b", "c"], ";"))
    ["a;b", "c"]
    """
    whole = [text if text and trim(text) else BLANK for text in texts]
    if all(text == BLANK for text in whole):
        return None
    if any(mark in text or trim(text)[:1] in ("[", "{") for text in whole):
        return json.dumps(whole, ensure_ascii=False)
    return mark.join(whole)
