"""A signal in words: what moved, beside what did not, on how much past it rests, who reports."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ctdhub.core.errors import printable
from ctdhub.core.format import decimal, inline, isolated, listed, number, share, share_ranged, year
from ctdhub.core.i18n import _, current, ngettext
from ctdhub.report.sentences import corridor
from ctdhub.report.wording import called_all, ranged
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import AGE, CONTRIBUTOR_KIND, SEX
from ctdhub.stats.cards import RELATIVE, NumberCard
from ctdhub.stats.signals.cards import cards
from ctdhub.stats.signals.coverage import CoverageChange, Explained
from ctdhub.stats.signals.events import PARTS, PLACES, Lead, Looked, Of
from ctdhub.stats.signals.find import CHANCE, MOST, Finding, Found, SignalFigure, Test
from ctdhub.stats.signals.of_release import ReleaseSignals
from ctdhub.stats.signals.panel import Kind

# --------------------------------------------------------------------------------------------------
# A signal in words: what moved, beside what did not, on how much past it rests.
#
# Count, whole and share stand in one sentence: a share can rise while the count falls.

NO_BREAKS, FEW_SERIES = 10, 5
"""Most series that are no breaks, and most that are each told what would have been found."""
SHORT_PAST = 5
"""Periods of the past up to which a signal says how few they are."""


@dataclass(frozen=True)
class Quantity:
    """A figure in words, such as "120 (90 to 150)"; ``value`` is None where it is not shown.

    ``low`` and ``high`` are the ends of its interval; where they are None it is exact.
    """

    text: str
    value: float | None
    low: float | None = None
    high: float | None = None


Pair = tuple[Quantity, Quantity]
"""Before, and in the window."""


@dataclass(frozen=True)
class SignalWords:
    """What the sentences of one signal need.

    Attributes:
        title: what the series is about, "" where ``part`` says it all.
        part: who is counted, inside a sentence.
        whole: what they are a part of, inside a sentence.
        moved: the tests that are believed.
        tested_share: whether the share was tested at all.
        count, wholes, shares: figures; the last two None without a whole.
    """

    title: str
    part: str
    whole: str
    moved: tuple[Test, ...]
    tested_share: bool
    count: Pair
    wholes: Pair | None
    shares: Pair | None


def sentence(told: SignalWords) -> str:
    """What moved, with count, whole and share together."""
    way = {t.what: t.way for t in told.moved}
    if told.wholes is None or told.shares is None:
        return _count_alone(told, rose=way["count"] == "rise")
    before, now = told.shares
    if "share" in way:
        text = (
            _("The share of {part} rose from {before} to {now}, {whole} {count}.")
            if way["share"] == "rise"
            else _("The share of {part} fell from {before} to {now}, {whole} {count}.")
        )
        return text.format(
            part=told.part,
            before=before.text,
            now=now.text,
            whole=_whole(told.whole, told.wholes),
            count=_and_count(told.count, way.get("count", "")),
        )
    text = (
        _("The number of {part} rose from {before} to {now}, {whole} {share}.")
        if way["count"] == "rise"
        else _("The number of {part} fell from {before} to {now}, {whole} {share}.")
    )
    return text.format(
        part=told.part,
        before=told.count[0].text,
        now=told.count[1].text,
        whole=_whole(told.whole, told.wholes),
        share=_and_share(told.shares),
    )


def _count_alone(told: SignalWords, *, rose: bool) -> str:
    text = (
        _("The number of {part} rose from {before} to {now}.")
        if rose
        else _("The number of {part} fell from {before} to {now}.")
    )
    before, now = told.count
    return text.format(part=told.part, before=before.text, now=now.text)


def _whole(name: str, pair: Pair) -> str:
    texts = {
        "rise": _("while {whole} rose from {before} to {now}"),
        "fall": _("while {whole} fell from {before} to {now}"),
        "": _("while {whole} went from {before} to {now}"),
    }
    return texts[_way(pair)].format(whole=name, before=pair[0].text, now=pair[1].text)


def _and_count(pair: Pair, tested: str) -> str:
    """The number beside a share; ``tested`` is its way where its own test is believed."""
    texts = {
        "rise": _("and their own number rose from {before} to {now}"),
        "fall": _("and their own number fell from {before} to {now}"),
        "": _("and their own number went from {before} to {now}"),
    }
    return texts[tested or _way(pair)].format(before=pair[0].text, now=pair[1].text)


def _and_share(pair: Pair) -> str:
    texts = {
        "rise": _("and their share rose from {before} to {now}"),
        "fall": _("and their share fell from {before} to {now}"),
        "": _("and their share went from {before} to {now}"),
    }
    return texts[_way(pair)].format(before=pair[0].text, now=pair[1].text)


def _way(pair: Pair) -> str:
    """The way of a figure that was not tested: none unless its two intervals part."""
    (low, high), (new_low, new_high) = (
        (q.value if q.low is None else q.low, q.value if q.high is None else q.high) for q in pair
    )
    if low is None or high is None or new_low is None or new_high is None:
        return ""
    if any(q.value is None for q in pair) or pair[0].text == pair[1].text:
        return ""
    if new_low > high:
        return "rise"
    return "fall" if new_high < low else ""


def verdict(told: SignalWords) -> str:
    """Which of count and share is a break with its past."""
    ways = {t.what: t.way for t in told.moved}
    if len(ways) > 1:
        return _("Both the share and the number are breaks: beyond what their trends suggest.")
    if "share" in ways:
        return (
            _("The share is a break: above what its trend suggests. The number is not.")
            if ways["share"] == "rise"
            else _("The share is a break: below what its trend suggests. The number is not.")
        )
    if told.tested_share:
        return (
            _("The number is a break: above what its trend suggests. The share is not.")
            if ways["count"] == "rise"
            else _("The number is a break: below what its trend suggests. The share is not.")
        )
    return (
        _("A break: above what its trend suggests.")
        if ways["count"] == "rise"
        else _("A break: below what its trend suggests.")
    )


def no_break(test: Test) -> str:
    """What a number or a share is that left its level, but is no break; "" where it did not."""
    if test.verdict == "level":
        return (
            _("at a higher level since about {period}")
            if test.way == "rise"
            else _("at a lower level since about {period}")
        ).format(period=isolated(test.since))
    if test.verdict == "trend":
        return (
            _("above its earlier level, in line with its trend")
            if test.way == "rise"
            else _("below its earlier level, in line with its trend")
        )
    return _("it has moved this much by itself before") if test.verdict == "usual" else ""


def no_breaks(found: Found, name: Callable[[Finding], str]) -> list[str]:
    """Lines on the series that left their level and are no breaks, the surest first."""
    lines = [
        _("{series}: {verdict}.").format(
            series=name(f), verdict=no_break(next(t for t in f.tests if no_break(t)))
        )
        for f in found.findings
        if not f.moved(found.settings.rate) and any(no_break(t) for t in f.tests)
    ]
    more = len(lines) - NO_BREAKS
    if more > 0:
        last = ngettext(
            "{n} more series is away from its earlier level and is not a break.",
            "{n} more series are away from their earlier level and are not breaks.",
            more,
        ).format(n=number(more))
        lines = [*lines[:NO_BREAKS], last]
    return [_("Away from their earlier level, but not breaks:"), *lines] if lines else []


def sized(told: SignalWords) -> tuple[Test, ...]:
    """The believed tests of which a ratio is told: their figures are shown, before and now, and the
    interval of the ratio is precise enough for a number (``stats.cards``)."""
    pairs = {"count": told.count, "share": told.shares}
    return tuple(
        test
        for test in told.moved
        for pair in [pairs[test.what]]
        if pair is not None and all(quantity.value is not None for quantity in pair)
        if test.ratio.high - test.ratio.low <= RELATIVE * max(1.0, test.ratio.value)
    )


def times(told: SignalWords) -> str:
    """How many times as many as was to be expected, with an interval; "" where that is not told."""
    texts = {
        "share": _("Their share is {ratio} times what was expected ({low} to {high})."),
        "count": _("Their number is {ratio} times what was expected ({low} to {high})."),
    }
    return " ".join(
        texts[test.what].format(
            ratio=_rounded(test.ratio.value),
            low=_rounded(test.ratio.low, down=True),
            high=_rounded(test.ratio.high, down=False),
        )
        for test in sized(told)
    )


def _rounded(value: float, *, down: bool | None = None) -> str:
    """A ratio in two digits, one after the point from ten on; ends are rounded outwards."""
    step = 100 if value < 10 else 10
    scaled = value * step
    whole = round(scaled) if down is None else math.floor(scaled) if down else math.ceil(scaled)
    return decimal(whole / step, "#,##0.##")


def smallest_rise(found: Found, name: Callable[[Finding], str]) -> str:
    """The smallest rise that would have been found: of each of a few series, or of all."""
    if not found.smallest:
        return ""
    quiet = [f for f in found.findings if not f.moved(found.settings.rate)]
    if len(found.findings) <= FEW_SERIES:
        return " ".join(
            _(
                "In {series}, a rise to {times} times what was expected would have been found in "
                "four out of five cases."
            ).format(series=name(f), times=_rounded(f.smallest, down=False))
            for f in quiet
            if not math.isnan(f.smallest)
        )
    half, most = (_rounded(x, down=False) if math.isfinite(x) else "" for x in found.smallest)
    if not half:
        return _(
            "In more than half of the series, no rise to {most} times what was expected, or less, "
            "would have been found in four out of five cases."
        ).format(most=_rounded(MOST))
    if not most:
        return _(
            "The smallest rise that would have been found in four out of five cases: to {half} "
            "times what was expected or less in half of the series; in more than one in ten, no "
            "rise to {most} times or less would have been found."
        ).format(half=half, most=_rounded(MOST))
    return _(
        "The smallest rise that would have been found in four out of five cases: to {half} times "
        "what was expected or less in half of the series, to {most} times or less in nine out of "
        "ten."
    ).format(half=half, most=most)


def zeros(found: Found, name: Callable[[Finding], str]) -> list[str]:
    """Series with too many periods that are 0, in words."""
    told = [f for f in found.findings if f.zeros]
    lines = [
        ngettext(
            "In {series}, {n} earlier period is 0, more than expected from the others: is a report "
            "missing? Only the periods that are not 0 were tested, and whether zeros are more "
            "frequent now.",
            "In {series}, {n} earlier periods are 0, more than expected from the others: are "
            "reports missing? Only the periods that are not 0 were tested, and whether zeros are "
            "more frequent now.",
            f.zeros,
        ).format(series=name(f), n=number(f.zeros))
        for f in told[:FEW_SERIES]
    ]
    more = len(told) - FEW_SERIES
    if more > 0:
        lines.append(
            ngettext(
                "The same holds for {n} more series.", "The same holds for {n} more series.", more
            ).format(n=number(more))
        )
    return lines


def short_past(known: int) -> str:
    """How little past there is, "" where it is not little."""
    if known > SHORT_PAST:
        return ""
    return ngettext(
        "Only {n} earlier period is known, so this rests in part on how much such series vary "
        "in general: read it as a question.",
        "Only {n} earlier periods are known, so this rests in part on how much such series vary "
        "in general: read it as a question.",
        known,
    ).format(n=number(known))


def compared(found: Found) -> str:
    """Which periods are beside which, and what the numbers are."""
    kind = found.panel.periods[0].kind
    texts: dict[Kind, str] = {
        "year": _("Numbers are yearly averages: {now} compared with {past}."),
        "quarter": _("Numbers are quarterly averages: {now} compared with {past}."),
        "month": _("Numbers are monthly averages: {now} compared with {past}."),
        "week": _("Numbers are weekly averages: {now} compared with {past}."),
        "day": _("Numbers are daily averages: {now} compared with {past}."),
    }
    return texts[kind].format(now=_span(found, found.window), past=_span(found, found.past))


def _span(found: Found, ends: tuple[int, int]) -> str:
    first, last = (named(found, k) for k in ends)
    if first == last:
        return first
    return _("{first} to {last}").format(first=first, last=last)


def named(found: Found, k: int) -> str:
    """A period as text."""
    period = found.panel.periods[k]
    return year(period.place) if period.kind == "year" else str(period)


def looked_at(found: Found) -> str:
    """How many series were looked at, by how many tests."""
    series = ngettext(
        "{n} series was looked at", "{n} series were looked at", found.looked_at
    ).format(n=number(found.looked_at))
    return ngettext("{series} with {n} test.", "{series} with {n} tests.", found.tests).format(
        series=series, n=number(found.tests)
    )


def too_few(series: int) -> str:
    """How many series were not tested."""
    return ngettext(
        "{n} series has too few periods and was not tested.",
        "{n} series have too few periods and were not tested.",
        series,
    ).format(n=number(series))


def false_ones(rate: float) -> str:
    """What a false discovery rate promises.

    >>> false_ones(0.1)
    'Of 10 signals such as these, at most one is expected to be false.'
    """
    return ngettext(
        "Of {n} signal such as these, at most one is expected to be false.",
        "Of {n} signals such as these, at most one is expected to be false.",
        math.floor(1 / rate + 1e-9),
    ).format(n=number(math.floor(1 / rate + 1e-9)))


def false_share(found: Found) -> str:
    """What share of the signals may be false, and on what condition; where earlier windows missed
    what was expected of them too often, that instead."""
    missed = found.missed
    if missed is not None and missed.too_often:
        return _(
            "In earlier windows {share} of the series departed from what their past suggested, "
            "where {level} should have. So more than one in {n} of these signals may be false."
        ).format(
            share=share(missed.share),
            level=share(CHANCE),
            n=number(math.floor(1 / found.settings.rate + 1e-9)),
        )
    return " ".join(
        (
            false_ones(found.settings.rate),
            _(
                "This holds if the series are independent or rise and fall together, and if they "
                "move as they moved before."
            ),
        )
    )


def falls_to_zero(found: Found) -> str:
    """How many signals are falls that missing reports would explain; "" where none is."""
    n = sum(f.rests_on_zeros(found.settings.rate) for f in found.signals)
    return (
        ngettext(
            "{n} of the signals is a fall with periods that are 0. If reports are missing there, "
            "it is not a signal: the file cannot tell, so the estimate of how many signals are "
            "false does not include this.",
            "{n} of the signals are falls with periods that are 0. If reports are missing there, "
            "they are not signals: the file cannot tell, so the estimate of how many signals are "
            "false does not include this.",
            n,
        ).format(n=number(n))
        if n
        else ""
    )


def one_in(q: float) -> str:
    """A q-value in words, never rounded to the surer side.

    >>> one_in(0.032), one_in(1e-9), one_in(0.8)
    ('1 in 31', '1 in 1,000,000', '1 in 1')
    """
    most = min(1_000_000, math.floor(1 / q + 1e-9)) if q > 0 else 1_000_000
    return _("1 in {n}").format(n=number(most))


def none_found(found: Found) -> str:
    """What it means that there is no signal."""
    return (
        _(
            "No series moved beyond what its own past, chance and the protection noise explain. "
            "That does not say that nothing changed: small changes cannot be seen."
        )
        if found.tests
        else _("No series has enough periods to be looked at.")
    )


# --------------------------------------------------------------------------------------------------
# The figures of a signal in words: of a file's series, or of a release's number cards.

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


# --------------------------------------------------------------------------------------------------
# Who reports, in words: what was compared, what moved because of it, what is told together.

CONTRIBUTOR_EXAMPLES = 3


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
        signals=_("; ").join(named_contributors(result, f) for f in lead.see)
    )


def named_contributors(result: ReleaseSignals, finding: Finding) -> str:
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
                examples=_("; ").join(_example(result, e) for e in settled[:CONTRIBUTOR_EXAMPLES])
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
        group=named_contributors(result, one.finding), before=ranged(before), now=ranged(now)
    )
