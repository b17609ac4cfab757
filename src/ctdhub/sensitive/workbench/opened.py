"""A contributor's file as the workbench holds it, what a mapping makes of its rows, and a draft
over it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.core.errors import HubError, error
from ctdhub.core.tables import ROW, fold, trim
from ctdhub.sensitive.ingest.delimited import unescaped
from ctdhub.sensitive.ingest.identifiers import IdentifierFinding, find_identifiers
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import RULE as NOTES
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.mapping import mapping_file
from ctdhub.sensitive.mapping.builtin import recognise
from ctdhub.sensitive.mapping.drafting.glance import Glance, glance
from ctdhub.sensitive.mapping.drafting.row_unit import identifiers_of_systems
from ctdhub.sensitive.mapping.drafting.suggest import Suggestion, read_to_suggest, suggest
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import load_mapping, parse_mapping, text_of
from ctdhub.sensitive.mapping.note_rows import find_notes
from ctdhub.sensitive.mapping.parsers import Header, serial_views
from ctdhub.sensitive.mapping.read_texts import file_texts
from ctdhub.sensitive.mapping.rule import Exclusion
from ctdhub.sensitive.mapping.texts import FileTexts, as_codes
from ctdhub.sensitive.mapping.transform import Asked, Transform, program
from ctdhub.sensitive.workbench.drafts import DraftFold, Workplace, digest, load_draft, save_draft

# --------------------------------------------------------------------------------------------------
# A contributor's file as the workbench holds it: read once, columns as codes of their texts.

T = TypeVar("T")

_numbers = count()

_HELD = 3
"""Files that are held at once."""


class TextCount(NamedTuple):
    """A text of a column, in its most frequent spelling, and the rows that hold it."""

    text: str
    rows: int


class OpenedFile:
    """A file.  Sensitive.

    Args:
        raw: as read.
        options: how it was read.

    Attributes:
        number: tells it from every other file that this process has opened.
    """

    def __init__(self, raw: RawTable, options: ReadOptions) -> None:
        children = {name: unescaped(rows) for name, rows in raw.children.items()}
        self.raw = replace(raw, table=unescaped(raw.table), children=children)
        self.options = options
        self.number = next(_numbers)
        self.codes = as_codes(self.raw.table)
        self.header = Header(self.raw.column_names())
        self.names = self.raw.column_names()
        self._combos: dict[tuple[str, ...], Combos] = {}
        self._numbers: dict[Hashable, int] = {None: 0}
        self._remembered: dict[tuple[str, str], Any] = {}

    @property
    def rows(self) -> int:
        """Rows that could be read."""
        return int(self.codes.num_rows)

    @cached_property
    def totals(self) -> int:
        """How many rows are lines of totals for certain, unless all are said to be records."""
        return 0 if self.raw.sums is None else int(self.raw.unlike(table=self.codes).sums.sum())

    @cached_property
    def findings(self) -> dict[str, IdentifierFinding]:
        """Likely identifiers by column."""
        found = {f.column: f for f in find_identifiers(self.raw)}
        of_system, _known = identifiers_of_systems(self.raw)
        return found | {c: f for c, f in of_system.items() if c in self.names}

    @cached_property
    def suggestion(self) -> Suggestion:
        """A mapping to begin with."""
        return suggest(self.raw, self.options)

    def glance(self, column: str) -> Glance:
        """What stands in a column of the table."""
        return self.remembered(("glance", column), lambda: glance(self.raw.table, column))

    def remembered(self, key: tuple[str, str], made: Callable[[], T]) -> T:
        """What was found out about the file once, and does not depend on a mapping."""
        if key not in self._remembered:
            self._remembered[key] = made()
        found: T = self._remembered[key]
        return found

    def filled(self, column: str) -> int:
        """Cells of a column that hold something."""
        return sum(one.rows for one in self.counts(column))

    def counts(self, column: str) -> list[TextCount]:
        """The texts of a column, spellings that fold alike as one, those of most rows first."""
        return self.remembered(("counts", column), lambda: self._counts(column))

    def _counts(self, column: str) -> list[TextCount]:
        found: dict[str, int] = {}
        spelt: dict[str, str] = {}
        for text, n in sorted(self._each(column), key=lambda one: -one[1]):
            key = fold(text)
            if key:
                spelt.setdefault(key, trim(text))
                found[key] = found.get(key, 0) + n
        ordered = sorted(found.items(), key=lambda one: (-one[1], one[0]))
        return [TextCount(spelt[key], n) for key, n in ordered]

    def _each(self, column: str) -> list[tuple[str, int]]:
        if column not in self.codes.column_names:
            counted = self.raw.cells(column).drop_null().value_counts().to_pylist()
            return [(one["values"], one["counts"]) for one in counted]
        codes = self.codes[column].combine_chunks()
        places = codes.indices.fill_null(len(codes.dictionary)).to_numpy(zero_copy_only=False)
        counted = np.bincount(places, minlength=len(codes.dictionary) + 1)
        texts = codes.dictionary.to_pylist()
        return [(t, n) for t, n in zip(texts, counted.tolist(), strict=False) if n]

    def lacking(self, columns: tuple[str, ...], empty: frozenset[str]) -> NDArray[np.bool_]:
        """The different rows of some columns that lack one of their texts."""

        def found() -> NDArray[np.bool_]:
            table = self.combos(columns).table
            lacks = np.zeros(table.num_rows, bool)
            for name in columns:
                coded = table[name].combine_chunks()
                texts = [fold(text) in empty for text in coded.dictionary.to_pylist()] + [True]
                places = coded.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False)
                lacks |= np.array(texts)[places]
            return lacks

        return self.remembered((repr(columns), repr(sorted(empty))), found)

    def numbers(self, values: Iterable[Hashable]) -> NDArray[np.int64]:
        """Values as numbers that stay the same for this file; None is 0."""
        known = self._numbers
        return np.array([known.setdefault(one, len(known)) for one in values], np.int64)

    def named(self, number: int) -> Hashable:
        """The value of such a number."""
        return next(value for value, n in self._numbers.items() if n == number)

    def combos(self, columns: Sequence[str]) -> Combos:
        """The different rows of some columns, as the file names them."""
        key = tuple(columns)
        if key not in self._combos:
            self._combos[key] = _combos(self.codes, key)
        return self._combos[key]


class Combos(NamedTuple):
    """The different rows of some columns.

    Attributes:
        table: these columns, and ``_row``: the number of the combination.
        of_row: for each row of the file the number of its combination.
    """

    table: pa.Table
    of_row: NDArray[np.int64]


def _combos(codes: pa.Table, columns: tuple[str, ...]) -> Combos:
    numbered = np.zeros(codes.num_rows, np.int64)
    first = numbered[:1]
    for name in columns:
        column = codes[name].combine_chunks()
        size = len(column.dictionary) + 1
        texts = column.indices.fill_null(size - 1).to_numpy(zero_copy_only=False)
        _values, first, numbered = np.unique(
            numbered * size + texts, return_index=True, return_inverse=True
        )
        numbered = numbered.astype(np.int64).reshape(-1)
    places = pa.array(first, pa.int64())
    made = {name: codes[name].combine_chunks().take(places) for name in columns}
    row = pa.array(range(len(first)), pa.int64())
    return Combos(pa.table({**made, ROW: row}), numbered)


_files: OrderedDict[tuple[str, int, int, str], OpenedFile] = OrderedDict()
_holding = threading.Lock()


def opened(path: Path, options: ReadOptions) -> OpenedFile:
    """A file, read as a mapping says; held until others take its place or it changes.

    Raises:
        FileError: it cannot be read; see ``ingest.isolated``.
    """
    return _held(path, options.model_dump_json(), lambda: (read_isolated(path, options), options))


def opened_to_suggest(path: Path, given: ReadOptions | None) -> OpenedFile:
    """A file of which no mapping says how it is read.

    Raises:
        FileError: it cannot be read, or several sheets may hold the records ("sheets").
    """
    stated = given.model_dump_json() if given else ""
    return _held(path, f"suggest {stated}", lambda: read_to_suggest(path, given))


def _held(path: Path, how: str, read: Callable[[], tuple[RawTable, ReadOptions]]) -> OpenedFile:
    try:
        now = path.stat()
        key = (str(path), now.st_mtime_ns, now.st_size, how)
    except OSError:
        key = (str(path), 0, 0, how)
    with _holding:
        if key in _files:
            _files.move_to_end(key)
            return _files[key]
        file = OpenedFile(*read())
        _files[key] = file
        while len(_files) > _HELD:
            _files.popitem(last=False)
        return file


# --------------------------------------------------------------------------------------------------
# What a mapping makes of the rows of a file, kept by rule, so that an edit is counted at once.
#
# Rules that depend on each other are one group.  A group is run over the different rows of the
# columns that it reads, and again only where its rules changed; what came out is the same as if the
# whole mapping had been run over the whole file.

_KEPT, _EFFECTS_HELD = 400, 6
_CHILDREN = "perpetrators"

Bools = NDArray[np.bool_]
Numbers = NDArray[np.int64]
"""Places, or values as ``OpenedFile.numbers`` has them: 0 is None."""


class RuleGroup(NamedTuple):
    """Rules that are run together.

    Attributes:
        variables: of records; none where it is about exclusions, or about child rows alone.
        mapping: with these rules alone.
        columns: of the file, that the rules read.
        children: whether it is about child rows.
    """

    variables: tuple[str, ...]
    mapping: Mapping
    columns: tuple[str, ...]
    children: bool = False


class GroupEffect(NamedTuple):
    """What a group makes of each combination of its columns.

    Attributes:
        values: variable to codes.
        faulty: where a rule rejects.
        excluded: combination to the rule that leaves it out.
        rejects: ``source_row`` (the combination), ``column``, ``rule``, ``fields`` of each fault.
        of_row: for each row of the file the number of its combination.
    """

    values: dict[str, Numbers]
    faulty: Bools
    excluded: Numbers
    rejects: pa.Table
    of_row: Numbers


def groups(mapping: Mapping, file: OpenedFile) -> list[RuleGroup]:
    """The groups of a mapping."""
    alone = mapping.model_copy(
        update={"tests": (), "accept": (), "identifiers": {}, "tokens": (), "key": ()}
    )
    found = []
    for variables in _together(mapping):
        columns = {name: mapping.columns[name] for name in variables}
        read = [c for rules in columns.values() for rule in rules for c in rule.columns()]
        lists = any(rule.has for rules in columns.values() for rule in rules)
        near = {fold(c) for c in read}
        exclude: tuple[Exclusion, ...] = tuple(
            e for e in mapping.exclude if lists and near & set(map(fold, e.columns()))
        )
        read += [c for e in exclude for c in e.columns()]
        part = alone.model_copy(
            update={"columns": columns, "perpetrators": None, "exclude": exclude}
        )
        found.append(RuleGroup(variables, part, _there(file, read)))
    if mapping.exclude:
        read = [c for e in mapping.exclude for c in e.columns()]
        part = alone.model_copy(update={"columns": {}, "perpetrators": None})
        found.append(RuleGroup((), part, _there(file, read)))
    if mapping.perpetrators:
        part = alone.model_copy(update={"columns": {}, "exclude": ()})
        theirs = _there(file, mapping.perpetrators.sources())
        found.append(RuleGroup((), part, theirs, children=True))
    return found


def _there(file: OpenedFile, columns: Iterable[str]) -> tuple[str, ...]:
    """Columns of the table by the names that the file gives them."""
    names = (file.header.find(column) for column in dict.fromkeys(columns))
    there = dict.fromkeys(n for n in names if n is not None and n in file.codes.column_names)
    return tuple(there)


def _together(mapping: Mapping) -> list[tuple[str, ...]]:
    """Variables that have to be run together: those of one list, and what follows from another."""
    searched = {
        fold(c) for rules in mapping.columns.values() for r in rules if r.has for c in r.source
    }
    marks: dict[str, set[str]] = {}
    for name, rules in mapping.columns.items():
        own = {f"v:{name}"}
        for rule in rules:
            own |= {f"c:{fold(c)}" for c in rule.columns() if fold(c) in searched}
            own |= {f"v:{rule.from_hub}"} if rule.from_hub else set()
        marks[name] = own
    found: list[tuple[list[str], set[str]]] = []
    for name, own in marks.items():
        joined = [group for group in found if group[1] & own]
        found = [group for group in found if not group[1] & own]
        names = [n for group in joined for n in group[0]] + [name]
        found.append((names, own.union(*(group[1] for group in joined))))
    return [tuple(names) for names, _marks in found]


_effects: OrderedDict[tuple[int, Asked, bool, tuple[str, ...]], GroupEffect] = OrderedDict()


def effect_of(group: RuleGroup, file: OpenedFile, years: tuple[int, int]) -> GroupEffect:
    """What a group makes of a file."""
    key = (file.number, Asked.of(group.mapping, years), group.children, group.columns)
    if key not in _effects:
        _effects[key] = _run(group, file, years)
        while len(_effects) > _KEPT:
            _effects.popitem(last=False)
    _effects.move_to_end(key)
    return _effects[key]


def _run(group: RuleGroup, file: OpenedFile, years: tuple[int, int]) -> GroupEffect:
    transform = Transform(group.mapping, years)
    if group.children:
        numbers = pa.array(range(file.rows), pa.int64())
        places = {row: i for i, row in enumerate(file.codes[ROW].to_pylist())}
        table = file.codes.set_column(file.codes.num_columns - 1, ROW, numbers)
        own = {name: _placed(rows, places) for name, rows in file.raw.children.items()}
        done, of_row = transform.run(table, None, own), np.arange(file.rows)
    else:
        combos = file.combos(group.columns)
        done, of_row = transform.run(combos.table), combos.of_row
    size = file.rows if group.children else combos.table.num_rows
    faulty, excluded = np.zeros(size, bool), np.zeros(size, np.int64)
    faulty[done.rejects["source_row"].to_numpy()] = True
    excluded[done.excluded[ROW].to_numpy()] = file.numbers(done.excluded["rule"].to_pylist())
    values: dict[str, Numbers] = {}
    at = done.values[ROW].to_numpy()
    for name in group.variables:
        values[name] = np.zeros(size, np.int64)
        values[name][at] = file.numbers(done.values[name].to_pylist())
    if group.children:
        values[_CHILDREN] = file.numbers(_child_values(done.children, size))
    return GroupEffect(values, faulty, excluded, done.rejects, of_row)


def _placed(rows: pa.Table, places: dict[int, int]) -> pa.Table:
    """Child rows whose ``_row`` is the place of their row."""
    numbers = [places.get(row, -1) for row in rows[ROW].to_pylist()]
    at = rows.column_names.index(ROW)
    return rows.set_column(at, ROW, pa.array(numbers, pa.int64()))


def _child_values(children: pa.Table | None, size: int) -> list[Hashable]:
    found: list[Hashable] = [None] * size
    for row in children.to_pylist() if children is not None else ():
        place = row.pop(ROW)
        found[place] = (*(found[place] or ()), tuple(row.values()))
    return found


_whole: OrderedDict[tuple[int, Asked], FileEffect] = OrderedDict()


def file_effect(mapping: Mapping, file: OpenedFile, years: tuple[int, int]) -> FileEffect:
    """What a mapping makes of a file; the last ones are held."""
    key = (file.number, Asked.of(mapping, years))
    if key not in _whole:
        _whole[key] = FileEffect(mapping, file, years)
        while len(_whole) > _EFFECTS_HELD:
            _whole.popitem(last=False)
    _whole.move_to_end(key)
    return _whole[key]


class FileEffect:
    """What a mapping makes of a file.

    Attributes:
        parts: each group with its effect.
        excluded: for each row the rule that leaves it out.
        notes: rows that look like totals or notes.
        rejected: rows with a fault that no rule leaves out, and notes that are asked about.
    """

    def __init__(self, mapping: Mapping, file: OpenedFile, years: tuple[int, int]) -> None:
        self.mapping, self.file, self.years = mapping, file, years
        self.parts = [(g, effect_of(g, file, years)) for g in groups(mapping, file)]
        self.excluded = np.zeros(file.rows, np.int64)
        faulty = np.zeros(file.rows, bool)
        order = file.numbers(e.rule for e in mapping.exclude).tolist()
        for _group, effect in self.parts:
            faulty |= effect.faulty[effect.of_row]
            if effect.excluded.any():
                found = effect.excluded[effect.of_row]
                self.excluded = _first_rule(self.excluded, found, order)
        kept = self.excluded == 0
        self.notes = find_notes(file.raw, file.codes, mapping, kept, kept & ~faulty, self._recorded)
        asked = self.notes.rejected(mapping)
        faulty &= ~asked
        self.excluded[self.notes.left_out(mapping)] = file.numbers([NOTES])[0]
        self._left_out: Bools = self.excluded != 0
        self._faulty: Bools = faulty & ~self._left_out
        self._aside: Bools = self._left_out | asked
        self.rejected: Bools = self._faulty | asked
        self.records: Bools = ~self._faulty & ~self._aside

    def _recorded(self, variable: str) -> Bools:
        """The rows for which a variable is recorded."""
        codes = _codes(self.value(variable), self.file.rows)
        return np.asarray(codes != 0, bool)

    def counts(self) -> dict[str, Any]:
        """Rows by what becomes of them; rows that could not be read count as rejected."""
        found, rows = np.unique(self.excluded[self._left_out], return_counts=True)
        names = map(self.file.named, found.tolist())
        excluded = dict(zip(map(str, names), rows.tolist(), strict=True))
        return {
            "rows": self.file.raw.rows_read,
            "records": int(self.records.sum()),
            "rejected": int(self.rejected.sum()) + self.file.raw.rejects.num_rows,
            "excluded": excluded,
        }

    @cached_property
    def texts(self) -> FileTexts:
        """What the mapping knows and does not know of the file's texts, as a build says it."""
        compiled = [program(Asked.of(group.mapping, self.years)) for group, _effect in self.parts]
        views = [view for one in compiled for view in one.views]
        views += [v for one in compiled if one.children for v in one.children.compiled.views]
        left_out = pa.array(self.file.codes[ROW].to_numpy()[self._aside], pa.int64())
        own, codes = self.file.raw.children or None, self.file.codes
        serials, views = serial_views(codes, views), list(dict.fromkeys(views))
        return file_texts(self.mapping, codes, left_out, self.faults, views, serials, own)

    @cached_property
    def faults(self) -> pa.Table:
        """One row per fault: ``source_row``, ``target``, ``column``, ``rule``, ``fields``.

        Rows that a rule leaves out have none.
        """
        numbers = self.file.codes[ROW].to_numpy()
        parts = [self.notes.rejects(self.file.codes[ROW].combine_chunks(), self.mapping)]
        for _group, one in self.parts:
            if not one.rejects.num_rows:
                continue
            combos = one.rejects["source_row"].to_numpy()
            order = np.argsort(one.of_row, kind="stable")
            ordered = one.of_row[order]
            first, last = (np.searchsorted(ordered, combos, side) for side in ("left", "right"))
            times = last - first
            at = np.repeat(np.arange(len(combos)), times)
            inside = np.arange(len(at)) - np.repeat(np.cumsum(times) - times, times)
            rows = order[np.repeat(first, times) + inside]
            keep = self._faulty[rows]
            table = one.rejects.take(pa.array(at[keep], pa.int64()))
            place = table.column_names.index("source_row")
            parts.append(table.set_column(place, "source_row", pa.array(numbers[rows[keep]])))
        return pa.concat_tables(parts)

    def people(self) -> int | None:
        """Different person keys among the records, and those without one; None without a key."""
        key = self.mapping.key_columns()
        if key is None:
            return None
        names = _there(self.file, key[0])
        if len(names) < len(key[0]):
            return None
        combos = self.file.combos(names)
        empty = frozenset({"", *map(fold, self.mapping.empty)})
        lacking = self.file.lacking(names, empty)
        combos = self.file.combos(names)
        used = np.bincount(combos.of_row[self.records], minlength=len(lacking))
        return int((used[~lacking] > 0).sum() + used[lacking].sum())

    def value(self, variable: str) -> tuple[Numbers, Numbers] | None:
        """A variable's value by combination, and the combination of each row."""
        for _group, effect in self.parts:
            if variable in effect.values:
                return effect.values[variable], effect.of_row
        return None


def _first_rule(one: Numbers, other: Numbers, order: list[int]) -> Numbers:
    """Of two rules that leave a row out the one that the mapping names first; status comes last."""
    rank = {number: place for place, number in enumerate(order, 1)}
    last = len(rank) + 1
    numbers = sorted({0, *np.unique(one).tolist(), *np.unique(other).tolist()})
    ranks = np.array([rank.get(n, last) if n else last + 1 for n in numbers])
    mine, theirs = (ranks[np.searchsorted(numbers, each)] for each in (one, other))
    return np.where(theirs < mine, other, one)


def change(now: FileEffect, then: FileEffect, label: Any) -> dict[str, Any]:
    """What becomes otherwise, as ``ask`` says it.

    Args:
        now, then: before and after.
        label: gives the name of a variable in all languages, for JSON.
    """
    before, after = now.counts(), then.counts()
    differ: Bools = (now.excluded != then.excluded) | (now.rejected != then.rejected)
    both = now.records & then.records
    variables = []
    for name in dict.fromkeys([*_named(now), *_named(then)]):
        was, becomes = now.value(name), then.value(name)
        if was is not None and becomes is not None and was[0] is becomes[0]:
            continue
        rows = (_codes(was, now.file.rows) != _codes(becomes, now.file.rows)) & both
        recorded = [_recorded(was, now.records), _recorded(becomes, then.records)]
        n = int(rows.sum())
        if n or recorded[0] != recorded[1]:
            named = {"variable": name, "label": label(name), "rows": n, "recorded": recorded}
            variables.append(named)
        differ |= rows
    people = [now.people(), then.people()]
    return {
        "rows": int(differ.sum()),
        "records": [before["records"], after["records"]],
        "rejected": [before["rejected"], after["rejected"]],
        "excluded": [sum(before["excluded"].values()), sum(after["excluded"].values())],
        "people": None if people == [None, None] else people,
        "variables": variables,
    }


def _named(effect: FileEffect) -> list[str]:
    return [name for _group, one in effect.parts for name in one.values]


def _codes(found: tuple[Numbers, Numbers] | None, rows: int) -> Numbers:
    return np.zeros(rows, np.int64) if found is None else found[0][found[1]]


def _recorded(found: tuple[Numbers, Numbers] | None, records: Bools) -> int:
    if found is None:
        return 0
    there = found[0] != 0
    return int((there[found[1]] & records).sum())


# --------------------------------------------------------------------------------------------------
# A draft with its file: what a request works on.

SUGGESTION = "suggestion"


class Bench:
    """A person's draft over a file.

    Args:
        place: whose.
        draft: the draft.
    """

    def __init__(self, place: Workplace, draft: DraftFold) -> None:
        self.place, self.draft = place, draft

    @cached_property
    def mapping(self) -> Mapping:
        """What the draft says."""
        return self.draft.mapping()

    @cached_property
    def file(self) -> OpenedFile:
        """The file, read as the draft says.

        Raises:
            HubError: no file was named, or it cannot be read.
        """
        if self.place.file is None:
            raise error("workbench-request")
        return opened(self.place.file, self.mapping.read)

    @property
    def effect(self) -> FileEffect:
        """What the mapping makes of the file."""
        return file_effect(self.mapping, self.file, self.place.years)


def draft_of(place: Workplace) -> DraftFold:
    """This person's draft, or an empty one over the mapping in force.

    Raises:
        HubError: there is neither (rule "workbench-nothing").
    """
    if (found := load_draft(place)) is not None:
        return found
    now = mapping_file.in_force(*place.of_day)
    if now is not None:
        text = text_of(now[1])
        return DraftFold(text, now[0], (), digest(text), place.shown)
    raise error("workbench-nothing", id=place.contributor, at=place.day)


def bench(place: Workplace) -> Bench:
    """What a request works on; raises as :func:`draft_of`."""
    return Bench(place, draft_of(place))


def begun(place: Workplace, start: str | None, read: ReadOptions | None = None) -> Bench:
    """A draft begun anew.

    Args:
        place: whose.
        start: date of the mapping to begin with; ``suggestion``, or the name of a built-in mapping;
            None for the mapping in force where it reads such a file, else the suggestion.
        read: what is stated about the file, where it is suggested for.

    Raises:
        HubError: the file cannot be read, or there is no such mapping.
    """
    now = mapping_file.in_force(*place.of_day)
    seen = digest(text_of(now[1])) if now else None
    kept = dict(mapping_file.mappings(place.mappings, place.contributor))
    if start is None and now is not None:
        start = now[0]
    if start is not None and start in kept:
        draft = DraftFold(text_of(kept[start]), start, (), seen, place.shown)
    elif start in (None, SUGGESTION):
        if place.file is None:
            raise error("workbench-nothing", id=place.contributor, at=place.day)
        yaml = opened_to_suggest(place.file, read).suggestion.yaml
        draft = DraftFold(yaml, None, (), seen, place.shown)
    else:
        draft = DraftFold(f"builtin: {start}\n", None, (), seen, place.shown)
        parse_mapping(draft.base, place.shown)
    save_draft(place, draft)
    return Bench(place, draft)


# --------------------------------------------------------------------------------------------------
# Mappings that were kept before, and how well each reads a new file.


def fits(mapping: Mapping, file: OpenedFile) -> tuple[list[str], list[str]]:
    """Columns that a mapping reads or decides on, and those of them that the file lacks."""
    wanted = list(dict.fromkeys([*mapping.needed(), *mapping.stripped()]))
    return wanted, [column for column in wanted if file.header.find(column) is None]


def saved(place: Workplace, file: OpenedFile) -> list[dict[str, Any]]:
    """The mappings of the contributor and the built-in one for such headers, best first."""
    draft = load_draft(place)
    start = draft.start if draft else None
    found = []
    for day, path in mapping_file.mappings(place.mappings, place.contributor):
        try:
            mapping = load_mapping(path)
        except HubError:  # a hand edit that is not whole yet
            continue
        found.append(_said(mapping, file, day, None, chosen=draft is not None and start == day))
    known = recognise(file.names)
    if known is not None:
        mapping = parse_mapping(f"builtin: {known}\n", f"{known}.yaml")
        base = draft.base if draft else ""
        found.append(_said(mapping, file, None, known, chosen=base == f"builtin: {known}\n"))
    found.sort(key=lambda one: str(one["from"] or ""), reverse=True)
    return sorted(found, key=lambda one: -one["fits"] / max(one["of"], 1))


def _said(
    mapping: Mapping, file: OpenedFile, day: str | None, name: str | None, *, chosen: bool
) -> dict[str, Any]:
    wanted, missing = fits(mapping, file)
    return {
        "from": day,
        "fits": len(wanted) - len(missing),
        "of": len(wanted),
        "missing": missing,
        "builtin": name,
        "chosen": chosen,
    }
