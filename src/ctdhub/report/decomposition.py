"""A split change in whole sentences, in the language in force.

Nothing here says that trafficking rose or fell: what is counted are people who were identified.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ctdhub.core.format import interval, isolated, listed, number, share_ranged, year
from ctdhub.core.i18n import _, current, formula, ngettext
from ctdhub.release.facts import PublicFacts
from ctdhub.report.breaks import break_sentence
from ctdhub.report.called import called_all
from ctdhub.schema.labels import code_label, group_label, label
from ctdhub.schema.model import load_schema
from ctdhub.schema.places import place_of
from ctdhub.stats.decomposition.panel import FixedPanel
from ctdhub.stats.decomposition.split import ChangePart, Split
from ctdhub.stats.decomposition.subject import REGIONS, ChangeSubject
from ctdhub.stats.intervals import Interval
from ctdhub.stats.precision import is_precise


def question_label(question: ChangeSubject) -> str:
    """The people whom a question is about."""
    lang, name = current(), question.variable
    if not name:
        return _("All people")
    if name in REGIONS:
        value = place_of(question.value).name(lang)
    elif load_schema().variable(name).kind == "flag":
        return label(name, lang)
    else:
        value = code_label(name, question.value, lang)
    return _("{variable}: {value}").format(variable=label(name, lang), value=value)


def told(
    question: ChangeSubject, split: Split, facts: PublicFacts | None = None
) -> tuple[str, ...]:
    """The change, each of its parts, and the breaks declared between the two years.

    Args:
        facts: for contributors' names in the language in force; their one names without them.
    """
    found = [_change(split)]
    found += [_part(question, split, _called(part, facts)) for part in split.parts]
    found += [break_sentence(one, facts) for one in split.breaks]
    if split.breaks:
        found.append(_("Part of the change may be due to a declared break."))
    return tuple(found)


def _change(split: Split) -> str:
    years = {"earlier": year(split.earlier), "later": year(split.later)}
    if not split.is_clear:
        return _(
            "{later} compared with {earlier}: no difference beyond the noise ({ends})."
        ).format(**years, ends=ends(split))
    return _("{later} compared with {earlier}: {change} ({ends}).").format(
        **years, change=people(split.value), ends=ends(split)
    )


def _part(question: ChangeSubject, split: Split, part: ChangePart) -> str:
    if part.kind in ("left", "joined"):
        return _contributors(split, part)
    if part.kind == "recording":
        return _recording(question, split, part)
    if part.kind == "rest":
        return _rest(part)
    if not part.is_clear:
        return _("The change is within the noise ({ends}), so it cannot be split.").format(
            ends=ends(part)
        )
    if part.kind == "undivided":
        text = _(
            "{change} ({ends}) cannot be split: {names} are counted together, and not all of "
            "them report on both years."
        )
    elif part.kind == "unmeasured":
        text = _(
            "{change} ({ends}) cannot be split: the contributors of the two years differ "
            "({names}), and this release did not measure which of them registered these people."
        )
    else:
        text = _(
            "{change} ({ends}) cannot be split: the answer is recorded for too few people of "
            "{names}."
        )
    return text.format(change=people(part.value), ends=ends(part), names=_named(part.names))


def _contributors(split: Split, part: ChangePart) -> str:
    """What a contributor that left or joined makes of the change."""
    n, names = len(part.names), _named(part.names)
    if not part.is_clear:
        left = ngettext(
            "{names} no longer reports; that makes no difference beyond the noise ({ends}).",
            "{names} no longer report; that makes no difference beyond the noise ({ends}).",
            n,
        )
        joined = ngettext(
            "{names} has begun to report; that makes no difference beyond the noise ({ends}).",
            "{names} have begun to report; that makes no difference beyond the noise ({ends}).",
            n,
        )
        text = left if part.kind == "left" else joined
        return text.format(names=names, ends=ends(part))
    if part.kind == "joined":
        text = ngettext(
            "{change} ({ends}) because {names} has begun to report.",
            "{change} ({ends}) because {names} have begun to report.",
            n,
        )
        return text.format(change=people(part.value), ends=ends(part), names=names)
    if split.is_clear and split.value <= part.value < 0:
        text = ngettext(
            "Of the {change}, {n} ({ends}) fell away because {names} no longer reports.",
            "Of the {change}, {n} ({ends}) fell away because {names} no longer report.",
            n,
        )
        return text.format(
            change=people(split.value), n=number(-part.value), ends=ends(part), names=names
        )
    text = ngettext(
        "{change} ({ends}) because {names} no longer reports.",
        "{change} ({ends}) because {names} no longer report.",
        n,
    )
    return text.format(change=people(part.value), ends=ends(part), names=names)


def _recording(question: ChangeSubject, split: Split, part: ChangePart) -> str:
    before, after = (recorded_share(s) for s in split.shares or (Interval(0.0, 0.0, 1.0),) * 2)
    shares = {"what": _what(question), "before": before, "after": after, "ends": ends(part)}
    borrowed = ""
    if split.borrowed:
        borrowed = " " + _(
            "In one of the two years hardly any answer is recorded by some contributor, so "
            "those recorded in the other year are used for both."
        )
    if not part.is_clear:
        text = _(
            "Recording: {what} is recorded for {after} of people, {before} before, among the "
            "contributors of both years; that makes no difference beyond the noise ({ends})."
        )
        return text.format(**shares) + borrowed
    text = _(
        "Recording: {what} is recorded for {after} of people, {before} before, among the "
        "contributors of both years; that alone makes {change} ({ends})."
    )
    return text.format(change=people(part.value), **shares) + borrowed


def recorded_share(found: Interval) -> str:
    """A share of people whose answer is recorded: with its interval, or as a range alone where it
    is too imprecise for a point."""
    value, low, high = found.value or 0.0, found.low or 0.0, found.high or 0.0
    if is_precise(found, "share"):
        return share_ranged(value, low, high)
    first, last = interval(low, high)
    return _("between {low} and {high}").format(low=first, high=last)


def _what(question: ChangeSubject) -> str:
    """What is recorded or not, in quotation marks."""
    variable = load_schema().variable(question.variable)
    group = variable.group or variable.any_of
    if question.indicator or variable.any_of:
        name = group_label(group or "", current())
    else:
        name = label(question.variable, current())
    return _("“{name}”").format(name=name)


def _rest(part: ChangePart) -> str:
    if not part.is_clear:
        return _(
            "The remaining change, which is the best available indication of a real "
            "change: no difference beyond the noise ({ends})."
        ).format(ends=ends(part))
    return _(
        "The remaining change: {change} ({ends}). It is the best available indication of a "
        "real change, but may still reflect policing, funding or outreach."
    ).format(change=people(part.value), ends=ends(part))


def panel_sentence(panel: FixedPanel | None, facts: PublicFacts) -> str:
    """Who is in the series of the same contributors."""
    if panel is None:
        return _(
            "Who registered whom was not measured for contributors that report on all of these "
            "years, so there is no series of the same contributors."
        )
    first, last = panel.span
    return _("The same contributors in every year, {first} to {last}: {names}.").format(
        first=year(first), last=year(last), names=_named(called_all(panel.names, facts))
    )


def measured_apart() -> str:
    """Why the counts of contributors do not add up to the published ones."""
    return _(
        "The counts of contributors were measured separately from those of the chart; the "
        "two differ by their noise."
    )


def counted_once() -> str:
    """Under whom a person counts."""
    return _(
        "A person whom several contributors know under the same key is counted once, under the one "
        "that registered that person first."
    )


def part_label(part: ChangePart, facts: PublicFacts) -> str:
    """A part in few words, for a table or beside a bar."""
    words = {
        "left": _("No longer reports: {names}"),
        "joined": _("Has begun to report: {names}"),
        "recording": _("What is recorded"),
        "rest": _("The remaining change"),
        "undivided": _("Cannot be split: {names}"),
        "unmeasured": _("Cannot be split: {names}"),
        "unclear": _("Too few recorded to split: {names}"),
    }
    return words[part.kind].format(names=_named(called_all(part.names, facts)))


def _called(part: ChangePart, facts: PublicFacts | None) -> ChangePart:
    return replace(part, names=called_all(part.names, facts))


def _named(names: Sequence[str]) -> str:
    """Names of contributors as a list; each keeps its own direction inside the sentence."""
    return listed([isolated(name) for name in names])


def people(change: int) -> str:
    """A number of people more or fewer.

    >>> people(-1200), people(1)
    ('1,200 fewer people', '1 more person')
    """
    n = abs(change)
    if change < 0:
        return ngettext("{n} fewer person", "{n} fewer people", n).format(n=number(n))
    return ngettext("{n} more person", "{n} more people", n).format(n=number(n))


def ends(found: ChangePart | Split) -> str:
    """The two ends of an interval of a change, with their signs."""
    return _("{low} to {high}").format(low=signed(found.low), high=signed(found.high))


def signed(change: int) -> str:
    """A change with its sign.

    >>> signed(-1200), signed(0), signed(7)
    ('−1,200', '0', '+7')
    """
    sign = "+" if change > 0 else "−" if change < 0 else ""
    return formula(f"{sign}{number(abs(change))}")
