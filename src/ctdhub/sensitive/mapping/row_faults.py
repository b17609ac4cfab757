"""Why a rule rejects a row, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.i18n import Named, Text, in_english, joined
from ctdhub.core.tables import fold, trim
from ctdhub.schema import countries
from ctdhub.schema.countries import resolve
from ctdhub.sensitive.ingest.raw import has_byte
from ctdhub.sensitive.ingest.rejects import as_fields
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import OPENING, Header, View, broken, listed
from ctdhub.sensitive.mapping.rule import Exclusion
from ctdhub.sensitive.mapping.texts import KnownTexts

FaultKind = Literal[
    "unknown-code", "unknown-country", "unparsable-date", "year-bounds", "age-bounds",
    "broken-list", "several-values",
]  # fmt: skip

NEAREST = 200
"""Distinct unknown country names per slice and column for which the nearest one is looked up."""


@dataclass(frozen=True)
class Fault:
    """Why a rule rejects a row.

    Attributes:
        kind: the rule that is broken.
        target: the hub variable.
        column: the source column (the hub variable for a constant or ``from_hub``).
        text: for countries the view that holds the offending text.
    """

    kind: FaultKind
    target: str
    column: str
    text: View | None = None

    def reason(self) -> Text:
        """What is wrong, without the text that is."""
        column = self.column
        return {
            "unknown-code": Text(
                "The value in {column} is not a code defined in the mapping or in {target}.",
                column=column,
                target=self.target,
            ),
            "unknown-country": Text(
                "The text in {column} is not a known name or code of a country.", column=column
            ),
            "unparsable-date": Text(
                "The text in {column} is not a date whose year is certain. Dates are read as "
                "2020-03-12, 20200312, 12/03/2020, 12 March 2020 (in English, French, Spanish or "
                "Arabic), 03/2020, March 2020 or 2020; two-digit years where the mapping says "
                "their century under dates; Excel's numbers of days where the whole column holds "
                "them.",
                column=column,
            ),
            "year-bounds": Text("The year in {column} is outside the hub's years.", column=column),
            "broken-list": Text(
                "The cell in {column} begins like a list in brackets but cannot be read as one: "
                "correct it, or name the text as it is in the rule.",
                column=column,
            ),
            "several-values": Text(
                "The cell in {column} holds a list of several texts: give the rule split and take, "
                "or has.",
                column=column,
            ),
            "age-bounds": Text("The age in {column} is below 0 or above 120.", column=column),
        }[self.kind]

    def country_reason(self, text: str, search: bool) -> Text:
        """The reason with the nearest country name, which is public, in place of the text."""
        found = resolve(text) if search else None
        if found and found.several:
            return Text(
                "The text in {column} stands for several countries: decide in the map.",
                column=self.column,
            )
        if found and (code := found.nearest):
            name = Named.of(lambda lang: countries.name(code, lang))
            near = Text("The nearest name is {name} ({code}).", name=name, code=code)
            return joined([self.reason(), near], " ")
        return self.reason()


LOCAL = pa.schema(
    [
        ("source_row", pa.int64()),
        ("target", pa.string()),
        ("column", pa.string()),
        ("rule", pa.string()),
        ("reason", pa.string()),
        ("fields", pa.string()),
    ]
)
"""A reject of a slice: the hub's reject table with the hub variable and without the file."""


def rejects_of(
    faults: tuple[Fault, ...], found: pa.Table, read: Callable[[View], pa.ChunkedArray]
) -> pa.Table:
    """One row per fault.

    Args:
        faults: fault number n is ``faults[n - 1]``.
        found: ``_row`` and the columns ``fault:<variable>``.
        read: gives a view, row by row as in ``found``.
    """
    parts = [LOCAL.empty_table()]
    for name in found.column_names:
        if not name.startswith("fault:"):
            continue
        numbers = found[name]
        for number in pc.unique(numbers).to_pylist():
            if not number:
                continue
            fault = faults[number - 1]
            here = pc.equal(numbers, number)
            rows = found["_row"].filter(here)
            if fault.text is None:
                parts.append(rejects_at(fault, rows))
                continue
            encoded = read(fault.text).filter(here).combine_chunks().dictionary_encode()
            reasons = [
                fault.country_reason(text, search=i < NEAREST)
                for i, text in enumerate(encoded.dictionary.to_pylist())
            ]
            parts.append(_rejects(fault, rows, reasons, encoded.indices))
    return pa.concat_tables(parts)


def rejects_at(fault: Fault, rows: pa.Array) -> pa.Table:
    """The rejects of rows for one fault; its reason is the same for all."""
    return _rejects(fault, rows, [fault.reason()], _repeated(0, len(rows)))


def _rejects(fault: Fault, rows: pa.Array, reasons: list[Text], places: pa.Array) -> pa.Table:
    return pa.table(
        [
            rows,
            _repeated(fault.target, len(rows)),
            _repeated(fault.column, len(rows)),
            _repeated(fault.kind, len(rows)),
            pa.array(map(in_english, reasons), pa.string()).take(places),
            pa.array(map(as_fields, reasons), pa.string()).take(places),
        ],
        schema=LOCAL,
    )


def _repeated(value: str | int, times: int) -> pa.Array:
    return pa.repeat(pa.scalar(value), times)


# --------------------------------------------------------------------------------------------------
# Cells that begin like a list in brackets and that a rule cannot read: their rows are rejected.
#
# Taken apart by another separator such a cell would say that everything is absent.


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
