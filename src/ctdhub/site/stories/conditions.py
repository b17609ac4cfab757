"""Conditions as stories write them, checked against the schema: ``citizenship=europe,TUR``."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError, printable
from ctdhub.core.format import listed
from ctdhub.core.i18n import _, current
from ctdhub.report.wording import state_words
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema
from ctdhub.site.stories.source import StoryPosition
from ctdhub.stats.answers import Answers
from ctdhub.stats.asking import codes_of
from ctdhub.stats.query import Query
from ctdhub.stats.table import NOT_RECORDED as NO_CODE

NOT_RECORDED = "not_recorded"
"""How a story names people whose answer is not known."""
Named = Mapping[str, tuple[str, ...]]
"""What a story names: codes, regions of the world or ``not_recorded``, by variable."""


def query(named: Named, answers: Answers, place: StoryPosition) -> Query:
    """The people that are meant; a region becomes its countries.

    Raises:
        StoryError: there is no such variable or value.
    """
    return Query({name: _values(name, values, answers, place) for name, values in named.items()})


def require_variable(name: str, place: StoryPosition) -> None:
    """Pass if stories may ask about a variable.

    Raises:
        StoryError: there is no such variable.
    """
    public = {v.name for v in load_schema().table("people") if v.public}
    if name not in public or load_schema().variable(name).kind in ("entity", "count"):
        raise error("story-variable", file=place.file, line=place.line, name=printable(name))


def in_words(named: Named) -> str:
    """Conditions in the language in force, for readers."""
    lang = current()
    return _("; ").join(
        _("{variable}: {values}").format(
            variable=label(name, lang), values=listed([_word(name, v) for v in values])
        )
        for name, values in named.items()
    )


def _values(
    name: str, values: Collection[str], answers: Answers, place: StoryPosition
) -> frozenset[str]:
    require_variable(name, place)
    found: set[str] = set()
    for value in values or ("",):
        text = NO_CODE if value == NOT_RECORDED else value
        codes = codes_of(answers, name, text, _countries) if value else ()
        if not codes:
            raise _no_such_value(name, value, answers, place)
        found.update(codes)
    return frozenset(found)


def _no_such_value(name: str, value: str, answers: Answers, place: StoryPosition) -> HubError:
    is_country = load_schema().variable(name).kind == "country"
    known = (
        ("CIV", "DEU", "…", *_regions()) if is_country else (*answers.domain(name), NOT_RECORDED)
    )
    return error(
        "story-value",
        file=place.file,
        line=place.line,
        name=name,
        value=printable(value),
        values=", ".join(known),
    )


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
