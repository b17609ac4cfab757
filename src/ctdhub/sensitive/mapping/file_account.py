"""What is known of a file that was read: where its rows went, and what its texts are.

It stands apart from what finds it out, which the build and alarms need not load to read it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping as Dictionary
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar

from ctdhub.core import tables
from ctdhub.core.i18n import Text
from ctdhub.core.tables import fold


@dataclass(frozen=True)
class Conservation:
    """Every row read is a record, a reject or an exclusion under a name.

    Attributes:
        rows_read: rows below the header, those that could not be read included.
        records: rows that became records.
        rejected: rows with at least one fault; a row with several faults counts once.
        excluded: rows left out by each named rule of the mapping.

    Raises:
        ValueError: the counts do not add up.

    >>> Conservation(5, 3, 1, {"not-a-victim": 1}).rows_read
    5
    """

    rows_read: int
    records: int
    rejected: int
    excluded: Dictionary[str, int]

    def __post_init__(self) -> None:
        parts = (self.records, self.rejected, *self.excluded.values())
        if min(parts) < 0 or self.rows_read != sum(parts):
            raise ValueError(f"{self.rows_read} rows were read, {sum(parts)} are accounted for")


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


def nearest(text: str, known: Dictionary[str, _Meaning]) -> _Meaning | None:
    """What the likest of some folded texts means, None where none is near.

    >>> nearest("Femal", {"female": "f", "male": "m"}), nearest("x", {"female": "f"})
    ('f', None)
    """
    matches = difflib.get_close_matches(fold(text), known, 1, ALIKE)
    return known[matches[0]] if matches else None
