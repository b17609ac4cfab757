"""Why a rule rejects a row, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.i18n import Named, Text, in_english, joined
from ctdhub.schema import countries
from ctdhub.schema.country_names import resolve
from ctdhub.sensitive.ingest.rejects import as_fields
from ctdhub.sensitive.mapping.parsers import View

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
