"""Who reports, in words: what was compared, what moved because of it, what is told together."""

from __future__ import annotations

from itertools import groupby

from ctdhub.core.format import isolated, listed, number
from ctdhub.core.i18n import _, current, ngettext
from ctdhub.report.called import called_all
from ctdhub.report.signal_wording import part, title
from ctdhub.report.wording import ranged
from ctdhub.schema.labels import code_label
from ctdhub.schema.roles import CONTRIBUTOR_KIND
from ctdhub.stats.signals.cards import cards
from ctdhub.stats.signals.coverage_change import CoverageChange
from ctdhub.stats.signals.explained_by_coverage import Explained
from ctdhub.stats.signals.find import Finding
from ctdhub.stats.signals.of_release import ReleaseSignals
from ctdhub.stats.signals.one_event import Lead

EXAMPLES = 3


def basis(result: ReleaseSignals, finding: Finding) -> str:
    """What was compared, "" where it is what everybody reports and nobody joined or left."""
    held = result.compared[finding.row] if result.compared else None
    if held is None or held.basis == "all":
        return ""
    if held.basis == "undivided":
        return _(
            "Contributors joined or left, and this release cannot show what they report of "
            "these people: this signal may come from that alone."
        )
    if held.apart:
        text = _("This compares what was reported without {names}, whose reports began or ended.")
    elif held.basis == "others":
        text = _(
            "This compares what was reported by other kinds of source than {kinds}, among which "
            "contributors joined or left."
        )
    else:
        text = _(
            "This compares what was reported by other kinds of source than {kinds}, among which "
            "contributors joined or left; how many those reported is estimated from all years "
            "together."
        )
    return text.format(kinds=_kinds(result), names=_called(result, _names(result)))


def short() -> str:
    """Beside a chart of what the others report: whose reports are not in it."""
    return _("without contributors that joined or left, and others of their kind")


def _kinds(result: ReleaseSignals) -> str:
    labels = [code_label(CONTRIBUTOR_KIND, s.kind, current()) for s in result.sources if s.kind]
    return listed([_("“{answer}”").format(answer=label) for label in labels])


def _names(result: ReleaseSignals) -> tuple[str, ...]:
    return tuple(name for one in result.sources for name in one.names)


def _called(result: ReleaseSignals, names: tuple[str, ...]) -> str:
    """Contributors as a list in the language in force; each keeps its own direction."""
    return listed([isolated(name) for name in called_all(names, result.release.facts)])


def about_changes(result: ReleaseSignals) -> str:
    """What contributors that joined or left mean for the signals, "" where none did."""
    if not result.turns:
        return ""
    bases = {one.basis for one in result.compared}
    parts = []
    if bases & {"others", "estimated"}:
        parts.append(
            _(
                "Where these contributors used to report, only the other contributors’ data are "
                "tested; changes explained by their joining or leaving are listed separately."
            )
        )
    elif bases == {"all"}:
        parts.append(_("They reported none, or too few to show, of what is looked at."))
    if not bases or "undivided" in bases:
        parts.append(_("A signal may come from that alone."))
    return " ".join(parts)


def also(result: ReleaseSignals, lead: Lead) -> str:
    """The signals that are told with one, "" without any."""
    shares = [f for f in lead.also if _share_way(result, f)]
    numbers = [f for f in lead.also if f not in shares]
    told = []
    for finding in shares:
        of = cards(result, finding).share
        if of is None:
            continue
        text = (
            _("On the other side the share of {part} rose from {before} to {now}.")
            if _share_way(result, finding) == "rise"
            else _("On the other side the share of {part} fell from {before} to {now}.")
        )
        told.append(
            text.format(
                part=part(result.looked[finding.row].of),
                before=ranged(of[0]),
                now=ranged(of[1]),
            )
        )
    if numbers:
        names = [part(result.looked[f.row].of) for f in numbers]
        told.append(_("The same holds for the number of {parts}.").format(parts=listed(names)))
    return " ".join(told)


def _share_way(result: ReleaseSignals, finding: Finding) -> str:
    rate = result.found.settings.rate if result.found else 0.0
    return next((t.way for t in finding.moved(rate) if t.what == "share"), "")


def see(result: ReleaseSignals, lead: Lead) -> str:
    """The signals that are mostly about the same people, "" without any."""
    if not lead.see:
        return ""
    return _("Perhaps the same people: {signals}.").format(
        signals=_("; ").join(named(result, f) for f in lead.see)
    )


def named(result: ReleaseSignals, finding: Finding) -> str:
    """A series in a few words."""
    looked = result.looked[finding.row]
    return _("{place}: {part}").format(place=title(looked), part=part(looked.of))


def explanations(result: ReleaseSignals) -> tuple[str, ...]:
    """One paragraph for each kind of source that changed: how many series moved with it."""
    return tuple(
        _explained(result, one, tuple(held))
        for one, held in groupby(
            sorted(result.explained, key=lambda e: result.sources.index(e.by)),
            key=lambda e: e.by,
        )
    )


def _explained(result: ReleaseSignals, by: CoverageChange, held: tuple[Explained, ...]) -> str:
    settled = [e for e in held if e.settled]
    others = len(held) - len(settled)
    told = []
    if settled:
        told.append(
            ngettext(
                "{n} series moved as the reports of {names} began or ended; what others report "
                "of it did not move beyond its own past.",
                "{n} series moved as the reports of {names} began or ended; what others report "
                "of them did not move beyond its own past.",
                len(settled),
            ).format(n=number(len(settled)), names=_called(result, by.names))
        )
        told.append(
            _("The largest: {examples}.").format(
                examples=_("; ").join(_example(result, e) for e in settled[:EXAMPLES])
            )
        )
    if others:
        told.append(
            ngettext(
                "{n} series moved more than the reports of {names} explain, but what others "
                "report of it is too few or too uncertain to be a signal.",
                "{n} series moved more than the reports of {names} explain, but what others "
                "report of them is too few or too uncertain to be a signal.",
                others,
            ).format(n=number(others), names=_called(result, by.names))
        )
    if by.mixed:
        told.append(
            _(
                "Other contributors of the same kind report on the same places and cannot "
                "be distinguished there, so some of this may be a real change."
            )
        )
    return " ".join(told)


def _example(result: ReleaseSignals, one: Explained) -> str:
    before, now = cards(result, one.finding).count
    return _("{group}, from {before} to {now}").format(
        group=named(result, one.finding), before=ranged(before), now=ranged(now)
    )
