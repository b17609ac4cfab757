"""What the root of a site tells of notices about its releases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ctdhub.client.shape import damage
from ctdhub.core.errors import printable

VERSION = r"\d{4}\.[1-9]\d{0,5}"
_LONGEST, _NAMED = 2000, 20


def notices_of(root: Mapping[str, Any], version: str) -> tuple[dict[str, Any], ...]:
    """The notices about a release, each with its ``text`` for those who read English.

    Args:
        root: ``api/latest.json`` of the site.

    Raises:
        SiteError: they have another shape.
    """
    with damage():
        return tuple(_notice(found) for found in root.get("errata", {}).get(version, ()))


def withdrawn_in(root: Mapping[str, Any]) -> frozenset[str]:
    """Versions that were withdrawn.

    Raises:
        SiteError: they are no list of versions.
    """
    with damage():
        return frozenset(str(version) for version in root.get("withdrawn", ()))


def versions_in(held: Mapping[str, Any]) -> str:
    """The versions that a site has, to name in an error; what is no version is left out."""
    names = [str(name) for name in held if re.fullmatch(VERSION, str(name))]
    return ", ".join(names[:_NAMED]) or "-"


def _notice(found: Mapping[str, Any]) -> dict[str, Any]:
    note = {str(code): printable(str(text), _LONGEST) for code, text in found["note"].items()}
    return {
        "number": int(found["number"]),
        "sort": printable(str(found["sort"])),
        "date": printable(str(found["date"])),
        "text": note.get("en") or next(iter(note.values()), ""),
        "note": note,
        "concerns": [printable(str(name)) for name in found["concerns"]],
    }
