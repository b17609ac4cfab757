"""The first page: people by year, three findings, a door for each reader, places, figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctdhub.core.format import number
from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT, _, current
from ctdhub.report.figures import Figure, figures, path, write_pictures
from ctdhub.report.sentences import (
    claim_and_reservation,
    once_printed,
    place_paragraphs,
    reach_sentence,
    recorded_people,
)
from ctdhub.report.signal_charts import ReleaseFinding, findings
from ctdhub.report.wording import sized
from ctdhub.schema import countries
from ctdhub.site.chart_files import CHARTS, plot, write_figure
from ctdhub.site.edition import Content, PageKind
from ctdhub.site.frame import FIGURES, HOME, Page, about
from ctdhub.site.pages import changes
from ctdhub.site.pages.methods import noise
from ctdhub.site.stories import page as stories
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.tables import headline, place_facts

KIND = PageKind(
    "home",
    lambda content: [page(content)],
    files=lambda folder, content: _write_files(folder / CHARTS, content),
    translated=lambda folder, content: write_pictures(
        folder / CHARTS / current(), content.answers, content.place(HOME)
    ),
)


@dataclass(frozen=True)
class _Card:
    what: str
    value: str
    interval: str


def page(content: Content) -> Page:
    """The first page; it leads to the newest story."""
    answers, edition = content.answers, content.edition
    first = headline(answers)
    claim, reservation = claim_and_reservation(first)
    drawn = [_drawn(figure) for figure in figures(answers)]
    newest = edition.stories[0] if edition.stories else None
    return Page(
        path=HOME,
        title=_("Release {version}").format(version=answers.release.version),
        description=" ".join((claim, _("Identified cases, not prevalence."))),
        template="home.html",
        values={
            "headline": claim,
            "reach": f"{reservation} {reach_sentence(first)}".strip(),
            "own": _own(content),
            "findings": [_finding(each) for each in findings(answers)],
            "doors": _doors(),
            "cards": _cards(answers),
            "regions": [
                {"name": countries.region_name(key, current()), "path": path(key)}
                for key in countries.regions()
            ],
            "place": _place(answers, edition.place) if edition.place else None,
            "lead": drawn[0] if drawn else None,
            "figures": drawn[1:],
            "story": newest and stories.entry(newest),
            "changed": changes.teaser(content),
            "privacy": noise(answers.release),
            **about(answers.release),
        },
        scripts=FIGURES,
        dataset=True,
    )


def _drawn(figure: Figure) -> tuple[Figure, str]:
    return figure, plot(figure)


def _own(content: Content) -> dict[str, str] | None:
    """The hub's own words: in the language in force, else in English; None where it has none."""
    for code in (current(), LANGUAGES[0]):
        if text := content.edition.lead.get(code):
            return {"text": text, "lang": code, "dir": "rtl" if code in RIGHT_TO_LEFT else "ltr"}
    return None


def _finding(found: ReleaseFinding) -> dict[str, str]:
    paths = {
        "change": "signals.html",
        "gap": "assistance.html",
        "silence": f"explore.html#show={found.variable}",
    }
    return {
        "kicker": found.kicker,
        "text": found.text,
        "detail": found.detail,
        "path": paths[found.about],
    }


def _doors() -> list[tuple[str, str, str]]:
    """Kinds of readers, what is here for them, and the page that they begin with."""
    return [
        (
            _("Journalists"),
            _("Sentences with interval and source, ready to copy, for each region."),
            "facts.html",
        ),
        (
            _("Policy and official statistics"),
            _("Tables aligned with SDG indicator 16.2.2, Eurostat, UNODC and GRETA."),
            "mandated.html",
        ),
        (
            _("Organisations"),
            _("Two pages to print on a region or a country."),
            "briefs.html",
        ),
        (
            _("Teachers and trainers"),
            _("A course in five short lessons, with questions and a page for trainers."),
            "learn/index.html",
        ),
    ]


def _place(answers: Answers, key: str) -> dict[str, Any]:
    """What is known of the hub's own region or country."""
    lang = current()
    if key in countries.ALPHA3:
        return {
            "name": countries.name(key, lang),
            "path": path(key),
            "note": "",
            "paragraphs": place_paragraphs(place_facts(answers, key)),
        }
    name = countries.region_name(key, lang)
    return {
        "name": name,
        "path": path(key),
        "note": _(
            "{region}: the {n} countries and territories of that region in the list of the United "
            "Nations (M49)."
        ).format(region=name, n=number(len(countries.members(key)))),
        "paragraphs": place_paragraphs(place_facts(answers, key)),
    }


def _write_files(folder: Path, content: Content) -> None:
    """Write the files of each figure into the folder of charts."""
    for figure in figures(content.answers):
        write_figure(folder / figure.file, figure, content)


def _cards(answers: Answers) -> list[_Card]:
    first = headline(answers)
    return [
        _card(_("People identified"), first.people),
        _card(_("Case records received (a person may have several)"), first.records),
        _card(_("Nationalities"), first.nationalities, at_least=True),
        _card(_("Countries and territories of exploitation"), first.countries, at_least=True),
        _Card(
            _("Organisations that contributed"),
            number(first.contributors.value or 0),
            _("exact, public"),
        ),
    ]


def _card(what: str, card: NumberCard, *, at_least: bool = False) -> _Card:
    if card.value is None:
        return _Card(what, sized(card), "")
    if at_least:
        value = _("at least {n}").format(n=number(card.value))
        return _Card(what, value, _("above the reporting threshold"))
    if card.once is not None:
        low, high, _doubles = once_printed(card)
        return _Card(what, _("{low} to {high}").format(low=low, high=high), recorded_people(card))
    return _Card(what, number(card.value), _between(card.low or 0, card.high or 0))


def _between(low: float, high: float) -> str:
    return _("between {low} and {high}").format(low=number(low), high=number(high))
