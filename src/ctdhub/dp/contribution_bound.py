"""The public bound of rows: who has more than count loses the surplus, as if by chance."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def within_bound(
    person: pa.Array,
    content: Sequence[npt.NDArray[np.integer]],
    most: int,
    key: bytes,
) -> npt.NDArray[np.bool_]:
    """Which rows are kept, so that nobody has more than ``most``.

    Which rows of a person stay is decided by a keyed hash of that person and the row's content:
    as good as chance to everyone without the key, the same when the table is asked about again,
    whatever the order of its rows, and untouched by the rows of anyone else.

    Args:
        person: whom each row belongs to, text without nulls; nobody else may have a say in it.
        content: codes by column; what a code means may not depend on the data.
        most: the public bound.
        key: secret.
    """
    of = person.dictionary_encode().indices.to_numpy()
    size = np.bincount(of)
    many = np.flatnonzero(size[of] > most) if of.size else np.zeros(0, dtype=np.intp)
    if not many.size:
        return np.ones(of.size, dtype=bool)
    rows = np.column_stack([column[many] for column in content])
    order = [
        hashlib.blake2b(row.tobytes() + name.encode(), key=key, digest_size=8).digest()
        for row, name in zip(rows, person.take(pa.array(many)).to_pylist(), strict=True)
    ]
    chance = np.array([int.from_bytes(o, "big") for o in order], dtype=np.uint64)
    sorted_ = np.lexsort((chance, of[many]))
    first = np.concatenate([[True], np.diff(of[many][sorted_]) > 0])
    start = np.maximum.accumulate(np.where(first, np.arange(many.size), 0))
    kept = np.ones(of.size, dtype=bool)
    kept[many[sorted_]] = np.arange(many.size) - start < most
    return kept
