"""Groups of the values of a wide column: small countries join subregion, then region."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from ctdhub.dp.plan import Parents
from ctdhub.dp.synth.raking import Floats

Places = npt.NDArray[np.int64]


def grouped(expected: Floats, parents: Parents, least: float) -> Places:
    """The group of each code, 0, 1, 2, …; "not recorded" (code 0) is a group of its own.

    A value with at least ``least`` expected people stays alone.  The others join their parent, a
    parent with too few joins the next level, and what is left joins one group.

    >>> grouped(np.array([5.0, 90.0, 4.0, 6.0]), ((0, 1, 1),), 10.0).tolist()
    [0, 1, 2, 2]
    """
    levels = (*parents, (0,) * (expected.size - 1))
    label: list[tuple[int, int]] = [(-1, code) for code in range(expected.size)]
    for depth, level in enumerate(levels):
        held: dict[tuple[int, int], float] = defaultdict(float)
        for code, name in enumerate(label):
            held[name] += expected[code]
        for code in range(1, expected.size):
            if held[label[code]] < least:
                label[code] = (depth, level[code - 1])
    order = {name: k for k, name in enumerate(dict.fromkeys(label))}
    return np.array([order[name] for name in label])


def merged(table: Floats, axis: int, group: Places) -> Floats:
    """A table whose values along ``axis`` are summed by group."""
    moved = np.moveaxis(table, axis, 0)
    result = np.zeros((int(group.max()) + 1, *moved.shape[1:]))
    np.add.at(result, group, moved)
    return np.moveaxis(result, 0, axis)
