"""Eurostat (crim_thb): victims by sex and by citizenship, for a reporting country and a year.

Source of the shape: Eurostat, reference metadata of crim_thb: victims by legal status and sex, and
by citizenship (reporting country, other EU country, non-EU country); Directive 2011/36/EU, Art. 19.
Presumed and identified victims stand apart where the release tells them apart.
"""

from __future__ import annotations

from ctdhub.core.error_catalogue import error
from ctdhub.schema import countries
from ctdhub.schema.citizenship_group import NATIONAL, OTHER_EU, THIRD_COUNTRY
from ctdhub.schema.roles import RELATION, SEX
from ctdhub.stats.answers import Answers
from ctdhub.stats.mandated.lines import (
    Counter,
    MandatedLine,
    MandatedScope,
    MandatedTable,
    standings,
)
from ctdhub.stats.query import Where
from ctdhub.stats.table import NOT_RECORDED

NAME = "eurostat"


def sheet(answers: Answers, scope: MandatedScope) -> MandatedTable:
    """The table; of the countries of the scope those that are members of the EU.

    Raises:
        HubError: none of them is.
    """
    places = [place for place in scope.places if place in countries.members("eu")]
    if not places:
        raise error("reporting-country")
    lines = [
        line
        for place in places
        for year in scope.years
        for line in _block(answers, Counter(answers, place, (year,)))
    ]
    return MandatedTable(NAME, scope, tuple(lines))


CITIZENSHIPS = (
    ("reporting_country", NATIONAL),
    ("other_eu", OTHER_EU),
    ("non_eu", THIRD_COUNTRY),
    ("not_recorded", NOT_RECORDED),
)
"""Category and code of the citizenship group."""


def _block(answers: Answers, counter: Counter) -> list[MandatedLine]:
    genders = [(g, [g]) for g in answers.domain(SEX)]
    lines = [
        counter.line("total", "all", {}),
        *standings(answers, counter),
        *counter.split("sex", SEX, genders),
    ]
    for category, code in CITIZENSHIPS:
        lines.append(counter.line("citizenship", category, {RELATION: [code]}))
    for gender, values in (*genders, ("not_recorded", [NOT_RECORDED])):
        for category, code in CITIZENSHIPS:
            where: Where = {SEX: values, RELATION: [code]}
            lines.append(counter.line("sex_by_citizenship", f"{gender}:{category}", where))
    return lines
