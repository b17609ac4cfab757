"""What the places of suppressed cells tell about what stood there (minimality).

A cell is suppressed because its row is unlike others, so that rare values are suppressed more
often than common ones (Wong, Fu, Wang and Pei 2007, "Minimality Attack in Privacy Preserving Data
Publishing").  These figures say how much; they are about the finished table, and are for whoever
decides whether to publish it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ctdhub.dp.noise import uniform

Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Inference:
    """How much suppression tells.

    Only values of at least k records count: a value of fewer can nowhere stand, whoever knows that
    it exists knows that it was suppressed.

    Attributes:
        lift: by column with such cells, the greatest ratio, over its values, of the value's share
            among suppressed cells to its share among all cells; 1 tells nothing.
        worst: the same greatest ratio inside one class and one suppressed column.
        narrow: classes of exactly k records with one suppressed column.
        told: those of them in which the records differ in that column, as somebody who knows the
            method will conclude.
    """

    lift: dict[str, float]
    worst: float
    narrow: int
    told: int


def classes_of(codes: Codes, masked: Mask) -> npt.NDArray[np.int64]:
    """The class of each record, from 0: equal rows once cells are suppressed."""
    if not codes.size:
        return np.zeros(len(codes), np.int64)
    shown = np.ascontiguousarray(np.where(masked, -1, codes))
    rows = shown.view([("", shown.dtype)] * shown.shape[1]).ravel()
    _, found = np.unique(rows, return_inverse=True)
    return found.astype(np.int64)


def also_at_random(codes: Codes, masked: Mask, extra: float) -> Mask:
    """Suppress whole columns of classes at random, beyond need.

    Classes only grow, so that k still holds, and a suppressed cell no longer says that its row was
    unlike others.

    Args:
        codes: n x d table of non-negative integers.
        masked: n x d, what is suppressed already.
        extra: chance, 0 to 1, that a column is suppressed in a class; drawn from the operating
            system's generator.
    """
    home = classes_of(codes, masked)
    size = int(home.max(initial=-1)) + 1
    more = uniform(size * codes.shape[1]).reshape(size, codes.shape[1]) < extra
    found: Mask = masked | more[home]
    return found


def inference(names: list[str], codes: Codes, masked: Mask, k: int) -> Inference:
    """How much the places of suppressed cells tell; see :class:`Inference`.

    >>> codes = np.array([[0, 0], [0, 0], [0, 0], [1, 0], [1, 0], [1, 1]], np.int32)
    >>> masked = np.zeros((6, 2), bool); masked[3:, 1] = True
    >>> inference(["a", "b"], codes, masked, 3)
    Inference(lift={'b': 0.8}, worst=0.8, narrow=1, told=1)
    """
    home = classes_of(codes, masked)
    sizes = np.bincount(home)
    first = np.zeros(len(sizes), np.int64)
    first[home] = np.arange(len(home))
    hidden = masked[first]  # class by column: all records of a class are suppressed alike
    narrow = (sizes == k) & (hidden.sum(1) == 1)
    lift: dict[str, float] = {}
    worst, told = 0.0, np.zeros(len(sizes), bool)
    for place, name in enumerate(names):
        inside = masked[:, place]
        if not inside.any():
            continue
        own, where = codes[inside, place], home[inside]
        total = np.bincount(codes[:, place])
        usual = total[own] >= k
        if usual.any():
            share = total / len(codes)
            found = np.bincount(own, minlength=len(total)) / len(own)
            lift[name] = round(float((found / np.maximum(share, 1e-12))[total >= k].max()), 2)
            pairs, count = np.unique(np.stack([where, own], 1)[usual], axis=0, return_counts=True)
            ratio = count / sizes[pairs[:, 0]] / share[pairs[:, 1]]
            worst = max(worst, round(float(ratio.max()), 2))
        least = np.full(len(sizes), np.iinfo(np.int32).max)
        most = np.full(len(sizes), -1)
        np.minimum.at(least, where, own)
        np.maximum.at(most, where, own)
        told |= narrow & hidden[:, place] & (least < most)
    return Inference(lift, worst, int(narrow.sum()), int(told.sum()))
