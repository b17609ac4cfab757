"""Elements of lists that no rule knows: counted, so that nothing is passed over in silence."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary

import pyarrow as pa

from ctdhub.core.text import fold, trim
from ctdhub.sensitive.mapping.children import of_rows
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import Header, elements_of
from ctdhub.sensitive.mapping.rule import Rule


def ignored(
    mapping: Mapping, table: pa.Table, children: Dictionary[str, pa.Table] | None = None
) -> dict[str, int]:
    """For each source column that a rule searches (``has``), its elements that no rule knows.

    Where rules take one column apart in several ways, the way that leaves least over counts.

    Args:
        mapping: the mapping.
        table: text columns; rows that became records.
        children: child tables of the file by name, if there are any.
    """
    ways: dict[str, dict[str | None, frozenset[str]]] = {}
    for place, rule in mapping.uses():
        if isinstance(rule, Rule) and rule.has:
            child = mapping.perpetrators if place[0] == "perpetrators" else None
            for column in rule.source:
                split = child.split if child and child.split else rule.split
                ways.setdefault(column, {})[split] = mapping.known(column)
    cells = {name: table[name] for name in table.column_names}
    if (rules := mapping.perpetrators) and rules.child and children:
        rows = of_rows(children.get(rules.child), table["_row"].combine_chunks())
        cells |= {name: rows[name] for name in rows.column_names}
    header, found = Header(cells), dict[str, int]()
    for column, known in ways.items():
        if (name := header.find(column)) is not None:
            counts = cells[name].drop_null().value_counts().to_pylist()
            found[column] = sum(_least(e["values"], known) * e["counts"] for e in counts)
    return found


def _least(text: str, ways: dict[str | None, frozenset[str]]) -> int:
    cell = trim(text)
    return min(
        sum(fold(e) not in known for e in elements_of(cell, split)) for split, known in ways.items()
    )
