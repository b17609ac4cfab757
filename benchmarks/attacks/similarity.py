"""How alike people and protected records are: in how many columns they are equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ctdhub.dp.count import Codes

_BLOCK = 64

Rows = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Likeness:
    """A few people beside many records.

    Attributes:
        people: codes of the people, shape (people, columns).
        records: different records, shape (records, columns).
        times: how often each record comes.
    """

    people: Rows
    records: Rows
    times: npt.NDArray[np.int64]

    @classmethod
    def of(cls, people: Codes, records: Codes) -> Likeness:
        """Both by the columns of the people; "not recorded" is a value."""
        rows = _rows(records, list(people.columns))
        flat = np.ascontiguousarray(rows).view(f"S{rows.itemsize * rows.shape[1]}").ravel()
        __, first, times = np.unique(flat, return_index=True, return_counts=True)
        return cls(_rows(people, list(people.columns)), rows[first], times)

    def shared(self) -> Iterator[npt.NDArray[np.uint16]]:
        """For each person in turn, the number of columns in which each record equals hers."""
        for start in range(0, len(self.people), _BLOCK):
            block = self.people[start : start + _BLOCK]
            equal = np.zeros((len(block), len(self.records)), dtype=np.uint16)
            for column in range(self.people.shape[1]):
                equal += block[:, column, None] == self.records[:, column]
            yield from equal


def _rows(people: Codes, names: list[str]) -> Rows:
    return np.column_stack([people.columns[n].astype(np.uint16) for n in names])
