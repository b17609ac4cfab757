"""Cells of a workbook that a formula computed: read by the value that was stored with them.

A formula without a stored value, and one that failed, has no value that anybody could count; a
formula that adds up rows above or below marks a line of totals.  Formulas are never run.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Text, many

_ADDS_UP = re.compile(
    r"\b(?:SUM|SUBTOTAL|AGGREGATE|COUNT|COUNTA|COUNTIFS?|SUMIFS?|SUMPRODUCT|AVERAGE|MIN|MAX)\s*\("
)
_RANGE = re.compile(r"(?<![!\w$])\[?\.?\$?[A-Z]{1,3}\$?(\d{1,9}):\.?\$?[A-Z]{1,3}\$?(\d{1,9})\]?")
_COLUMN_OF_A_TABLE = re.compile(r"\[(?!#This)[^\]\[@.#]+\]", re.IGNORECASE)

Place = tuple[int, str]
"""Row and letters of a cell, as a spreadsheet shows them."""


@dataclass
class Computed:
    """What is known of the formulas of a sheet.

    Attributes:
        lost: cells without a usable value, with the rule that refuses each.
        sums: rows of which the formulas add up other rows.
        first: the first cell with a formula that has a value.
        cells: how many of these there are.
    """

    lost: dict[Place, str] = field(default_factory=dict)
    sums: set[int] = field(default_factory=set)
    first: Place | None = None
    cells: int = 0

    def saw(self, place: Place) -> None:
        """Count a formula with its value."""
        self.first = self.first or place
        self.cells += 1

    def moved(self, step: int) -> Computed:
        """The same in rows that are so much further below."""
        lost = {(row + step, column): rule for (row, column), rule in self.lost.items()}
        first = (self.first[0] + step, self.first[1]) if self.first else None
        return Computed(lost, {row + step for row in self.sums}, first, self.cells)

    def with_others(self, other: Computed) -> Computed:
        """Both together."""
        sums = self.sums | other.sums
        cells = self.cells + other.cells
        return Computed({**self.lost, **other.lost}, sums, self.first or other.first, cells)

    def below(self, header_row: int) -> Computed:
        """Without what is above the row of the names: it does not matter."""
        lost = {place: rule for place, rule in self.lost.items() if place[0] >= header_row}
        return replace(self, lost=lost)

    def refuse(self, file: str, without: Collection[int] = ()) -> None:
        """Refuse a cell that has no value, unless its row is no record.

        Args:
            without: rows that are no records.

        Raises:
            HostileFile: a formula has no value (rule "formula").
            UnreadableFile: a formula failed (rule "error-cell").
        """
        for (row, column), rule in sorted(self.lost.items()):
            if row not in without and rule == "formula":
                raise error("formula", file=file, row=row, column=column)
            if row not in without:
                raise error("error-cell", file=file, row=row, column=column)

    def note(self) -> Text | None:
        """What is said of the formulas that were read by their values."""
        if self.first is None:
            return None
        return many(
            "{n} cell holds a formula: {cell}. The value that was stored with it was read.",
            "{n} cells hold formulas, the first is {cell}. The values that were stored with them "
            "were read.",
            self.cells,
            n=self.cells,
            cell=f"{self.first[1]}{self.first[0]}",
        )


class RowOfFormulas:
    """Cells of one row as they are met; says at its end whether it is a line of totals."""

    def __init__(self) -> None:
        self.filled = self.adding = 0

    def cell(self, row: int, formula: str | None, *, filled: bool, adds_up: bool = False) -> bool:
        """Take a cell; returns whether its formula adds up other rows.

        Args:
            formula: its text, None for a cell without one.
            filled: whether it holds anything.
            adds_up: what is known of a formula that repeats another one.
        """
        adds = formula is not None and (adds_up or adds_up_rows(formula, row))
        self.filled += filled or formula is not None
        self.adding += adds
        return adds

    def is_sum(self) -> bool:
        """Whether most of what it holds adds up other rows, but for a label."""
        return self.adding > 0 and self.filled - self.adding <= max(1, self.filled // 2)


def adds_up_rows(formula: str, row: int) -> bool:
    """Whether a formula adds up, or counts, several rows that are all above it or all below.

    >>> adds_up_rows("SUM(C2:C9)", 10), adds_up_rows("SUM(B9:F9)", 9)
    (True, False)
    >>> adds_up_rows("of:=COUNTA([.B2:.B9])", 10), adds_up_rows("COUNTIF(A$2:A$99,A5)", 5)
    (True, False)
    >>> adds_up_rows("SUBTOTAL(103,Table1[Sex])", 40), adds_up_rows("VLOOKUP(A2,F1:G9,2)", 20)
    (True, False)
    """
    if not _ADDS_UP.search(formula):
        return False
    if _COLUMN_OF_A_TABLE.search(formula):
        return True
    ranges = [tuple(sorted(map(int, found))) for found in _RANGE.findall(formula)]
    return bool(ranges) and all(
        last > first and (last < row or first > row) for first, last in ranges
    )


def together(parts: Mapping[int, Computed]) -> Computed:
    """The formulas of several sheets, by how far the rows of each are moved."""
    found = Computed()
    for step, part in parts.items():
        found = found.with_others(part.moved(step))
    return found
