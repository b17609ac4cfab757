"""Ids of records: made of what a record says, never of the file that it came in.

Contributors deliver cumulative files: last year's records come again, with new ones among them.
The id of a record is a keyed hash of its contributor, of its own content (with its person key, its
case and its perpetrators; without a person key, also its tokens) and of its number among the equal
records of its file.  So

- a record that is delivered again has the same id, whatever else its file holds, and ``linkage``
  counts it once;
- equal records of one file stay apart, and of several files the one that has most of them decides;
- no id depends on a record that says something else: one person's records never change how
  another's are counted.

Two records that agree in everything are told apart by their cases or tokens alone; where a file
has neither, nor person keys, equal records of two files are taken for one record that came twice.
"""

from __future__ import annotations

import hashlib
import hmac
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ID_BYTES = 10
"""Bytes of a record id, twice as many hexadecimal digits (80 bits: ten million records collide
with p < 1e-10)."""

OF_THE_FILE = ("record_id", "source_file", "source_row")
"""Columns that say where a record stands, not what it says."""


def record_ids(
    records: pa.Table, apart: list[pa.Array], children: pa.Table, of: pa.Array, contributor: str,
    key: bytes,
) -> pa.Array:  # fmt: skip
    """The id of each record of a file, hexadecimal; no two are equal.

    Args:
        records: what records say; columns of :data:`OF_THE_FILE` are passed over.
        apart: what else tells records apart, such as the keys of their cases, null where a record
            has none.
        children: what the rows of perpetrators say.
        of: the record (row of ``records``) of each of these, ascending.
        contributor: id of the contributor.
        key: the hub's secret: an id tells nothing to whoever guesses what a record says.
    """
    secret = hmac.digest(key, b"\0record\0" + contributor.encode(), hashlib.sha256)
    said = [records[n] for n in records.column_names if n not in OF_THE_FILE]
    texts = _lines([*said, *apart], records.num_rows)
    if children.num_rows:
        mentioned: list[list[str]] = [[] for _row in range(records.num_rows)]
        lines = _lines(children.columns, children.num_rows)
        for row, line in zip(of.to_pylist(), lines, strict=True):
            mentioned[row].append(line)
        texts = ["\n".join((text, *more)) for text, more in zip(texts, mentioned, strict=True)]
    numbered = zip(texts, _ordinals(texts).tolist(), strict=True)
    return pa.array([_hash(secret, f"{number}\n{text}") for text, number in numbered], pa.string())


def _hash(secret: bytes, text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=ID_BYTES, key=secret).hexdigest()


def _lines(columns: list[pa.ChunkedArray | pa.Array], rows: int) -> list[str]:
    """Each row as one line of JSON texts: different rows give different lines."""
    written = [_written(column) for column in columns]
    if not written:
        return [""] * rows
    return pc.binary_join_element_wise(*written, ",").to_pylist()  # type: ignore[no-any-return]


def _written(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The values of a column as JSON, null as ``null``."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    coded = whole.cast(pa.string()).dictionary_encode()
    values = [json.dumps(value) for value in coded.dictionary.to_pylist()]
    return pc.fill_null(pa.array(values, pa.string()).take(coded.indices), "null")


def _ordinals(texts: list[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The number of each text among the equal ones before it, from 0."""
    same = np.asarray(pa.array(texts, pa.string()).dictionary_encode().indices)
    order = np.argsort(same, kind="stable")
    sizes = np.bincount(same)
    starts = np.cumsum(sizes) - sizes
    found = np.empty(len(texts), np.int64)
    found[order] = np.arange(len(texts)) - starts[same[order]]
    return found
