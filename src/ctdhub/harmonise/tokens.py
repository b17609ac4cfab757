"""Tokens that a contributor made of identifiers, for the hub to compare and never to read.

Belongs here: the columns under ``tokens`` in a mapping, the form of a token.
Does not belong here: making tokens, what equal ones mean (``link``).
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.errors import FileError
from ctdhub.harmonise.cells import Header
from ctdhub.harmonise.mapping import Mapping
from ctdhub.harmonise.text import trim
from ctdhub.i18n import _

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


def tokens_of(
    table: pa.Table, mapping: Mapping, contributor: str, ids: pa.Array, rows: pa.Array
) -> pa.Table:
    """The tokens of records, schema :data:`TOKENS`; a record may have none.

    Args:
        table: the file as read.
        mapping: names the columns.
        contributor: id of the contributor.
        ids, rows: record ids, and the rows of the file that they come from.

    Raises:
        FileError: a cell holds something that is no token; what, is not said.
    """
    header = Header(table.column_names)
    records: list[str] = []
    found: list[str] = []
    place = pc.index_in(rows, value_set=table["_row"].combine_chunks())
    for column in mapping.tokens:
        if (name := header.find(column)) is None:
            continue
        cells = table[name].take(place).to_pylist()
        for record, cell, row in zip(ids.to_pylist(), cells, rows.to_pylist(), strict=True):
            for token in (cell or "").split(SEPARATOR):
                if not (plain := trim(token)):
                    continue
                if not FORM.fullmatch(plain):
                    raise FileError(
                        _("A column that the mapping lists under tokens holds other texts."),
                        _("List only columns that `ctdhub tokens` made."),
                        row=row,
                        column=column,
                        rule="weak-token",
                    )
                records.append(record)
                found.append(plain)
    who = pa.repeat(pa.scalar(contributor), len(records))
    return pa.table([pa.array(records, pa.string()), who, pa.array(found, pa.string())], TOKENS)
