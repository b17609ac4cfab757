"""Which rows of a file are about one person: what a mapping must say before people are counted.

The unit of protection is the person key, else the record.  Rows that are reports or calls are no
people, so they need a key, or a bound in the agreement on how many of them one person may have; a
row without either is counted as a person only where the mapping says that rows are persons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Text
from ctdhub.core.text import fold
from ctdhub.sensitive.mapping.rule import MappingFault

RowUnit = Literal["person", "report", "call"]
"""What a row of a file is."""


class _Unit(Protocol):
    """As much of a mapping as :func:`require_people` reads."""

    @property
    def rows(self) -> RowUnit | None: ...
    def key_columns(self) -> tuple[tuple[str, ...], str] | None: ...


def check_unit(key: Sequence[str], actions: Mapping[str, str], tokens: Sequence[str]) -> None:
    """Refuse a key of several columns that contradicts the rest of its mapping.

    Args:
        key: columns that together make the person key; none where there is no such key.
        actions: the decision for each column that may identify a person.
        tokens: columns of tokens.

    Raises:
        MappingFault: names the column.
    """
    if not key:
        return
    for column, action in actions.items():
        if action in ("hash", "token"):
            raise MappingFault(
                Text("key already says who is one person: {column} cannot be {action} as well",
                     column=column, action=action),
                "key",
            )  # fmt: skip
    barred = {fold(c) for c, action in actions.items() if action == "strip"} | set(
        map(fold, tokens)
    )
    seen: set[str] = set()
    for column in key:
        if fold(column) in seen:
            raise MappingFault(Text("{column} appears twice in key", column=column), "key")
        if fold(column) in barred:
            raise MappingFault(
                Text("{column} is stripped or holds tokens, so it cannot be in key", column=column),
                "key",
            )
        seen.add(fold(column))


def require_people(mapping: _Unit, file: Path, bound: int | None = None) -> None:
    """Refuse to count rows as people where nobody said that they are.

    Args:
        mapping: the mapping of a contributor.
        file: where it lies.
        bound: the most rows that one person may have, where the agreement says it: then rows may
            be reports or calls without a key, and each is a row of its own.

    Raises:
        MappingError: its rows have no person key, and it does not say that they are persons; or
            they are no persons and nobody agreed how many of them one person may have.
    """
    if mapping.key_columns() is not None or mapping.rows == "person":
        return
    if mapping.rows is not None and bound is not None:
        return
    raise error("row-unit" if mapping.rows is None else "row-unit/not-people", file=file)
