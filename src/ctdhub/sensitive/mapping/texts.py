"""The distinct texts of a file's columns: as codes, as rules name them, and those that nobody
knows.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping as AnyMapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar

import pyarrow as pa

from ctdhub.core import tables
from ctdhub.core.i18n import Text
from ctdhub.core.tables import ROW, fold
from ctdhub.sensitive.ingest.shape.children import BLANK
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import OPENING
from ctdhub.sensitive.mapping.rule import Exclusion, Rule

# --------------------------------------------------------------------------------------------------
# A table as codes of the distinct texts of its columns: each text is read once.

_FEW = 126
"""Texts of which a byte can hold the code, and one code more."""


def as_codes(table: pa.Table) -> pa.Table:
    """The table with each column of texts as one array of codes; ``_row`` stays.

    >>> codes = as_codes(pa.table({"a": ["x", None, "x"], "_row": [2, 3, 4]}))["a"]
    >>> codes.chunk(0).indices.to_pylist()
    [0, None, 0]
    """
    columns = []
    for name in table.column_names:
        column = table[name]
        if name != ROW and not pa.types.is_dictionary(column.type):
            column = narrow(column.cast(pa.string()).dictionary_encode().combine_chunks())
        columns.append(column)
    return pa.table(columns, names=table.column_names)


def narrow(coded: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same in a byte each, where the texts are few."""
    if len(coded.dictionary) > _FEW:
        return coded
    codes = coded.indices.cast(pa.int8(), safe=False)
    return pa.DictionaryArray.from_arrays(codes, coded.dictionary, safe=False)


# --------------------------------------------------------------------------------------------------
# The texts of a column that the rules of a mapping name, in the form in which texts are compared.
#
# A file asks this of each of its columns, so a mapping is gone through once.


class KnownTexts:
    """What the rules of a mapping name.

    Args:
        mapping: the mapping.

    Attributes:
        in_brackets: folded texts that begin like a list in brackets and that some rule names as
            they are, in any column.
    """

    def __init__(self, mapping: Mapping) -> None:
        self._empty = frozenset(map(fold, mapping.empty))
        self._rules: dict[str, list[Rule]] = {}
        self._wanted: dict[str, set[str]] = {}
        every = {*mapping.empty}
        for _place, rule in mapping.uses():
            conditions = [rule.when]
            if isinstance(rule, Exclusion):
                conditions.append(rule.unless)
            else:
                every.update(rule.map or {}, rule.has, rule.known, rule.null_values)
                for column in {fold(source) for source in rule.source}:
                    self._rules.setdefault(column, []).append(rule)
            for name, wanted in (pair for c in conditions for pair in c.items()):
                self._wanted.setdefault(fold(name), set()).update(wanted)
                every.update(wanted)
        self.in_brackets = frozenset(t for t in map(fold, every) if t.startswith(OPENING))

    def known(self, column: str) -> frozenset[str]:
        """Folded texts that some rule knows in a column, however it is split.

        Texts that mean "not recorded" count as known; :meth:`decided` leaves them out.
        """
        texts = {BLANK}
        for rule in self._rules.get(fold(column), ()):
            texts.update(rule.map or {}, rule.null_values)
        return self.decided(column) | self._empty | frozenset(map(fold, texts))

    def decided(self, column: str) -> frozenset[str]:
        """Folded texts of a column that say something: beside them what is absent is absent.

        A list that also holds "unknown" says of nothing that it is absent.
        """
        texts = {"", *self._wanted.get(fold(column), ())}
        for rule in self._rules.get(fold(column), ()):
            texts.update(rule.has, rule.known)
            texts.update(text for text, code in (rule.map or {}).items() if code is not None)
        return frozenset(map(fold, texts))


# --------------------------------------------------------------------------------------------------
# What is known of the texts of a file: unknown ones one by one, and what its columns hold.

Outcome = Literal["rejected", "flags-unknown", "passed-over", "not-recorded"]
"""What became of the rows: rejected; the flags of the column that are not yes are not recorded;
``unknown: pass`` lets the flags be no; the variable is not recorded."""

OUTCOMES: dict[Outcome, Text] = {
    "rejected": Text("the row was rejected"),
    "flags-unknown": Text("yes/no variables of the column are not recorded"),
    "passed-over": Text("skipped, as the mapping says"),
    "not-recorded": Text("not recorded"),
}
"""The outcomes in words."""


@dataclass(frozen=True)
class UnknownText:
    """A text, or an element of a list, that no rule of its column can read.

    Attributes:
        column: the source column.
        text: as its first cell writes it, trimmed.
        rows: rows that hold it and that no rule excludes.
        outcome: see :data:`Outcome`.
        nearest: the code or variable of the likest known text, "" where none is close.
    """

    column: str
    text: str
    rows: int
    outcome: Outcome
    nearest: str = ""


@dataclass(frozen=True)
class ColumnContent:
    """What a source column holds in the rows that no rule excludes.

    Attributes:
        column: its name in the file.
        read: whether a rule makes something of its texts.
        decided: whether the mapping says anything of it.
        filled: cells that hold more than the mapping's ``empty`` texts; 0 where it is not read.
        dates, new_year: cells with a full date, and those of them that are 1 January.
        lists, sets: cells with several values that are paired by position into perpetrators, and
            those of them whose values are sorted and all different.
        digits, padded, decimals: of a column that names people or cases, the cells written in
            digits alone, those of them that begin with 0, and those written as a spreadsheet
            writes a number, such as 17.0 or 1.7E+05.
        built: how its numbers are built, each way once: every letter is A, digits are 9, or 09
            where they begin with 0, and other signs are themselves.
    """

    column: str
    read: bool
    decided: bool
    filled: int = 0
    dates: int = 0
    new_year: int = 0
    lists: int = 0
    sets: int = 0
    digits: int = 0
    padded: int = 0
    decimals: int = 0
    built: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileTexts:
    """What the texts of a file are.  Sensitive."""

    columns: tuple[ColumnContent, ...] = ()
    unknown: tuple[UnknownText, ...] = ()
    ignored: dict[str, int] = field(default_factory=dict)
    """Source columns that ``has`` rules search, each with the number of unknown elements in the
    rows that became records."""

    def as_json(self) -> dict[str, Any]:
        """As values that JSON knows; :meth:`from_json` is the way back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> FileTexts:
        """What :meth:`as_json` gave."""
        return cls(
            tuple(ColumnContent(**one) for one in value["columns"]),
            tuple(UnknownText(**one) for one in value["unknown"]),
            dict(value["ignored"]),
        )

    def as_csv(self) -> str:
        """The unknown texts as a table, formulas made harmless."""
        rows = ((u.column, u.text, u.rows, u.nearest, u.outcome) for u in self.unknown)
        return tables.as_csv(("column", "text", "rows", "nearest", "outcome"), rows)


# --------------------------------------------------------------------------------------------------
# The likest of known texts: what an unknown one may have meant, for a person to check.

ALIKE = 0.8
"""How like two texts must be, 0 to 1 (``difflib``), to be called near."""

_Meaning = TypeVar("_Meaning")


def nearest(text: str, known: AnyMapping[str, _Meaning]) -> _Meaning | None:
    """What the likest of some folded texts means, None where none is near.

    >>> nearest("Femal", {"female": "f", "male": "m"}), nearest("x", {"female": "f"})
    ('f', None)
    """
    found = difflib.get_close_matches(fold(text), known, 1, ALIKE)
    return known[found[0]] if found else None
