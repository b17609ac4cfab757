"""Read the stories of a hub, and the conditions in them."""

import datetime as dt
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ctdhub.core.errors import StoryError, error, printable
from ctdhub.core.format import listed
from ctdhub.core.i18n import LANGUAGES, _, current, yaml_values
from ctdhub.report.wording import state_words
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema
from ctdhub.stats.answers import Answers, codes_of
from ctdhub.stats.cards import NOT_RECORDED as NO_CODE
from ctdhub.stats.query import Query

# --------------------------------------------------------------------------------------------------
# Read the stories of a hub: ``stories/<name>.<language>.md``, a few settings and a text.
#
# A story is told in English at least.  A language without a text of its own shows the English one,
# marked as English: every page of the site exists in every language.

NAME = re.compile(r"(?!index\.)([a-z0-9][a-z0-9-]{0,59})\.([a-z]{2})\.md")
LARGEST = 100_000
"""Bytes of a story's file."""
FENCE = "---"
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
"""Characters that nobody sees, or that make text read otherwise than it is written."""


class _StorySettings(BaseModel):
    """The first lines of a story, plain text; the date is asked of the English text only."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=120, pattern=r"^[^\n]+$")
    summary: str = Field(min_length=1, max_length=300, pattern=r"^[^\n]+$")
    date: dt.date | None = None


@dataclass(frozen=True)
class StoryPosition:
    """A line of a story's file, to say where a fault is."""

    file: Path
    line: int


@contextmanager
def at(place: StoryPosition) -> Iterator[None]:
    """What is found wrong inside is said of this line."""
    try:
        yield
    except StoryError as fault:
        fault.file, fault.line = printable(place.file.name), place.line
        raise


@dataclass(frozen=True)
class Telling:
    """A story in one language; ``start`` is the place of the first line of ``body``."""

    lang: str
    title: str
    summary: str
    body: str
    start: StoryPosition


@dataclass(frozen=True)
class Story:
    """A story; ``slug`` names its page, ``tellings`` has its texts by language."""

    slug: str
    date: dt.date
    tellings: Mapping[str, Telling]

    def text(self, lang: str) -> Telling:
        """The text in a language, or the English one."""
        return self.tellings.get(lang) or self.tellings[LANGUAGES[0]]


def read_stories(folder: Path) -> tuple[Story, ...]:
    """The stories of a folder, the newest first; none where there is no folder.

    Raises:
        StoryError: a file's name, its first lines or its characters are wrong, or English lacks.
    """
    tellings: dict[str, dict[str, tuple[Telling, dt.date | None]]] = {}
    for file in sorted(folder.glob("[!.]*.md")):
        match = NAME.fullmatch(file.name)
        if match is None or match[2] not in LANGUAGES or file.is_symlink():
            raise error("story-name", file=file, languages=", ".join(LANGUAGES))
        tellings.setdefault(match[1], {})[match[2]] = _read(file, match[2])
    stories = [_story(slug, texts) for slug, texts in tellings.items()]
    return tuple(sorted(stories, key=lambda s: (-s.date.toordinal(), s.slug)))


def _story(slug: str, texts: Mapping[str, tuple[Telling, dt.date | None]]) -> Story:
    english = f"{slug}.{LANGUAGES[0]}.md"
    if LANGUAGES[0] not in texts:
        file = next(telling.start.file for telling, _day in texts.values())
        raise error("story-english", file=file, english=english)
    day = texts[LANGUAGES[0]][1]
    if day is None:
        raise error("story-date", file=english, line=1)
    for telling, other in texts.values():
        if other not in (None, day):
            raise error("story-date/differs", file=telling.start.file, line=1)
    return Story(slug, day, {lang: telling for lang, (telling, _day) in texts.items()})


def _read(file: Path, lang: str) -> tuple[Telling, dt.date | None]:
    head, body, first = _parts(file, _text(file))
    try:
        settings = _StorySettings.model_validate(yaml_values(head))
    except (yaml.YAMLError, ValueError, RecursionError) as cause:
        faults = cause.errors() if isinstance(cause, ValidationError) else []
        names = sorted({str(e["loc"][0]) for e in faults if e["loc"]})
        raise error(
            "story-head",
            file=file,
            line=1,
            names=printable(", ".join(names)) or "YAML",
            title=120,
            summary=300,
        ) from None
    telling = Telling(lang, settings.title, settings.summary, body, StoryPosition(file, first))
    return telling, settings.date


def _text(file: Path) -> str:
    if file.stat().st_size > LARGEST:
        raise error("story-size", file=file, n=LARGEST)
    try:
        text = file.read_text("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise error("story-utf8", file=file) from None
    if hidden := _HIDDEN.search(text):
        line = text.count("\n", 0, hidden.start()) + 1
        raise error("story-character", file=file, line=line)
    return text


def _parts(file: Path, text: str) -> tuple[str, str, int]:
    """The settings, the body, and the line in which the body begins."""
    lines = text.split("\n")
    if lines[0].rstrip() == FENCE:
        for n, line in enumerate(lines[1:], 1):
            if line.rstrip() == FENCE:
                return "\n".join(lines[1:n]), "\n".join(lines[n + 1 :]), n + 2
    raise error("story-head/missing", file=file, line=1)


# --------------------------------------------------------------------------------------------------
# Conditions as stories write them, checked against the schema: ``citizenship=europe,TUR``.

NOT_RECORDED = "not_recorded"
"""How a story names people whose answer is not known."""
Conditions = Mapping[str, tuple[str, ...]]
"""What a story names: codes, regions of the world or ``not_recorded``, by variable."""


def query(conditions: Conditions, answers: Answers) -> Query:
    """The people that are meant; a region becomes its countries.

    Raises:
        StoryError: there is no such variable or value.
    """
    return Query({name: _values(name, values, answers) for name, values in conditions.items()})


def require_variable(name: str) -> None:
    """Pass if stories may ask about a variable.

    Raises:
        StoryError: there is no such variable.
    """
    public = {v.name for v in load_schema().table("people") if v.public}
    if name not in public or load_schema().variable(name).kind in ("entity", "count"):
        raise error("story-variable", name=printable(name))


def in_words(conditions: Conditions) -> str:
    """Conditions in the language in force, for readers."""
    lang = current()
    return _("; ").join(
        _("{variable}: {values}").format(
            variable=label(name, lang), values=listed([_word(name, v) for v in values])
        )
        for name, values in conditions.items()
    )


def _values(name: str, values: Collection[str], answers: Answers) -> frozenset[str]:
    require_variable(name)
    union: set[str] = set()
    for value in values or ("",):
        text = NO_CODE if value == NOT_RECORDED else value
        codes = codes_of(answers, name, text, _countries) if value else ()
        if not codes:
            is_country = load_schema().variable(name).kind == "country"
            known = ("CIV", "DEU", "…", *_regions()) if is_country else answers.domain(name)
            choices = ", ".join(known if is_country else (*known, NOT_RECORDED))
            raise error("story-value", name=name, value=printable(value), values=choices)
        union.update(codes)
    return frozenset(union)


def _countries(key: str) -> tuple[str, ...]:
    return tuple(countries.members(key)) if key in _regions() else ()


def _regions() -> tuple[str, ...]:
    across = (*countries.unions(), *countries.place_sets())
    return (*countries.regions(), *countries.subregions(), *across)


def _word(name: str, value: str) -> str:
    if value == NOT_RECORDED:
        return state_words("not_recorded")
    if load_schema().variable(name).kind == "country" and value in _regions():
        return countries.region_name(value, current())
    return code_label(name, value, current())
