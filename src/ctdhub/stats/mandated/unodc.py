"""UNODC's questionnaire for the Global Report on Trafficking in Persons, for a country and a year.

Source of the shape: UNODC, questionnaire for the Global Report 2016: question 1, offences recorded
by year; question 2, persons brought into formal contact with the police or the courts, by sex and
year.  These two were read.  What the table asks of prosecutions, convictions and victims (by sex
and minor or adult, form of exploitation, citizenship, nationals abroad) follows what the Global
Reports tabulate: the wording of those questions was not read.
"""

from __future__ import annotations

from ctdhub.schema.roles import AGE, DESTINATION, ORIGIN, SEX
from ctdhub.stats.answers import Answers
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

NAME = "unodc"
MOST = 10
"""Citizenships that are listed, the largest."""
OFFENDERS = ("formal_contact", "prosecuted", "convicted")
"""What the questionnaire asks of persons by sex.  A release has no alleged perpetrators by country
and year."""


def sheet(answers: Answers, scope: MandatedScope) -> MandatedTable:
    """The table: blocks of lines for each country and year, then for the country in all years."""
    lines = []
    for place in scope.places:
        for year in scope.years:
            lines += _block(answers, Counter(answers, place, (year,)))
        lines += _always(answers, Counter(answers, place, ()))
    return MandatedTable(NAME, scope, tuple(lines))


def _block(answers: Answers, counter: Counter) -> list[MandatedLine]:
    genders = answers.domain(SEX)
    lines = [counter.not_held("offences", "all")]
    lines += [counter.not_held(asked, sex) for asked in OFFENDERS for sex in ("all", *genders)]
    lines += [
        counter.line("total", "all", {}),
        *standings(answers, counter),
        *counter.split("sex", SEX, [(g, [g]) for g in genders]),
        *counter.split("age", AGE, ages(answers)),
        *(counter.line("form_of_exploitation", f, {f: [YES]}) for f in forms(answers)),
    ]
    lines += most_frequent(answers, counter, MOST)
    others = [c for c in answers.domain(ORIGIN) if c != counter.country]
    abroad = {ORIGIN: [counter.country], DESTINATION: others}
    return [*lines, counter.elsewhere("place_of_exploitation", "nationals_abroad", abroad)]


def _always(answers: Answers, always: Counter) -> list[MandatedLine]:
    """Sex with minor or adult, of all years: the two are not measured together by year."""
    return [
        always.line("sex_by_age", f"{gender}:{name}", {SEX: [gender], AGE: bands})
        for gender in answers.domain(SEX)
        for name, bands in ages(answers)
    ]
