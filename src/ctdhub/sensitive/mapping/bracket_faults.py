"""Cells that begin like a list in brackets and that a rule cannot read: their rows are rejected.

Taken apart by another separator such a cell would say that everything is absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.text import fold, trim
from ctdhub.sensitive.ingest.raw import has_byte
from ctdhub.sensitive.mapping.brackets import OPENING, broken, listed
from ctdhub.sensitive.mapping.known_texts import KnownTexts
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import Header
from ctdhub.sensitive.mapping.row_faults import LOCAL, Fault, FaultKind, rejects_at
from ctdhub.sensitive.mapping.rule import Exclusion


class _Use(NamedTuple):
    """A column as a rule reads it; a single value, unless the rule can do with a list."""

    target: str
    column: str
    single: bool


def bracket_rejects(mapping: Mapping, table: pa.Table) -> pa.Table:
    """One reject (``row_faults.LOCAL``) for each such cell.

    A rule that makes unknown texts null (``unknown: null``) asks for none.

    Args:
        mapping: the mapping.
        table: text columns and ``_row``.
    """
    parts, header = [LOCAL.empty_table()], Header(table.column_names)
    seen, named = dict[str, bool](), KnownTexts(mapping)
    for use in _uses(mapping):
        name = header.find(use.column)
        if name is not None and seen.setdefault(name, has_byte(table[name], "".join(OPENING))):
            encoded = table[name].combine_chunks().dictionary_encode()
            nothing = named.known(use.column) - named.decided(use.column) | {""}
            texts = map(trim, encoded.dictionary.to_pylist())
            kinds = [
                _fault(cell, named.in_brackets, nothing if use.single else None) for cell in texts
            ]
            here = pa.array(kinds, pa.string()).take(encoded.indices)
            for kind in {kind for kind in kinds if kind}:
                rows = table["_row"].filter(pc.equal(here, kind).fill_null(False))
                parts.append(rejects_at(Fault(kind, use.target, use.column), rows))
    return pa.concat_tables(parts)


def apart_from(rejects: pa.Table, others: pa.Table) -> pa.Table:
    """The rejects of cells that the others do not reject already."""
    if not others.num_rows:
        return rejects
    cells = set(zip(others["source_row"].to_pylist(), others["column"].to_pylist(), strict=True))
    own = zip(rejects["source_row"].to_pylist(), rejects["column"].to_pylist(), strict=True)
    return rejects.filter(pa.array([cell not in cells for cell in own], pa.bool_()))


def _uses(mapping: Mapping) -> Iterator[_Use]:
    """Each column once for lists and once for single values."""
    found: dict[tuple[str, bool], _Use] = {}
    for place, rule in mapping.uses():
        if isinstance(rule, Exclusion):
            for column in rule.columns():
                found.setdefault((fold(column), False), _Use(column, column, single=False))
            continue
        for column in rule.columns() if rule.unknown != "null" else ():
            lists = rule.has or rule.split or place[0] == "perpetrators"
            single = column == rule.at or (column in rule.source and not lists)
            use = _Use(str(place[-1]), column, single)
            found.setdefault((fold(column), single), use)
    yield from sorted(found.values(), key=lambda use: use.single)


def _fault(cell: str, spelt: frozenset[str], nothing: frozenset[str] | None) -> FaultKind | None:
    """What is wrong; where one value is wanted, texts that mean ``nothing`` are none."""
    if broken(cell, spelt):
        return "broken-list"
    if nothing is None or fold(cell) in spelt:
        return None
    several = sum(fold(element) not in nothing for element in listed(cell) or ()) > 1
    return "several-values" if several else None
