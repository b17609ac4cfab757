"""Ids of records: made of what a record says, never of the file that it came in.

Contributors deliver cumulative files: last year's records come again, with new ones among them.
The id of a record is a keyed hash of its contributor, of its own content (with its person key, its
case and its perpetrators; without a person key, also its tokens) and of its number among the equal
records of its file.  So

- a record that is delivered again has the same id, whatever else its file holds, and ``linkage``
  counts it once;
- equal records of one file stay apart, and of several files the one that has most of them decides;
- no id depends on a record that says something else: one person's records never change how
  another's are counted;
- a variable that came after :data:`BASE` is part of what a record says only where it is recorded:
  software of a later schema gives records that say nothing new the ids that they had.

Two records that agree in everything are told apart by their cases or tokens alone; where a file
has neither, nor person keys, equal records of two files are taken for one record that came twice.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctdhub.schema.model import load_schema, numbers
from ctdhub.sensitive.ingest.raw import buffers

ID_BYTES = 10
"""Bytes of a record id, twice as many hexadecimal digits (80 bits: ten million records collide
with p < 1e-10)."""

_SLICE, _FEW = 2**14, 2**12
"""Rows whose lines are in memory at once; texts up to which neighbouring columns become one."""

_PLAIN = r"^[ !#-\[\]-~]*$"
"""Texts that JSON puts between quotation marks as they are."""

BASE = "1.1"
"""Version of the schema whose variables are written whether they are recorded or not."""

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
    said = records.select([n for n in records.column_names if n not in OF_THE_FILE])
    columns = _joined(_parts(said, apart))
    mentioned = _mentioned(children, of, records.num_rows) if children.num_rows else None
    ids = _ids(secret, "0", columns, mentioned)
    number = _ordinals(ids)
    again = np.flatnonzero(number)  # equal ids, equal records
    if len(again):
        rest = [JsonColumn(column.codes[again], column.texts) for column in columns]
        more = mentioned.take(pa.array(again)) if mentioned is not None else None
        counted = pa.array(number[again]).cast(pa.string())
        ids = pc.replace_with_mask(ids, pa.array(number > 0), _ids(secret, counted, rest, more))
    return ids


_LATER = {v.name for v in load_schema().variables() if numbers(v.since) > numbers(BASE)}


class JsonColumn(NamedTuple):
    """A column of JSON texts: the place of each row's text among them."""

    codes: NDArray[np.int32]
    texts: pa.Array


def _ids(
    secret: bytes, number: str | pa.Array, columns: list[JsonColumn], mentioned: pa.Array | None
) -> pa.Array:
    """Keyed hashes of number, line end and line; the lines of a slice at a time."""
    keyed, found = hashlib.blake2b(digest_size=ID_BYTES, key=secret), bytearray()
    rows = len(columns[0].codes)
    for start in range(0, rows, _SLICE):
        here = slice(start, start + _SLICE)
        first, *rest = [texts.take(pa.array(codes[here])) for codes, texts in columns]
        counted = number if isinstance(number, str) else number[here]
        first = pc.binary_join_element_wise(counted, first, "\n")
        lines = pc.binary_join_element_wise(first, *rest, "")
        if mentioned is not None:
            lines = pc.binary_join_element_wise(lines, mentioned[here], "")
        offsets, data = buffers(lines)
        view = data.data
        for begin, end in pairwise(offsets.tolist()):
            one = keyed.copy()
            one.update(view[begin:end])
            found += one.digest()
    digits = pa.py_buffer(bytes(found).hex().encode())
    ends = pa.py_buffer(np.arange(rows + 1, dtype=np.int32) * (2 * ID_BYTES))
    return pa.StringArray.from_buffers(rows, ends, digits)


def _parts(table: pa.Table, apart: list[pa.Array]) -> list[JsonColumn]:
    """What each column adds to a line: its value; of later variables name and value, if any."""
    names = [n for n in table.column_names if n not in _LATER]
    first, *rest = [*(_coded(table[n]) for n in names), *map(_coded, apart)]
    found = [first, *(JsonColumn(c.codes, _behind(",", c.texts)) for c in rest)]
    for name in (n for n in table.column_names if n in _LATER):
        codes, texts = _coded(table[name])
        said = _behind(f',"{name}":', texts[:-1])
        found.append(JsonColumn(codes, pa.concat_arrays([said, pa.array([""])])))
    return found


def _behind(prefix: str, texts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(prefix, texts, "")


def _coded(column: pa.ChunkedArray | pa.Array) -> JsonColumn:
    """The values of a column as JSON, null as ``null``, which comes last."""
    if column.null_count == len(column):
        return JsonColumn(np.zeros(len(column), np.int32), pa.array(["null"]))
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    coded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
    values = coded.dictionary.cast(pa.string())
    if pc.all(pc.match_substring_regex(values, _PLAIN)).as_py():
        texts = pc.binary_join_element_wise("", values, "", '"')  # between two quotation marks
    else:
        texts = pa.array([json.dumps(value) for value in values.to_pylist()], pa.string())
    codes = coded.indices.cast(pa.int32()).fill_null(len(texts)).to_numpy()
    return JsonColumn(codes, pa.concat_arrays([texts, pa.array(["null"])]))


def _joined(columns: list[JsonColumn]) -> list[JsonColumn]:
    """Neighbours as one column of both texts, where these are few."""
    found: list[JsonColumn] = []
    for column in columns:
        if found and len(found[-1].texts) * len(column.texts) <= _FEW:
            before = found.pop()
            left = np.repeat(np.arange(len(before.texts)), len(column.texts))
            right = np.tile(np.arange(len(column.texts)), len(before.texts))
            texts = pc.binary_join_element_wise(
                before.texts.take(pa.array(left)), column.texts.take(pa.array(right)), ""
            )
            codes = column.codes
            if len(before.texts) > 1:
                codes = before.codes * np.int32(len(column.texts)) + codes
            column = JsonColumn(codes, texts)
        found.append(column)
    return found


def _mentioned(children: pa.Table, of: pa.Array, rows: int) -> pa.Array:
    """The lines of each record's perpetrators, each behind a line end."""
    parts = _parts(children, [])
    lines = pc.binary_join_element_wise("\n", *(t.take(pa.array(c)) for c, t in parts), "")
    ends = np.cumsum(np.bincount(of.to_numpy(), minlength=rows))
    lists = pa.ListArray.from_arrays(pa.array([0, *ends], pa.int32()), lines)
    return pc.binary_join(lists, "")


def _ordinals(texts: pa.Array) -> NDArray[np.int64]:
    """The number of each text among the equal ones before it, from 0."""
    coded = texts.dictionary_encode()
    found = np.zeros(len(texts), np.int64)
    if len(coded.dictionary) < len(texts):
        same = coded.indices.to_numpy()
        order = np.argsort(same, kind="stable")
        sizes = np.bincount(same)
        starts = np.cumsum(sizes) - sizes
        found[order] = np.arange(len(texts)) - starts[same[order]]
    return found
