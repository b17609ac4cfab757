"""Support: how readily rare combinations are left out of the records.

A combination that one protected record has was perhaps nobody's.  With a price on the first
records of each kind, records drift to combinations that several share: fewer are made up, and
more of those that were somebody's are missed.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ctdhub.dp.count import Codes, count
from ctdhub.dp.indicators import Draft
from ctdhub.dp.plan import Columns
from ctdhub.dp.synth.coarsening import Places
from ctdhub.dp.synth.residuals import FitLayout, Key, Singles, Slabs, TableResiduals, Wide

PRICE = (0.0, 0.1, 0.4, 1.5, 6.0)
"""By setting: what the first record of a combination costs, in standard deviations of noise."""

LENGTH = (1.0, 1.0, 2.0, 4.0, 8.0)
"""By setting: the price falls by a factor e for so many records more."""

_RARE = 64
"""A combination with so many records costs nothing."""

_FREE = 2.0**22
"""Stands for the count of a combination that is not looked at, however many records move."""

_PAIR = "a pair of wide values"


class Support:
    """Counts of combinations of recorded values, kept up to date as records move.

    Args:
        setting: from 1, nearly complete, to 4, cautious.
        layout: of the columns that move, whose codes are ``moving``.
        held: codes of the columns that stay.
        tables: the combinations that count: at most three columns, of them two that stay.
    """

    def __init__(
        self,
        setting: int,
        layout: FitLayout,
        moving: Draft,
        held: dict[str, Places],
        tables: Iterable[Columns],
    ) -> None:
        self.setting = setting
        columns: dict[str, npt.NDArray[np.integer]] = dict(moving)
        sizes = dict(layout.sizes)
        near, far = [], []
        for name, values in held.items():
            near.append(_wide(name, values))
            columns[name], sizes[name] = values, near[-1].share.size
        if len(held) == 2:
            one, two = held.values()
            both = np.where((one > 0) & (two > 0), one * (int(two.max()) + 1) + two, 0)
            present, place = np.unique(np.append(0, both), return_inverse=True)
            far.append(_wide(_PAIR, place[1:]))
            columns[_PAIR], sizes[_PAIR] = place[1:], present.size
        keys: dict[Key, None] = {}
        for t in tables:
            staying = [n for n in t if n in held]
            rest = layout.sorted(n for n in t if n not in held)
            if 2 <= len(t) <= 3 and rest and (len(staying) < 2 or _PAIR in columns):
                lead = staying[:1] if len(staying) < 2 else [_PAIR]
                keys[(*lead, *rest)] = None
        people = len(next(iter(columns.values())))
        codes = {n: c.astype(np.min_scalar_type(sizes[n])) for n, c in columns.items()}
        counted = count(Codes(codes, sizes, people), keys)
        found = {k: t.astype(np.float32) for k, t in counted.items()}
        for key, table in found.items():
            if key[0] not in layout.sizes:
                table[0] = _FREE
        self.books = TableResiduals(
            layout, tuple(near), tuple(far), found, dict.fromkeys(found, 1.0)
        )
        self.near = self.books.groups(self.books.near, people)
        self.far = self.books.groups(self.books.far, people)

    def slabs(self, name: str) -> Slabs:
        """Counts by the values of one column, as ``kernels.sweep`` wants them."""
        return self.books.slabs(name, fill=_FREE)

    def dear(self, reach: float) -> Singles:
        """What the k-th record of a combination costs where ``reach`` is one standard deviation."""
        k = np.arange(_RARE + 1)
        price = reach * PRICE[self.setting] * np.exp(-k / LENGTH[self.setting])
        price[-1] = 0.0
        return price.astype(np.float32)


def _wide(name: str, codes: Places) -> Wide:
    return Wide(name, codes, np.ones(int(codes.max()) + 1, dtype=np.float32))
