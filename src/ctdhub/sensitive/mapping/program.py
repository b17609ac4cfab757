"""What the rules of a mapping make of rows: worked out by text where a rule reads one column."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.tabular import ROW
from ctdhub.sensitive import duck
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import View
from ctdhub.sensitive.mapping.row_faults import Fault
from ctdhub.sensitive.mapping.texts import Texts, narrow

if TYPE_CHECKING:
    from ctdhub.sensitive.mapping.compile import Compiled

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
