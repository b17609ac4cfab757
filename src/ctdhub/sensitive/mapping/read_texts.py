"""Which texts of a file no rule of its mapping can read, and what became of their rows.

Both kinds count: an element of a list that no ``has`` rule knows, and a text of which a ``map``, a
country, a band, a date or a year makes nothing.  A text that some rule of its column knows is
unknown only where another rule rejected a row for it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from collections.abc import Mapping as Dictionary
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.tables import ROW, fold, trim
from ctdhub.schema.countries import resolve
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.ingest.shape.children import BLANK
from ctdhub.sensitive.mapping.evaluation import (
    Bools,
    Elements,
    Evaluation,
    Reader,
    Taken,
    TextTable,
)
from ctdhub.sensitive.mapping.file_account import (
    ColumnContent,
    FileTexts,
    Outcome,
    UnknownText,
    nearest,
)
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import OPENING, elements_of
from ctdhub.sensitive.mapping.rule import Rule

NEAREST = 200
"""Unknown texts of a column for which the nearest known one is looked up."""

_UNREAD = ("unknown-code", "unknown-country", "unparsable-date", "broken-list", "several-values")
PERPETRATORS = "perpetrators"
"""The part of a mapping whose rules read child tables, where the file has them."""


class _Reads(NamedTuple):
    """A rule that makes something of a column's texts."""

    target: str
    rule: Rule
    children: str | None
    """Separator of the lists that become perpetrators."""
    aligned: bool
    """Whether their elements are paired by position."""


class RowFates(NamedTuple):
    """Rows of a table that became records, and those that were rejected."""

    table: TextTable
    kept: Bools
    rejected: Bools


def file_texts(
    own: Evaluation, rows: RowFates, rejects: pa.Table, children: RowFates | None
) -> FileTexts:
    """Look at the texts of a file.

    Args:
        own: what the mapping makes of it.
        rows: what became of its rows.
        rejects: ``source_row``, ``column`` and ``rule`` of each fault.
        children: the same for rows of a child table, if perpetrators are in one.
    """
    if children is None:
        return _part(own, ("columns", PERPETRATORS), rows, rejects)
    parts = [
        _part(own, ("columns",), rows, rejects),
        _part(own, (PERPETRATORS,), children, rejects),
    ]
    return FileTexts(
        tuple(c for part in parts for c in part.columns),
        tuple(u for part in parts for u in part.unknown),
        parts[0].ignored | parts[1].ignored,
    )


def _part(own: Evaluation, parts: tuple[str, ...], rows: RowFates, rejects: pa.Table) -> FileTexts:
    """The same for the table of the file, or for a child table, in which a row may stand often."""
    mapping, table = own.mapping, rows.table
    uses = _uses(mapping, table, parts)
    unread = rejects.filter(pc.is_in(rejects["rule"], value_set=pa.array(_UNREAD)))
    keyed, case = mapping.key_columns(), mapping.case_column()
    names = {fold(c) for c in (*(keyed[0] if keyed else ()), *([case] if case else []))}
    decided = {fold(c) for c in (*mapping.identifiers, *mapping.needed(), *mapping.optional)}
    columns: list[ColumnContent] = []
    unknown: list[UnknownText] = []
    ignored: dict[str, int] = {}
    for name in (n for n in table.table.column_names if n != ROW):
        spelt: Dictionary[str, Any] = _numbered(rows, name) if fold(name) in names else {}
        if name not in uses:
            columns.append(ColumnContent(name, read=False, decided=fold(name) in decided, **spelt))
            continue
        of = pc.equal(unread["column"], _spelt(mapping, name, unread))
        texts = _UnreadTexts(own, name, uses[name], rows, unread.filter(of)["source_row"])
        columns.append(replace(texts.content(), **spelt))
        unknown += texts.unknown()
        for spelling in {s for u in uses[name] if u.rule.has for s in u.rule.source}:
            if table.on(spelling) == name:
                ignored[spelling] = texts.ignored()
    return FileTexts(tuple(columns), tuple(unknown), ignored)


def _uses(mapping: Mapping, table: TextTable, parts: tuple[str, ...]) -> dict[str, list[_Reads]]:
    """Rules of some parts of a mapping by the column of the table that they read."""
    found: dict[str, list[_Reads]] = {}
    for place, rule in mapping.uses():
        if not isinstance(rule, Rule) or place[0] not in parts:
            continue
        child = mapping.perpetrators if place[0] == PERPETRATORS else None
        lists = (child.split, child.aligned) if child else (None, False)
        for column in (*rule.source, *([rule.at] if rule.at else [])):
            if (name := table.on(column)) is not None:
                found.setdefault(name, []).append(_Reads(str(place[-1]), rule, *lists))
    return found


class _UnreadTexts:
    """The distinct texts of a column and what its rules leave unread.

    Args:
        own: what the mapping makes of the file.
        column: its name in the table.
        uses: the rules that read it.
        rows: what became of the rows.
        unread: the rows that were rejected because a rule could not read this column.
    """

    def __init__(
        self, own: Evaluation, column: str, uses: list[_Reads], rows: RowFates, unread: pa.Array
    ) -> None:
        self.column, self.uses = column, uses
        self._texts, codes = rows.table.column(column), rows.table.codes(column)
        cannot = rows.rejected & _in(rows.table.table, unread.unique().cast(pa.int64()))
        self._kept, rejected, self._cannot = (
            np.bincount(codes[some], minlength=self._texts.size)[:-1]
            for some in (rows.kept, rows.rejected, cannot)
        )
        self._all = self._kept + rejected
        self._nulls = frozenset({"", BLANK, *map(fold, own.mapping.empty)})
        self._spelt = own.known.in_brackets
        self._broken = self._texts.broken(self._spelt)
        self._days = own.numbered.get(column)
        pairs = (pair for u in uses for pair in own.readers(u.rule, u.target))
        self._readers = [*dict.fromkeys(r for c, r in pairs if rows.table.on(c) == column)]
        spellings = {s for u in uses for s in u.rule.columns() if fold(s) == fold(column)}
        self._known = {text for s in spellings for text in own.known.known(s)} | _codes(uses)
        marks = dict.fromkeys(u.children or u.rule.split for u in uses if u.rule.has)
        self._lists = sorted(marks, key=lambda mark: mark is None)
        others = (u for u in uses if not u.rule.has)
        self._single = [*dict.fromkeys((u.children or u.rule.split, u.rule.take) for u in others)]
        self._left = self._left_over()

    def _way(self, split: str | None, *, kinds: bool = False) -> Elements:
        """A way to take the texts apart; one that begins like a list and is none stays whole."""
        if not self._broken.any():
            return self._texts.lists(split, self._spelt, kinds=kinds)
        return self._texts.elements(split, self._spelt, kinds=kinds, whole=self._broken)

    @cached_property
    def _cells(self) -> Elements:
        """What the rules that take one value see of a cell; a child row sees each element."""
        parts = []
        for split, take in self._single:
            way = self._way(split)
            filled = ~self._texts.among(self._nulls)[way.piece]
            of, piece = way.of[filled], way.piece[filled]
            if take:
                new = of[1:] != of[:-1]
                edge = [*new, True] if take == "last" else [True, *new]
                here = np.array(edge[: len(of)], bool)
                of, piece = of[here], piece[here]
            parts.append(Elements(of, piece))
        of, piece = (np.concatenate(each) for each in zip(*parts, strict=True))
        order = np.argsort(of, kind="stable")
        return Elements(of[order], piece[order])

    def _reads(self, pieces: Iterable[int]) -> Bools:
        """Which pieces some rule reads, of those asked for."""
        known = self._texts.among(self._known)
        if self._days is not None:
            return np.ones_like(known)
        for piece in pieces if self._readers else ():
            if not known[piece]:
                known[piece] = any(self._texts.read(r, piece) is not None for r in self._readers)
        return known

    def _left_over(self) -> dict[int, list[int]]:
        """By text what no rule reads; of several ways to take it apart that which leaves least."""
        ways = [self._way(split, kinds=True) for split in self._lists]
        if self._single:
            ways.append(self._cells)
        open_ = (self._all > 0) & ~self._texts.among(self._known)[self._texts.cells[:-1]]
        read = self._reads(np.unique(np.concatenate([way.piece for way in ways])).tolist())
        unread = ~read & ~self._texts.among(self._nulls)
        left = []
        for way in ways:
            here = unread[way.piece]
            here[here] = open_[way.of[here]]
            left.append(Elements(way.of[here], way.piece[here]))
            open_ = open_ & (np.bincount(left[-1].of, minlength=len(open_)) > 0)
        found: dict[int, list[int]] = {}
        for of, piece in left[: len(self._lists)] or left:
            ends = np.searchsorted(of, np.arange(len(open_) + 1))
            for text in np.flatnonzero(open_).tolist():
                some = piece[ends[text] : ends[text + 1]].tolist()
                if text not in found or len(some) < len(found[text]):
                    found[text] = some if self._lists else [*dict.fromkeys(some)]
        return found

    def ignored(self) -> int:
        """Unknown elements in the rows that became records."""
        return sum(len(left) * int(self._kept[text]) for text, left in self._left.items())

    def _cell(self, text: int) -> list[str]:
        """What the rules could not read of a text that another rule of the column knows."""
        cell = self._texts.pieces[self._texts.cells[text]]
        if cell.startswith(OPENING) or not self._single:
            return [cell] if cell.startswith(OPENING) else []
        of, piece = self._cells
        return [*dict.fromkeys(self._texts.pieces[at] for at in piece[of == text].tolist())]

    def unknown(self) -> list[UnknownText]:
        """Every unknown text of the column, those of most rows first."""
        rows: Counter[str] = Counter()
        spelt: dict[str, str] = {}
        rejected: set[str] = set()
        there = np.flatnonzero(self._all)
        for text in sorted(there.tolist(), key=lambda at: self._kept[at] == 0):
            if text not in self._left and not self._cannot[text]:
                continue
            n = self._all[text]
            left = [self._texts.pieces[at] for at in self._left.get(text, ())]
            if not left:
                left, n = self._cell(text), self._cannot[text]
            for key, element in {fold(e): e for e in left}.items():
                spelt.setdefault(key, element)
                rows[key] += int(n)
                if self._cannot[text]:
                    rejected.add(key)
        outcome = self._outcome()
        near = self._near()
        return [
            UnknownText(
                self.column,
                spelt[key],
                n,
                "rejected" if key in rejected else outcome,
                near(spelt[key]) if i < NEAREST else "",
            )
            for i, (key, n) in enumerate(sorted(rows.items(), key=lambda item: (-item[1], item)))
        ]

    def _outcome(self) -> Outcome:
        rules = [u.rule for u in self.uses if u.rule.has]
        if any(rule.doubts for rule in rules):
            return "flags-unknown"
        return "passed-over" if any(rule.absent for rule in rules) else "not-recorded"

    def _near(self) -> Callable[[str], str]:
        """Finds what a text may mean."""
        known: dict[str, str] = {}
        for target, rule, *_child in self.uses:
            for text in rule.has:
                known.setdefault(fold(text), target)
            for text, code in (rule.map or {}).items():
                known.setdefault(fold(text), code or "")
            if not (rule.has or rule.country or rule.band or rule.year):
                known |= {fold(code): code for code in _domain(target)}
        if any(u.rule.country for u in self.uses):
            return lambda text: resolve(text).nearest or nearest(text, known) or ""
        return lambda text: nearest(text, known) or ""

    def content(self) -> ColumnContent:
        """What the column holds."""
        cells = np.where(self._texts.empty(self._nulls)[:-1], 0, self._all)
        dates = new_year = lists = sets = 0
        days = [replace(r, kind="date") for r in self._readers if r.kind in ("date", "year")]
        splits = {u.children for u in self.uses if u.children and u.aligned}
        single = self._texts.taken(Taken(frozenset(), self._spelt))
        for text in np.flatnonzero(cells).tolist() if days or splits else ():
            n, piece = int(cells[text]), int(self._texts.cells[text])
            if day := self._day(days, int(single[text])):
                dates += n
                new_year += n * day.endswith("-01-01")
            for split in splits:
                values = [fold(e) for e in elements_of(self._texts.pieces[piece], split)]
                if len(values) > 1:
                    lists += n
                    sets += n * (values == sorted(set(values)))
        filled = int(cells.sum())
        return ColumnContent(self.column, True, True, filled, dates, new_year, lists, sets)

    def _day(self, days: list[Reader], piece: int) -> str | None:
        """The day that a text names, by its number or as it is written."""
        if piece < 0:
            return None
        if self._days is not None:
            return self._days.get(fold(self._texts.pieces[piece]))
        read = (self._texts.read(reader, piece) for reader in days)
        return next((day for day in read if day), None)


def _codes(uses: list[_Reads]) -> set[str]:
    """Codes of the hub that rules take as they are."""
    found: set[str] = set()
    for target, rule, *_child in uses:
        plain = not (rule.has or rule.country or rule.band or rule.year)
        if plain and (not rule.map or rule.unknown == "keep"):
            found |= {fold(code) for code in _domain(target)}
    return found


def _domain(target: str) -> tuple[str, ...]:
    schema = load_schema()
    variable = schema.variable(target)
    return () if variable.kind in ("entity", "year") else tuple(schema.recorded(target))


def _spelt(mapping: Mapping, name: str, faults: pa.Table) -> pa.Scalar:
    """A column of the file as the faults spell it, which is as the mapping does."""
    spellings = (s for s in mapping.needed() if fold(s) == fold(name))
    return pa.scalar(next(spellings, name), faults.schema.field("column").type)


_DIGITS = re.compile(r"[0-9]+")
_RUN, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
_MOST_BUILT = 50
_DECIMAL = re.compile(r"[0-9]+\.0+|[0-9](\.[0-9]+)?[eE]\+?[0-9]+")


def _numbered(rows: RowFates, name: str) -> dict[str, Any]:
    """How numbers of people or cases are written in a column; see ``ColumnContent``."""
    found: dict[str, Any] = dict.fromkeys(("digits", "padded", "decimals"), 0)
    built = set()
    texts = rows.table.texts(name)
    counted = np.bincount(rows.table.codes(name)[rows.kept], minlength=len(texts) + 1)
    for text, n in zip(texts, counted.tolist(), strict=False):
        if not n:
            continue
        cell = trim(text)
        if _DIGITS.fullmatch(cell):
            found["digits"] += n
            found["padded"] += n * (cell[0] == "0" and len(cell) > 1)
        elif _DECIMAL.fullmatch(cell):
            found["decimals"] += n
        built.add(_LETTERS.sub("A", _RUN.sub(lambda run: "0"[: run[0][0] == "0"] + "9", cell)))
    return found | {"built": tuple(sorted(built)[:_MOST_BUILT])}


def _in(table: pa.Table, rows: pa.Array) -> Bools:
    """Which rows of a table are among these."""
    return np.asarray(pc.is_in(table[ROW], value_set=rows), dtype=bool)
