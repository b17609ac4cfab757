"""How many people of a release may be counted more than once, in words."""

from __future__ import annotations

from ctdhub.border import Estimate, one_person_once
from ctdhub.core.format import number, share
from ctdhub.core.i18n import _, current
from ctdhub.release.open import Release
from ctdhub.report.mse import double_people
from ctdhub.schema.labels import code_label
from ctdhub.schema.roles import ORIGIN


def counted_twice(release: Release) -> list[str]:
    """Sentences on who counts more than once, with the second interval of the number of people."""
    told, sources = _doubles(release).get(None), release.protected.sources
    if told is None or sources is None:
        return [
            _(
                "How many people count more than once, because contributors know them under "
                "different keys, was not measured in this release."
            )
        ]
    once = one_person_once(release.protected.people, told, sources.found)
    return [
        double_people(release),
        _(
            "Second interval, if everybody counts once: {low} to {high} people. It assumes that "
            "these tokens find at least {share} of those who are counted twice."
        ).format(low=number(once.low), high=number(once.high), share=share(sources.found)),
    ]


def twice_by_citizenship(release: Release) -> list[tuple[str, str]]:
    """Citizenships of which some people surely count more than once: name, and from how many to
    how many; [] where that was not measured."""
    return [
        (
            code_label(ORIGIN, of, current()) if of else _("not recorded"),
            _("{low} to {high}").format(low=number(told.low), high=number(told.high)),
        )
        for of, told in _doubles(release).items()
        if of is not None and told.low
    ]


def _doubles(release: Release) -> dict[str | None, Estimate]:
    protected = release.protected
    return protected.sources.doubles(protected.guarantee.level) if protected.sources else {}
