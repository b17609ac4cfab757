"""The hidden population behind the overlapping lists of a release."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

from ctdhub.core.format import listed, number, year
from ctdhub.core.i18n import _
from ctdhub.release.open import Release
from ctdhub.stats.mse.estimate import REPLICATES, Result, remembered
from ctdhub.stats.mse.lists import Lists
from ctdhub.stats.series import overlap


def lists_in(release: Release) -> Lists | None:
    """The release's own table of overlaps; None where it was not measured."""
    found = overlap(release)
    return None if found is None else Lists.of(found.lists, found.cells, found.sigma)


def estimate_in(release: Release) -> Result | None:
    """Estimates at the level of the release; None where no overlaps were measured.

    The same release always gives the same numbers, in every language, at every build and by the
    command, which takes as many tables of the bootstrap by default.
    """
    lists = lists_in(release)
    level = release.protected.guarantee.level
    return None if lists is None else remembered(lists, level, REPLICATES)


def list_names(release: Release) -> dict[str, str]:
    """Names of contributors by the id that stands for their list."""
    return {c.id: c.name for c in release.facts.contributors if c.id}


def years_of(release: Release) -> dict[str, tuple[int, int]]:
    """First and last year of each list whose overlap was measured, by the id of its contributor."""
    sources, facts = release.protected.sources, release.facts
    wanted = sources.lists if sources else ()
    return {c.id: c.years or facts.years for c in facts.contributors if c.id in wanted}


def said_first(release: Release, found: dict[str, Any]) -> dict[str, Any]:
    """What a release adds to the plain data of its estimates: ``list_years`` ([first, last] by id),
    ``doubles`` (``people``, ``low``, ``high``; null where unknown), and before all other
    ``warnings`` what the lists are about."""
    first = [text for text in (scope(release), double_people(release)) if text]
    years = {id_: list(span) for id_, span in years_of(release).items()}
    told = _doubles(release)
    doubles = dict(zip(("people", "low", "high"), told, strict=True)) if told else None
    return {"list_years": years, "doubles": doubles, "warnings": [*first, *found["warnings"]]}


def double_people(release: Release) -> str:
    """How many people of a release are another one of them; empty where nobody can tell."""
    told = _doubles(release)
    if told is None:
        return ""
    value, low, high = map(number, told)
    return _(
        "Further tokens suggest that about {n} people of this release are another one of them "
        "(noise alone: {low} to {high}). The overlaps take that into account. The number of people "
        "is too high by about as many, and each other count by those of them whom it holds; people "
        "whom no token finds come on top."
    ).format(n=value, low=low, high=high)


def _doubles(release: Release) -> tuple[int, int, int] | None:
    """Number and interval at the level of the release, rounded outwards."""
    found = overlap(release)
    if found is None or found.doubles is None:
        return None
    value, sigma = found.doubles
    half = NormalDist().inv_cdf((1 + release.protected.guarantee.level) / 2) * sigma
    low, high = max(0, math.floor(value - half)), max(0, math.ceil(value + half))
    return max(0, round(value)), low, high


def scope(release: Release) -> str:
    """What must be said first: which years the lists are about; empty where these are all years.

    In releases that measured overlaps over all years, people whom a list could not know, because
    it did not exist in their year, look like people whom it missed.
    """
    found = overlap(release)
    if found is None:
        return ""
    if found.years:
        first, last = found.years
        return _(
            "A list counts those whom it knew in {first} to {last}, the years that all of these "
            "lists cover."
        ).format(first=year(first), last=year(last))
    return _different_years(release)


def _different_years(release: Release) -> str:
    spans, names = years_of(release), list_names(release)
    if len(set(spans.values())) < 2:
        return ""
    lists = listed(
        [
            _("{name} ({first} to {last})").format(
                name=names[id_], first=year(first), last=year(last)
            )
            for id_, (first, last) in spans.items()
        ]
    )
    first, last = max(s[0] for s in spans.values()), min(s[1] for s in spans.values())
    common = _("They have no year in common.")
    if first <= last:
        common = _("Only {first} to {last} is covered by all of them.").format(
            first=year(first), last=year(last)
        )
    return " ".join(
        (
            _("The lists are about different years: {lists}.").format(lists=lists),
            common,
            _(
                "The overlaps are measured over all years together, so people of a year that a "
                "list does not cover count as people whom it missed. That makes the estimates too "
                "high or too low by an amount that nobody can tell. Do not use them as the number "
                "of people in any one year or span of years."
            ),
        )
    )
