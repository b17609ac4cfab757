"""A mapping run over rows: values, exclusions and faults, in slices that fit the memory."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctdhub.core.tables import ROW
from ctdhub.schema.countries import look_up
from ctdhub.schema.model import NOT_COUNTED, STANDING
from ctdhub.sensitive import duck
from ctdhub.sensitive.ingest.shape.children import BLANK
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import Header, View, elements_of, serial_views
from ctdhub.sensitive.mapping.read_texts import file_texts
from ctdhub.sensitive.mapping.row_faults import Fault, apart_from, bracket_rejects, rejects_of
from ctdhub.sensitive.mapping.texts import FileTexts, Texts, as_codes, narrow

if TYPE_CHECKING:
    from ctdhub.sensitive.mapping.compile import Compiled


# --------------------------------------------------------------------------------------------------
# What the rules of a mapping make of rows: worked out by text where a rule reads one column.

SLICE = 100_000
"""Rows that are worked on at a time."""


class RuleQuery(NamedTuple):
    """A compiled part of a mapping and its SQL."""

    compiled: Compiled
    sql: str

    def run(self, cells: pa.Table) -> pa.Table:
        """The rows of the query over the views, one for each row of these.

        Raises:
            ValueError: the rules changed the number of rows.
        """
        parts = [
            duck.run(self.sql, cells=cells.slice(start, SLICE))
            for start in range(0, max(cells.num_rows, 1), SLICE)
        ]
        found = pa.concat_tables(parts)
        if found.num_rows != cells.num_rows:
            raise ValueError("rules changed the number of rows")
        return found


class RuleProgram(NamedTuple):
    """The rules of records, and those of perpetrators.

    Attributes:
        by_text: the variables that follow from one column; None where there are none.
        sources: these variables, each with its column; None for a constant.
        by_row: all others, and which rows are left out; None where there are none.
        children: the rules of perpetrators, if there are any.
    """

    by_text: RuleQuery | None
    sources: dict[str, str | None]
    by_row: RuleQuery | None
    children: RuleQuery | None

    @property
    def views(self) -> tuple[View, ...]:
        """The readings of columns that the rules of records ask for."""
        queries = [query for query in (self.by_text, self.by_row) if query is not None]
        return tuple(dict.fromkeys(view for query in queries for view in query.compiled.views))


class _OfTexts(NamedTuple):
    """What a variable is for each text of its column, and the faults, None where there is none."""

    values: pa.Array
    faults: pa.Array | None


class RuleRun:
    """A program over one table.

    Args:
        program: the rules.
        variables: the hub variables in the order of the mapping.
        texts: the table.

    Attributes:
        faults: fault number n is ``faults[n - 1]``.
    """

    def __init__(self, program: RuleProgram, variables: list[str], texts: Texts) -> None:
        self._program, self._variables, self._texts = program, variables, texts
        self._told: dict[str, _OfTexts] = {}
        self.faults: tuple[Fault, ...] = ()
        if query := program.by_text:
            self.faults = query.compiled.faults
            found = query.run(texts.by_text(query.compiled.views))
            self._told = {name: _told(found, name) for name in program.sources}
        self._behind = len(self.faults)
        if program.by_row:
            self.faults += program.by_row.compiled.faults

    def rows(self, start: int, n: int) -> pa.Table:
        """``_row``, ``_excluded``, the variables and ``fault:<variable>`` of some rows.

        A variable without a fault in any row may lack its column of faults.
        """
        by_row, query = None, self._program.by_row
        if query is not None:
            by_row = query.run(self._texts.by_row(query.compiled.views, start, n))
        row = self._texts.table[ROW].slice(start, n)
        nobody = pa.repeat(pa.scalar(0, pa.int16()), len(row))
        columns = {ROW: row, "_excluded": nobody if by_row is None else by_row["_excluded"]}
        faults = {}
        for name in self._variables:
            if by_row is not None and name not in self._told:
                columns[name] = by_row[name]
                numbers = by_row[f"fault:{name}"]
                later = pc.add(numbers, pa.scalar(self._behind, numbers.type))
                faults[f"fault:{name}"] = pc.if_else(pc.equal(numbers, 0), numbers, later)
                continue
            values, numbers = self._told[name]
            codes = self._texts.codes(self._program.sources[name]).slice(start, n)
            columns[name] = _taken(values, codes)
            if numbers is not None:
                faults[f"fault:{name}"] = numbers.take(codes)
        return pa.table(columns | faults)


def _told(found: pa.Table, name: str) -> _OfTexts:
    values, faults = found[name].combine_chunks(), found[f"fault:{name}"].combine_chunks()
    coded = narrow(values.dictionary_encode()) if pa.types.is_string(values.type) else values
    return _OfTexts(coded, faults if pc.any(pc.not_equal(faults, 0)).as_py() else None)


def _taken(values: pa.Array, places: pa.Array) -> pa.Array:
    """Values by their places; codes stay codes."""
    if not pa.types.is_dictionary(values.type):
        return values.take(places)
    return pa.DictionaryArray.from_arrays(
        values.indices.take(places), values.dictionary, safe=False
    )


@dataclass(frozen=True)
class Asked:
    """What is compiled; equal where a mapping says word by word the same.

    The text holds its keys in their order, and only those that are written: whether a rule names
    what holds anyway can make a difference (``Rule.refuses``).
    """

    text: str
    years: tuple[int, int]
    mapping: Mapping = field(compare=False)

    @classmethod
    def of(cls, mapping: Mapping, years: tuple[int, int]) -> Asked:
        """The mapping for these public bounds of years."""
        return cls(mapping.model_dump_json(exclude_unset=True), years, mapping)


@lru_cache(maxsize=16)
def program(asked: Asked) -> RuleProgram:
    """The rules compiled.

    They are kept: a mapping is compiled for its own tests and for each of its files, and takes
    longer to compile than to run over few rows.
    """
    from ctdhub.sensitive.mapping.compile import compile_rules, of_one_column  # with it ibis, 1 s

    mapping, years = asked.mapping, asked.years
    columns = mapping.columns
    sources = of_one_column(columns)
    others = [name for name in columns if name not in sources]
    by_text = compile_rules(mapping, columns, years, list(sources)) if sources else None
    by_row = None
    if others or mapping.exclude:
        by_row = compile_rules(mapping, columns, years, others, mapping.exclude)
    children = None
    if mapping.perpetrators:
        columns = mapping.perpetrators.columns
        children = compile_rules(mapping, columns, years, list(columns))
    return RuleProgram(_query(by_text), sources, _query(by_row), _query(children))


def _query(compiled: Compiled | None) -> RuleQuery | None:
    return RuleQuery(compiled, duck.sql_of(compiled.expression)) if compiled else None


# --------------------------------------------------------------------------------------------------
# Child rows: elements of lists in the cells of a row, or rows of a child table.


def of_rows(children: pa.Table | None, rows: pa.Array) -> pa.Table:
    """The child rows of some rows, in the order of these.

    >>> t = pa.table({"a": ["x", "y", "z"], "_row": [3, 2, 9]})
    >>> of_rows(t, pa.array([2, 3])).to_pylist()
    [{'a': 'y', '_row': 2}, {'a': 'x', '_row': 3}]
    """
    if children is None:
        return pa.table({"_row": pa.array([], pa.int64())})
    place = pc.index_in(children["_row"].combine_chunks(), value_set=rows)
    kept = np.flatnonzero(place.is_valid().to_numpy(False))
    order = np.argsort(place.drop_null().to_numpy(), kind="stable")
    return children.take(pa.array(kept[order]))


def child_rows(table: pa.Table, columns: tuple[str, ...], split: str, aligned: bool) -> pa.Table:
    """Child rows out of lists in the cells of each row.

    Lists that are aligned give one row per position of the longest; a shorter list gives null.
    Of others nobody knows which elements belong together: where every column has one element at
    most, these make one row; where one column has several, each of them makes a row without the
    other columns; where two have several, there is none.

    Args:
        table: text columns and ``_row``.
        columns: columns that hold lists; a missing one counts as empty.  Other columns are left
            out, so a condition on them never holds.
        split: separator of the lists.
        aligned: whether elements at one position belong together.

    Returns:
        ``_row`` of the parent and the columns, one element per cell.

    >>> t = pa.table({"_row": [2, 3], "a": ["x;y", "z"], "b": ["1", "2"]})
    >>> child_rows(t, ("a", "b"), ";", aligned=True)["b"].to_pylist()
    ['1', None, '2']
    >>> child_rows(t, ("a", "b"), ";", aligned=False)["b"].to_pylist()
    [None, None, '2']
    """
    lists = _lists(table, columns, split, aligned)
    sizes = _sizes(lists)
    if not aligned:
        for column, lost in _untied(sizes).items():
            sizes[column][lost] = 0
    longest = np.zeros(table.num_rows, dtype=np.int64)
    for size in sizes.values():
        np.maximum(longest, size, out=longest)
    children: dict[str, object] = {"_row": np.repeat(table["_row"].to_numpy(), longest)}
    for column, each in lists.items():
        cells = zip(each, sizes[column].tolist(), longest.tolist(), strict=True)
        children[column] = pa.array(
            [
                elements[i] if i < size and elements[i] != BLANK else None
                for elements, size, n in cells
                for i in range(n)
            ],
            pa.string(),
        )
    return pa.table(children)


def untied_values(table: pa.Table, columns: tuple[str, ...], split: str) -> dict[str, int]:
    """Columns whose values :func:`child_rows` leaves out, with their number; lists not aligned."""
    sizes = _sizes(_lists(table, columns, split, aligned=False))
    left = {column: int(sizes[column][lost].sum()) for column, lost in _untied(sizes).items()}
    return {column: n for column, n in left.items() if n}


def _lists(
    table: pa.Table, columns: tuple[str, ...], split: str, aligned: bool
) -> dict[str, list[list[str]]]:
    """The elements of each cell, by column; empty ones only where their position counts."""
    header = Header(table.column_names)
    lists: dict[str, list[list[str]]] = {}
    for column in columns:
        if (name := header.find(column)) is not None:
            known: dict[str | None, list[str]] = {None: []}
            for text in table[name].unique().to_pylist():
                if text is not None:
                    found = elements_of(text, split)
                    known[text] = found if aligned else [e for e in found if e not in ("", BLANK)]
            lists[column] = [known[text] for text in table[name].cast(pa.string()).to_pylist()]
    return lists


def _sizes(lists: dict[str, list[list[str]]]) -> dict[str, NDArray[np.int64]]:
    return {c: np.fromiter(map(len, each), np.int64, len(each)) for c, each in lists.items()}


def _untied(sizes: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.bool_]]:
    """By column the rows in which nobody knows to whom its elements belong."""
    several = np.sum([size > 1 for size in sizes.values()], axis=0) if sizes else np.zeros(0)
    return {c: np.where(size > 1, several > 1, several > 0) for c, size in sizes.items()}


NOT_COUNTED_RULE = "not-a-victim"
"""Name of the rule that leaves out rows whose status says so, in the account of rows."""


@dataclass(frozen=True)
class Transformed:
    """What the rules make of rows.

    Attributes:
        values: ``_row`` and the mapped hub variables of the rows that became records.
        children: the same for child rows of these records.
        rejects: one row per fault, without the name of the file.
        rejected: rows that have a fault.
        excluded: ``_row`` and ``rule`` of the rows left out.
        folded: source columns with names of countries that are published under another.
        texts: what its texts are, those that no rule can read one by one.
        untied: source columns of perpetrators, each with the number of its values that cannot be
            tied to one of them.
        aside: the numbers of rows that were put aside, for they may be nobody.
    """

    values: pa.Table
    children: pa.Table | None
    rejects: pa.Table
    rejected: int
    excluded: pa.Table
    folded: frozenset[str]
    texts: FileTexts = field(default_factory=FileTexts)
    untied: dict[str, int] = field(default_factory=dict)
    aside: pa.Array = field(default_factory=lambda: pa.array([], pa.int64()))


class Transform:
    """A compiled mapping.

    Args:
        mapping: what to compile.
        years: first and last year of the public bounds, both included.
    """

    def __init__(self, mapping: Mapping, years: tuple[int, int]) -> None:
        self.mapping = mapping
        self._program = program(Asked.of(mapping, years))

    def run(
        self,
        table: pa.Table,
        progress: Callable[[float], None] | None = None,
        children: Dictionary[str, pa.Table] | None = None,
        put_aside: Callable[[Transformed], Transformed] | None = None,
    ) -> Transformed:
        """Run over a table of text columns and ``_row``.

        Args:
            table: the rows.
            progress: called with the fraction done.
            children: child tables of the file by name; without them a child row is a position in
                the lists of the table, as in a mapping's own tests.
            put_aside: takes rows that may be nobody out of what was made.
        """
        parts = []
        table = as_codes(table)
        serials = serial_views(table, self._program.views)
        texts = Texts(table, serials)
        run = RuleRun(self._program, list(self.mapping.columns), texts)
        for start in range(0, max(table.num_rows, 1), SLICE):
            parts.append(self._slice(run, texts, start, children))
            if progress:
                progress(min(1.0, (start + SLICE) / max(table.num_rows, 1)))
        kinds = [part.children for part in parts if part.children is not None]
        done = Transformed(
            values=pa.concat_tables([part.values for part in parts]),
            children=pa.concat_tables(kinds) if kinds else None,
            rejects=pa.concat_tables([part.rejects for part in parts]),
            rejected=sum(part.rejected for part in parts),
            excluded=pa.concat_tables([part.excluded for part in parts]),
            folded=self._folded(table),
        )
        done = put_aside(done) if put_aside else done
        child = self._program.children
        views = [*self._program.views, *(child.compiled.views if child else ())]
        gone = pa.concat_arrays([done.excluded["_row"].combine_chunks(), done.aside])
        return replace(
            done,
            texts=file_texts(self.mapping, table, gone, done.rejects, views, serials, children),
            untied=self._untied(table, done.values["_row"].combine_chunks()),
        )

    def _slice(
        self, run: RuleRun, texts: Texts, start: int, given: Dictionary[str, pa.Table] | None
    ) -> Transformed:
        table = texts.table.slice(start, SLICE)
        found = run.rows(start, SLICE)
        names = pa.array([None, *(e.rule for e in self.mapping.exclude)], pa.string())
        rules = names.take(found["_excluded"].combine_chunks())
        if STANDING in self.mapping.columns:
            standing = found[STANDING].cast(pa.string()).combine_chunks()
            outside = pc.is_in(standing, value_set=pa.array(NOT_COUNTED))
            rules = pc.coalesce(rules, pc.if_else(outside, NOT_COUNTED_RULE, None))
        excluded = pc.is_valid(rules)
        exclusions = pa.table({"_row": found["_row"], "rule": rules}).filter(excluded)
        keep = pc.invert(excluded)
        if exclusions.num_rows:
            found = found.filter(keep)
        rejects = rejects_of(
            run.faults, found, lambda view: texts.rows(view, start, SLICE).filter(keep)
        )
        lists = bracket_rejects(self.mapping, table)
        if lists.num_rows:
            lists = lists.filter(pc.is_in(lists["source_row"], value_set=found["_row"].unique()))
            rejects = pa.concat_tables([apart_from(rejects, lists), lists])
        child = None
        if self._program.children is not None:
            child, child_rejects = self._children(table, found["_row"], given)
            rejects = pa.concat_tables([rejects, child_rejects])
        values = found.select(["_row", *self.mapping.columns])
        faulty = rejects["source_row"].unique()
        if len(faulty):
            values = values.filter(pc.invert(pc.is_in(values["_row"], value_set=faulty)))
        if child is not None:
            child = child.filter(pc.is_in(child["_row"], value_set=values["_row"].unique()))
        return Transformed(values, child, rejects, len(faulty), exclusions, frozenset())

    def _children(
        self, table: pa.Table, rows: pa.ChunkedArray, given: Dictionary[str, pa.Table] | None
    ) -> tuple[pa.Table, pa.Table]:
        query = self._program.children
        assert query is not None
        assert self.mapping.perpetrators is not None
        rule = self.mapping.perpetrators
        columns = rule.columns
        if rule.child is not None and given is not None:
            found = of_rows(given.get(rule.child), rows.combine_chunks())
        else:
            kept = table.filter(pc.is_in(table["_row"], value_set=rows.combine_chunks()))
            mark, aligned = rule.split or self.mapping.read.mark, rule.aligned or bool(rule.child)
            found = child_rows(kept, rule.sources(), mark, aligned)
        texts = Texts(as_codes(found))
        found = query.run(texts.by_row(query.compiled.views))
        rejects = rejects_of(query.compiled.faults, found, texts.rows)
        some = np.zeros(found.num_rows, dtype=bool)
        for name in columns:
            some |= found[name].is_valid().to_numpy()
        return found.select(["_row", *columns]).filter(pa.array(some)), rejects

    def _untied(self, table: pa.Table, records: pa.Array) -> dict[str, int]:
        rule = self.mapping.perpetrators
        if rule is None or rule.split is None or rule.aligned:
            return {}
        kept = table.filter(pc.is_in(table["_row"], value_set=records))
        return untied_values(kept, rule.sources(), rule.split)

    def _folded(self, table: pa.Table) -> frozenset[str]:
        header, found = Header(table.column_names), set()
        for view in self._program.views:
            name = header.find(view.column) if view.reading == "country" else None
            if name is not None:
                texts = table[name].unique().drop_null().to_pylist()
                bare = replace(view, reading="text")
                if any((cell := bare.read(t)) and look_up(cell).lossy for t in texts):
                    found.add(view.column)
        return frozenset(found)
