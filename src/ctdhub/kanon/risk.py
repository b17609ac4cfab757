"""What a reader of the file could do, and what was lost: counted on the finished table itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

RISK_GOAL = 0.03
"""Global re-identification risk under which the Humanitarian Data Exchange (HDX, run by OCHA)
shares case-level data: 3 % (OCHA Centre for Humanitarian Data, guidance on statistical disclosure
control)."""


def class_sizes(table: pa.Table) -> npt.NDArray[np.int64]:
    """Records of each class: of rows that are equal in every column, null being a value.

    >>> sorted(class_sizes(pa.table({"a": ["x", "x", None]})).tolist())
    [1, 2]
    """
    places = [str(place) for place in range(table.num_columns)]
    grouped = table.rename_columns(places).group_by(places).aggregate([([], "count_all")])
    sizes: npt.NDArray[np.int64] = grouped["count_all"].to_numpy().astype(np.int64)
    return sizes


def global_risk(sizes: npt.NDArray[np.int64]) -> float:
    """Mean over records of 1 / class size, 0 to 1: the chance that somebody who knows everything
    in the table about a person, and that she is in it, picks her record; 0 without records.

    The sum over the records of a class is 1, so that it is the number of classes over that of
    records (Templ, Kowarik and Meindl 2015, sdcMicro, with the file as the population).

    >>> global_risk(np.array([1, 3]))
    0.5
    """
    records = int(sizes.sum())
    return len(sizes) / records if records else 0.0


@dataclass(frozen=True)
class Risk:
    """The account of one run.

    Attributes:
        k: the least size of a class that was asked for.
        records: records of the table that was given.
        dropped: records that are not in the table that was made.
        lost: suppressed cells by column.
        classes, smallest: number of classes and size of the smallest (0 without records).
        risk_before, risk_after: see :func:`global_risk`.
        whole: records of which no cell was suppressed.
    """

    k: int
    records: int
    dropped: int
    lost: Mapping[str, int]
    classes: int
    smallest: int
    risk_before: float
    risk_after: float
    whole: int

    @property
    def cells_lost(self) -> int:
        """Suppressed cells of all columns."""
        return sum(self.lost.values())

    @property
    def share_lost(self) -> float:
        """Suppressed cells over all cells, 0 to 1; 0 without cells."""
        cells = self.records * len(self.lost)
        return self.cells_lost / cells if cells else 0.0
