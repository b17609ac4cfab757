"""By what people are joined besides their keys, and whose lists are counted."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from ctdhub.sensitive.linkage.token_joins import JOINS, named


@dataclass(frozen=True)
class Linking:
    """Plain values, so that they can be sent to where records lie.

    Attributes:
        rows: persons whose rows are one, schema ``JOINS``.
        lists: persons who are one on lists; no fewer than in ``rows``, in the same groups.
        names: ids of the contributors whose lists are counted.
        years: first and last year in which a list must know a person.
        strata: variables by whose values people on lists are counted too.
    """

    rows: pa.Table = field(default_factory=JOINS.empty_table)
    lists: pa.Table = field(default_factory=JOINS.empty_table)
    names: tuple[str, ...] = ()
    years: tuple[int, int] = (0, 0)
    strata: tuple[str, ...] = ()

    def in_rows(self, persons: pa.Array) -> pa.Array:
        """Persons by the key of their row."""
        return named(persons, self.rows)

    def on_lists(self, persons: pa.Array) -> pa.Array:
        """Persons, or keys of rows, by the key that stands for them on all lists."""
        return named(persons, self.lists)
