"""The first page: people by year, three findings, a door for each reader, places, figures."""

from ctdhub.core.format import number
from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT, _, current
from ctdhub.report import sentences
from ctdhub.report.figures import figures, write_pictures
from ctdhub.report.signal_charts import findings
from ctdhub.report.wording import sized
from ctdhub.schema import countries
from ctdhub.site.chart_files import CHARTS, write_figures
from ctdhub.site.edition import Content, PageKind
from ctdhub.site.frame import FIGURES, HOME, Page, card
from ctdhub.site.pages import changes, places
from ctdhub.site.pages.methods import noise
from ctdhub.site.stories import page as stories
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.tables import headline, place_facts

KIND = PageKind(
    "home",
    lambda content: [page(content)],
    cards=lambda content: (card(HOME, [{"figure": f}]) for f in figures(content.answers)),
    files=lambda folder, content: write_figures(folder, figures(content.answers), content),
    translated=lambda folder, content: write_pictures(
        folder / CHARTS / current(), content.answers, content.cited
    ),
    reads=("stories", "lead", "place"),
)


def page(content: Content) -> Page:
    """The first page; it leads to the newest story."""
    answers, edition = content.answers, content.edition
    first, drawn = headline(answers), figures(answers)
    claim, *reach = sentences.claim_and_reservation(first)
    reach += sentences.reach_sentence(first), sentences.assisted_sentence(first.assisted)
    newest = edition.stories[0] if edition.stories else None
    return Page(
        path=HOME,
        title=_("Release {version}").format(version=answers.release.version),
        description=" ".join((claim, _("Identified people, not prevalence."))),
        template="home.html",
        values={
            "headline": claim,
            "reach": " ".join(filter(None, reach)),
            "own": _own(content),
            "findings": findings(answers),
            "cards": _cards(answers),
            "regions": countries.regions(),
            "place": edition.place,
            "place_note": places.note,
            "told_of": lambda key: sentences.place_paragraphs(place_facts(answers, key)),
            "lead": drawn[0] if drawn else None,
            "figures": drawn[1:],
            "story": newest and stories.entry(newest),
            "changed": changes.teaser(content),
            "privacy": noise(answers.release),
        },
        scripts=FIGURES,
        dataset=True,
    )


def _own(content: Content) -> dict[str, str] | None:
    """The hub's own words: in the language in force, else in English; None where it has none."""
    for code in (current(), LANGUAGES[0]):
        if text := content.edition.lead.get(code):
            return {"text": text, "lang": code, "dir": "rtl" if code in RIGHT_TO_LEFT else "ltr"}
    return None


def _cards(answers: Answers) -> list[tuple[str, str, str]]:
    first = headline(answers)
    return [
        _card(_("People identified"), first.people),
        _card(_("Case records received (a person may have several)"), first.records),
        _card(_("Nationalities"), first.nationalities, at_least=True),
        _card(_("Countries and territories of exploitation"), first.countries, at_least=True),
        (
            _("Organisations that contributed"),
            number(first.contributors.value or 0),
            _("exact, public"),
        ),
    ]


def _card(what: str, card: NumberCard, *, at_least: bool = False) -> tuple[str, str, str]:
    if card.value is None:
        return (what, sized(card), "")
    if at_least:
        value = _("at least {n}").format(n=number(card.value))
        return (what, value, _("above the reporting threshold"))
    if card.once is not None:
        low, high, _doubles = sentences.once_printed(card)
        value = _("{low} to {high}").format(low=low, high=high)
        return (what, value, sentences.recorded_people(card))
    return (what, number(card.value), sentences.span_of(card))
