"""The first page: headline numbers, a region, six figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ctdhub.core.format import number
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.charts.bars import draw
from ctdhub.report.figures import figures
from ctdhub.report.picture import write_pictures
from ctdhub.report.sentences import headline_sentence, place_paragraphs, reach_sentence
from ctdhub.report.wording import sized
from ctdhub.schema import countries
from ctdhub.site.chart_files import CHARTS, write_figure
from ctdhub.site.frame import FIGURES, HOME, Page
from ctdhub.site.kinds import PageKind
from ctdhub.site.pages.about import about
from ctdhub.site.pages.methods import noise
from ctdhub.site.stories import page as stories
from ctdhub.site.stories.source import Story
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.headline import headline, place_facts

REGION = "europe"

KIND = PageKind(
    "home",
    lambda content: [page(content.answers, *content.edition.stories[:1])],
    files=lambda folder, content: _write_files(folder / CHARTS, content.answers),
    translated=lambda folder, content: write_pictures(folder / CHARTS / current(), content.answers),
)


@dataclass(frozen=True)
class _Card:
    what: str
    value: str
    interval: str


def page(answers: Answers, newest: Story | None = None) -> Page:
    """The first page; it leads to the newest story."""
    release, lang = answers.release, current()
    region = countries.region_name(REGION, lang)
    note = _(
        "{region}: the {n} countries and territories of that region in the list of the United "
        "Nations (M49)."
    ).format(region=region, n=number(len(countries.members(REGION))))
    first = headline(answers)
    told = headline_sentence(first)
    return Page(
        path=HOME,
        title=_("Release {version}").format(version=release.version),
        description=" ".join((told, _("Identified cases, not prevalence."))),
        template="home.html",
        values={
            "headline": told,
            "reach": reach_sentence(first),
            "cards": _cards(answers),
            "region": region,
            "region_key": REGION,
            "region_paragraphs": place_paragraphs(place_facts(answers, REGION)),
            "region_note": note,
            "figures": [
                (f, draw(f.bars, f.id, rtl=lang in RIGHT_TO_LEFT)) for f in figures(answers)
            ],
            "story": newest and stories.entry(newest),
            "privacy": noise(release),
            **about(release),
        },
        scripts=FIGURES,
        dataset=True,
    )


def _write_files(folder: Path, answers: Answers) -> None:
    """Write the files of each figure into the folder of charts."""
    for figure in figures(answers):
        write_figure(folder / figure.file, figure, answers.release)


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
        return _Card(what, value, _("with enough people to show reliably"))
    return _Card(what, number(card.value), _between(card.low or 0, card.high or 0))


def _between(low: float, high: float) -> str:
    return _("between {low} and {high}").format(low=number(low), high=number(high))
