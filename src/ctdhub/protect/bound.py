"""The public bound of rows: who has more than count loses the surplus, as if by chance.

Belongs here: which rows of a person are kept.  Does not belong here: how a table tells persons
apart (``alone``, ``perpetrators``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.intp]


def within_bound(
    person: npt.NDArray[np.integer],
    content: Sequence[npt.NDArray[np.integer]],
    most: int,
    key: bytes,
    names: Callable[[Places], Iterable[bytes]],
) -> npt.NDArray[np.bool_]:
    """Which rows are kept, so that nobody has more than ``most``.

    Which rows of a person stay is decided by a keyed hash of that person and the row's content:
    as good as chance to everyone without the key, the same when the table is asked about again,
    whatever the order of its rows, and untouched by the rows of anyone else.

    Args:
        person: whom each row belongs to, from 0; it tells persons apart and decides nothing else.
        content: codes by column; what a code means may not depend on the data.
        most: the public bound.
        key: secret.
        names: what the persons of some rows, given by place, are called in the hash; no other
            person may have a say in it.
    """
    size = np.bincount(person)
    many = np.flatnonzero(size[person] > most) if person.size else np.zeros(0, dtype=np.intp)
    if not many.size:
        return np.ones(person.size, dtype=bool)
    rows = np.column_stack([column[many] for column in content])
    order = [
        hashlib.blake2b(row.tobytes() + name, key=key, digest_size=8).digest()
        for row, name in zip(rows, names(many), strict=True)
    ]
    chance = np.array([int.from_bytes(o, "big") for o in order], dtype=np.uint64)
    sorted_ = np.lexsort((chance, person[many]))
    first = np.concatenate([[True], np.diff(person[many][sorted_]) > 0])
    start = np.maximum.accumulate(np.where(first, np.arange(many.size), 0))
    kept = np.ones(person.size, dtype=bool)
    kept[many[sorted_]] = np.arange(many.size) - start < most
    return kept
