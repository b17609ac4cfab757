"""SDG indicator 16.2.2: victims of trafficking per 100,000 population, by sex, age and form.

Source of the shape: UN Statistics Division, metadata of indicator 16.2.2 (custodian UNODC), as
updated on 31 March 2023: the ratio of the total number of victims of trafficking in a country to
the population resident there, per 100,000.  That text was read in a copy of the metadata of the
World Bank's repository; which population UNODC divides its series by sex and age by was not found.
"""

from __future__ import annotations

from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, HARM, SEX
from ctdhub.stats.answers import Answers
from ctdhub.stats.mandated.lines import (
    Counter,
    MandatedLine,
    MandatedScope,
    MandatedTable,
    ages,
    forms,
)
from ctdhub.stats.table import YES

NAME = "sdg-16.2.2"


def sheet(answers: Answers, scope: MandatedScope) -> MandatedTable:
    """The table, one block of lines for each country and year."""
    lines = [
        line
        for place in scope.places
        for year in scope.years
        for line in _block(answers, Counter(answers, place, (year,), scope.population))
    ]
    return MandatedTable(NAME, scope, tuple(lines))


def _block(answers: Answers, counter: Counter) -> list[MandatedLine]:
    schema, form = load_schema(), "form_of_exploitation"
    indicator = schema.groups[HARM].indicator or ""
    known = [v for v in answers.domain(indicator) if v != YES]
    return [
        counter.line("total", "all", {}),
        *counter.split("sex", SEX, [(g, [g]) for g in answers.domain(SEX)]),
        *counter.split("age", AGE, ages(answers)),
        *(counter.line(form, flag, {flag: [YES]}) for flag in forms(answers)),
        counter.line(form, "not_recorded", {indicator: [*known, ""]}),
        counter.line("sex_by_age_by_form", "all", {}, measured=False),
    ]
