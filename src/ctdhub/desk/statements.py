"""Statements that every request sends, written out: Django's way to make one from a table takes ten
times as long as the database takes to answer it.

What they show is kept apart by the same walls: they name whose rows they want, and row-level
security binds them as it binds all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction


def rows(statement: str, *values: UUID | datetime | str) -> list[tuple[Any, ...]]:
    """The rows of a statement, as the database has them.

    Args:
        statement: of SQL, fixed; never made from what somebody sent.
        values: for each ``%s`` of it.
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [_as_kept(value) for value in values])
        return list(cursor.fetchall())


def _as_kept(value: UUID | datetime | str) -> Any:
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


@contextmanager
def unhurried() -> Iterator[None]:
    """One transaction that waits for no disk: a power cut may undo it, and nothing but it.

    For what is of no use after a power cut.  SQLite has one writer at a time, and whoever waits
    for the disk lets all others wait.
    """
    light = connection.vendor == "sqlite" and not connection.in_atomic_block
    if light:
        rows("PRAGMA synchronous=NORMAL")
    try:
        with transaction.atomic():
            yield
    finally:
        if light:
            rows("PRAGMA synchronous=FULL")
