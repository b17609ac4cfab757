"""A document as values that JSON knows, and back: from the process that writes it to the one that
shows it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from ctdhub.document.document import (
    Bar,
    Bars,
    Block,
    Document,
    Ends,
    Items,
    LargeNumber,
    Meta,
    Point,
    Section,
    Sentences,
    TextTable,
    Words,
    Years,
)

_KINDS: dict[str, Any] = {
    "words": Words,
    "sentences": Sentences,
    "items": Items,
    "number": LargeNumber,
    "bars": Bars,
    "years": Years,
    "table": TextTable,
}


def to_json(document: Document) -> dict[str, Any]:
    """The document; :func:`from_json` is the way back.

    >>> one = Document(Meta("en", False, "Hub", made=date(2026, 1, 2)), "Title", ("Lead",), ())
    >>> from_json(to_json(one)) == one
    True
    """
    found = asdict(document)
    made = document.meta.made
    found["meta"]["made"] = made.isoformat() if made else None
    return found


def from_json(value: dict[str, Any]) -> Document:
    """The document that :func:`to_json` gave.

    Raises:
        ValueError: two sections have one id.
        KeyError, TypeError: it is no document.
    """
    made = value["meta"]["made"]
    meta = Meta(**{**value["meta"], "made": date.fromisoformat(made) if made else None})
    sections = tuple(
        Section(**{**one, "blocks": tuple(map(_block, one["blocks"]))}) for one in value["sections"]
    )
    parts = {"meta": meta, "lead": tuple(value["lead"]), "sections": sections}
    return Document(**{**value, **parts})


def _block(value: dict[str, Any]) -> Block:
    found = {name: _tuple(part) for name, part in value.items()}
    if value["kind"] == "bars":
        found["bars"] = tuple(Bar(**bar) for bar in value["bars"])
    if value["kind"] == "years":
        found["points"] = tuple(map(_point, value["points"]))
    block: Block = _KINDS[value["kind"]](**found)
    return block


def _point(value: dict[str, Any]) -> Point:
    same = value["same"]
    return Point(**{**value, "same": Ends(**same) if same else None})


def _tuple(value: Any) -> Any:
    """Lists of JSON as the tuples they were."""
    return tuple(map(_tuple, value)) if isinstance(value, list | tuple) else value
