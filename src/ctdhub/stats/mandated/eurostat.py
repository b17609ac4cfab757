"""Eurostat (crim_thb): victims by gender, citizenship and form, for a country and a year.

Source of the shape: Eurostat, reference metadata of crim_thb (certified on 24 January 2024):
registered victims, identified or not by the authority that does so formally, by sex, by citizenship
(reporting country, other EU country, non-EU country) and by form of exploitation (sexual, forced
labour, others); members of the EU and, since 2023, selected candidate and EFTA countries.  Its
"legal status" tells victims, suspected and convicted persons apart.  A release has victims alone;
presumed and identified ones are lines of their own where it distinguishes them.
"""

from __future__ import annotations

from ctdhub.core.error_catalogue import error
from ctdhub.schema import countries
from ctdhub.schema.citizenship_group import NATIONAL, OTHER_EU, THIRD_COUNTRY
from ctdhub.schema.roles import FORCED_LABOUR, RELATION, SEX, SEXUAL_EXPLOITATION
from ctdhub.stats.answers import Answers
from ctdhub.stats.mandated.lines import (
    Counter,
    MandatedLine,
    MandatedScope,
    MandatedTable,
    forms,
    standings,
)
from ctdhub.stats.query import Where
from ctdhub.stats.table import NOT_RECORDED, YES

NAME = "eurostat"
ASKED = (SEXUAL_EXPLOITATION, FORCED_LABOUR)
"""Forms of exploitation that the collection has a category of its own for."""
OTHER = "other_forms"


def sheet(answers: Answers, scope: MandatedScope) -> MandatedTable:
    """The table; of the countries of the scope those of :func:`reporting_countries`.

    Raises:
        HubError: none of them is.
    """
    held = reporting_countries()
    places = [place for place in scope.places if place in held]
    if not places:
        raise error("reporting-country")
    lines = [
        line
        for place in places
        for year in scope.years
        for line in _block(answers, Counter(answers, place, (year,)))
    ]
    return MandatedTable(NAME, scope, tuple(lines))


EFTA = frozenset({"CHE", "ISL", "LIE", "NOR"})
CANDIDATES = frozenset({"ALB", "BIH", "GEO", "MDA", "MKD", "MNE", "SRB", "TUR", "UKR"})
"""Countries that the European Union calls candidates, as of 2025."""


def reporting_countries() -> frozenset[str]:
    """Members of the EU, of EFTA, and candidates.  Which of the latter two Eurostat has figures of
    was not found; the table is filled for each."""
    return EFTA | CANDIDATES | frozenset(countries.members("eu"))


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
    lines += _forms(answers, counter)
    for gender, values in (*genders, ("not_recorded", [NOT_RECORDED])):
        for category, code in CITIZENSHIPS:
            where: Where = {SEX: values, RELATION: [code]}
            lines.append(counter.line("sex_by_citizenship", f"{gender}:{category}", where))
    return lines


def _forms(answers: Answers, counter: Counter) -> list[MandatedLine]:
    """Sexual exploitation, forced labour, all others together, which no release measures as one,
    and each of the others."""
    name = "form_of_exploitation"
    held = forms(answers)
    others = [form for form in held if form not in ASKED]
    return [
        *(counter.line(name, form, {form: [YES]}) for form in ASKED if form in held),
        counter.line(name, OTHER, {}, measured=False),
        *(counter.line(name, form, {form: [YES]}) for form in others),
    ]
