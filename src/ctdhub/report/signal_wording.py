"""The figures of a signal in words: of a file's series, or of a release's number cards."""

from __future__ import annotations

import math

import numpy as np

from ctdhub.core.errors import printable
from ctdhub.core.format import inline, listed, number, share, share_ranged
from ctdhub.core.i18n import _, current, ngettext
from ctdhub.report.sentences import corridor
from ctdhub.report.signals import SHORT_PAST, Pair, Quantity, SignalWords, named
from ctdhub.report.wording import ranged
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.roles import AGE, SEX
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.signals.cards import cards
from ctdhub.stats.signals.find import Finding, Found, SignalFigure
from ctdhub.stats.signals.of_release import ReleaseSignals
from ctdhub.stats.signals.one_event import Lead
from ctdhub.stats.signals.tested_series import PARTS, PLACES, Looked, Of

EXAMPLES = 3


def of_file(found: Found, finding: Finding) -> SignalWords:
    """A finding among the series of a file."""
    part = named_series(found, finding)
    return SignalWords(
        title="",
        part=part,
        whole=_("the whole"),
        moved=finding.moved(found.settings.rate),
        tested_share=finding.test("share") is not None,
        count=_numbers(finding.part or finding.count),
        wholes=_numbers(finding.whole) if finding.whole else None,
        shares=_shares(finding.share) if finding.share else None,
    )


def named_series(found: Found, finding: Finding) -> str:
    """A series of a file, inside a sentence; or the total of a place."""
    sides = found.panel.sides
    origin, destination = sides[finding.row] if sides else ("-", "-")
    if not origin:
        return _("all series to “{place}”").format(place=printable(destination, 200))
    if not destination:
        return _("all series from “{place}”").format(place=printable(origin, 200))
    return _("“{series}”").format(series=printable(finding.name, 200))


def same_event(found: Found, lead: Lead) -> str:
    """The signals of a file that are told with one, "" without any."""
    if not lead.also:
        return ""
    names = [named_series(found, f) for f in lead.also[:EXAMPLES]]
    return ngettext(
        "{n} more signal is of the same people and moves the same way: {examples}.",
        "{n} more signals are of the same people and move the same way, the largest: {examples}.",
        len(lead.also),
    ).format(n=number(len(lead.also)), examples=listed(names))


def _numbers(pair: tuple[SignalFigure, SignalFigure]) -> Pair:
    before, now = (_number(f) for f in pair)
    return before, now


def _number(figure: SignalFigure) -> Quantity:
    text = number(figure.value)
    if figure.high > figure.low:
        text = _("{people} ({low} to {high})").format(
            people=text,
            low=number(math.floor(figure.low)),
            high=number(math.ceil(figure.high)),
        )
    return Quantity(text, figure.value, figure.low, figure.high)


def _shares(pair: tuple[SignalFigure, SignalFigure]) -> Pair:
    before, now = (
        Quantity(share_ranged(f.value, f.low, f.high), f.value, f.low, f.high) for f in pair
    )
    return before, now


def single_periods(found: Found, finding: Finding) -> str:
    """Share and whole of single earlier periods, where these are few and free of noise."""
    panel, row = found.panel, finding.row
    if finding.share is None or finding.known_shares > SHORT_PAST:
        return ""
    if panel.noise[row].any() or panel.noise_of_wholes[row].any():
        return ""
    counts, wholes = panel.counts[row], panel.wholes[row]
    known = np.flatnonzero(~np.isnan(counts) & (wholes > 0))
    known = known[(known >= found.past[0]) & (known <= found.past[1])]
    shares = counts[known] / wholes[known]
    most = known[int(np.argmax(wholes[known]))]
    return _(
        "In single earlier periods the share was between {low} and {high}; the whole was "
        "at most {whole} ({part} of them counted here), in {period}."
    ).format(
        low=share(float(shares.min())),
        high=share(float(shares.max())),
        whole=number(float(wholes[most])),
        part=number(float(counts[most])),
        period=named(found, int(most)),
    )


def missing_reports(found: Found, finding: Finding) -> str:
    """A question about a fall that rests on periods that are 0; "" where it does not."""
    if not finding.rests_on_zeros(found.settings.rate):
        return ""
    first, last = found.window
    empty = first + np.flatnonzero(found.panel.counts[finding.row, first : last + 1] == 0)
    runs = np.split(empty, np.flatnonzero(np.diff(empty) > 1) + 1)
    periods = [
        named(found, int(run[0]))
        if run.size == 1
        else _("{first} to {last}").format(
            first=named(found, int(run[0])), last=named(found, int(run[-1]))
        )
        for run in runs
    ]
    return _(
        "It is 0 in {periods}, which its earlier periods make very unlikely. Did all reports "
        "arrive? If not, leave those cells empty: this fall depends on them."
    ).format(periods=listed(periods))


def of_release(result: ReleaseSignals, finding: Finding) -> SignalWords:
    """A finding in a release; its figures obey the rule of number cards."""
    looked, of = result.looked[finding.row], cards(result, finding)
    rate = result.found.settings.rate if result.found else 0.0
    return SignalWords(
        title=title(looked),
        part=part(looked.of),
        whole=_("all whose answer is recorded"),
        moved=finding.moved(rate),
        tested_share=finding.test("share") is not None,
        count=_carded(of.count),
        wholes=_carded(of.whole) if of.whole else None,
        shares=_carded(of.share) if of.share else None,
    )


def _carded(pair: tuple[NumberCard, NumberCard]) -> Pair:
    before, now = (Quantity(ranged(c), c.value, c.low, c.high) for c in pair)
    return before, now


def title(looked: Looked) -> str:
    """The place that a series is about; names of countries stand alone."""
    lang = current()
    places = [(v, code) for v, code in looked.of if v in PLACES]
    if not places:
        return _("All people")
    names = [countries.name(code, lang) for _v, code in places]
    if len(names) == 1:
        return _("{variable}: {answer}").format(variable=label(places[0][0], lang), answer=names[0])
    return corridor(places[0][1], places[1][1])


def part(of: Of) -> str:
    """Who is counted, inside a sentence."""
    rest = [(v, code) for v, code in of if v not in PLACES]
    if not rest:
        return _("people")
    variable, code = rest[0]
    if variable == SEX and code == "female":
        return _("women and girls")
    if variable == SEX and code == "male":
        return _("men and boys")
    if variable == AGE:
        return _("people in the age group “{answer}”").format(
            answer=code_label(variable, code, current())
        )
    if variable in PARTS:
        return _("people with the answer “{answer}”").format(
            answer=code_label(variable, code, current())
        )
    return _("people subjected to {kind}").format(kind=inline(label(variable, current())))
