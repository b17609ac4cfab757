"""A kiosk for an exhibition: the stories as slides, a page for each language, no way out.

    <kiosk>/index.html    leads to the first language that the hub names
    <kiosk>/en.html, …    all slides of a language; they open from ``file://``

A slide is a chart of a story with the paragraph right before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from ctdhub.core.errors import error
from ctdhub.core.format import number
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current, language
from ctdhub.document.charts.bars import draw_screen
from ctdhub.document.html import embedded
from ctdhub.release.open import Release
from ctdhub.report.figures import Figure
from ctdhub.report.helplines import Contact
from ctdhub.report.sentences import claim_and_reservation, reach_sentence
from ctdhub.report.wording import called
from ctdhub.site.build import Progress, offered, renewed
from ctdhub.site.edition import PLAIN, Edition
from ctdhub.site.frame import about, inlined, policy, said_of, stub, written
from ctdhub.site.stories.page import charts_in, marked
from ctdhub.site.stories.seconds import IDLE, SECONDS
from ctdhub.site.stories.source import Story, at
from ctdhub.stats.answers import Answers
from ctdhub.stats.tables import headline

MARK = "exhibit.json"
"""This file says that a folder holds a kiosk, so that nothing else is ever replaced."""
LONGEST = 420
"""Characters of text beside a chart that can be read in that time and fit the screen."""
WIDE = 560
"""Pixels that a chart is laid out for before it grows to its part of the screen."""


@dataclass(frozen=True)
class Slide:
    """One screen: a chart with words, or words alone where ``figure`` is None.

    ``marked`` holds the attributes of text that is not in the language of the page.
    """

    title: str
    kicker: str
    text: Markup
    figure: Figure | None
    svg: Markup
    marked: Markup


def build_exhibit(
    release: Release,
    out: Path,
    stories: Sequence[Story],
    idle: int = IDLE,
    progress: Progress | None = None,
    edition: Edition = PLAIN,
) -> None:
    """Build the kiosk into ``out``; the older one stays until the new one is whole.

    Args:
        release: an opened release.
        out: a folder that does not exist, is empty, or holds a kiosk.
        stories: what the hub tells, the newest first.
        idle: seconds without a touch until the first slide of the first language returns.
        progress: told (message, fraction).
        edition: of the hub, which says where people find help.

    Raises:
        HubError: there are no stories, one is wrong or too long for a screen, or the folder holds
            something else.
    """
    if not stories:
        raise error("no-stories")
    report = progress or (lambda message, fraction: None)
    stamp = {"made by": release.manifest.software, "release": release.version}
    with renewed(out, MARK, stamp) as fresh:
        answers, languages = Answers(release), offered(release)
        first = next(code for code in (*release.facts.languages, "en") if code in languages)
        for i, code in enumerate(languages):
            report(_("Drawing slides"), i / len(languages))
            with language(code):
                contacts = edition.help_of(release).contacts()
                page = _page(answers, stories, languages, first, idle, contacts)
            (fresh / f"{code}.html").write_text(page, "utf-8")
        index = stub(f"{first}.html", first, called(release.facts), hidden=True)
        (fresh / "index.html").write_text(index, "utf-8")
    report(_("Exhibition built"), 1.0)


def slides(answers: Answers, stories: Sequence[Story]) -> Iterator[Slide]:
    """The slides in the language in force: a first one, then those of each story.

    Raises:
        StoryError: a story is wrong, or a paragraph before a chart is too long for a screen.
    """
    rtl, nothing = current() in RIGHT_TO_LEFT, Markup("")
    first = headline(answers)
    claim, reservation = claim_and_reservation(first)
    reach = f"{reservation} {reach_sentence(first)}".strip()
    yield Slide(claim, "", escape(reach), None, nothing, nothing)
    for story in stories:
        telling = story.text(current())
        attributes, drawn = marked(telling), False
        for block in charts_in(story, current(), answers):
            length = len(block.lead.striptags())
            with at(block.place):
                if length > LONGEST:
                    raise error("story-screen", n=length, most=LONGEST)
            svg = draw_screen(block.figure.bars, block.figure.id, WIDE, rtl=rtl)
            yield Slide("", telling.title, block.lead, block.figure, svg, attributes)
            drawn = True
        if not drawn:
            words = escape(telling.summary)
            yield Slide(telling.title, "", words, None, nothing, attributes)


def _page(
    answers: Answers,
    stories: Sequence[Story],
    languages: Sequence[str],
    first: str,
    idle: int,
    contacts: Sequence[Contact],
) -> str:
    """The page of the language in force."""
    lang, deck = current(), list(slides(answers, stories))
    places = [
        _("{n} of {all}").format(n=number(k), all=number(len(deck)))
        for k in range(1, len(deck) + 1)
    ]
    sheets = [inlined("site.css"), inlined("exhibit.css")]
    script, digest = inlined("exhibit.js")
    settings = {
        "idle": idle,
        "seconds": SECONDS,
        "home": "" if lang == first else f"{first}.html",
        "places": places,
        "pause": _("Pause"),
        "play": _("Play"),
    }
    return written(
        "exhibit.html",
        **said_of(answers.release),
        contacts=contacts,
        slides=[{**vars(slide), "place": place} for slide, place in zip(deck, places, strict=True)],
        languages=languages,
        policy=policy([digest for _text, digest in sheets], [digest]),
        sheets=[text for text, _digest in sheets],
        script=script,
        settings=embedded(settings),
        note_level=about(answers.release)["note_level"],
    )
