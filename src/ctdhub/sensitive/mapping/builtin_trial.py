"""A built-in mapping tried on the values of a file before anybody is told to use it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Numeral, Text
from ctdhub.core.text import fold
from ctdhub.schema.model import YEARS
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.mapping.builtin import builtin
from ctdhub.sensitive.mapping.run import harmonise

ROWS = 5_000
"""Rows on which a built-in mapping is tried."""

MOST_REJECTED = 0.1
"""Share of rejected rows up to which a built-in mapping is recommended."""


@dataclass(frozen=True)
class BuiltinTrial:
    """What a built-in mapping made of the first rows of a file.

    Attributes:
        name: the built-in mapping.
        rows: rows tried.
        rejected: rows of them that it rejected; all where it refused the file.
        ignored: texts of lists that none of its rules knows.
    """

    name: str
    rows: int
    rejected: int
    ignored: int

    @property
    def fits(self) -> bool:
        """Whether it is to be recommended."""
        return self.rejected <= MOST_REJECTED * self.rows

    def said(self) -> Text:
        """The advice."""
        message = Text("The headers are those of {name}: use builtin {name} instead of this file.")
        if self.rejected:
            message = Text(
                "The headers are those of {name}; builtin {name} rejects {n} of {all} rows."
            )
        return message.holding(name=self.name, n=Numeral(self.rejected), all=Numeral(self.rows))


def try_builtin(raw: RawTable, name: str, identifiers: Iterable[str] = ()) -> BuiltinTrial:
    """Try a built-in mapping on the first rows of a file.

    Args:
        raw: the file as read.
        name: the built-in mapping.
        identifiers: columns that may identify people; those that it does not decide, and which
            the steward decides beside it, are left out.
    """
    mapping = builtin(name)
    decided = {fold(column) for column in (*mapping.identifiers, *mapping.tokens)}
    part = raw.table.slice(0, ROWS)
    part = part.drop_columns([c for c in identifiers if fold(c) not in decided])
    none, n = raw.rejects.slice(0, 0), part.num_rows
    tried = replace(raw, table=part, rejects=none, rows_read=n, totals=0)
    try:
        done = harmonise(tried, mapping, "trial", YEARS, bytes(32))
    except HubError:
        return BuiltinTrial(name, part.num_rows, part.num_rows, 0)
    ignored = {entry.sources: entry.ignored for entry in done.lineage}
    return BuiltinTrial(name, part.num_rows, done.conservation.rejected, sum(ignored.values()))
