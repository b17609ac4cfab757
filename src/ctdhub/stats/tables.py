"""Tables of one question: every row a number card, with the right denominator."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import DESTINATION, ORIGIN, PERIOD
from ctdhub.stats.answers import Answer, Answers, Where
from ctdhub.stats.cards import NumberCard, card

ENDS = frozenset((ORIGIN, DESTINATION))
"""The variables that a corridor lies between: no others may limit :func:`corridors`."""
NOT_RECORDED = ""
YES = "yes"

Kind = Literal["value", "not_recorded", "nobody_reports"]


@dataclass(frozen=True)
class Row:
    """One row: codes of its values, its kind, people, and their share of the denominator.

    ``kind`` tells the blanks apart: "value"; "not_recorded" (people whose answer is not known);
    "nobody_reports" (no contributor covers it, so there can be no count).
    """

    codes: tuple[str, ...]
    kind: Kind
    people: NumberCard
    share: NumberCard | None = None


@dataclass(frozen=True)
class Table:
    """Rows of one question, the people they refer to, and the share whose answer is unknown.

    ``rival`` is the highest upper end, in people, of what has no row here.
    """

    variables: tuple[str, ...]
    rows: tuple[Row, ...]
    base: NumberCard
    missing: float | None
    rival: float = 0

    @property
    def largest(self) -> Row | None:
        """The row that has the most people beyond doubt: its interval overlaps no other one.

        Rows that are too few to show, and what has no row, are rivals with their upper ends.  "Not
        recorded" is left out; None where no row stands out, or a rival was not measured.
        """
        shown = self._shown()
        if not shown or (shown[0].people.low or 0) <= self._highest(without=shown[:1]):
            return None
        return shown[0]

    def top(self, most: int) -> Table:
        """The rows that are shown and have the most people, and "not recorded"."""
        kept = self._shown()[:most]
        unknown = [r for r in self.rows if r.kind == "not_recorded"]
        return replace(self, rows=(*kept, *unknown), rival=self._highest(without=kept))

    def _shown(self) -> list[Row]:
        shown = [r for r in self.rows if r.kind == "value" and r.people.value is not None]
        return sorted(shown, key=lambda r: -(r.people.value or 0))

    def _highest(self, without: Collection[Row]) -> float:
        """Highest upper end of all but some rows; endless where one was not measured."""
        rest = [r.people.high for r in self.rows if r.kind == "value" and r not in without]
        return max([self.rival, *(math.inf if high is None else high for high in rest)])


def distribution(answers: Answers, variable: str, among: Where | None = None) -> Table:
    """People by the values of one variable, "not recorded" as its last row.

    Shares refer to the people whose answer is recorded.  Years after the release have no row.

    Args:
        among: conditions on other variables; all people by default.
    """
    among, values = among or {}, answers.domain(variable)
    recorded: Where = {**among, variable: values}
    missing = missing_share(answers, among, recorded)
    base = _base(answers, recorded, missing)
    rows = []
    for value in values:
        if variable == PERIOD and value > answers.release.year:
            continue
        one: Where = {**among, variable: [value]}
        rows.append(
            Row(
                (value,),
                "value" if reported(answers, variable, value) else "nobody_reports",
                _people(answers, answers.count(one), missing),
                _share(answers, one, recorded, base, missing),
            )
        )
    unknown = answers.count({**among, variable: [NOT_RECORDED]})
    rows.append(Row((NOT_RECORDED,), "not_recorded", _people(answers, unknown, missing)))
    return Table((variable,), tuple(rows), base, missing)


def flag_group(answers: Answers, group: str, among: Where | None = None) -> Table:
    """People by the flags of a group.

    The denominator is the people for whom some flag of the group is yes; the others leave it,
    because an empty flag cannot be told from "no" there.  A person may have several flags, so
    shares may add up to more than one.

    Args:
        among: conditions on other variables; all people by default.
    """
    among, schema = among or {}, load_schema()
    indicator = schema.groups[group].indicator
    if indicator is None:
        raise KeyError(group)
    some: Where = {**among, indicator: [YES]}
    missing = missing_share(answers, among, some)
    base = _base(answers, some, missing)
    rows = [
        Row(
            (flag,),
            "value",
            _people(answers, answers.count({**among, flag: [YES]}), missing),
            _share(answers, {**among, flag: [YES]}, some, base, missing),
        )
        for flag in schema.flags(group)
        if flag in answers.variables
    ]
    rows.sort(key=lambda r: -(r.people.value or 0))
    outside = _difference(answers.count(among), answers.count(some))
    rows.append(Row((NOT_RECORDED,), "not_recorded", _people(answers, outside, missing)))
    return Table((indicator,), tuple(rows), base, missing)


def corridors(answers: Answers, most: int = 12, among: Where | None = None) -> Table | None:
    """The largest corridors: country of citizenship and country of exploitation.

    None where this release did not measure that table.

    Args:
        most: how many.
        among: values of one of the two countries, or of both; all corridors by default.

    Raises:
        ValueError: a condition on something else, which this table cannot answer.
    """
    among = among or {}
    if not among.keys() <= ENDS:
        raise ValueError("corridors know conditions on their two countries only")
    key = answers.measured(ORIGIN, DESTINATION)
    if key is None:
        return None
    cells = answers.cells(ORIGIN, DESTINATION)
    known = [pair for pair in cells if all(pair) and _among(pair, among)]
    known.sort(key=lambda pair: (-cells[pair].value, pair))
    both: Where = {
        ORIGIN: answers.domain(ORIGIN),
        DESTINATION: answers.domain(DESTINATION),
        **among,
    }
    missing = missing_share(answers, among, both)
    base = _base(answers, both, missing)
    rows = []
    for origin, place in known[:most]:
        pair: Where = {ORIGIN: [origin], DESTINATION: [place]}
        people = _people(answers, answers.count(pair), missing)
        share = _share(answers, pair, both, base, missing)
        rows.append(Row((origin, place), "value", people, share))
    outside = _difference(answers.count(among), answers.count(both))
    rows.append(Row((NOT_RECORDED,), "not_recorded", _people(answers, outside, missing)))
    rival = max([answers.unseen(key), *(cells[pair].high for pair in known[most : most + 1])])
    return Table((ORIGIN, DESTINATION), tuple(rows), base, missing, rival)


def reported(answers: Answers, variable: str, value: str) -> bool:
    """Whether some contributor covers a year; other variables are covered by all."""
    if variable != PERIOD:
        return True
    spans = [c.years or answers.years for c in answers.release.facts.contributors]
    return any(first <= int(value) <= last for first, last in spans)


def _among(pair: tuple[str, ...], among: Where) -> bool:
    places = zip((ORIGIN, DESTINATION), pair, strict=True)
    return all(name not in among or code in among[name] for name, code in places)


def missing_share(answers: Answers, among: Where, recorded: Where) -> float | None:
    """Share of the people of ``among``, in 0..1, whose answer is not recorded; None if unknown."""
    total, known = answers.count(among).value, answers.count(recorded).value
    if not total or known is None:
        return None
    return min(1.0, max(0.0, 1 - known / total))


def _difference(whole: Answer, part: Answer) -> Answer:
    """People of ``whole`` outside ``part``; the errors of the two add in quadrature."""
    if part.value is None or whole.value is None:
        return Answer(None, None, None)
    value = max(0.0, whole.value - part.value)
    half = sum(
        max((a.high or 0) - (a.value or 0), (a.value or 0) - (a.low or 0)) ** 2
        for a in (whole, part)
    )
    spread = round(half**0.5)
    return Answer(value, max(0.0, value - spread), value + spread)


def _base(answers: Answers, recorded: Where, missing: float | None) -> NumberCard:
    return _people(answers, answers.count(recorded), missing)


def _people(answers: Answers, answer: Answer, missing: float | None) -> NumberCard:
    return card(answers.release, answer, "people", missing=missing)


def _share(
    answers: Answers, part: Where, whole: Where, base: NumberCard, missing: float | None
) -> NumberCard:
    denominator = None if base.value is None else round(base.value)
    return card(
        answers.release,
        answers.share(part, whole),
        "share",
        denominator=denominator,
        missing=missing,
    )
