"""A table in the shape of what GRETA asks of parties to the Council of Europe's convention.

Source of the shape: Council of Europe, GRETA, questionnaires on how parties carry out the
Convention on Action against Trafficking in Human Beings (CETS 197): victims by sex, age,
nationality, form of exploitation, national or transnational, and their assistance.
"""

from __future__ import annotations

from ctdhub.core.i18n import _, current
from ctdhub.report.sentences import undated
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, DESTINATION, HARM, ORIGIN, SEX
from ctdhub.stats.answers import Answers
from ctdhub.stats.equity import RECEIVED, kinds
from ctdhub.stats.mandated.lines import Counter, Line, Scope, Sheet, ages, common_notes
from ctdhub.stats.tables import YES

NAME = "greta"
MOST = 10
"""Nationalities that are listed, the largest."""


def sheet(answers: Answers, scope: Scope) -> Sheet:
    """The table: one block of lines for each country, all years of the scope together."""
    years = () if scope.every else scope.years
    lines = [
        line for place in scope.places for line in _block(answers, Counter(answers, place, years))
    ]
    return Sheet(
        NAME,
        _("Victims by sex, age, form of exploitation, nationality and assistance (as GRETA asks)"),
        scope.span,
        tuple(lines),
        (*_notes(), *([undated()] if scope.every else []), *common_notes(scope, answers)),
    )


def _block(answers: Answers, counter: Counter) -> list[Line]:
    lang, schema = current(), load_schema()
    genders = [(g, code_label(SEX, g, lang), [g]) for g in answers.domain(SEX)]
    lines = [
        counter.line("total", "all", _("All people"), {}),
        *counter.split("sex", SEX, genders),
        *counter.split("age", AGE, ages(answers)),
    ]
    for flag in schema.flags(HARM):
        lines.append(counter.line("form_of_exploitation", flag, label(flag, lang), {flag: [YES]}))
    cells = answers.cells(ORIGIN, DESTINATION)
    found = [(e.value, a) for (a, b), e in cells.items() if a and b == counter.country]
    for _count, origin in sorted(found, key=lambda pair: (-pair[0], pair[1]))[:MOST]:
        name = countries.name(origin, lang)
        lines.append(counter.line("nationality", origin, name, {ORIGIN: [origin]}))
    unknown = {ORIGIN: [""]}
    lines.append(counter.line("nationality", "not_recorded", _("not recorded"), unknown))
    return [*lines, *_within(answers, counter), *_assistance(answers, counter)]


def _within(answers: Answers, counter: Counter) -> list[Line]:
    """Nationals and others exploited in the country, nationals exploited elsewhere."""
    others = [c for c in answers.domain(ORIGIN) if c != counter.country]
    within = [
        ("nationals", _("Nationals, exploited in the country"), [counter.country]),
        ("foreigners", _("Citizens of other countries, exploited in the country"), others),
    ]
    lines = [
        counter.line("place_of_exploitation", category, words, {ORIGIN: values})
        for category, words, values in within
    ]
    elsewhere = {ORIGIN: [counter.country], DESTINATION: others}
    words = _("Nationals, exploited in another country")
    abroad = counter.elsewhere("place_of_exploitation", "nationals_abroad", words, elsewhere)
    return [*lines, abroad]


def _assistance(answers: Answers, counter: Counter) -> list[Line]:
    """People who received each kind, of all years: assistance is not measured by year here."""
    always = Counter(answers, counter.country, ())
    asked = (
        ("recorded", _("{kind}: any status recorded"), answers.domain),
        (RECEIVED, _("{kind}: received"), lambda _kind: (RECEIVED,)),
    )
    lines = []
    for kind in kinds(answers):
        for category, words, statuses in asked:
            name = words.format(kind=label(kind, current()))
            lines.append(
                always.line(
                    "assistance",
                    f"{kind.removeprefix('assistance_')}:{category}",
                    _("{label}, all years").format(label=name),
                    {kind: statuses(kind)},
                )
            )
    return lines


def _notes() -> list[str]:
    return [
        _(
            "In the shape of what GRETA asks, not certified: a party’s own figures come from its "
            "authorities; these come from the contributors of this hub."
        ),
        _(
            "Of nationalities the {n} largest are listed, by all years. Where a person was "
            "identified is not recorded: exploitation in the country and elsewhere is told by "
            "citizenship and country of exploitation."
        ).format(n=MOST),
        _(
            "Assistance is of all years of the release together, whatever the years of the table: "
            "people whose year is not recorded are counted there too. It is only of people whose "
            "status is recorded; for most people nothing is recorded."
        ),
        _("Missing here: residence permits, compensation, investigations, recovery periods."),
    ]
