"""What is not decided, or not taken from a file, and what it costs; said before it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ctdhub.core.i18n import Numeral, Text, field_from_json, many
from ctdhub.schema.roles import AGE, ORIGIN, PERIOD, SEX
from ctdhub.sensitive.mapping.header_words import says
from ctdhub.sensitive.mapping.vocabulary import vocabulary
from ctdhub.sensitive.workbench.bench import Bench
from ctdhub.sensitive.workbench.readings import named


@dataclass(frozen=True)
class Lack:
    """Something that is missing.

    Attributes:
        text: what, and what it costs.
        blocks: whether no bundle is made, or no release built, before it is decided.
        columns: columns of the file by which it can be mended.
    """

    text: Text
    blocks: bool
    columns: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As ``ask`` says it."""
        return {"text": self.text.as_json(), "blocks": self.blocks, "columns": [*self.columns]}


def missing(
    at: Bench,
    verdicts: list[dict[str, Any]],
    questions: int,
    two_orders: tuple[str, int, int] | None,
) -> list[Lack]:
    """What is missing, what blocks first.

    Args:
        at: the draft with its file.
        verdicts: on all columns.
        questions: about the whole file that nobody has answered.
        two_orders: a column of dates with the day first and dates with the month first, with the
            rows of each.
    """
    found = [*_columns(verdicts), *_variables(at, verdicts)]
    if two_orders:
        column, day, month = two_orders
        text = Text(
            "Dates are written in two orders: with the day first in {day} rows, with the month "
            "first in {month}. Of the others only the year is certain.",
            day=Numeral(day),
            month=Numeral(month),
        )
        found.append(Lack(text, False, (column,)))
    if questions:
        found.append(
            Lack(
                many(
                    "{n} question about the whole file is not answered.",
                    "{n} questions about the whole file are not answered.",
                    questions,
                ),
                blocks=False,
            )
        )
    return sorted(found, key=lambda one: not one.blocks)


def _columns(verdicts: list[dict[str, Any]]) -> Iterator[Lack]:
    stops = [one for one in verdicts if one["state"] == "stops"]
    persons = tuple(one["column"] for one in stops if one["identifier"])
    gone = tuple(one["column"] for one in stops if one["gone"])
    unknown = tuple(one["column"] for one in stops if one["column"] not in (*persons, *gone))
    rows = sum(one["unknown"]["rows"] for one in stops if one["column"] in unknown)
    open_ = tuple(one["column"] for one in verdicts if one["state"] == "decide")
    if persons:
        text = many(
            "{n} column may identify a person: no bundle is made before you decide.",
            "{n} columns may identify a person: no bundle is made before you decide.",
            len(persons),
        )
        yield Lack(text, True, persons)
    if gone:
        text = many(
            "{n} column that the mapping reads is missing from the file: nothing can be read.",
            "{n} columns that the mapping reads are missing from the file: nothing can be read.",
            len(gone),
        )
        yield Lack(text, True, gone)
    if unknown:
        text = many(
            "{n} row has a text that no rule reads: it is not counted, and the hub will send the "
            "file back.",
            "{n} rows have a text that no rule reads: they are not counted, and the hub will send "
            "the file back.",
            rows,
        )
        yield Lack(text, True, unknown)
    if agreed := tuple(c for c in open_ if says(c, vocabulary().consent)):
        yield Lack(
            Text("Nobody is left out for lack of consent yet: decide about the column."),
            False,
            agreed,
        )
    if open_:
        text = many(
            "{n} column is not decided: what it says is not sent and not counted.",
            "{n} columns are not decided: what they say is not sent and not counted.",
            len(open_),
        )
        yield Lack(text, False, open_)


def _variables(at: Bench, verdicts: list[dict[str, Any]]) -> Iterator[Lack]:
    """Years, sexes, ages and citizenships that nothing fills, or that many records lack."""
    records = int(at.effect.records.sum())
    for variable in (PERIOD, SEX, AGE, ORIGIN):
        value = at.effect.value(variable)
        label = field_from_json(named(variable))
        if value is None:
            likely = tuple(
                one["column"]
                for one in verdicts
                if not one["targets"] and variable in vocabulary().variables(one["column"])
            )
            text = Text("Nothing is read as “{variable}”: nobody is counted by it.", variable=label)
            if variable == PERIOD:
                text = many(
                    "No year is taken from this file: its {n} record cannot be counted by year.",
                    "No year is taken from this file: its {n} records cannot be counted by year.",
                    records,
                )
            yield Lack(text, False, likely)
        elif variable == PERIOD and records:
            lost = int(((value[0][value[1]] == 0) & at.effect.records).sum())
            if lost:
                read = tuple(one["column"] for one in verdicts if _reads(one, variable))
                text = many(
                    "{n} record has no year: it cannot be counted by year.",
                    "{n} records have no year: they cannot be counted by year.",
                    lost,
                )
                yield Lack(text, False, read)


def _reads(verdict: dict[str, Any], variable: str) -> bool:
    return any(target["variable"] == variable for target in verdict["targets"])
