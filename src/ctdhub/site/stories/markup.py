"""A story's Markdown as safe HTML and figures.

HTML in the text is shown as text.  Links lead to pages of the site or to the web; there are no
pictures.  A link to a page is written as its path in the folder of a language: ``methods.html``.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup, escape

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.i18n import language
from ctdhub.report.figures import Figure
from ctdhub.site.stories.chart import chart
from ctdhub.site.stories.live import say
from ctdhub.site.stories.source import StoryPosition, Telling
from ctdhub.stats.answers import Answers

FENCE, LIVE = "chart", "live"
WEB = re.compile(r"https?://[^\s\\]+")
PAGE = re.compile(r"[\w-]+(/[\w-]+)*\.html")


@dataclass(frozen=True)
class StoryText:
    """Paragraphs, headings, lists as HTML, in the language of the telling."""

    html: Markup


@dataclass(frozen=True)
class StoryChart:
    """A chart, in the language of the page; ``lead`` is the paragraph before it, without links."""

    figure: Figure
    lead: Markup
    place: StoryPosition


def blocks(
    telling: Telling, slug: str, answers: Answers, pages: Container[str] | None, up: str
) -> Iterator[StoryText | StoryChart]:
    """The text and the charts of a story, in order.

    Args:
        slug: charts are named after it, "<slug>-1" and so on.
        pages: paths of pages that links may lead to; None where no link is judged or followed.
        up: leads from the story's page to the folder of the language, for example "../".

    Raises:
        StoryError: a link, a number or a chart is wrong, or there is a picture.
    """
    parser, charts, done = _parser(), 0, 0
    tokens = parser.parse(telling.body)
    for at, token in enumerate(tokens):
        place = _place(telling, token)
        if token.type == "heading_open" or token.type == "heading_close":
            token.tag = f"h{max(2, int(token.tag[1:]))}"
        with language(telling.lang):
            _resolve(token, place, answers, pages, up)
        if token.type == "fence" and token.info.strip() == FENCE:
            if token.level:
                raise error("story-chart/inside", file=place.file, line=place.line)
            if tokens[done:at]:
                yield StoryText(_html(parser, tokens[done:at]))
            charts, done = charts + 1, at + 1
            figure = chart(token.content, f"{slug}-{charts}", answers, place)
            yield StoryChart(figure, _lead(parser, tokens[:at]), place)
    if tokens[done:]:
        yield StoryText(_html(parser, tokens[done:]))


def check(telling: Telling) -> None:
    """Judge what can be judged of a story before there is a release to tell it of.

    Raises:
        StoryError: there is a picture, a link that leads neither to the web nor to a page, or
            braces that ask for no number.
    """
    for block in _parser().parse(telling.body):
        place = _place(telling, block)
        for token in block.children or ():
            if token.type == "image":
                raise error("story-picture", file=place.file, line=place.line)
            if token.type == "text" and "{{" in token.content:
                raise error("story-number/braces", file=place.file, line=place.line)
            target = str(token.attrs.get("href", ""))
            leads = WEB.fullmatch(target) or PAGE.fullmatch(target.partition("#")[0])
            if token.type == "link_open" and not leads:
                raise error(
                    "story-link", file=place.file, line=place.line, target=printable(target)
                )


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False})
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # each is judged below
    parser.inline.ruler.before("escape", LIVE, _live)
    parser.add_render_rule(
        LIVE, lambda self, tokens, at, options, env: str(escape(tokens[at].content))
    )
    return parser


def _live(state: StateInline, silent: bool) -> bool:
    """``{{…}}`` becomes a token; its line counts from the beginning of the paragraph."""
    end = state.src.find("}}", state.pos, state.posMax)
    if not state.src.startswith("{{", state.pos) or end < 0:
        return False
    if not silent:
        token = state.push(LIVE, "", 0)
        token.content = state.src[state.pos + 2 : end]
        token.meta["line"] = state.src.count("\n", 0, state.pos)
    state.pos = end + 2
    return True


def _place(telling: Telling, token: Token) -> StoryPosition:
    first = token.map[0] if token.map else 0
    return StoryPosition(telling.start.file, telling.start.line + first)


def _resolve(
    block: Token, first: StoryPosition, answers: Answers, pages: Container[str] | None, up: str
) -> None:
    """Put numbers in the place of what asks for them, and judge links."""
    down = 0
    for token in block.children or ():
        if token.type in ("softbreak", "hardbreak"):
            down += 1
        place = StoryPosition(first.file, first.line + down)
        if token.type == LIVE:
            asked = StoryPosition(first.file, first.line + token.meta["line"])
            token.content = say(token.content, answers, asked)
        elif token.type == "text" and "{{" in token.content:
            raise error("story-number/braces", file=place.file, line=place.line)
        elif token.type == "image":
            raise error("story-picture", file=place.file, line=place.line)
        elif token.type == "link_open" and pages is not None:
            _link(token, place, pages, up)


def _link(token: Token, place: StoryPosition, pages: Container[str], up: str) -> None:
    target = str(token.attrs.get("href", ""))
    if WEB.fullmatch(target):
        token.attrs = {"href": target, "rel": "noreferrer"}
    elif target.partition("#")[0] in pages:
        token.attrs = {"href": up + target}
    else:
        raise error("story-link", file=place.file, line=place.line, target=printable(target))


def _html(parser: MarkdownIt, tokens: list[Token]) -> Markup:
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704


def _lead(parser: MarkdownIt, before: list[Token]) -> Markup:
    """The paragraph right before a chart, empty where there is none; its links are mere text."""
    if len(before) < 3 or before[-1].type != "paragraph_close" or before[-1].level:
        return Markup("")
    words = Token("inline", "", 0)
    words.children = [t for t in before[-2].children or () if not t.type.startswith("link_")]
    return _html(parser, [words])
