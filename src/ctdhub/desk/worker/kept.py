"""Texts as rows may hold them: without any text of a file, not even of its header.

A table whose header row is missing has cells in its place, so that names of columns are texts of
records too.  Columns become their letters, the hub's own words stay, and all else becomes "…".

A column that the file lacks has no letter.  The mapping names it, which a person wrote, so its name
stays, unless it looks like what a cell holds: a mapping may have been made from such a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from ctdhub.core.error_catalogue import as_json, catalogue, error, from_json
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text, said
from ctdhub.core.text import fold
from ctdhub.schema.model import load_schema

_READING = frozenset({"ingest", "mapping", "linkage", "consent", "spark"})
"""Rooms whose errors are about texts of files."""
_ELSE = "…"
_MOST_DIGITS, _LONGEST_NAME = 4, 60
"""Of a name of a column: a year may be in it, a date or a number of a case may not."""


def text_as_kept(text: Text, letters: Mapping[str, str]) -> dict[str, Any]:
    """A Text as JSON that a row may hold.

    Args:
        letters: letters of the file's columns by :func:`fold` of their names.
    """
    return {
        "message": text.message,
        "fields": {name: _kept(value, letters) for name, value in text.as_json()["fields"].items()},
        **({"plural": list(text.plural)} if text.plural else {}),
    }


def error_as_kept(met: HubError, letters: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An error as JSON that a row may hold; ``error_catalogue.from_json`` reads it."""
    found, known = as_json(met), letters or {}
    entry = catalogue().get(str(met.name))
    if entry is not None and entry.room not in _READING:
        return found | {"file": _ELSE}
    fields = {name: _kept(value, known) for name, value in found["fields"].items()}
    column = known.get(fold(met.column)) if met.column else None
    return found | {"file": _ELSE, "column": column, "fields": fields}


def stopped_as_kept(met: HubError, known: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Why a job stopped, as JSON that its row may hold: the rule and what to do.

    Whatever room it is of, no name of a file, no number and no text stays, but the hub's own words
    and those that the row holds already.

    Args:
        known: keys and versions that the row of the job holds.
    """
    fields = {name: _bare(value, known) for name, value in as_json(met)["fields"].items()}
    found = {
        "name": met.name,
        "rule": met.rule,
        **dict.fromkeys(("file", "row", "line", "column")),
        "fields": fields,
    }
    try:
        read = from_json(found)
        str(read), said(read.remedy)
    except (KeyError, TypeError, ValueError):  # its sentences ask for a number or a list
        return as_json(error("desk-stopped", name=met.rule or "error"))
    return found


def named_by(columns: Iterable[str]) -> dict[str, str]:
    """Names of a mapping's columns that may stay, by :func:`fold` of each.

    >>> sorted(named_by(["Sexe", "12/03/1999", "a@b.org", "0044 1234"]))
    ['sexe']
    """
    return {fold(name): name for name in columns if not _like_a_cell(name)}


def _like_a_cell(name: str) -> bool:
    """Whether a name may be a cell: with a number as long as a date's, an address, a sentence."""
    digits = sum(sign.isnumeric() for sign in name)
    return digits > _MOST_DIGITS or "@" in name or len(name) > _LONGEST_NAME


def _bare(value: Any, known: frozenset[str]) -> Any:
    if isinstance(value, str) and (value in known or value in _own_words()):
        return value
    return _ELSE


def _kept(value: Any, letters: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        if (one := _word(value, letters)) is not None:
            return one
        parts = [_word(part, letters) or _ELSE for part in value.split(", ")]
        return ", ".join(parts) if set(parts) != {_ELSE} else _ELSE
    if isinstance(value, dict):
        if "numeral" in value or "share" in value:
            return value
        if "several" in value:
            return value | {"several": [_kept(one, letters) for one in value["several"]]}
        if "message" in value:
            inside = {k: _kept(v, letters) for k, v in value["fields"].items()}
            return value | {"fields": inside}
        return _ELSE  # a name that was looked up from a cell says what the cell holds
    return value


def _word(value: str, letters: Mapping[str, str]) -> str | None:
    return letters.get(fold(value)) or (value if value in _own_words() else None)


@cache
def _own_words() -> frozenset[str]:
    """Names of the schema, and what is written between joined texts."""
    schema = load_schema()
    names = {v.name for table in ("people", "perpetrators") for v in schema.table(table)}
    return frozenset({*names, *schema.groups, " ", "; ", ", ", ""})
