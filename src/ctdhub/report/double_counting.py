"""How many people of a release may be counted more than once, in words."""

from __future__ import annotations

from ctdhub.border import BIRTH, POSSIBLE, Estimate
from ctdhub.core.format import number, share
from ctdhub.core.i18n import _, current
from ctdhub.release.open import Release
from ctdhub.schema.labels import code_label
from ctdhub.schema.roles import ORIGIN


def counted_twice(release: Release) -> list[str]:
    """Sentences on who counts more than once, with the second interval of the number of people."""
    errors, people = release.link_errors, release.protected.people
    if errors is None:
        return [
            _(
                "This release does not measure how many people are counted more than once because "
                "contributors know them under different keys. Groups in which more people are "
                "counted twice look larger than they are, and their intervals do not allow for "
                "that."
            )
        ]
    low, high = errors.once(people.low, people.high)
    said = {"share": share(errors.found)}
    return [
        _(
            "The number of people who are counted a second time in this release is at most "
            "{doubles} (about {middle}). The number of people who were merged by mistake with "
            "somebody else is at most {merged}."
        ).format(
            doubles=number(min(errors.doubles, people.high)),
            middle=number(min(errors.middle, people.high)),
            merged=number(errors.merged),
        ),
        _("Second interval, if everybody is counted once: {low} to {high} people.").format(
            low=number(low), high=number(high)
        ),
        _(
            "A clerical review found that tokens find at least {share} of the people who are "
            "counted twice."
        ).format(**said)
        if errors.reviewed
        else _(
            "Tokens are estimated, by capture and recapture, to find at least {share} of the "
            "people who are counted twice. Where names are written in two scripts, tokens may find "
            "fewer."
        ).format(**said),
        comparison_note(release),
    ]


def comparison_note(release: Release) -> str:
    """By which interval groups are compared; one sentence for every page that compares."""
    if release.link_errors is None:
        return _(
            "How many people are counted twice was not measured: comparisons of groups do not "
            "allow for it."
        )
    return _(
        "Groups are compared by the second interval, if everybody is counted once: it allows for "
        "people who are counted twice and for different people who were merged by mistake."
    )


def twice_by_citizenship(release: Release) -> list[tuple[str, str]]:
    """Citizenships of which some people surely may count more than once: name, and from how many
    to how many; [] where that was not measured."""
    return [
        (code_label(ORIGIN, of, current()) if of else _("not recorded"), _span(told))
        for of, told in _told(release, ORIGIN).items()
        if told.low
    ]


def twice_by_birth(release: Release) -> list[tuple[str, str]]:
    """The same by how exactly the birth is known, all of them."""
    names = {
        "full": _("birth date in full"),
        "january": _("born on 1 January"),
        "year": _("year of birth alone"),
        "none": _("birth not recorded"),
        "no_key": _("too little recorded to compare"),
    }
    return [(names[of], _span(told)) for of, told in _told(release, BIRTH).items()]


def _told(release: Release, by: str) -> dict[str, Estimate]:
    protected = release.protected
    if protected.sources is None:
        return {}
    return protected.sources.told(protected.guarantee.level, POSSIBLE, by)


def _span(told: Estimate) -> str:
    return _("{low} to {high}").format(low=number(told.low), high=number(told.high))
