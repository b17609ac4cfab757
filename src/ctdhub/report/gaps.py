"""Who receives assistance less often, and who cannot be compared, in the language in force."""

from __future__ import annotations

import math

from ctdhub.core.format import decimal, share_ranged
from ctdhub.core.i18n import _, current
from ctdhub.schema.labels import code_label, label
from ctdhub.stats.equity import NotCompared
from ctdhub.stats.gaps import By, Gap

DECIMALS = 3
"""Of percentage points, the most."""
EXACT = 1e-9
"""Below it a remainder comes of binary fractions alone and is not rounded away from."""


def assistance_caveat() -> str:
    """What must be said wherever assistance is shown."""
    return _(
        "Recorded assistance of identified people, by organisations that record assistance. For "
        "most people nothing is recorded: that says neither that they received it nor that they "
        "did not."
    )


def group_name(by: By, codes: tuple[str, ...]) -> str:
    """A group in words."""
    words = [
        code_label(v, code, current()) if code else _("not recorded")
        for v, code in zip(by, codes, strict=True)
    ]
    return " · ".join(words)


def gap_sentence(gap: Gap) -> str:
    """Who received it less often, beside whom and by how much."""
    return _(
        "{kind}. Among the groups that can be compared, the group {least} was less likely "
        "to receive it than the group {most}: {low_share} compared with {high_share} of "
        "those recorded. The difference is {points} percentage points (between {low} and "
        "{high})."
    ).format(
        kind=label(gap.kind, current()),
        least=_quoted(group_name(gap.by, gap.least)),
        most=_quoted(group_name(gap.by, gap.most)),
        low_share=share_ranged(gap.shares[0], *gap.ends[0]),
        high_share=share_ranged(gap.shares[1], *gap.ends[1]),
        **_points(gap),
    )


def gap_headline(gap: Gap) -> str:
    """Who received it less often than whom, in one line with both intervals."""
    return _("{kind}: {least}, {low_share}; {most}, {high_share}").format(
        kind=label(gap.kind, current()),
        least=group_name(gap.by, gap.least),
        most=group_name(gap.by, gap.most),
        low_share=share_ranged(gap.shares[0], *gap.ends[0]),
        high_share=share_ranged(gap.shares[1], *gap.ends[1]),
    )


def gap_difference(gap: Gap) -> str:
    """The difference of the two shares, in percentage points."""
    return _(
        "Received by so many of those whose status is recorded. The difference is {points} "
        "percentage points (between {low} and {high})."
    ).format(**_points(gap))


def not_compared_sentence(left: NotCompared) -> str:
    """Which groups the gaps leave out, because their share is too small to be shown; empty where
    there are none."""
    told = []
    if left.never:
        text = _(
            "Cannot be compared, because too few of them are recorded for a reliable share; they "
            "may receive it least often of all: {groups}."
        )
        told.append(text.format(groups=_names(left.by, left.never)))
    if left.partly:
        text = _(
            "Cannot be compared for some kinds of assistance, because too few of them are recorded "
            "for a reliable share; they may receive it least often of all: {groups}."
        )
        told.append(text.format(groups=_names(left.by, left.partly)))
    return " ".join(told)


def _names(by: By, groups: tuple[tuple[str, ...], ...]) -> str:
    return _("; ").join(group_name(by, codes) for codes in groups)


def _points(gap: Gap) -> dict[str, str]:
    """The difference and its ends in percentage points, the ends rounded outwards.

    They are whole, or have up to three decimals where a clear gap would seem to begin at zero.
    """
    digits = next((d for d in range(DECIMALS) if 100 * gap.low * 10**d >= 1), DECIMALS)
    steps, pattern = 10**digits, f"{0:.{digits}f}"
    return {
        "points": decimal(100 * gap.difference, pattern),
        "low": decimal(math.floor(100 * gap.low * steps + EXACT) / steps, pattern),
        "high": decimal(math.ceil(100 * gap.high * steps - EXACT) / steps, pattern),
    }


def _quoted(name: str) -> str:
    return _("“{name}”").format(name=name)
