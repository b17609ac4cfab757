"""A signal in words: what moved, beside what did not, on how much past it rests, who reports."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import numpy as np

from ctdhub.core.errors import printable
from ctdhub.core.format import decimal, isolated, listed, number, share_ranged
from ctdhub.core.i18n import _, current
from ctdhub.release.manifest import PublicFacts
from ctdhub.report.sentences import corridor, whom
from ctdhub.report.wording import called_all, paragraph, paragraphs, people_ranged, ranged, word
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import CONTRIBUTOR_KIND
from ctdhub.stats.cards import RELATIVE, NumberCard
from ctdhub.stats.signals.cards import cards
from ctdhub.stats.signals.events import PLACES, Lead, Looked, Of
from ctdhub.stats.signals.find import MOST, Finding, Search, SignalFigure, Test
from ctdhub.stats.signals.of_release import CoverageChange, Explained, ReleaseSignals

# --------------------------------------------------------------------------------------------------
# A signal in words; the sentences stand in ``templates/signals.txt``.

words_of = partial(paragraph, "signals.txt")
"""What a part of the template says, by the name of the part."""
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

    @property
    def ways(self) -> dict[str, str]:
        """The way of count and share, "" of one that is not believed to have moved."""
        return {"count": "", "share": ""} | {t.what: t.way for t in self.moved}


sentence = partial(words_of, "sentence")
"""What moved, with count, whole and share together: of some :class:`SignalWords`."""
verdict = partial(words_of, "verdict")
"""Which of count and share is a break with its past: of some :class:`SignalWords`."""
compared = partial(words_of, "compared")
"""Which periods are beside which, and what the numbers are: of what was found."""
looked_at = partial(words_of, "looked_at")
"""How many series were looked at, by how many tests: of what was found."""
none_found = partial(words_of, "none_found")
"""What it means that there is no signal: of what was found."""


@word
def way_of(pair: Pair) -> str:
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


@word
def rounded(value: float, *, down: bool | None = None) -> str:
    """A ratio in two digits, one after the point from ten on; ends are rounded outwards."""
    step = 100 if value < 10 else 10
    scaled = value * step
    whole = round(scaled) if down is None else math.floor(scaled) if down else math.ceil(scaled)
    return decimal(whole / step, "#,##0.##")


def no_breaks(search: Search, name: Callable[[Finding], str]) -> tuple[str, ...]:
    """Lines on the series that left their level and are no breaks, the surest first."""
    series = [
        (finding, left[0])
        for finding in search.findings
        if not finding.moved(search.settings.rate)
        if (left := [t for t in finding.tests if t.verdict in ("level", "trend", "usual")])
    ]
    return paragraphs("signals.txt", "no_breaks", series, name, NO_BREAKS)


def sized(words: SignalWords) -> tuple[Test, ...]:
    """The believed tests of which a ratio is told: their figures are shown, before and now, and the
    interval of the ratio is precise enough for a number (``stats.cards``)."""
    pairs = {"count": words.count, "share": words.shares}
    return tuple(
        test
        for test in words.moved
        for pair in [pairs[test.what]]
        if pair is not None and all(quantity.value is not None for quantity in pair)
        if test.ratio.high - test.ratio.low <= RELATIVE * max(1.0, test.ratio.value)
    )


def times(words: SignalWords) -> str:
    """How many times as many as was to be expected, with an interval; "" where that is not told."""
    return words_of("times", sized(words))


def smallest_rise(search: Search, name: Callable[[Finding], str]) -> str:
    """The smallest rise that would have been found: of each of a few series, or of all."""
    if not search.smallest:
        return ""
    few = None
    if len(search.findings) <= FEW_SERIES:
        quiet = (f for f in search.findings if not f.moved(search.settings.rate))
        few = [f for f in quiet if not math.isnan(f.smallest)]
    ends = [rounded(x, down=False) if math.isfinite(x) else "" for x in search.smallest]
    return words_of("smallest_rise", few, name, *ends, rounded(MOST))


def zeros(search: Search, name: Callable[[Finding], str]) -> tuple[str, ...]:
    """Series with too many periods that are 0, in words."""
    return paragraphs(
        "signals.txt", "zeros", [f for f in search.findings if f.zeros], name, FEW_SERIES
    )


def short_past(known: int) -> str:
    """How little past there is, "" where it is not little."""
    return "" if known > SHORT_PAST else words_of("short_past", known)


def false_share(search: Search) -> str:
    """What share of the signals may be false, and on what condition; where earlier windows missed
    what was expected of them too often, that instead."""
    n = math.floor(1 / search.settings.rate + 1e-9)
    return words_of("false_share", n, search.missed)


def falls_to_zero(search: Search) -> str:
    """How many signals are falls that missing reports would explain; "" where none is."""
    n = sum(f.rests_on_zeros(search.settings.rate) for f in search.signals)
    return words_of("falls_to_zero", n)


def one_in(q: float) -> str:
    """A q-value in words, never rounded to the surer side.

    >>> one_in(0.032), one_in(1e-9), one_in(0.8)
    ('1 in 31', '1 in 1,000,000', '1 in 1')
    """
    most = min(1_000_000, math.floor(1 / q + 1e-9)) if q > 0 else 1_000_000
    return _("1 in {n}").format(n=number(most))


# --------------------------------------------------------------------------------------------------
# The figures of a signal in words: of a file's series, or of a release's number cards.

EXAMPLES = 3


def of_file(search: Search, finding: Finding) -> SignalWords:
    """A finding among the series of a file."""
    return SignalWords(
        title="",
        part=named_series(search, finding),
        whole=_("the whole"),
        moved=finding.moved(search.settings.rate),
        tested_share=finding.test("share") is not None,
        count=_figures(finding.part or finding.count),
        wholes=_figures(finding.whole) if finding.whole else None,
        shares=_figures(finding.share, shares=True) if finding.share else None,
    )


def named_series(search: Search, finding: Finding) -> str:
    """A series of a file, inside a sentence; or the total of a place."""
    sides = search.panel.sides
    origin, destination = sides[finding.row] if sides else ("-", "-")
    if not origin:
        return _("all series to “{place}”").format(place=printable(destination, 200))
    if not destination:
        return _("all series from “{place}”").format(place=printable(origin, 200))
    return _("“{series}”").format(series=printable(finding.name, 200))


def same_event(search: Search, lead: Lead) -> str:
    """The signals of a file that are told with one, "" without any."""
    names = [named_series(search, f) for f in lead.also[:EXAMPLES]]
    return words_of("same_event", len(lead.also), names)


def _figures(pair: tuple[SignalFigure, SignalFigure], *, shares: bool = False) -> Pair:
    before, now = (Quantity(_figure(f, shares=shares), f.value, f.low, f.high) for f in pair)
    return before, now


def _figure(figure: SignalFigure, *, shares: bool) -> str:
    if shares:
        return share_ranged(figure.value, figure.low, figure.high)
    if figure.high <= figure.low:
        return number(figure.value)
    return people_ranged(figure.value, math.floor(figure.low), math.ceil(figure.high))


def single_periods(search: Search, finding: Finding) -> str:
    """Share and whole of single earlier periods, where these are few and free of noise."""
    panel, row = search.panel, finding.row
    if finding.share is None or finding.known_shares > SHORT_PAST:
        return ""
    if panel.noise[row].any() or panel.noise_of_wholes[row].any():
        return ""
    counts, wholes = panel.counts[row], panel.wholes[row]
    known = np.flatnonzero(~np.isnan(counts) & (wholes > 0))
    known = known[(known >= search.past[0]) & (known <= search.past[1])]
    most = int(known[int(np.argmax(wholes[known]))])
    shares = (counts[known] / wholes[known]).tolist()
    largest = float(wholes[most]), float(counts[most])
    return words_of("single_periods", search, shares, *largest, most)


def missing_reports(search: Search, finding: Finding) -> str:
    """A question about a fall that rests on periods that are 0; "" where it does not."""
    if not finding.rests_on_zeros(search.settings.rate):
        return ""
    first, last = search.window
    empty = first + np.flatnonzero(search.panel.counts[finding.row, first : last + 1] == 0)
    runs = np.split(empty, np.flatnonzero(np.diff(empty) > 1) + 1)
    ends = [(int(run[0]), int(run[-1])) for run in runs]
    return words_of("missing_reports", search, ends)


def of_release(result: ReleaseSignals, finding: Finding) -> SignalWords:
    """A finding in a release; its figures obey the rule of number cards."""
    looked, of = result.looked[finding.row], cards(result, finding)
    return SignalWords(
        title=title(looked),
        part=part(looked.of),
        whole=_("the total of those recorded"),
        moved=moved(result, finding),
        tested_share=finding.test("share") is not None,
        count=_carded(of.count),
        wholes=_carded(of.whole) if of.whole else None,
        shares=_carded(of.share) if of.share else None,
    )


def moved(result: ReleaseSignals, finding: Finding) -> tuple[Test, ...]:
    """The tests of a finding in a release that are believed."""
    return finding.moved(result.search.settings.rate if result.search else 0.0)


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
    return whom(*next((pair for pair in of if pair[0] not in PLACES), ("", "")))


# --------------------------------------------------------------------------------------------------
# Who reports, in words: what was compared, what moved because of it, what is told together.


def basis(result: ReleaseSignals, finding: Finding) -> str:
    """What was compared, "" where it is what everybody reports and nobody joined or left."""
    pieces = result.compared[finding.row] if result.compared else None
    if pieces is None:
        return ""
    names = tuple(name for one in result.sources for name in one.names)
    labels = [code_label(CONTRIBUTOR_KIND, s.kind, current()) for s in result.sources if s.kind]
    kinds = listed([_("“{answer}”").format(answer=label) for label in labels])
    return words_of("basis", pieces, contributors(names, result.release.facts), kinds)


def contributors(names: Sequence[str], facts: PublicFacts) -> str:
    """Contributors as a list in the language in force; each keeps its own direction."""
    return listed([isolated(name) for name in called_all(names, facts)])


def about_changes(result: ReleaseSignals) -> str:
    """What contributors that joined or left mean for the signals, "" where none did."""
    if not result.turns:
        return ""
    return words_of("about_changes", sorted({one.basis for one in result.compared}))


def also(result: ReleaseSignals, lead: Lead) -> str:
    """The signals that are told with one, "" without any."""
    shares, parts = [], []
    for finding in lead.also:
        way = next((t.way for t in moved(result, finding) if t.what == "share"), "")
        who = part(result.looked[finding.row].of)
        if not way:
            parts.append(who)
        elif (pair := cards(result, finding).share) is not None:
            shares.append((_carded(pair), way, who))
    return words_of("also", shares, parts)


def see(result: ReleaseSignals, lead: Lead) -> str:
    """The signals that are mostly about the same people, "" without any."""
    if not lead.see:
        return ""
    names = _("; ").join(named_contributors(result, f) for f in lead.see)
    return _("Perhaps the same people: {signals}.").format(signals=names)


def named_contributors(result: ReleaseSignals, finding: Finding) -> str:
    """A series in a few words."""
    looked = result.looked[finding.row]
    return _("{place}: {part}").format(place=title(looked), part=part(looked.of))


def explanations(result: ReleaseSignals) -> tuple[str, ...]:
    """One paragraph for each kind of source that changed: how many series moved with it."""
    by_source = sorted(result.explained, key=lambda e: result.sources.index(e.by))
    return tuple(
        _explained(result, one, tuple(series))
        for one, series in groupby(by_source, key=lambda e: e.by)
    )


def _explained(result: ReleaseSignals, by: CoverageChange, series: tuple[Explained, ...]) -> str:
    settled = [e for e in series if e.settled]
    examples = []
    for one in settled[:EXAMPLES]:
        before, now = cards(result, one.finding).count
        words = _("{group}, from {before} to {now}")
        group = named_contributors(result, one.finding)
        examples.append(words.format(group=group, before=ranged(before), now=ranged(now)))
    counted = len(settled), len(series) - len(settled)
    names = contributors(by.names, result.release.facts)
    return words_of("explained", names, by.mixed, *counted, _("; ").join(examples))
