"""Conditions as stories write them, checked against the schema: ``citizenship=europe,TUR``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.format import listed
from ctdhub.core.i18n import _, current
from ctdhub.report.wording import state_words
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema
from ctdhub.site.stories.source import StoryPosition
from ctdhub.stats.answers import Answers, Where

NOT_RECORDED = "not_recorded"
"""How a story names people whose answer is not known."""
Named = Mapping[str, tuple[str, ...]]
"""What a story names: codes, regions of the world or ``not_recorded``, by variable."""


def where(named: Named, answers: Answers, place: StoryPosition) -> Where:
    """The values that are meant, by variable; a region becomes its countries.

    Raises:
        StoryError: there is no such variable or value.
    """
    return {name: _values(name, values, answers, place) for name, values in named.items()}


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
    name: str, values: Iterable[str], answers: Answers, place: StoryPosition
) -> frozenset[str]:
    require_variable(name, place)
    domain, is_country = answers.domain(name), load_schema().variable(name).kind == "country"
    found: set[str] = set()
    for value in values:
        if value == NOT_RECORDED:
            found.add("")
        elif value in domain:
            found.add(value)
        elif is_country and value in _regions():
            found |= set(countries.members(value))
        else:
            raise error(
                "story-value",
                file=place.file,
                line=place.line,
                name=name,
                value=printable(value),
                values=", ".join(
                    ("CIV", "DEU", "…", *_regions()) if is_country else (*domain, NOT_RECORDED)
                ),
            )
    return frozenset(found)


def _regions() -> tuple[str, ...]:
    return (*countries.regions(), *countries.subregions(), *countries.unions())


def _word(name: str, value: str) -> str:
    if value == NOT_RECORDED:
        return state_words("not_recorded")
    if load_schema().variable(name).kind == "country" and value in _regions():
        return countries.region_name(value, current())
    return code_label(name, value, current())
