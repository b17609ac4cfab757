"""Columns that may identify a person: out, decided, or keyed, before anything else happens."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass, field, replace
from functools import cache

import pyarrow as pa

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.core.text import fold, trim
from ctdhub.schema.country_names import fold_name
from ctdhub.sensitive.ingest.identifiers import find_identifiers
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import Header
from ctdhub.sensitive.mapping.vocabulary import vocabulary

PROPOSED = {"case_number": "hash", "birth_date": "band"}
"""Decision to propose for a kind of identifier; every other kind is stripped."""


TOKEN_LENGTH = 16
"""Characters that a token has at least (64 bits in hexadecimal): shorter texts are no keyed codes,
and the same short text at two contributors would make one person of two."""

_CODE = re.compile(r"[!-~]*[1-9][!-~]*")
"""ASCII without a blank and with a digit other than 0."""


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
    decided = {fold(column) for column in (*mapping.identifiers, *mapping.tokens)}
    open_ = [f for f in find_identifiers(raw) if fold(f.column) not in decided]
    if not open_:
        return
    found = ", ".join(f"{f.column} ({f.kind})" for f in open_)
    lines: dict[str, str] = {}
    for finding in open_:
        proposed = PROPOSED.get(finding.kind, "strip")
        taken = proposed == "hash" and (mapping.key_column() or "hash" in lines.values())
        named = mapping.case_column() or "case" in lines.values()
        lines[finding.column] = ("strip" if named else "case") if taken else proposed
    raise error(
        "identifiers",
        file=raw.file,
        columns=found,
        lines="; ".join(f"{column}: {line}" for column, line in lines.items()),
    )


@dataclass(frozen=True)
class Keying:
    """How the texts of one column become keys.

    ``hash`` and ``case``: HMAC-SHA256 under the hub's key of contributor, a zero byte and the
    trimmed text, so the same number means another person at another contributor.  ``token``: the
    text as it is.  Compatible spellings of a character (Unicode NFKC) are one; capitals count, for
    some systems tell numbers apart by them.  A text that stands for "no number" in some language,
    only zeros, or no letter and no digit at all gives no key: it would make one person of many.

    Attributes:
        column: the column of the file.
        action: ``hash``, ``case`` or ``token``.
        contributor: id of the contributor.
        key: the hub's secret.
        empty: folded texts that mean "not recorded".
    """

    column: str
    action: str
    contributor: str
    key: bytes = field(repr=False)
    empty: frozenset[str] = frozenset()

    def of(self, text: str) -> str | None:
        """The key of a text, None where it stands for nothing.

        Raises:
            FileError: a token that is too short to be keyed, or holds a blank as names do.
        """
        if _CODE.fullmatch(text):  # as most are: nothing to trim, and no word for "no number"
            plain = text
            if text.lower() in self.empty:
                return None
        else:
            plain = unicodedata.normalize("NFKC", trim(text))
            if fold(plain) in self.empty or fold_name(plain).strip("0") in no_number():
                return None
        if self.action == "token":
            if len(plain) < TOKEN_LENGTH or " " in plain:
                raise _weak(self.column)
            return plain
        message = self.contributor.encode() + b"\0" + plain.encode()
        return hmac.digest(self.key, message, hashlib.sha256).hex()

    def keys(self, table: pa.Table) -> pa.Array:
        """The key of each row of a table, null where it has none or lacks the column."""
        name = Header(table.column_names).find(self.column)
        if name is None:
            return pa.nulls(table.num_rows, pa.string())
        encoded = table[name].cast(pa.string()).combine_chunks().dictionary_encode()
        keys = pa.array([self.of(text) for text in encoded.dictionary.to_pylist()], pa.string())
        return keys.take(encoded.indices)


@cache
def no_number() -> frozenset[str]:
    """What stands for "no number", by ``fold_name``; none of it has a digit."""
    return frozenset({"na", *(word for word in vocabulary().empty if not word.isdigit())})


def keyings(mapping: Mapping, contributor: str, key: bytes) -> tuple[Keying | None, Keying | None]:
    """How person keys are made in a contributor's files, and keys of cases that join nobody."""
    empty = frozenset({"", "-99", *map(fold, mapping.empty)})
    person, case = mapping.key_column(), mapping.case_column()
    return (
        Keying(*person, contributor, key, empty) if person else None,
        Keying(case, "case", contributor, key, empty) if case else None,
    )


def _weak(column: str) -> HubError:
    return error("weak-token", column=column)
