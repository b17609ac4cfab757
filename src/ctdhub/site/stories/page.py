"""Stories: their list, and a page for each."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import StoryError
from ctdhub.core.format import day
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, RIGHT_TO_LEFT, Text, _, current
from ctdhub.report.figures import Figure
from ctdhub.site.chart_files import CHARTS, write_figure
from ctdhub.site.frame import FIGURES, Page
from ctdhub.site.kinds import LEARN, Content, MenuEntry, PageKind
from ctdhub.site.pages.about import about
from ctdhub.site.plots import plot
from ctdhub.site.stories.markup import StoryChart, blocks
from ctdhub.site.stories.source import Story, Telling
from ctdhub.stats.answers import Answers

LIST = "stories/index.html"

KIND = PageKind(
    "stories",
    lambda content: pages(content.answers, content.edition.stories, content.others),
    menu=MenuEntry(LEARN, LIST, Text("Stories")),
    shown=lambda _release, edition: bool(edition.stories),
    files=lambda folder, content: _write_files(folder / CHARTS, content),
    links=True,
)


def path(story: Story) -> str:
    """Where the page of a story lies."""
    return f"stories/{story.slug}.html"


def entry(story: Story) -> dict[str, Any]:
    """Title, summary, date and path of a story in the language in force."""
    telling = story.told(current())
    return {
        "title": telling.title,
        "summary": telling.summary,
        "day": day(story.date),
        "iso": story.date.isoformat(),
        "path": path(story),
        "marked": marked(telling),
    }


def marked(telling: Telling) -> Markup:
    """Attributes for text that is not in the language of the page; empty where it is."""
    if telling.lang == current():
        return Markup("")
    direction = "rtl" if telling.lang in RIGHT_TO_LEFT else "ltr"
    return Markup(' lang="{lang}" dir="{dir}"').format(lang=telling.lang, dir=direction)


def pages(answers: Answers, told: Sequence[Story], others: Container[str]) -> Iterator[Page]:
    """The list and a page for each story.

    Args:
        others: paths of the other pages, which stories may link to.

    Raises:
        StoryError: a story is wrong.
    """
    held = StoryLinks(told, others)
    yield Page(
        path=LIST,
        title=_("Stories"),
        description=_("What the numbers can say, and what they cannot, explained with charts."),
        template="stories.html",
        values={"stories": [entry(story) for story in told], **about(answers.release)},
        menu=LIST,
    )
    for story in told:
        yield _page(answers, story, held)


class StoryLinks(Container[str]):
    """Paths that a story may link to: the list of stories, each story, and the other pages."""

    def __init__(self, told: Sequence[Story], others: Container[str]) -> None:
        self._own, self._others = {LIST, *(path(story) for story in told)}, others

    def __contains__(self, page: object) -> bool:
        return page in self._own or page in self._others


def story_figures(answers: Answers, told: Sequence[Story]) -> Iterator[Figure]:
    """Every figure of the stories, in the language in force; one file serves all languages.

    Raises:
        StoryError: a translation has another chart in the place of one of the English text.
    """
    for story in told:
        seen: dict[str, Figure] = {}
        for telling in (story.told(LANGUAGES[0]), *story.tellings.values()):
            for block in blocks(telling, story.slug, answers, None, ""):
                if isinstance(block, StoryChart):
                    first = seen.setdefault(block.figure.id, block.figure)
                    if first.table != block.figure.table:
                        raise error(
                            "story-translation", file=block.place.file, line=block.place.line
                        )
        yield from seen.values()


def shown(content: Content) -> Iterator[tuple[Figure, str]]:
    """Every figure of the stories in the language in force, and the page that it is on."""
    for story in content.edition.stories:
        telling = story.told(current())
        for block in blocks(telling, story.slug, content.answers, None, ""):
            if isinstance(block, StoryChart):
                yield block.figure, path(story)


def _write_files(folder: Path, content: Content) -> None:
    """Write ``stories/<story>-<number>``, each figure of a story, into the folder of charts."""
    for figure in story_figures(content.answers, content.edition.stories):
        write_figure(folder / figure.file, figure, content)


def fitting(answers: Answers, told: Sequence[Story], others: Container[str]) -> tuple[Story, ...]:
    """The stories that can be told of a release.

    Args:
        others: paths of all its pages that are no stories.
    """
    left = tuple(told)
    while left:
        held = StoryLinks(left, others)
        fit = tuple(story for story in left if _fits(answers, story, held))
        if fit == left:
            break
        left = fit  # a story may link to another one
    return left


def _fits(answers: Answers, story: Story, held: Container[str]) -> bool:
    """Whether a story can be told of a release that has these pages."""
    try:
        for _figure in story_figures(answers, [story]):
            pass
        for telling in story.tellings.values():
            list(blocks(telling, story.slug, answers, held, "../"))
    except StoryError:
        return False
    return True


def _page(answers: Answers, story: Story, held: Container[str]) -> Page:
    telling = story.told(current())
    parts: list[tuple[Markup | None, Figure | None, Markup]] = []
    for block in blocks(telling, story.slug, answers, held, "../"):
        if isinstance(block, StoryChart):
            parts.append((None, block.figure, plot(block.figure)))
        else:
            parts.append((block.html, None, Markup("")))
    note = ""
    if telling.lang != current():
        note = _("This story is not yet written in {language}; it is shown in English.").format(
            language=NATIVE_NAMES[current()]
        )
    return Page(
        path=path(story),
        title=telling.title,
        description=telling.summary,
        template="story.html",
        values={"story": entry(story), "parts": parts, "untold": note, **about(answers.release)},
        menu=LIST,
        scripts=FIGURES,
    )
