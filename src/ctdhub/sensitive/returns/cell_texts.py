"""What a contributor's rows say in the words of a report; what is not understood is not written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from ctdhub.core.error_catalogue import error
from ctdhub.core.tabular import ROW
from ctdhub.core.text import fold, trim
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.mapping.parsers import Header
from ctdhub.sensitive.mapping.values import number_of
from ctdhub.sensitive.returns.return_mapping import CellRule, ReturnMapping, SheetRule

Written = str | float | date


@dataclass
class ColumnAccount:
    """What became of one column of a sheet.

    Attributes:
        filled: cells that were written.
        empty: rows in which the file says nothing.
        unread: rows of the file whose text is not understood; nothing is written for them.
        unlisted: cells whose text is not in the workbook's list of choices; nothing is written.
        kept: cells that hold a formula of the publisher's, which stays.
    """

    filled: int = 0
    empty: int = 0
    unread: list[int] = field(default_factory=list)
    unlisted: int = 0
    kept: int = 0


class ReturnRows:
    """Rows of a file for one sheet.

    Attributes:
        accounts: by column of the workbook.
        outside: rows of the file that do not belong into the sheet.
        undated: rows whose date, on which that depends, is not understood: they are left out.
    """

    def __init__(self, raw: RawTable, mapping: ReturnMapping, sheet: SheetRule) -> None:
        self._raw, self._mapping, self._sheet = raw, mapping, sheet
        self._header = Header(raw.table.column_names)
        self._empty = {fold(text) for text in mapping.empty}
        self.accounts = {name: ColumnAccount() for name in sheet.columns}
        self.outside = 0
        self.undated: list[int] = []
        asked = [c for rule in sheet.columns.values() for c in rule.source] + list(sheet.when)
        asked += [sheet.period.source] if sheet.period else []
        missing = [c for c in dict.fromkeys(asked) if self._header.find(c) is None]
        if missing:
            raise error("missing-columns", file=raw.file, columns=", ".join(missing))

    def __iter__(self) -> Iterator[dict[str, Written]]:
        """What is written, by column of the workbook, row by row."""
        for row in self._raw.table.to_pylist():
            if not self._belongs(row):
                continue
            yield {
                name: value
                for name, rule in self._sheet.columns.items()
                if (value := self._value(row, name, rule)) is not None
            }

    def _cell(self, row: Mapping[str, object], column: str) -> str:
        text = trim(str(row[self._header.find(column) or column] or ""))
        return "" if fold(text) in self._empty else text

    def _belongs(self, row: Mapping[str, object]) -> bool:
        for column, texts in self._sheet.when.items():
            if fold(self._cell(row, column)) not in {fold(text) for text in texts}:
                self.outside += 1
                return False
        period = self._sheet.period
        if period is None:
            return True
        day = self._mapping.dates.date(fold(self._cell(row, period.source)))
        if day is None:
            self.undated.append(_number(row))
            return False
        inside = period.first <= date.fromisoformat(day) <= period.last
        self.outside += not inside
        return inside

    def _value(self, row: Mapping[str, object], name: str, rule: CellRule) -> Written | None:
        account = self.accounts[name]
        if rule.value is not None:
            return rule.value
        text = next(filter(None, (self._cell(row, c) for c in rule.source)), "")
        if not text:
            account.empty += 1
            return None
        found: Written | None = text
        if rule.map:
            texts = {fold(t): to for t, to in rule.map.items()}
            if fold(text) in texts and texts[fold(text)] is None:
                account.empty += 1
                return None
            found = texts.get(fold(text))
        elif rule.date:
            day = self._mapping.dates.date(fold(text))
            found = date.fromisoformat(day) if day else None
        elif rule.number:
            found = number_of(text)
        if found is None:
            account.unread.append(_number(row))
        return found


def _number(row: Mapping[str, object]) -> int:
    return int(str(row[ROW]))
