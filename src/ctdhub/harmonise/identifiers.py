"""Columns that may identify a person: out, decided, or keyed, before anything else happens.

Belongs here: enforcing the decisions of a mapping, the person key.
Does not belong here: recognising identifiers (``intake``).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import pyarrow as pa

from ctdhub.errors import IdentifierFound
from ctdhub.harmonise.cells import Header
from ctdhub.harmonise.mapping import Mapping
from ctdhub.harmonise.text import fold, trim
from ctdhub.i18n import _
from ctdhub.intake import RawTable, find_identifiers

PROPOSED = {"case_number": "hash", "birth_date": "band"}
"""Decision to propose for a kind of identifier; every other kind is stripped."""


def without_stripped(raw: RawTable, mapping: Mapping) -> RawTable:
    """The file without the columns that the mapping strips."""
    header = Header(raw.table.column_names)
    gone = {name for c in mapping.stripped() if (name := header.find(c)) is not None}
    return replace(raw, table=raw.table.drop_columns(sorted(gone))) if gone else raw


def check_decided(raw: RawTable, mapping: Mapping) -> None:
    """Refuse a file that has likely identifiers for which the mapping decides nothing.

    Raises:
        IdentifierFound: names columns and kinds, and the lines to add to the mapping.
    """
    decided = {fold(column) for column in mapping.identifiers}
    open_ = [f for f in find_identifiers(raw) if fold(f.column) not in decided]
    if not open_:
        return
    found = ", ".join(f"{f.column} ({f.kind})" for f in open_)
    lines: dict[str, str] = {}
    for finding in open_:
        proposed = PROPOSED.get(finding.kind, "strip")
        taken = proposed == "hash" and (mapping.key_column() or "hash" in lines.values())
        lines[finding.column] = "strip" if taken else proposed
    raise IdentifierFound(
        _("These columns may identify people: {columns}.").format(columns=found),
        _(
            "Add to the mapping under identifiers: {lines}. Write keep with a reason only for "
            "what identifies nobody."
        ).format(lines="; ".join(f"{column}: {line}" for column, line in lines.items())),
        file=raw.file,
        rule="identifiers",
    )


def person_keys(table: pa.Table, mapping: Mapping, contributor: str, key: bytes) -> pa.Array:
    """The person key of each row, null where the file gives none.

    ``hash``: HMAC-SHA256 under the hub's key of contributor, a zero byte and the trimmed text, so
    the same number means another person at another contributor.  ``token``: the text as it is.
    """
    rows = table.num_rows
    source = mapping.key_column()
    name = Header(table.column_names).find(source[0]) if source else None
    if source is None or name is None:
        return pa.nulls(rows, pa.string())
    empty = {"", *map(fold, mapping.empty)}

    def keyed(text: str) -> str | None:
        plain = trim(text)
        if fold(plain) in empty:
            return None
        if source[1] == "token":
            return plain
        message = contributor.encode() + b"\0" + plain.encode()
        return hmac.digest(key, message, hashlib.sha256).hex()

    encoded = table[name].cast(pa.string()).combine_chunks().dictionary_encode()
    keys = pa.array([keyed(text) for text in encoded.dictionary.to_pylist()], pa.string())
    return keys.take(encoded.indices)
