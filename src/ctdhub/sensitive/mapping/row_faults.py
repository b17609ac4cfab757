"""Why a rule rejects a row, and the sentence that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import pyarrow as pa

from ctdhub.core.i18n import Named, Text, in_english, joined
from ctdhub.schema import countries
from ctdhub.schema.countries import resolve
from ctdhub.sensitive.ingest.rejects import as_fields

FaultKind = Literal[
    "unknown-code", "unknown-country", "unparsable-date", "year-bounds", "age-bounds",
    "broken-list", "several-values",
]  # fmt: skip


class Taken(NamedTuple):
    """How one value is taken out of a cell.

    Attributes:
        nulls: folded texts that mean "not recorded", for the cell and for each element.
        spelt: folded texts in brackets that the mapping names as they are: they are no lists.
        split: separator of a list; only white space means any white space.
        take: which element stands for the list.
    """

    nulls: frozenset[str]
    spelt: frozenset[str]
    split: str | None = None
    take: Literal["first", "last"] | None = None


@dataclass(frozen=True)
class Fault:
    """Why a rule rejects a row.

    Attributes:
        kind: the rule that is broken.
        target: the hub variable.
        column: the source column (the hub variable for a constant or ``from_hub``).
        text: for countries how the offending text is taken out of the cell.
    """

    kind: FaultKind
    target: str
    column: str
    text: Taken | None = None

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


def rejects_at(
    fault: Fault, rows: pa.Array, reasons: list[Text] | None = None, places: pa.Array = None
) -> pa.Table:
    """The rejects of rows for one fault.

    Args:
        fault: why.
        rows: their numbers.
        reasons: where they differ, each once, with the ``places`` of the rows among them.
    """
    said = reasons or [fault.reason()]
    places = _repeated(0, len(rows)) if reasons is None else places
    return pa.table(
        [
            rows,
            _repeated(fault.target, len(rows)),
            _repeated(fault.column, len(rows)),
            _repeated(fault.kind, len(rows)),
            pa.array(map(in_english, said), pa.string()).take(places),
            pa.array(map(as_fields, said), pa.string()).take(places),
        ],
        schema=LOCAL,
    )


def _repeated(value: str | int, times: int) -> pa.Array:
    return pa.repeat(pa.scalar(value), times)
