"""Stories: their text as safe HTML with live numbers and charts, their list, a page for each."""

import datetime as dt
import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup, escape

from ctdhub.core import i18n
from ctdhub.core.errors import error, printable
from ctdhub.core.format import day, people_words
from ctdhub.core.i18n import Text, _, current, yaml_values
from ctdhub.report.figures import Among, Figure, subject_figure
from ctdhub.report.wording import ranged
from ctdhub.schema.model import DESTINATION, ORIGIN, load_schema
from ctdhub.site.chart_files import write_figures
from ctdhub.site.edition import LEARN, MenuEntry, PageKind
from ctdhub.site.frame import FIGURES, Links, Page
from ctdhub.site.stories import source
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import YES, NumberCard
from ctdhub.stats.query import Query, Where

# --------------------------------------------------------------------------------------------------
# Numbers inside the text of a story, asked of the release each time the site is built.
#
# {{people}}                                        all people
# {{people citizenship=europe gender=female}}       people who meet all conditions
# {{share gender=female of citizenship=CIV,MLI}}    their share of those whose answer is recorded
# {{share gender=not_recorded}}                     share whose answer is not known

PEOPLE, SHARE, OF = "people", "share", "of"


def say(text: str, answers: Answers) -> str:
    """The number that stands between two braces, with its interval, in the language in force.

    A number that is not shown is said in words.

    Raises:
        StoryError: the text is not of the form above, or names what does not exist.
    """
    kind, *rest = text.split() or [""]
    if kind == PEOPLE and OF not in rest:
        return _people(answers.card(source.query(_conditions(rest), answers)))
    if kind == SHARE and rest and rest[0] != OF:
        at = rest.index(OF) if OF in rest else len(rest)
        inside, around = (
            source.query(_conditions(words), answers).where for words in (rest[:at], rest[at + 1 :])
        )
        known = _recorded(inside, answers)
        if twice := sorted((inside.keys() | known.keys()) & around.keys()):
            raise error("story-number/both-sides", name=twice[0])
        # Whoever has a flag has some flag; whoever has it not may have none.
        some = {n: v for n, v in known.items() if n not in inside and _denied(inside)}
        asked = Query({**around, **some, **inside}, of=Query({**around, **known}))
        return _share(answers.card(asked))
    raise error("story-number", text=printable(text))


def _denied(part: Where) -> bool:
    """Whether the part holds people who do not have some flag."""
    group = {name: load_schema().variable(name).group for name in part}
    return any(group[name] and set(values) != {YES} for name, values in part.items())


def _conditions(words: Iterable[str]) -> source.Conditions:
    conditions: dict[str, tuple[str, ...]] = {}
    for word in words:
        name, sign, values = word.partition("=")
        if not sign or name in conditions:
            raise error("story-number/condition", text=printable(word))
        conditions[name] = tuple(values.split(","))
    return conditions


def _recorded(part: Where, answers: Answers) -> Where:
    """Conditions that people meet whose answers to the part's questions are known."""
    schema, conditions = load_schema(), {}
    for name, values in part.items():
        variable = schema.variable(name)
        group = schema.groups.get(variable.group or "")
        if group is not None and group.indicator:
            if "" in values:
                raise error("story-blank", name=name, group=group.indicator)
            conditions[group.indicator] = [YES]
        elif "" not in values and not schema.is_indicator(name):
            conditions[name] = list(answers.domain(name))
    return conditions


def _people(number_card: NumberCard) -> str:
    if number_card.low is None:
        return _("a number of people that this release did not measure")
    if not number_card.has_range:
        return _("a number of people below the reporting threshold")
    return people_words(ranged(number_card))


def _share(number_card: NumberCard) -> str:
    if number_card.low is None:
        return _("a share that this release did not measure")
    if not number_card.has_range:
        return _("a share below the reporting threshold")
    return ranged(number_card)


# --------------------------------------------------------------------------------------------------
# A chart inside a story: a fenced block that names what it shows.
#
# ```chart
# of: gender                      # a variable, a group of flags, or corridors
# among: {citizenship: [CIV]}     # only people who meet these conditions
# most: 8                         # how many countries or corridors; 10 unless said
# ```

CORRIDORS = "corridors"
USUAL, MOST = 10, 30
"""Countries or corridors in a chart, unless said, and at most."""


def chart(text: str, name: str, answers: Answers) -> Figure:
    """The figure that a block asks for, in the language in force.

    Args:
        name: id of the figure and name of the file of its numbers.

    Raises:
        StoryError: the block is not of the form above, names what does not exist, or asks for
            what this release did not measure.
    """
    subject, named, most = _read(text)
    groups = {key for key, group in load_schema().groups.items() if group.indicator}
    if subject == CORRIDORS:
        if not set(named) <= {ORIGIN, DESTINATION}:
            raise error("story-chart/corridor")
    elif subject not in groups:
        source.require_variable(subject)
    if subject in named:
        raise error("story-chart/subject", name=subject)
    where, file = source.query(named, answers).where, f"stories/{name}"
    among = Among(where, name, file, source.in_words(named))
    figure = subject_figure(answers, subject, among, most)
    if figure is None:
        raise error("story-measured")
    return figure


def _read(text: str) -> tuple[str, source.Conditions, int]:
    try:
        raw: Any = yaml_values(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict) or not set(raw) <= {"of", "among", "most"} or not raw.get("of"):
        raise error("story-chart")
    among, most = raw.get("among") or {}, raw.get("most", USUAL)
    if not isinstance(among, dict) or not among.keys() <= {k for k in among if isinstance(k, str)}:
        raise error("story-chart/conditions")
    if type(most) is not int or not 1 <= most <= MOST:
        raise error("story-chart/rows", most=MOST)
    if not isinstance(raw["of"], str) or not all(map(_plain, among.values())):
        raise error("story-chart/conditions")
    return printable(raw["of"]), {k: _listed(v) for k, v in among.items()}, most


def _plain(values: object) -> bool:
    """One value, or a list of values; what YAML nests deeper is never turned into text."""
    several = values if isinstance(values, list) else [values]
    return all(isinstance(v, str | int | float | dt.date) for v in several)


def _listed(values: object) -> tuple[str, ...]:
    """One value or several, as text; YAML reads yes and no as truth, 2019 as a number."""
    several = values if isinstance(values, list) else [values]
    return tuple({True: "yes", False: "no"}[v] if isinstance(v, bool) else str(v) for v in several)


# --------------------------------------------------------------------------------------------------
# A story's Markdown as safe HTML and figures.
#
# HTML in the text is shown as text.  Links lead to pages of the site or to the web; there are no
# pictures.  A link to a page is written as its path in the folder of a language: ``methods.html``.

FENCE, LIVE = "chart", "live"
WEB = re.compile(r"https?://[^\s\\]+")
PAGE = re.compile(r"[\w-]+(/[\w-]+)*\.html")


Leads = Callable[[str], object]
"""Whether a path is that of a page."""
To = Callable[[str], str]
"""The address of a page by its path."""


@dataclass(frozen=True)
class StoryChart:
    """A chart, in the language of the page; ``lead`` is the paragraph before it, without links."""

    figure: Figure
    lead: Markup
    place: source.StoryPosition


def blocks(
    telling: source.Telling, slug: str, answers: Answers, leads: Leads | None = None, to: To = str
) -> Iterator[Markup | StoryChart]:
    """The text and the charts of a story, in order.

    Args:
        slug: charts are named after it, "<slug>-1" and so on.
        leads: whether links may lead to a path; None where no link is judged or followed.
        to: the address of a page, as it is seen from the story's own.

    Raises:
        StoryError: a link, a number or a chart is wrong, or there is a picture.
    """
    parser, charts, done = _parser(), 0, 0
    tokens = parser.parse(telling.body)
    for k, token in enumerate(tokens):
        if token.type == "heading_open" or token.type == "heading_close":
            token.tag = f"h{max(2, int(token.tag[1:]))}"
        with i18n.language(telling.lang):
            _resolve(telling, token, answers, leads, to)
        if token.type == "fence" and token.info.strip() == FENCE:
            place, charts = _place(telling, token), charts + 1
            with source.at(place):
                if token.level:
                    raise error("story-chart/inside")
                figure = chart(token.content, f"{slug}-{charts}", answers)
            if tokens[done:k]:
                yield _html(parser, tokens[done:k])
            yield StoryChart(figure, _lead(parser, tokens[:k]), place)
            done = k + 1
    if tokens[done:]:
        yield _html(parser, tokens[done:])


def charts_in(story: source.Story, lang: str, answers: Answers) -> Iterator[StoryChart]:
    """The charts of a story in the text of a language."""
    parts = blocks(story.text(lang), story.slug, answers)
    return (block for block in parts if isinstance(block, StoryChart))


def check(telling: source.Telling) -> None:
    """Judge what can be judged of a story before there is a release to tell it of.

    Raises:
        StoryError: there is a picture, a link that leads neither to the web nor to a page, or
            braces that ask for no number.
    """
    for block in _parser().parse(telling.body):
        _resolve(telling, block, None, PAGE.fullmatch, str)


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


def _place(telling: source.Telling, token: Token, down: int = 0) -> source.StoryPosition:
    """A line of a block, counted from its first one."""
    first = token.map[0] if token.map else 0
    return source.StoryPosition(telling.start.file, telling.start.line + first + down)


def _resolve(
    telling: source.Telling,
    block: Token,
    answers: Answers | None,
    leads: Leads | None,
    to: To,
) -> None:
    """Put numbers in the place of what asks for them, and judge links.

    Args:
        answers: None to leave the numbers as they are.
        leads: whether a path is that of a page; None to judge no link.
    """
    down = 0
    for token in block.children or ():
        if token.type in ("softbreak", "hardbreak"):
            down += 1
        with source.at(_place(telling, block, token.meta.get("line", down))):
            if token.type == LIVE and answers is not None:
                token.content = say(token.content, answers)
            elif token.type == "text" and "{{" in token.content:
                raise error("story-number/braces")
            elif token.type == "image":
                raise error("story-picture")
            elif token.type == "link_open" and leads is not None:
                token.attrs = _link(str(token.attrs.get("href", "")), leads, to)


def _link(target: str, leads: Leads, to: To) -> dict[str, str | int | float]:
    """The attributes of a link that leads to the web or to a page."""
    if WEB.fullmatch(target):
        return {"href": target, "rel": "noreferrer"}
    if not leads(target.partition("#")[0]):
        raise error("story-link", target=printable(target))
    return {"href": to(target)}


def _html(parser: MarkdownIt, tokens: list[Token]) -> Markup:
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704


def _lead(parser: MarkdownIt, before: list[Token]) -> Markup:
    """The paragraph right before a chart, empty where there is none; its links are mere text."""
    if len(before) < 3 or before[-1].type != "paragraph_close" or before[-1].level:
        return Markup("")
    words = Token("inline", "", 0)
    words.children = [t for t in before[-2].children or () if not t.type.startswith("link_")]
    return _html(parser, [words])


# --------------------------------------------------------------------------------------------------
# Stories: their list, and a page for each.

LIST = "stories/index.html"

KIND = PageKind(
    "stories",
    lambda content: pages(content.answers, content.edition.stories, content.others),
    menu=MenuEntry(LEARN, LIST, Text("Stories")),
    shown=lambda _release, edition: bool(edition.stories),
    files=lambda folder, content: write_figures(
        folder, story_figures(content.answers, content.edition.stories), content
    ),
    of_site=True,
    links=True,
    reads=("stories",),
)


def path(story: source.Story) -> str:
    """Where the page of a story lies."""
    return f"stories/{story.slug}.html"


def entry(story: source.Story) -> dict[str, Any]:
    """Title, summary, date and path of a story in the language in force."""
    telling = story.text(current())
    return {
        "title": telling.title,
        "summary": telling.summary,
        "day": day(story.date),
        "iso": story.date.isoformat(),
        "path": path(story),
        "marked": marked(telling),
    }


def marked(telling: source.Telling) -> Markup:
    """Attributes for text that is not in the language of the page; empty where it is."""
    if telling.lang == current():
        return Markup("")
    direction = "rtl" if telling.lang in i18n.RIGHT_TO_LEFT else "ltr"
    return Markup(' lang="{lang}" dir="{dir}"').format(lang=telling.lang, dir=direction)


def pages(
    answers: Answers, stories: Sequence[source.Story], others: Container[str]
) -> Iterator[Page]:
    """The list and a page for each story.

    Args:
        others: paths of the other pages, which stories may link to.

    Raises:
        StoryError: a story is wrong.
    """
    leads = _leads(stories, others)
    yield Page(
        path=LIST,
        title=_("Stories"),
        description=_("What the numbers can say, and what they cannot, explained with charts."),
        template="stories.html",
        values={"stories": [entry(story) for story in stories]},
    )
    for story in stories:
        yield _page(answers, story, leads)


def _leads(stories: Sequence[source.Story], others: Container[str]) -> Leads:
    """A story may link to the list of stories, to each story, and to the other pages."""
    own = {LIST, *map(path, stories)}
    return lambda page: page in own or page in others


def story_figures(answers: Answers, stories: Sequence[source.Story]) -> Iterator[Figure]:
    """Every figure of the stories, in the language in force; one file serves all languages.

    Raises:
        StoryError: a translation has another chart in the place of one of the English text.
    """
    for story in stories:
        seen: dict[str, Figure] = {}
        for lang in (i18n.LANGUAGES[0], *story.tellings):
            for block in charts_in(story, lang, answers):
                first = seen.setdefault(block.figure.id, block.figure)
                with source.at(block.place):
                    if first.table != block.figure.table:
                        raise error("story-translation")
        yield from seen.values()


def _page(answers: Answers, story: source.Story, leads: Leads) -> Page:
    telling, to = story.text(current()), Links(path(story), current(), answers.release.version).page
    parts = [
        (None, block.figure) if isinstance(block, StoryChart) else (block, None)
        for block in blocks(telling, story.slug, answers, leads, to)
    ]
    note = ""
    if telling.lang != current():
        note = _("This story is not yet written in {language}; it is shown in English.").format(
            language=i18n.NATIVE_NAMES[current()]
        )
    return Page(
        path=path(story),
        title=telling.title,
        description=telling.summary,
        template="story.html",
        values={"story": entry(story), "parts": parts, "untold": note},
        menu=LIST,
        scripts=FIGURES,
    )
