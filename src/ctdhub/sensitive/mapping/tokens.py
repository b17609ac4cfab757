"""Tokens that a contributor made of identifiers, for the hub to compare and never to read."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.error_catalogue import error
from ctdhub.core.text import trim
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import Header

TOKENS = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("contributor", pa.string(), nullable=False),
        pa.field("token", pa.string(), nullable=False),
    ]
)
"""Tokens of records, one row each."""

FORM = re.compile(r"[a-wz]-[0-9A-Za-z_]{16,64}")
"""The letter of the kind, a hyphen, the code.  A name or a number never looks like this; x and y
are letters of facts of the hub."""

SEPARATOR = ";"
"""Between the tokens of one cell."""

TOKEN_COLUMN, TOKENS_COLUMN = "link_token", "link_tokens"
"""Columns that ``ctdhub tokens`` adds: the one token that stands for a person, and all tokens."""


Rows = dict[int, list[str]]
"""Tokens by number of the record, from 0; a record without any is left out."""


def tokens_of(table: pa.Table, mapping: Mapping, rows: pa.Array) -> Rows:
    """The tokens of records, in the order of the columns.

    Args:
        table: the file as read.
        mapping: names the columns.
        rows: the row of the file that each record comes from.

    Raises:
        FileError: a cell holds something that is no token; what, is not said.
    """
    header = Header(table.column_names)
    found: Rows = {}
    place = pc.index_in(rows, value_set=table["_row"].combine_chunks())
    for column in mapping.tokens:
        if (name := header.find(column)) is None:
            continue
        cells = table[name].take(place).to_pylist()
        for record, (cell, row) in enumerate(zip(cells, rows.to_pylist(), strict=True)):
            for token in (cell or "").split(SEPARATOR):
                if not (plain := trim(token)):
                    continue
                if not FORM.fullmatch(plain):
                    raise error("weak-token/other-texts", row=row, column=column)
                found.setdefault(record, []).append(plain)
    return found


def token_table(found: Rows, ids: pa.Array, contributor: str) -> pa.Table:
    """Tokens by record id, schema :data:`TOKENS`."""
    records = [record for record, tokens in found.items() for _token in tokens]
    flat = [token for tokens in found.values() for token in tokens]
    who = pa.repeat(pa.scalar(contributor), len(flat))
    return pa.table(
        [ids.take(pa.array(records, pa.int64())), who, pa.array(flat, pa.string())], TOKENS
    )


def told_apart(found: Rows, keys: pa.Array) -> pa.Array:
    """What tells records without a person key apart: all their tokens; null for others.

    Records that agree in everything else are numbered within their file, and a number alone would
    give the tokens of one person to another where two files have them in different orders.
    """
    if not found:
        return pa.nulls(len(keys), pa.string())
    texts = [
        SEPARATOR.join(sorted(set(found[i]))) if key is None and i in found else None
        for i, key in enumerate(keys.to_pylist())
    ]
    return pa.array(texts, pa.string())
