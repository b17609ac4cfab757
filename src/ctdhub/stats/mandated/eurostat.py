"""Eurostat (crim_thb): victims by sex and by citizenship, for a reporting country and a year.

Source of the shape: Eurostat, reference metadata of crim_thb: victims by legal status and sex, and
by citizenship (reporting country, other EU country, non-EU country); Directive 2011/36/EU, Art. 19.
"""

from __future__ import annotations

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import _, current
from ctdhub.schema import countries
from ctdhub.schema.citizenship_group import NATIONAL, OTHER_EU, THIRD_COUNTRY
from ctdhub.schema.labels import code_label
from ctdhub.schema.roles import RELATION, SEX
from ctdhub.stats.answers import Answers, Where
from ctdhub.stats.mandated.lines import Counter, Line, Scope, Sheet, common_notes
from ctdhub.stats.tables import NOT_RECORDED

NAME = "eurostat"


def sheet(answers: Answers, scope: Scope) -> Sheet:
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
    return Sheet(
        NAME,
        _("Identified victims by sex and citizenship (aligned with Eurostat, crim_thb)"),
        scope.span,
        tuple(lines),
        (*_notes(), *common_notes(scope, answers)),
    )


def citizenships() -> tuple[tuple[str, str, str], ...]:
    """Category, label and code of the citizenship group, Eurostat's names."""
    return (
        ("reporting_country", _("Citizens of the reporting country"), NATIONAL),
        ("other_eu", _("Citizens of other EU countries"), OTHER_EU),
        ("non_eu", _("Citizens of non-EU countries"), THIRD_COUNTRY),
        ("not_recorded", _("not recorded"), NOT_RECORDED),
    )


def _block(answers: Answers, counter: Counter) -> list[Line]:
    lang = current()
    genders = [(g, code_label(SEX, g, lang), [g]) for g in answers.domain(SEX)]
    lines = [
        counter.line("total", "all", _("All people"), {}),
        *counter.split("sex", SEX, genders),
    ]
    for category, words, code in citizenships():
        lines.append(counter.line("citizenship", category, words, {RELATION: [code]}))
    for gender, name, values in (*genders, ("not_recorded", _("not recorded"), [NOT_RECORDED])):
        for category, words, code in citizenships():
            where: Where = {SEX: values, RELATION: [code]}
            both = f"{gender}:{category}"
            lines.append(counter.line("sex_by_citizenship", both, f"{name} · {words}", where))
    return lines


def _notes() -> list[str]:
    return [
        _(
            "Aligned with Eurostat’s collection crim_thb, not certified: Eurostat counts victims "
            "registered in the reporting country; this table counts people exploited in it."
        ),
        _(
            "The European Union means its members of today, whatever the year. The citizenship of "
            "a person with several is one of them."
        ),
        _(
            "Missing here: suspected, prosecuted and convicted persons, and the legal status of "
            "victims."
        ),
    ]
