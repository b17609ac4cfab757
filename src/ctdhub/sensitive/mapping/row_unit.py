"""What a row of an unknown file is: a person, a report or a call, and whose number it carries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.i18n import Numeral, Text
from ctdhub.core.text import fold
from ctdhub.schema.roles import AGE, SEX
from ctdhub.sensitive.mapping.glance import Glance
from ctdhub.sensitive.mapping.header_words import says, word
from ctdhub.sensitive.mapping.sexes import sexes
from ctdhub.sensitive.mapping.values import number_of
from ctdhub.sensitive.mapping.vocabulary import vocabulary

SEXES = 6
"""Most texts of a column of sexes."""

SLIPS = 0.05
"""Share of the shared numbers up to which a second gender or birth date may be a slip."""


_LINE = re.compile("[0-9]{1,4}")

OLDER = 10
"""Years of age between two rows of one person that no file spans."""


@dataclass(frozen=True)
class SharedNumbers:
    """How many numbers stand in several rows, and how many of them speak of several people.

    Attributes:
        column: the column of the numbers.
        shared: numbers that stand in several rows.
        contradicted: those of them whose rows differ in what a person keeps.
        compared: whether the file has anything by which people can be told apart.
        line: a column that counts the rows of each number, if there is one.
    """

    column: str
    shared: int
    contradicted: int
    compared: bool
    line: str | None = None

    @property
    def several_people(self) -> bool:
        """Whether rows of one number are not one person, for all that the file says."""
        return not self.compared or self.contradicted > SLIPS * self.shared

    def said(self) -> Text:
        """What the steward should know of it."""
        if not self.compared:
            return Text(
                "numbers that appear in several rows: {n}; hash only if each is one person’s own",
                n=Numeral(self.shared),
            )
        return Text(
            "numbers that appear in several rows: {n}; of these, of several people: {k}",
            n=Numeral(self.shared),
            k=Numeral(self.contradicted),
        )


def people_in_a_row(headers: Iterable[str]) -> list[str]:
    """Columns of the sex or age of the first, second … person of one row; empty where none are.

    >>> people_in_a_row(["Victim 1 sex", "Victim 1 note", "Victim 2 sex"])
    ['Victim 1 sex', 'Victim 2 sex']
    >>> people_in_a_row(["sex", "Suspect 1 age", "Suspect 2 age", "language 1", "language 2"])
    []
    """
    alike: dict[str, list[str]] = {}
    for header in headers:
        without = " ".join(re.sub(r"\d+", " ", header).replace("_", " ").split())
        if without != header and not vocabulary().about_others(header):
            alike.setdefault(without, []).append(header)
    for without, found in alike.items():
        if len(found) > 1 and {SEX, AGE} & vocabulary().variables(without).keys():
            return found
    return []


def shared_numbers(
    table: pa.Table, number: str, births: Iterable[str], glances: Iterable[Glance]
) -> SharedNumbers | None:
    """Compare rows of an equal number; None where every number stands in one row.

    Args:
        table: text columns.
        number: the column with the number.
        births: columns of birth dates.
        glances: the other columns; those of sexes, roles and ages are compared.
    """
    filled = table.filter(pc.is_valid(table[number]))
    sizes = filled.group_by(number).aggregate([([], "count_all")])
    shared = sizes.filter(pc.greater(sizes["count_all"], 1))[number]
    if not len(shared):
        return None
    columns = list(glances)
    roles = not_victims(columns)
    kept = [*births, *([roles[0]] if roles else [])]
    kept += [c.name for c in columns if _is_of_sexes(c)]
    contradicted: set[str] = set()
    compared = False
    for column in dict.fromkeys(kept):
        counts = _by_number(filled, number, column, word, "count_distinct")
        compared |= len(pc.unique(filled[column].drop_null())) > 1
        contradicted |= set(counts.filter(pc.greater(counts["found"], 1))["number"].to_pylist())
    for seen in columns:
        if AGE in vocabulary().variables(seen.name) and not vocabulary().about_others(seen.name):
            oldest = _by_number(filled, number, seen.name, _age, "max")
            youngest = _by_number(filled, number, seen.name, _age, "min")
            apart = pc.greater(pc.subtract(oldest["found"], youngest["found"]), OLDER)
            contradicted |= set(oldest.filter(apart)["number"].to_pylist())
    line = next((c.name for c in columns if _counts_rows(filled, number, c)), None)
    return SharedNumbers(number, len(shared), len(contradicted), compared, line)


def _is_of_sexes(column: Glance) -> bool:
    return 1 < len(column.texts) <= SEXES and len(sexes(column.name, column.texts)) > 1


def _age(text: str) -> str | None:
    age = number_of(fold(text))
    return None if age is None else f"{age:07.2f}"


def _by_number(
    table: pa.Table, number: str, column: str, read: Callable[[str], str | None], what: str
) -> pa.Table:
    """What a column says for each number, in the order of the numbers: ``number``, ``found``."""
    encoded = table[column].combine_chunks().dictionary_encode()
    said = pa.array([read(text) for text in encoded.dictionary.to_pylist()], pa.string())
    keyed = pa.table({"number": table[number], "said": said.take(encoded.indices)}).drop_null()
    if what != "count_distinct":
        keyed = keyed.set_column(1, "said", keyed["said"].cast(pa.float64()))
    found = keyed.group_by("number").aggregate([("said", what)]).sort_by("number")
    return found.rename_columns(["number", "found"])


def _counts_rows(table: pa.Table, number: str, column: Glance) -> bool:
    """Whether a column numbers the rows of each number from 1 on."""
    lines = {text: int(fold(text)) for text in column.texts if _LINE.fullmatch(fold(text))}
    if not lines or len(lines) < len(column.texts):
        return False
    encoded = table[column.name].combine_chunks().dictionary_encode()
    read = pa.array([lines.get(text) for text in encoded.dictionary.to_pylist()], pa.int64())
    numbered = pa.table({"number": table[number], "line": read.take(encoded.indices)})
    found = numbered.group_by("number").aggregate(
        [("line", "min"), ("line", "max"), ("line", "count_distinct"), ([], "count_all")]
    )
    rows = found["count_all"]
    ends = pc.and_(pc.equal(found["line_min"], 1), pc.equal(found["line_max"], rows))
    each = pc.and_(ends, pc.equal(found["line_count_distinct"], rows))
    return bool(pc.all(each.fill_null(False)).as_py())


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
