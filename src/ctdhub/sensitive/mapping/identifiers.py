"""Columns that may identify a person: out, decided, or keyed as tokens, before anything else
happens.
"""

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.errors import HubError, error
from ctdhub.core.tables import fold, trim
from ctdhub.schema.countries import fold_name
from ctdhub.sensitive.ingest.identifiers import IdentifierFinding, find_identifiers
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import Header

# --------------------------------------------------------------------------------------------------
# Columns that may identify a person: out, decided, or keyed, before anything else happens.

PROPOSED = {"case_number": "hash", "birth_date": "band"}
"""Decision to propose for a kind of identifier; every other kind is stripped."""


def proposed(findings: Iterable[IdentifierFinding], mapping: Mapping) -> dict[str, str]:
    """A decision for each column that may identify a person and that nobody has decided about.

    The first number becomes the person key, the second that of a case, where the mapping has none.
    """
    ways = ["hash"] if mapping.key_columns() is None else []
    ways += ["case"] if mapping.case_column() is None else []
    decisions = {one.column: PROPOSED.get(one.kind, "strip") for one in findings}
    for column in (column for column, wanted in decisions.items() if wanted == "hash"):
        decisions[column] = ways.pop(0) if ways else "strip"
    return decisions


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
    from ctdhub.sensitive.mapping.mapping_file import flow

    columns = ", ".join(f"{f.column} ({f.kind})" for f in open_)
    lines = flow(proposed(open_, mapping))
    raise error("identifiers", file=raw.file, columns=columns, lines=lines)


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
    words = (word for word in vocabulary().empty if not any(c.isdigit() for c in word))
    return frozenset({"na", *words})


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


# --------------------------------------------------------------------------------------------------
# Tokens that a contributor made of identifiers, for the hub to compare and never to read.

TOKENS = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("record_id", "contributor", "token")]
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
    tokens: Rows = {}
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
                tokens.setdefault(record, []).append(plain)
    return tokens


def token_table(rows: Rows, ids: pa.Array, contributor: str) -> pa.Table:
    """Tokens by record id, schema :data:`TOKENS`."""
    records = [record for record, tokens in rows.items() for _token in tokens]
    flat = [token for tokens in rows.values() for token in tokens]
    who = pa.repeat(pa.scalar(contributor), len(flat))
    return pa.table(
        [ids.take(pa.array(records, pa.int64())), who, pa.array(flat, pa.string())], TOKENS
    )


def told_apart(rows: Rows, keys: pa.Array) -> pa.Array:
    """What tells records without a person key apart: all their tokens; null for others.

    Records that agree in everything else are numbered within their file, and a number alone would
    give the tokens of one person to another where two files have them in different orders.
    """
    if not rows:
        return pa.nulls(len(keys), pa.string())
    texts = [
        SEPARATOR.join(sorted(set(rows[i]))) if key is None and i in rows else None
        for i, key in enumerate(keys.to_pylist())
    ]
    return pa.array(texts, pa.string())
