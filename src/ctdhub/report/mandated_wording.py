"""What a mandated table says in words: its title, its notes, the label of a line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Literal

from ctdhub.core.format import day, isolated, listed
from ctdhub.core.i18n import _, current
from ctdhub.release.open import Release
from ctdhub.report.breaks import break_sentence
from ctdhub.report.sentences import undated
from ctdhub.report.wording import state_words
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.roles import SEX, STANDING
from ctdhub.stats.breaks import breaks_within
from ctdhub.stats.equity import RECEIVED
from ctdhub.stats.mandated import eurostat, greta, sdg, unodc
from ctdhub.stats.mandated.lines import PARTS, MandatedLine, MandatedTable
from ctdhub.stats.mandated.population import sources

UNKNOWN: Literal["not_recorded"] = "not_recorded"
"""The category of people whose answer is not known."""


def title(sheet: MandatedTable) -> str:
    """What the table holds, and with what it is aligned."""
    rated = any(line.rate is not None for line in sheet.lines)
    return {
        sdg.NAME: _(
            "Identified victims of trafficking, counts and rates per 100,000 population (aligned "
            "with SDG 16.2.2)"
        )
        if rated
        else _("Identified victims of trafficking, counts (aligned with SDG 16.2.2)"),
        eurostat.NAME: _(
            "Identified and presumed victims by gender, citizenship and form of exploitation "
            "(aligned with Eurostat, crim_thb)"
        ),
        greta.NAME: _(
            "Victims by gender, age, form of exploitation, nationality and assistance (modelled on "
            "GRETA’s questionnaires)"
        ),
        unodc.NAME: _(
            "Victims and alleged perpetrators by country and year (modelled on UNODC’s "
            "questionnaire)"
        ),
    }[sheet.name]


def notes(sheet: MandatedTable, release: Release) -> list[str]:
    """Sentences that must stand with a table: how it is aligned, what is missing."""
    return [*_OWN[sheet.name](sheet), *_common(sheet, release)]


def dimension_label(line: MandatedLine) -> str:
    """What a line divides people by."""
    return {
        "total": _("Total"),
        "status": _("Presumed or identified"),
        "offences": _("Offences recorded"),
        "formal_contact": _("Persons in formal contact with the police or the courts"),
        "prosecuted": _("Persons prosecuted"),
        "convicted": _("Persons convicted"),
        "sex_by_age": _("Gender by age"),
        "recruitment": _("Channel of recruitment"),
        "technology": _("Technology used"),
        "sex": _("Gender, as recorded"),
        "age": _("Age"),
        "form_of_exploitation": _("Form of exploitation"),
        "sex_by_age_by_form": _("Cross"),
        "citizenship": _("Citizenship"),
        "sex_by_citizenship": _("Gender by citizenship"),
        "nationality": _("Nationality"),
        "place_of_exploitation": _("Place of exploitation"),
        "assistance": _("Assistance"),
    }[line.dimension]


def line_label(line: MandatedLine) -> str:
    """The people of a line."""
    category, lang = line.category, current()
    if category == UNKNOWN:
        return state_words(UNKNOWN)
    if line.dimension == "status":
        return code_label(STANDING, category, lang)
    if category != "all" and line.dimension in ("sex", *unodc.OFFENDERS):
        return code_label(SEX, category, lang)
    if line.dimension == "form_of_exploitation":
        other = category == eurostat.OTHER
        return _("All other forms together") if other else label(category, lang)
    if line.dimension in ("recruitment", "technology"):
        name = _("Any recorded") if category == "recorded" else label(category, lang)
        return _("{label}, all years").format(label=name)
    if line.dimension == "sex_by_age":
        gender, _colon, age = category.partition(":")
        both = f"{code_label(SEX, gender, lang)} · {_people('age', age)}"
        return _("{label}, all years").format(label=both)
    if line.dimension == "nationality":
        return countries.name(category, lang)
    if line.dimension == "citizenship":
        return _citizens(category)
    if line.dimension == "sex_by_citizenship":
        gender, _colon, group = category.partition(":")
        sex = state_words(UNKNOWN) if gender == UNKNOWN else code_label(SEX, gender, lang)
        return f"{sex} · {_citizens(group)}"
    if line.dimension == "assistance":
        return _assistance(category)
    return _people(line.dimension, category)


def _people(dimension: str, category: str) -> str:
    if category == "all" and dimension in ("offences", *unodc.OFFENDERS):
        return _("All")
    return {
        ("total", "all"): _("All people"),
        ("sex_by_age_by_form", "all"): _("Gender by age by form of exploitation"),
        ("age", "children"): _("Children"),
        ("age", "adults"): _("Adults"),
        ("place_of_exploitation", "nationals"): _("Nationals, exploited in the country"),
        ("place_of_exploitation", "foreigners"): _(
            "Citizens of other countries, exploited in the country"
        ),
        ("place_of_exploitation", "nationals_abroad"): _("Nationals, exploited in another country"),
    }[dimension, category]


def _citizens(category: str) -> str:
    return {
        "reporting_country": _("Citizens of the reporting country"),
        "other_eu": _("Citizens of other EU countries"),
        "non_eu": _("Citizens of non-EU countries"),
        UNKNOWN: state_words(UNKNOWN),
    }[category]


def _assistance(category: str) -> str:
    kind, _colon, status = category.partition(":")
    words = {"recorded": _("{kind}: any status recorded"), RECEIVED: _("{kind}: received")}[status]
    name = words.format(kind=label(f"{greta.PREFIX}{kind}", current()))
    return _("{label}, all years").format(label=name)


def population_label(line: MandatedLine) -> str:
    """Whose population the rate of a line refers to."""
    return {
        "": _("all inhabitants"),
        "female": _("women and girls"),
        "male": _("men and boys"),
        "children": _("children"),
        "adults": _("adults"),
    }[line.per]


def _sdg(sheet: MandatedTable) -> list[str]:
    notes = [
        _(
            "Aligned with SDG indicator 16.2.2, not certified: the indicator is all victims of "
            "trafficking in a country, detected or not, per 100,000 residents. This table has only "
            "people whom the contributors identified, by the country in which they were exploited."
        ),
        _(
            "A person may have suffered several forms of exploitation. Gender, age and form were "
            "not measured together for a country and year."
        ),
    ]
    population = sheet.scope.population
    if population is None:
        notes.append(
            _(
                "No population was given, so there are counts and no rates: the option "
                "--population of ctdhub tables adds them from a file of yours."
            )
        )
        return notes
    without = sorted({(line.country, line.year) for line in sheet.lines if line.rate is None})
    if without:
        notes.append(
            _("The population file has no number for: {places}; these have counts alone.").format(
                places=", ".join(" ".join(pair) for pair in without)
            )
        )
    rated = [line for line in sheet.lines if line.rate is not None]
    if not rated:
        return notes
    if any(not line.per and line.category in PARTS.get(line.dimension, ()) for line in rated):
        notes.append(
            _(
                "Where the file has no population of women, men, children or adults, their rates "
                "are per 100,000 of all inhabitants. The column “Reference population” says so."
            )
        )
    if any(line.per for line in rated):
        notes.append(
            _(
                "Where the file has the population of a sex or an age, rates are per 100,000 "
                "people of that sex or age; gender as recorded is then divided by the population "
                "of that sex. Children are under 18 at registration."
            )
        )
    places = {(line.country, line.year) for line in rated}
    used = sources(p for key, p in population.people.items() if key[:2] in places)
    notes += [
        _("Population: {source}, on {day}.").format(
            source=isolated(source), day=day(date.fromisoformat(when))
        )
        for source, when in used
    ]
    notes.append(
        _(
            "The intervals of rates cover the noise added for privacy and nothing else: the "
            "population is taken as exact, and victims who were not identified are not included."
        )
    )
    return notes


def _eurostat(sheet: MandatedTable) -> list[str]:
    held = eurostat.reporting_countries() - set(countries.members("eu"))
    outside = [place for place in sheet.scope.places if place in held]
    notes = [
        _(
            "Aligned with Eurostat’s collection crim_thb, not certified: Eurostat counts victims "
            "registered by the authorities of the reporting country, formally identified or not; "
            "this table counts people whom the contributors identified and who were exploited in "
            "that country."
        ),
        _(
            "Eurostat has sexual exploitation, forced labour and other forms. A person may have "
            "suffered several. The other forms were not measured together, so each has its own "
            "line."
        ),
        _(
            "The European Union means its members of today, whatever the year. The citizenship of "
            "a person with several is one of them."
        ),
        _(
            "Eurostat’s “legal status” means victim, suspected or convicted person. This table has "
            "victims only; suspected, prosecuted and convicted persons by country are missing."
        ),
    ]
    if outside:
        lang = current()
        notes.append(
            _(
                "Not a member of the European Union: {places}. Eurostat’s metadata name selected "
                "candidate and EFTA countries since 2023; check whether yours is one of them."
            ).format(places=listed([countries.name(code, lang) for code in outside]))
        )
    return notes


def _unodc(sheet: MandatedTable) -> list[str]:
    return [
        _(
            "Modelled on UNODC’s questionnaire for the Global Report (2016), not "
            "certified: a state answers from its authorities; these numbers come from the "
            "contributors of this hub. Its first two questions were read, on offences and "
            "on persons in formal contact; the lines on victims follow what the Global "
            "Reports show."
        ),
        _(
            "“Not held” is written where the release cannot answer: it has no offences, and "
            "alleged perpetrators are not counted by country and year."
        ),
        _(
            "The {n} most frequent citizenships of each year are listed. Gender by age (children, "
            "adults) covers all years of the release together."
        ).format(n=unodc.MOST),
    ]


def _greta(sheet: MandatedTable) -> list[str]:
    return [
        _(
            "Modelled on what GRETA asks of parties, not certified: a party’s own numbers "
            "come from its authorities; these come from the contributors of this hub. "
            "GRETA’s fourth round of evaluation began on 30 June 2023; compare the lines "
            "with the questions on statistics of the questionnaire that you must answer."
        ),
        _(
            "The {n} most frequent nationalities of the years of the table are listed. The place "
            "where a person was identified is not recorded: exploitation in the country and "
            "elsewhere is distinguished by citizenship and country of exploitation."
        ).format(n=greta.MOST),
        _(
            "Assistance, recruitment and technology cover all years of the release together, "
            "whatever the years of the table: people whose year is not recorded are counted there "
            "too. They cover only people of whom something is recorded."
        ),
        _("Missing here: residence permits, compensation, investigations, recovery periods."),
        *([undated()] if sheet.scope.every else []),
    ]


def _common(sheet: MandatedTable, release: Release) -> list[str]:
    """What holds for every mandated table."""
    notes = [
        _(
            "These are people whom the contributing organisations identified or assisted, by "
            "country of exploitation. They are not the state’s own figures and not prevalence."
        ),
        _standing(sheet),
        _(
            "The standard asks for sex. The hub records gender, and the lines show it as it was "
            "recorded."
        ),
        _(
            "The year is that of registration by a contributor, not that of exploitation or of "
            "formal identification."
        ),
        _(
            "Children are people under 18 at registration: the age bands 0–8 and 9–17. Suspects, "
            "prosecutions and convictions are not counted here."
        ),
        _(
            "“Not shown” (below the reporting threshold) is not zero; “not measured” means "
            "that this release has no such table."
        ),
    ]
    declared = breaks_within(release, None, *sheet.years)
    notes += [break_sentence(one, release.facts) for one in declared]
    if release.year in sheet.scope.years:
        notes.append(_("{year} was not over when the release was made.").format(year=release.year))
    return notes


def _standing(sheet: MandatedTable) -> str:
    if any(line.dimension == "status" for line in sheet.lines):
        return _(
            "Presumed and identified victims are shown separately under “Presumed or identified” "
            "where contributors recorded the difference; in all other lines they are counted "
            "together."
        )
    return _("This table does not distinguish presumed victims from identified ones.")


_OWN: dict[str, Callable[[MandatedTable], list[str]]] = {
    sdg.NAME: _sdg,
    eurostat.NAME: _eurostat,
    greta.NAME: _greta,
    unodc.NAME: _unodc,
}
"""By name of a shape the notes that it alone has."""
