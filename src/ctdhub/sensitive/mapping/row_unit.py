"""What a row of an unknown file is: a person, a report or a call, and whose number it carries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.i18n import Numeral, Text
from ctdhub.sensitive.mapping.glance import Glance
from ctdhub.sensitive.mapping.vocabulary import says, vocabulary, word

SLIPS = 0.05
"""Share of the shared numbers up to which a second gender or birth date may be a slip."""


@dataclass(frozen=True)
class SharedNumbers:
    """How many numbers stand in several rows, and how many of them speak of several people."""

    shared: int
    contradicted: int

    @property
    def several_people(self) -> bool:
        """Whether rows of one number are not one person."""
        return self.contradicted > SLIPS * self.shared

    def said(self) -> Text:
        """What the steward should know of it."""
        return Text(
            "numbers that stand in several rows: {n}; of these, with two genders or births: {k}",
            n=Numeral(self.shared),
            k=Numeral(self.contradicted),
        )


def shared_numbers(table: pa.Table, number: str, fixed: Iterable[str]) -> SharedNumbers:
    """Compare rows of an equal number.

    Args:
        table: text columns.
        number: the column with the number.
        fixed: columns that stay the same for one person: gender, date of birth.
    """
    filled = table.filter(pc.is_valid(table[number]))
    sizes = filled.group_by(number).aggregate([([], "count_all")])
    shared = sizes.filter(pc.greater(sizes["count_all"], 1))[number]
    contradicted: set[str] = set()
    for column in fixed:
        said = filled.select([number, column]).drop_null()
        encoded = said[column].combine_chunks().dictionary_encode()
        words = pa.array([word(text) for text in encoded.dictionary.to_pylist()], pa.string())
        keyed = pa.table({"number": said[number], "said": words.take(encoded.indices)})
        counts = keyed.group_by("number").aggregate([("said", "count_distinct")])
        several = counts.filter(pc.greater(counts["said_count_distinct"], 1))
        contradicted |= set(several["number"].to_pylist())
    return SharedNumbers(len(shared), len(contradicted))


def unit_of(columns: Iterable[str]) -> str | None:
    """``report`` or ``call`` where a header gives it away, else None: probably a person.

    >>> unit_of(["call date", "topic"]), unit_of(["number of victims"]), unit_of(["sex", "age"])
    ('call', 'report', None)
    """
    headers = list(columns)
    for unit, phrases in vocabulary().units.items():
        if any(says(header, phrases) for header in headers):
            return unit
    return None


def not_victims(glances: Iterable[Glance]) -> tuple[str, list[str]] | None:
    """The column that says who a row is about, if any, with its texts that are no victims."""
    for column in glances:
        if not column.coded:
            continue
        others = [t for t in column.texts if says(t, vocabulary().others)]
        if others and any(says(t, vocabulary().victims) for t in column.texts):
            return column.name, others
    return None
