"""Columns that may identify a person: out, decided, or keyed, before anything else happens."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
    header = Header(raw.column_names())
    return raw.without(name for c in mapping.stripped() if (name := header.find(c)) is not None)


def check_decided(raw: RawTable, mapping: Mapping) -> None:
    """Refuse a file that has likely identifiers for which the mapping decides nothing.

    Raises:
        IdentifierFound: names columns and kinds, and the lines to add to the mapping.
    """
    keyed = {fold(column) for column in mapping.key}
    keyed -= {fold(column) for _place, rule in mapping.uses() for column in rule.columns()}
    decided = keyed | {fold(column) for column in (*mapping.identifiers, *mapping.tokens)}
    open_ = [f for f in find_identifiers(raw) if fold(f.column) not in decided]
    if not open_:
        return
    found = ", ".join(f"{f.column} ({f.kind})" for f in open_)
    lines: dict[str, str] = {}
    for finding in open_:
        proposed = PROPOSED.get(finding.kind, "strip")
        taken = proposed == "hash" and (mapping.key_columns() or "hash" in lines.values())
        named = mapping.case_column() or "case" in lines.values()
        lines[finding.column] = ("strip" if named else "case") if taken else proposed
    from ctdhub.sensitive.mapping.patched_yaml import flow

    raise error(
        "identifiers",
        file=raw.file,
        columns=found,
        lines=flow(lines),
    )


@dataclass(frozen=True)
class Keying:
    """How the texts of a column, or of several together, become keys.

    ``hash`` and ``case``: HMAC-SHA256 under the hub's key of contributor, a zero byte and the
    trimmed text, so the same number means another person at another contributor; of several texts
    a list of them in JSON, so that no two lists are written alike.  ``token``: the
    text as it is.  Compatible spellings of a character (Unicode NFKC) are one; capitals count, for
    some systems tell numbers apart by them.  A text that stands for "no number" in some language,
    only zeros, or no letter and no digit at all gives no key: it would make one person of many.  So
    does a row that lacks one of several texts; zeros count as missing in the first alone, which
    names a case, for in the others they may count its people.

    Attributes:
        columns: the columns of the file.
        action: ``hash``, ``case`` or ``token``.
        contributor: id of the contributor.
        key: the hub's secret.
        empty: folded texts that mean "not recorded".
    """

    columns: tuple[str, ...]
    action: str
    contributor: str
    key: bytes = field(repr=False)
    empty: frozenset[str] = frozenset()

    @property
    def way(self) -> str:
        """The kind of key, as the register of withdrawals has it: a token, or the numbers of so
        many columns, which a digest tells apart.  A token is the same in whatever column it is."""
        if self.action == "token":
            return "by-token"
        names = json.dumps([fold(column) for column in self.columns])
        digest = hashlib.sha256(names.encode()).hexdigest()[:16]
        return f"by-number-{len(self.columns)}:{digest}"

    def of(self, *texts: str | None) -> str | None:
        """The key of a text, or of one of each column; None where one of them stands for nothing.

        Raises:
            FileError: a token that is too short to be keyed, or holds a blank as names do.
        """
        plain = [self._plain(text or "", first=not place) for place, text in enumerate(texts)]
        if None in plain:
            return None
        if self.action == "token":
            (token,) = plain
            if token is None or len(token) < TOKEN_LENGTH or " " in token:
                raise _weak(", ".join(self.columns))
            return token
        message = self.contributor.encode() + b"\0"
        if len(plain) == 1:
            message += str(plain[0]).encode()
        else:  # ids of contributors are not empty, so no other message begins with a zero byte
            message = b"\0key\0" + message + json.dumps(plain).encode()
        return hmac.digest(self.key, message, hashlib.sha256).hex()

    def _plain(self, text: str, *, first: bool) -> str | None:
        """The text that is keyed, None where it stands for nothing."""
        if _CODE.fullmatch(text):  # as most are: nothing to trim, and no word for "no number"
            return None if text.lower() in self.empty else text
        plain = unicodedata.normalize("NFKC", trim(text))
        if fold(plain) in self.empty or (named := fold_name(plain)) in no_number():
            return None
        return None if first and named.strip("0") in no_number() else plain

    def _plain_tokens(self, texts: pa.Array) -> pa.Array:
        """Which texts are tokens for certain, and so their own keys."""
        if self.action != "token":
            return pa.repeat(pa.scalar(False), len(texts))
        empty = pc.is_in(pc.ascii_lower(texts), value_set=pa.array(sorted(self.empty), pa.string()))
        long = pc.greater_equal(pc.binary_length(texts), TOKEN_LENGTH)
        code = pc.match_substring_regex(texts, f"^{_CODE.pattern}$")
        return pc.and_not(pc.and_(code, long), empty)

    def keys(self, table: pa.Table) -> pa.Array:
        """The key of each row of a table, null where it has none or lacks a column."""
        header = Header(table.column_names)
        names = [name for column in self.columns if (name := header.find(column)) is not None]
        if len(names) < len(self.columns):
            return pa.nulls(table.num_rows, pa.string())
        texts = [table[name].cast(pa.string()).combine_chunks() for name in names]
        if len(texts) == 1:
            coded = texts[0].dictionary_encode()
            keys, doubtful = coded.dictionary, pc.invert(self._plain_tokens(coded.dictionary))
            made = [self.of(text) for text in keys.filter(doubtful).to_pylist()]
            keys = pc.replace_with_mask(keys, doubtful, pa.array(made, pa.string()))
            return keys.take(coded.indices)
        first, rows = _alike(texts)
        each = zip(*(column.take(first).to_pylist() for column in texts), strict=True)
        return pa.array([self.of(*some) for some in each], pa.string()).take(rows)


def _alike(columns: Sequence[pa.Array]) -> tuple[pa.Array, pa.Array]:
    """Where each different row of texts comes first, and which of them each row is."""
    rows = np.zeros(len(columns[0]), np.int64)
    first = rows
    for column in columns:
        coded = column.dictionary_encode(null_encoding="encode")
        numbered = rows * (len(coded.dictionary) + 1) + np.asarray(coded.indices)
        _values, first, rows = np.unique(numbered, return_index=True, return_inverse=True)
    return pa.array(first), pa.array(rows)


@cache
def no_number() -> frozenset[str]:
    """What stands for "no number", by ``fold_name``; none of it has a digit."""
    return frozenset({"na", *(word for word in vocabulary().empty if not word.isdigit())})


def keyings(mapping: Mapping, contributor: str, key: bytes) -> tuple[Keying | None, Keying | None]:
    """How person keys are made in a contributor's files, and keys of cases that join nobody."""
    empty = frozenset({"", "-99", *map(fold, mapping.empty)})
    person, case = mapping.key_columns(), mapping.case_column()
    return (
        Keying(*person, contributor, key, empty) if person else None,
        Keying((case,), "case", contributor, key, empty) if case else None,
    )


def _weak(column: str) -> HubError:
    return error("weak-token", column=column)
