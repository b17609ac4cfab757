"""Lists that a publisher's workbook lets one choose from: only their texts may stand in a cell."""

from __future__ import annotations

import re
from html import unescape

from openpyxl import Workbook
from openpyxl.utils.cell import range_boundaries

_RULE = re.compile(r"<(?:x14:)?dataValidation\b([^>]*)>(.*?)</(?:x14:)?dataValidation>", re.S)
_FORMULA = re.compile(
    r"<(?:x14:)?formula1>\s*(?:<xm:f>)?(.*?)(?:</xm:f>)?\s*</(?:x14:)?formula1>", re.S
)
_WHERE = re.compile(r"""\bsqref\s*=\s*["']([^"']*)["']|<xm:sqref>(.*?)</xm:sqref>""", re.S)
_RANGE = re.compile(
    r"^(?:'((?:[^']|'')+)'|([^'!]+))!(\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?)$"
)

Choices = dict[int, tuple[str, ...]]
"""Texts that a column lets one choose from, by number of the column."""


def choices(sheet: str, row: int, book: Workbook) -> tuple[Choices, frozenset[int]]:
    """The lists of a sheet's columns in one row, and columns whose list cannot be read here.

    Args:
        sheet: its XML.
        row: of the first record.
        book: where ranges of other sheets are read.
    """
    found: Choices = {}
    unread = set[int]()
    for rule in _RULE.finditer(sheet):
        if not re.search(r"""\btype\s*=\s*["']list["']""", rule[1]):
            continue
        formula = _FORMULA.search(rule[2])
        texts = _texts(unescape(formula[1]), book) if formula else None
        for where in _WHERE.finditer(rule[0]):
            for part in (where[1] or where[2] or "").split():
                left, top, right, bottom = range_boundaries(part)
                if not (top or 1) <= row <= (bottom or row):
                    continue
                for column in range(left or 1, (right or left or 1) + 1):
                    if texts is None:
                        unread.add(column)
                    else:
                        found[column] = texts
    return found, frozenset(unread)


def _texts(formula: str, book: Workbook) -> tuple[str, ...] | None:
    if formula.startswith('"') and formula.endswith('"'):
        return tuple(part.strip() for part in formula[1:-1].replace('""', '"').split(","))
    found = _RANGE.match(formula.removeprefix("=").strip())
    if found is None:
        return None
    name = (found[1] or found[2]).replace("''", "'")
    if name not in book.sheetnames:
        return None
    left, top, right, bottom = range_boundaries(found[3].replace("$", ""))
    cells = book[name].iter_rows(top, bottom, left, right, values_only=True)
    return tuple(str(cell).strip() for line in cells for cell in line if cell is not None)
