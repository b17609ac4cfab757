"""A built-in mapping tried on the values of a file before anybody is told to use it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Numeral, Text
from ctdhub.schema.model import YEARS
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.mapping.builtin import builtin
from ctdhub.sensitive.mapping.run import harmonise

ROWS = 5_000
"""Rows on which a built-in mapping is tried."""

MOST_REJECTED = 0.02
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
        if self.fits:
            return Text(
                "The headers are those of {name}: use builtin {name} instead of this file.",
                name=self.name,
            )
        return Text(
            "The headers are those of {name}, but builtin {name} rejects {n} of {all} rows.",
            name=self.name,
            n=Numeral(self.rejected),
            all=Numeral(self.rows),
        )


def try_builtin(raw: RawTable, name: str) -> BuiltinTrial:
    """Try a built-in mapping on the first rows of a file."""
    part = raw.table.slice(0, ROWS)
    tried = replace(raw, table=part, rejects=raw.rejects.slice(0, 0), rows_read=part.num_rows)
    try:
        done = harmonise(tried, builtin(name), "trial", YEARS, bytes(32))
    except HubError:
        return BuiltinTrial(name, part.num_rows, part.num_rows, 0)
    ignored = sum(entry.ignored for entry in done.lineage)
    return BuiltinTrial(name, part.num_rows, done.conservation.rejected, ignored)
