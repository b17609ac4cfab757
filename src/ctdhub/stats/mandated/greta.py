"""A table in the shape of what GRETA asks of parties to the Council of Europe's convention.

Source of the shape: Council of Europe, GRETA, questionnaires on how parties carry out the
Convention on Action against Trafficking in Human Beings (CETS 197): victims by sex, age,
nationality, form of exploitation, national or transnational, and their assistance.  Its fourth
round of evaluation began on 30 June 2023; the questions of that round's questionnaire on statistics
were not read.
"""

from __future__ import annotations

from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, CHANNEL, DESTINATION, ORIGIN, SEX, TECHNOLOGY
from ctdhub.stats.answers import Answers
from ctdhub.stats.equity import RECEIVED, kinds
from ctdhub.stats.mandated.lines import (
    Counter,
    MandatedLine,
    MandatedScope,
    MandatedTable,
    ages,
    forms,
    most_frequent,
    standings,
)
from ctdhub.stats.table import YES

NAME = "greta"
MOST = 10
"""Nationalities that are listed, the largest."""
PREFIX = "assistance_"
"""What the variables of assistance begin with; the categories of their lines leave it out."""


def sheet(answers: Answers, scope: MandatedScope) -> MandatedTable:
    """The table: one block of lines for each country, all years of the scope together."""
    years = () if scope.every else scope.years
    lines = [
        line for place in scope.places for line in _block(answers, Counter(answers, place, years))
    ]
    return MandatedTable(NAME, scope, tuple(lines))


def _block(answers: Answers, counter: Counter) -> list[MandatedLine]:
    lines = [
        counter.line("total", "all", {}),
        *standings(answers, counter),
        *counter.split("sex", SEX, [(g, [g]) for g in answers.domain(SEX)]),
        *counter.split("age", AGE, ages(answers)),
    ]
    for flag in forms(answers):
        lines.append(counter.line("form_of_exploitation", flag, {flag: [YES]}))
    lines += most_frequent(answers, counter, MOST)
    lines.append(counter.line("nationality", "not_recorded", {ORIGIN: [""]}))
    always = Counter(answers, counter.country, ())
    return [
        *lines,
        *_within(answers, counter),
        *_of_group(answers, always, "recruitment", CHANNEL),
        *_of_group(answers, always, "technology", TECHNOLOGY),
        *_assistance(answers, always),
    ]


def _of_group(answers: Answers, always: Counter, dimension: str, group: str) -> list[MandatedLine]:
    """Flags of a group, of all years: they are not measured by year here; none where none is
    released."""
    schema = load_schema()
    held = [f for f in schema.flags(group) if f in answers.variables]
    if not held:
        return []
    some = schema.groups[group].indicator or ""
    lines = [always.line(dimension, "recorded", {some: [YES]})] if some in answers.variables else []
    return [*lines, *(always.line(dimension, f, {f: [YES]}) for f in held)]


def _within(answers: Answers, counter: Counter) -> list[MandatedLine]:
    """Nationals and others exploited in the country, nationals exploited elsewhere."""
    place, home = "place_of_exploitation", [counter.country]
    others = [c for c in answers.domain(ORIGIN) if c != counter.country]
    return [
        counter.line(place, "nationals", {ORIGIN: home}),
        counter.line(place, "foreigners", {ORIGIN: others}),
        counter.elsewhere(place, "nationals_abroad", {ORIGIN: home, DESTINATION: others}),
    ]


def _assistance(answers: Answers, always: Counter) -> list[MandatedLine]:
    """People who received each kind, of all years: assistance is not measured by year here."""
    return [
        always.line("assistance", f"{kind.removeprefix(PREFIX)}:{category}", {kind: statuses})
        for kind in kinds(answers)
        for category, statuses in (("recorded", answers.domain(kind)), (RECEIVED, (RECEIVED,)))
    ]
