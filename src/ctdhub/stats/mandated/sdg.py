"""SDG indicator 16.2.2: victims of trafficking per 100,000 population, by sex, age and form.

Source of the shape: UN Statistics Division, metadata of indicator 16.2.2 (custodian UNODC):
detected victims over the population resident in the country, by sex, age and form of exploitation.
"""

from __future__ import annotations

from ctdhub.core.i18n import _, current
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, HARM, SEX
from ctdhub.stats.answers import Answers
from ctdhub.stats.mandated.lines import Counter, Line, Scope, Sheet, ages, common_notes
from ctdhub.stats.tables import YES

NAME = "sdg-16.2.2"


def sheet(answers: Answers, scope: Scope) -> Sheet:
    """The table, one block of lines for each country and year."""
    lines = [
        line
        for place in scope.places
        for year in scope.years
        for line in _block(answers, Counter(answers, place, (year,), scope.population))
    ]
    return Sheet(
        NAME,
        _("Detected victims of trafficking per 100,000 population (aligned with SDG 16.2.2)"),
        scope.span,
        tuple(lines),
        (*_notes(scope, lines), *common_notes(scope, answers)),
    )


def _block(answers: Answers, counter: Counter) -> list[Line]:
    lang, schema = current(), load_schema()
    genders = [(g, code_label(SEX, g, lang), [g]) for g in answers.domain(SEX)]
    indicator = schema.groups[HARM].indicator or ""
    forms = [
        counter.line("form_of_exploitation", flag, label(flag, lang), {flag: [YES]})
        for flag in schema.flags(HARM)
    ]
    known = [v for v in answers.domain(indicator) if v != YES]
    unknown = counter.line(
        "form_of_exploitation", "not_recorded", _("not recorded"), {indicator: [*known, ""]}
    )
    cross = counter.line(
        "sex_by_age_by_form", "all", _("Sex by age by form of exploitation"), {}, measured=False
    )
    return [
        counter.line("total", "all", _("All people"), {}),
        *counter.split("sex", SEX, genders),
        *counter.split("age", AGE, ages(answers)),
        *forms,
        unknown,
        cross,
    ]


def _notes(scope: Scope, lines: list[Line]) -> list[str]:
    notes = [
        _(
            "Aligned with SDG indicator 16.2.2, not certified: the indicator counts victims whom "
            "the authorities of a country detected; this table counts people by the country in "
            "which they were exploited."
        ),
        _(
            "A person may have suffered several forms of exploitation. Sex, age and form were not "
            "measured together for a country and year."
        ),
    ]
    if scope.population is None:
        notes.append(
            _(
                "No population was given, so there are counts and no rates: the option "
                "--population of ctdhub tables adds them from a file of yours."
            )
        )
        return notes
    without = sorted({(line.country, line.year) for line in lines if line.rate is None})
    if without:
        notes.append(
            _("The population file has no figure for: {places}; these have counts alone.").format(
                places=", ".join(" ".join(pair) for pair in without)
            )
        )
    return notes
