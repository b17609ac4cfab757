"""Which texts of a file no rule of its mapping can read, and what became of their rows.

Both kinds count: an element of a list that no ``has`` rule knows, and a text of which a ``map``, a
country, a band, a date or a year makes nothing.  A text that some rule of its column knows is
unknown only where another rule rejected a row for it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Mapping as Dictionary
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.tables import ROW, fold, trim
from ctdhub.schema.countries import resolve
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.ingest.shape.children import BLANK
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import OPENING, Header, View, broken, elements_of, kinds_of
from ctdhub.sensitive.mapping.rule import Rule
from ctdhub.sensitive.mapping.texts import (
    ColumnContent,
    FileTexts,
    KnownTexts,
    Outcome,
    UnknownText,
    as_codes,
    nearest,
)

NEAREST = 200
"""Unknown texts of a column for which the nearest known one is looked up."""

_UNREAD = ("unknown-code", "unknown-country", "unparsable-date", "broken-list", "several-values")
PERPETRATORS = "perpetrators"
"""The part of a mapping whose rules read child tables, where the file has them."""

_READERS = {"country", "number", "band", "date", "year"}


class _Reader(NamedTuple):
    """A rule that makes something of a column's texts."""

    target: str
    rule: Rule
    children: str | None
    """Separator of the lists that become perpetrators."""
    aligned: bool
    """Whether their elements are paired by position."""


def file_texts(
    mapping: Mapping,
    table: pa.Table,
    excluded: pa.Array,
    rejects: pa.Table,
    views: Iterable[View],
    serials: Collection[View] = (),
    children: Dictionary[str, pa.Table] | None = None,
) -> FileTexts:
    """Look at the texts of a file.

    Args:
        mapping: the mapping.
        table: text columns and ``_row``.
        excluded: rows that a rule of the mapping leaves out.
        rejects: ``source_row``, ``target``, ``column`` and ``rule`` of each fault.
        views: all readings that the rules ask for.
        serials: those of columns that hold numbered days (``parsers.serial_views``).
        children: child tables of the file by name, if there are any.
    """
    asked = [view for view in views if view.reading in _READERS]
    rules = mapping.perpetrators
    child = (children or {}).get(rules.child) if rules and rules.child else None
    readers = list(_readers(mapping))
    own = [(place, one) for place, one in readers if child is None or place != PERPETRATORS]
    parts = [_part(mapping, own, table, excluded, rejects, asked, serials)]
    if child is not None:
        theirs = [(place, one) for place, one in readers if place == PERPETRATORS]
        parts.append(_part(mapping, theirs, child, excluded, rejects, asked, ()))
    ignored: dict[str, int] = {}
    for part in parts:
        ignored |= part.ignored
    return FileTexts(
        tuple(c for part in parts for c in part.columns),
        tuple(u for part in parts for u in part.unknown),
        ignored,
    )


def _part(
    mapping: Mapping,
    rules: list[tuple[str, _Reader]],
    table: pa.Table,
    excluded: pa.Array,
    rejects: pa.Table,
    views: Iterable[View],
    serials: Collection[View],
) -> FileTexts:
    """The same for the table of the file, or for a child table, in which a row may stand often."""
    header = Header(table.column_names)
    uses = _uses(rules, header)
    readers: dict[str, set[View]] = {}
    for view in views:
        if (name := header.find(view.column)) is not None:
            bare = replace(view, column=name, nulls=frozenset(), split=None, take=None)
            readers.setdefault(name, set()).add(bare)
    numbered = {header.find(view.column): view for view in serials}
    faulty = rejects["source_row"].unique().cast(pa.int64())
    gone = pa.concat_arrays([faulty, excluded.cast(pa.int64())])
    table = as_codes(table)
    kept, rejected = ~_in(table, gone), _in(table, faulty)
    unread = rejects.filter(pc.is_in(rejects["rule"], value_set=pa.array(_UNREAD)))
    keyed, case = mapping.key_columns(), mapping.case_column()
    names = {fold(c) for c in (*(keyed[0] if keyed else ()), *([case] if case else []))}
    decided = {fold(c) for c in (*mapping.identifiers, *mapping.needed(), *mapping.optional)}
    known, empty = KnownTexts(mapping), {"", BLANK, *map(fold, mapping.empty)}
    columns: list[ColumnContent] = []
    unknown: list[UnknownText] = []
    ignored: dict[str, int] = {}
    for name in (n for n in table.column_names if n != ROW):
        spelt: Dictionary[str, Any] = _numbered(table[name], kept) if fold(name) in names else {}
        if name not in uses:
            columns.append(ColumnContent(name, read=False, decided=fold(name) in decided, **spelt))
            continue
        of = pc.equal(unread["column"], _spelt(mapping, name, unread))
        rows = unread.filter(of)["source_row"].unique().cast(pa.int64())
        texts = _ColumnTexts(known, empty, name, uses[name], readers.get(name, set()))
        texts.serial = numbered.get(name)
        codes = table[name].combine_chunks()
        texts.kept, texts.rejected = _counted(codes, kept), _counted(codes, rejected)
        texts.unread = _counted(codes, rejected & _in(table, rows)) if len(rows) else {}
        columns.append(replace(texts.content(), **spelt))
        unknown += texts.unknown()
        for spelling in {s for u in uses[name] if u.rule.has for s in u.rule.source}:
            if header.find(spelling) == name:
                ignored[spelling] = texts.ignored()
    return FileTexts(tuple(columns), tuple(unknown), ignored)


def _readers(mapping: Mapping) -> Iterator[tuple[str, _Reader]]:
    """Every rule that makes something of texts, with the part of the mapping that it stands in."""
    for place, rule in mapping.uses():
        if isinstance(rule, Rule):
            part = str(place[0])
            child = mapping.perpetrators if part == PERPETRATORS else None
            lists = (child.split, child.aligned) if child else (None, False)
            yield part, _Reader(str(place[-1]), rule, *lists)


def _uses(rules: list[tuple[str, _Reader]], header: Header) -> dict[str, list[_Reader]]:
    """Rules by the column of the file that they read."""
    found: dict[str, list[_Reader]] = {}
    for _part, one in rules:
        for column in (*one.rule.source, *([one.rule.at] if one.rule.at else [])):
            if (name := header.find(column)) is not None:
                found.setdefault(name, []).append(one)
    return found


class _ColumnTexts:
    """The distinct texts of a column and what its rules make of them.

    Attributes:
        kept, rejected, unread: each text with its rows that became records, that were rejected,
            and that were rejected because a rule could not read this column.
        serial: how its texts are read where all of them are numbered days.
    """

    def __init__(
        self,
        known: KnownTexts,
        empty: Collection[str],
        column: str,
        uses: list[_Reader],
        readers: set[View],
    ) -> None:
        self.column, self.uses, self.readers = column, uses, readers
        self.kept: Dictionary[str, int] = {}
        self.rejected: Dictionary[str, int] = {}
        self.unread: Dictionary[str, int] = {}
        self.serial: View | None = None
        self._left: dict[str, list[str]] = {}
        self._empty = empty
        self._whole = known.in_brackets
        spellings = {s for u in uses for s in u.rule.columns() if fold(s) == fold(column)}
        self._known = {text for s in spellings for text in known.known(s)} | _codes(uses)
        self._lists = {u.children or u.rule.split for u in uses if u.rule.has}
        others = [u for u in uses if not u.rule.has]
        self._cells = {(u.children or u.rule.split, u.rule.take) for u in others}

    def _all(self) -> Counter[str]:
        return Counter(self.kept) + Counter(self.rejected)

    def _elements(self, text: str, split: str | None, *, kinds: bool = False) -> list[str]:
        cell = trim(text)
        whole = fold(cell) in self._whole or broken(cell, self._whole)
        of = kinds_of if kinds else elements_of
        found = [cell] if whole else of(cell, split)
        return [e for e in found if fold(e) not in self._empty]

    def _reads(self, element: str) -> bool:
        if self.serial or fold(element) in self._known:
            return True
        return any(view.read(element) is not None for view in self.readers)

    def _cell(self, text: str) -> list[str]:
        """What the rules that take one value see of a cell; a child row sees each element."""
        found: list[str] = []
        for split, take in self._cells:
            elements = self._elements(text, split)
            found += elements[-1:] if take == "last" else elements[:1] if take else elements
        return list(dict.fromkeys(found))

    def left_over(self, text: str) -> list[str]:
        """What no rule can read; of several ways to take a list apart the one that leaves least."""
        if text not in self._left:
            self._left[text] = self._find_left_over(text)
        return self._left[text]

    def _find_left_over(self, text: str) -> list[str]:
        if fold(text) in self._known:
            return []
        ways = [self._elements(text, split, kinds=True) for split in self._lists]
        if self._cells:
            ways.append(self._cell(text))
        left = [[e for e in way if not self._reads(e)] for way in ways]
        if not all(left):
            return []
        return min(left[: len(self._lists)] or left, key=len)

    def ignored(self) -> int:
        """Unknown elements in the rows that became records."""
        return sum(len(self.left_over(text)) * n for text, n in self.kept.items())

    def unknown(self) -> list[UnknownText]:
        """Every unknown text of the column, those of most rows first."""
        rows: Counter[str] = Counter()
        spelt: dict[str, str] = {}
        rejected: set[str] = set()
        for text, n in self._all().items():
            left = self.left_over(text)
            if not left and text in self.unread:  # another rule of the column knows it
                cell = trim(text)
                left = [cell] if cell.startswith(OPENING) else self._cell(text)
                n = self.unread[text]
            for element in {fold(e): e for e in left}.values():
                key = fold(element)
                spelt.setdefault(key, element)
                rows[key] += n
                if text in self.unread:
                    rejected.add(key)
        outcome = self._outcome()
        near = self._nearest()
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

    def _nearest(self) -> _Near:
        known: dict[str, str] = {}
        for target, rule, *_child in self.uses:
            for text in rule.has:
                known.setdefault(fold(text), target)
            for text, code in (rule.map or {}).items():
                known.setdefault(fold(text), code or "")
            if not (rule.has or rule.country or rule.band or rule.year):
                known |= {fold(code): code for code in _domain(target)}
        return _Near(known, any(u.rule.country for u in self.uses))

    def content(self) -> ColumnContent:
        """What the column holds."""
        filled = dates = new_year = lists = sets = 0
        days = {replace(v, reading="date") for v in self.readers if v.reading in ("date", "year")}
        numbered = replace(self.serial, reading="date").days(self._all()) if self.serial else {}
        splits = {u.children for u in self.uses if u.children and u.aligned}
        for text, n in self._all().items():
            if fold(text) in self._empty:
                continue
            filled += n
            read = next((found for view in days if (found := view.read(text))), None)
            if day := (numbered or {}).get(text) or read:
                dates += n
                new_year += n * day.endswith("-01-01")
            for split in splits:
                values = [fold(e) for e in elements_of(trim(text), split)]
                if len(values) > 1:
                    lists += n
                    sets += n * (values == sorted(set(values)))
        return ColumnContent(self.column, True, True, filled, dates, new_year, lists, sets)


class _Near:
    """Finds what a text may mean."""

    def __init__(self, known: dict[str, str], country: bool) -> None:
        self._known, self._country = known, country

    def __call__(self, text: str) -> str:
        if self._country and (code := resolve(text).nearest):
            return code
        return nearest(text, self._known) or ""


def _codes(uses: list[_Reader]) -> set[str]:
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


def _numbered(column: pa.ChunkedArray, rows: np.ndarray) -> dict[str, Any]:
    """How numbers of people or cases are written in a column; see ``ColumnContent``."""
    found: dict[str, Any] = dict.fromkeys(("digits", "padded", "decimals"), 0)
    built = set()
    for text, n in _counted(column.combine_chunks(), rows).items():
        cell = trim(text)
        if _DIGITS.fullmatch(cell):
            found["digits"] += n
            found["padded"] += n * (cell[0] == "0" and len(cell) > 1)
        elif _DECIMAL.fullmatch(cell):
            found["decimals"] += n
        built.add(_LETTERS.sub("A", _RUN.sub(lambda run: "0"[: run[0][0] == "0"] + "9", cell)))
    return found | {"built": tuple(sorted(built)[:_MOST_BUILT])}


def _counted(codes: pa.DictionaryArray, rows: np.ndarray) -> dict[str, int]:
    """Each text with the rows among these that hold it."""
    if not rows.any():
        return {}
    texts = codes.dictionary.to_pylist()
    places = codes.indices.fill_null(len(texts)).to_numpy()
    found = np.bincount(places if rows.all() else places[rows], minlength=len(texts) + 1)
    return {text: n for text, n in zip(texts, found.tolist(), strict=False) if n}


def _in(table: pa.Table, rows: pa.Array) -> np.ndarray:
    """Which rows of a table are among these."""
    return np.asarray(pc.is_in(table[ROW], value_set=rows), dtype=bool)
