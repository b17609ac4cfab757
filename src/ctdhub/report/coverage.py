"""Which contributors joined or left in which year, in the words of one language."""

from __future__ import annotations

from ctdhub.core.format import listed, set_apart, year
from ctdhub.core.i18n import _, ngettext
from ctdhub.release.open import Release
from ctdhub.report.called import called_all
from ctdhub.stats.trend import Turn, turns


def turned(release: Release, between: tuple[int, int] | None = None) -> tuple[str, ...]:
    """Sentences on the years in which contributors joined or left.

    Args:
        between: only those after the first and up to the second year, () where there are none;
            all by default.
    """
    found: list[str] = []
    for turn in turns(release):
        if between is not None and not between[0] < turn.year <= between[1]:
            continue
        found += turn_sentences(turn, release)
    if not found and between is not None:
        return ()
    if not found:
        return (_("The same contributors cover all years."),)
    return (*found, _("A rise or fall around these years may come from that."))


def turn_sentences(turn: Turn, release: Release) -> tuple[str, ...]:
    """Who joined in a year, and who no longer reports from it on."""
    found = []
    if turn.joined:
        text = ngettext(
            "{year}: a contributor joined, {names}.",
            "{year}: contributors joined, {names}.",
            len(turn.joined),
        )
        found.append(text.format(year=year(turn.year), names=_named(turn.joined, release)))
    if turn.left:
        text = ngettext(
            "{year}: a contributor no longer reports, {names}.",
            "{year}: contributors no longer report, {names}.",
            len(turn.left),
        )
        found.append(text.format(year=year(turn.year), names=_named(turn.left, release)))
    return tuple(found)


def _named(names: tuple[str, ...], release: Release) -> str:
    return listed([set_apart(name) for name in called_all(names, release.facts)])
