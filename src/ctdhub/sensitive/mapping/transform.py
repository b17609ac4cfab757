"""A mapping run over rows: values, exclusions and faults, in slices that fit the memory."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.schema.country_names import look_up
from ctdhub.schema.roles import NOT_COUNTED, STANDING
from ctdhub.sensitive.mapping.bracket_faults import apart_from, bracket_rejects
from ctdhub.sensitive.mapping.children import child_rows, of_rows, untied_values
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import Header, serial_views
from ctdhub.sensitive.mapping.program import SLICE, Asked, RuleRun, program
from ctdhub.sensitive.mapping.read_texts import file_texts
from ctdhub.sensitive.mapping.row_faults import rejects_of
from ctdhub.sensitive.mapping.texts import Texts, as_codes
from ctdhub.sensitive.mapping.unknown_texts import FileTexts

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
    """

    values: pa.Table
    children: pa.Table | None
    rejects: pa.Table
    rejected: int
    excluded: pa.Table
    folded: frozenset[str]
    texts: FileTexts = field(default_factory=FileTexts)
    untied: dict[str, int] = field(default_factory=dict)


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
    ) -> Transformed:
        """Run over a table of text columns and ``_row``.

        Args:
            table: the rows.
            progress: called with the fraction done.
            children: child tables of the file by name; without them a child row is a position in
                the lists of the table, as in a mapping's own tests.
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
        values = pa.concat_tables([part.values for part in parts])
        rejects = pa.concat_tables([part.rejects for part in parts])
        excluded = pa.concat_tables([part.excluded for part in parts])
        child = self._program.children
        views = [*self._program.views, *(child.compiled.views if child else ())]
        left_out = excluded["_row"].combine_chunks()
        kept = values["_row"].combine_chunks()
        return Transformed(
            values=values,
            children=pa.concat_tables(kinds) if kinds else None,
            rejects=rejects,
            rejected=sum(part.rejected for part in parts),
            excluded=excluded,
            folded=self._folded(table),
            texts=file_texts(self.mapping, table, left_out, rejects, views, serials, children),
            untied=self._untied(table, kept),
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
