"""The signals of a release in the words of one language: charts, findings, table, files."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

from ctdhub.core.format import share_ranged, year
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.core.tables import write_csv, write_json
from ctdhub.document.document import Document, Meta, Section, Words
from ctdhub.release.manifest import PublicFacts
from ctdhub.report import signals as signal_words
from ctdhub.report.equity import gap_difference, gap_headline
from ctdhub.report.figures import Chart
from ctdhub.report.signals import SignalWords, one_in, words_of
from ctdhub.report.trends import ChartPanel
from ctdhub.report.wording import attributes, called, caveat, citation, ranged, state_words
from ctdhub.schema.labels import definition, label
from ctdhub.schema.model import LEVEL, load_schema
from ctdhub.stats import equity
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard, Row
from ctdhub.stats.query import Query
from ctdhub.stats.signals.cards import by_year, cards
from ctdhub.stats.signals.events import Lead, Of, leads_of
from ctdhub.stats.signals.find import POWER, Finding, Search, SignalFigure, Test, What
from ctdhub.stats.signals.of_release import ReleaseSignals, signals
from ctdhub.stats.trend import Turn

# --------------------------------------------------------------------------------------------------
# Signals as a JSON document and as text.
#
# The keys are documented in ``docs/reference/signals.md`` and stay as they are.

FORMAT, VERSION = "ctdhub-signals", 3
METHOD = (
    "negative-binomial and binomial tails; trend, season, wandering, earlier shifts and dispersion "
    "by empirical Bayes; Benjamini-Hochberg"
)


def of_file(search: Search, warnings: Sequence[str]) -> dict[str, Any]:
    """The document of a file of series, ready for JSON."""
    under = {f.row: lead.finding.name for lead in leads_of(search) for f in lead.also}
    return {
        **_head(search),
        "interval_level": LEVEL,
        "release": None,
        "warnings": list(warnings),
        "signals": [_file_entry(search, f, under.get(f.row)) for f in search.signals],
        "others": _others(search),
    }


def of_release(result: ReleaseSignals) -> dict[str, Any]:
    """The document of a release, ready for JSON; its figures are number cards."""
    release, search = result.release, result.search
    return {
        **(_head(search) if search else {"format": FORMAT, "version": VERSION}),
        "interval_level": release.protected.guarantee.level,
        "release": {
            "version": release.version,
            "citation": citation(release),
            "caveat": caveat(),
            "contributors": [c.name for c in release.facts.contributors],
            "contributor_changes": [
                {"year": t.year, "joined": list(t.joined), "left": list(t.left)}
                for t in result.turns
            ],
        },
        "warnings": [] if search else [words_of("not_measured")],
        "signals": _signals(result),
        "explained": [
            {
                **_release_entry(result, one.finding),
                "explained_by": list(one.by.names),
                "settled": one.settled,
            }
            for one in result.explained
        ],
        "others": _others(search) if search else [],
    }


def _signals(result: ReleaseSignals) -> list[dict[str, Any]]:
    """Every signal, the largest first, with those that it is told or linked with."""
    if result.search is None:
        return []
    under = {f.row: lead.finding.name for lead in result.leads for f in lead.also}
    see = {lead.finding.row: [f.name for f in lead.see] for lead in result.leads}
    return [
        {
            **_release_entry(result, f),
            "compared": result.basis(f.row),
            "told_with": under.get(f.row),
            "see_also": see.get(f.row, []),
        }
        for f in result.search.signals
    ]


def _head(search: Search) -> dict[str, Any]:
    window, past = search.span(search.window), search.span(search.past)
    half, most = search.smallest or (math.inf, math.inf)
    missed = search.missed
    return {
        "format": FORMAT,
        "version": VERSION,
        "method": METHOD,
        "false_discovery_rate": search.settings.rate,
        "min_count": search.settings.min_count,
        "period": search.panel.periods[0].kind,
        "window": {"first": window[0], "last": window[1], "periods": _length(search.window)},
        "past": {"first": past[0], "last": past[1], "periods": _length(search.past)},
        "seasons": search.seasons,
        "series": search.looked_at,
        "tests": search.tests,
        "too_few_periods": list(search.too_few_periods),
        "smallest_rise": {"half": _finite(half), "nine_of_ten": _finite(most), "chance": POWER},
        "missed": missed
        and {
            "windows": missed.windows,
            "share": missed.share,
            "expected": missed.chance,
            "too_often": missed.too_often,
        },
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _length(ends: tuple[int, int]) -> int:
    return ends[1] - ends[0] + 1


def _entry(finding: Finding, words: SignalWords, **figures: object) -> dict[str, Any]:
    return {
        "series": finding.name,
        "title": words.title,
        "sentence": signal_words.sentence(words),
        "verdict": signal_words.verdict(words),
        "moved": [t.what for t in words.moved],
        "tests": [_test(t) for t in finding.tests],
        "ratio": {t.what: _ratio(t) for t in signal_words.sized(words)},
        "smallest_rise": _finite(finding.smallest),
        "zeros": finding.zeros,
        "zeros_in_window": finding.empty,
        "past_periods": finding.known,
        "past_periods_with_share": finding.known_shares if finding.share else None,
        **figures,
    }


def _test(test: Test) -> dict[str, Any]:
    return attributes(test, "what", "way", "verdict", "p", "q")


def _ratio(test: Test) -> dict[str, Any]:
    return {**attributes(test.ratio, "value", "low", "high"), "people_at_least": test.size}


def _file_entry(search: Search, finding: Finding, told_with: str | None) -> dict[str, Any]:
    return _entry(
        finding,
        signal_words.of_file(search, finding),
        told_with=told_with,
        count=_pair(finding.part or finding.count),
        denominator=_pair(finding.whole),
        share=_pair(finding.share),
    )


def _release_entry(result: ReleaseSignals, finding: Finding) -> dict[str, Any]:
    of = cards(result, finding)
    return _entry(
        finding,
        signal_words.of_release(result, finding),
        count=_pair(of.count),
        denominator=_pair(of.whole),
        share=_pair(of.share),
        of=dict(result.looked[finding.row].of),
    )


def _pair(pair: tuple[SignalFigure | NumberCard, ...] | None) -> dict[str, Any] | None:
    if pair is None:
        return None
    figures = (
        {"value": f.value, "low": f.low, "high": f.high, "state": getattr(f, "state", "shown")}
        for f in pair
    )
    return dict(zip(("before", "now"), figures, strict=True))


def _others(search: Search) -> list[dict[str, Any]]:
    """Tests of the series that are no signals: names and chances, no figures."""
    rate = search.settings.rate
    return [
        {
            "series": f.name,
            "tests": [_test(t) for t in f.tests],
            "smallest_rise": _finite(f.smallest),
            "zeros": f.zeros,
            "zeros_in_window": f.empty,
        }
        for f in search.findings
        if not f.moved(rate)
    ]


def file_document(search: Search, warnings: Sequence[str]) -> Document:
    """The report on a file of series."""
    texts = []
    for lead in leads_of(search):
        finding = lead.finding
        words = signal_words.of_file(search, finding)
        known = finding.known_shares if finding.share else finding.known
        parts = (
            signal_words.sentence(words),
            signal_words.times(words),
            signal_words.verdict(words),
            signal_words.same_event(search, lead),
            signal_words.missing_reports(search, finding),
            signal_words.single_periods(search, finding),
            signal_words.short_past(known),
        )
        texts.append(" ".join(filter(None, parts)))
    name = partial(signal_words.named_series, search)
    return _document(
        "",
        [*_opening(search, warnings), *signal_words.zeros(search, name)],
        _listed(texts),
        signal_words.no_breaks(search, name),
        _closing(search, name),
    )


def release_document(result: ReleaseSignals) -> Document:
    """The report on a release."""
    search, facts = result.search, result.release.facts
    hub = called(facts)
    if search is None:
        return _document(hub, [words_of("not_measured")])
    texts = []
    for lead in result.leads:
        words = signal_words.of_release(result, lead.finding)
        texts.append(f"{words.title}. {' '.join(sentences_of(result, lead))}")
    name = partial(signal_words.named_contributors, result)
    about = [
        *(about_turn(t, facts) for t in result.turns),
        signal_words.about_changes(result),
    ]
    title = _("Explained by who reports")
    apart = [" ".join((f"{title}.", *signal_words.explanations(result)))]
    return _document(
        hub,
        [*_opening(search, ()), " ".join(about)],
        _listed(texts),
        signal_words.no_breaks(search, name),
        apart if result.explained else [],
        [*_closing(search, name), caveat()],
    )


def _document(hub: str, *parts: Sequence[str]) -> Document:
    """A document without titles: a section for what it opens with, the signals, what closes it."""
    return Document(
        meta=Meta(current(), current() in RIGHT_TO_LEFT, hub),
        title="",
        lead=(),
        sections=tuple(
            Section(f"part-{k}", "", tuple(Words((text,)) for text in texts if text))
            for k, texts in enumerate(parts, 1)
        ),
    )


def sentences_of(result: ReleaseSignals, lead: Lead) -> tuple[str, ...]:
    """What is said of a signal: what moved, its other side, how sure, what was compared."""
    words = signal_words.of_release(result, lead.finding)
    sentences = (
        signal_words.sentence(words),
        signal_words.times(words),
        signal_words.also(result, lead),
        signal_words.verdict(words),
        signal_words.basis(result, lead.finding),
        signal_words.see(result, lead),
    )
    return tuple(sentence for sentence in sentences if sentence)


def about_turn(turn: Turn, facts: PublicFacts) -> str:
    """Who joined or left, in words."""
    joined, left = (signal_words.contributors(names, facts) for names in (turn.joined, turn.left))
    return words_of("turn", turn.year, joined, left)


def _opening(search: Search, warnings: Sequence[str]) -> list[str]:
    note = words_of("too_few", len(search.too_few_periods))
    return [*warnings, signal_words.looked_at(search), note, signal_words.compared(search)]


def _listed(texts: list[str]) -> list[str]:
    return [f"{k}. {text}" for k, text in enumerate(texts, 1)]


def _closing(search: Search, name: Callable[[Finding], str]) -> list[str]:
    smallest = signal_words.smallest_rise(search, name)
    if not search.signals:
        return [signal_words.none_found(search), smallest]
    return [
        signal_words.false_share(search),
        signal_words.falls_to_zero(search),
        smallest,
        words_of("no_cause"),
    ]


# --------------------------------------------------------------------------------------------------
# The signals of a release in the words of one language: charts, table, files.

FILE = "signals"
DRAWN, LISTED = 5, 100
"""Most charts of each kind, and most lines of the table; the files hold all."""
COLUMNS = (
    "series", "moved", "way", "q_count", "q_share", "count_before", "count_before_low",
    "count_before_high", "count_now", "count_now_low", "count_now_high", "whole_before",
    "whole_now", "share_before", "share_before_low", "share_before_high", "share_now",
    "share_now_low", "share_now_high", "compared", "explained_by",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SignalChart(Chart):
    """A chart of a signal: numbers of people by year, and their share where there is one.

    ``text`` says what moved, how sure that is and what was compared, ``line`` only the numbers;
    ``lines`` are the rows of its table in words: year, people, share.
    """

    text: str
    people: ChartPanel
    share: ChartPanel | None
    lines: tuple[tuple[str, ...], ...]
    line: str


@lru_cache(maxsize=1)
def looked_for(answers: Answers) -> ReleaseSignals:
    """The signals of a release, looked for once for all pages, files and briefs of it."""
    return signals(answers.release, answers=answers)


def drawn(result: ReleaseSignals, what: What) -> tuple[SignalChart, ...]:
    """The largest signals of the share or of the number, at most one for each place.

    A series whose share moved is drawn there, and not again for its number; one that is told with
    another is in that one's text.  Of one place a rise is drawn rather than a fall.
    """
    if result.search is None:
        return ()
    chosen: dict[Of, tuple[int, Lead, bool]] = {}
    for k, lead in enumerate(result.leads, 1):
        moved = {t.what: t.way for t in signal_words.moved(result, lead.finding)}
        if ("share" if "share" in moved else "count") != what:
            continue
        place = result.looked[lead.finding.row].places
        rose = moved[what] == "rise"
        if place not in chosen or (rose and not chosen[place][2]):
            chosen[place] = (k, lead, rose)
    return tuple(_chart(result, f, f"signal-{k}") for k, f, _rose in list(chosen.values())[:DRAWN])


def _chart(result: ReleaseSignals, lead: Lead, id_: str) -> SignalChart:
    finding, looked = lead.finding, result.looked[lead.finding.row]
    words, years = signal_words.of_release(result, finding), by_year(result, finding)
    shares = None
    if finding.share is not None:
        parts = (_row(y.year, y.share, covered=y.covered) for y in years if y.share is not None)
        shares = ChartPanel(_("Share"), tuple(parts), "")
    return SignalChart(
        id=id_,
        headline=words_of("headline", words),
        subtitle=words_of("subtitle", words, result.is_less(finding.row)),
        text=" ".join(sentences_of(result, lead)),
        people=ChartPanel(
            _("People"), tuple(_row(y.year, y.people, covered=y.covered) for y in years), ""
        ),
        share=shares,
        lines=tuple(
            (
                year(y.year),
                ranged(y.people) if y.covered else state_words("nobody_reports"),
                *([ranged(y.share) if y.covered else "–"] if y.share is not None else []),
            )
            for y in years
        ),
        file=FILE,
        definition=" ".join(definition(v, current()) for v, _code in looked.of),
        line=words_of("in_short", words),
    )


def _row(when: int, card: NumberCard, *, covered: bool) -> Row:
    return Row((str(when), ""), "value" if covered else "nobody_reports", card)


def table(result: ReleaseSignals) -> tuple[tuple[str, ...], ...]:
    """Lines of the table of signals: group, what moved, number, share, how many may be false."""
    if result.search is None:
        return ()
    return tuple(_line(result, finding) for finding in result.search.signals[:LISTED])


def _line(result: ReleaseSignals, finding: Finding) -> tuple[str, ...]:
    of, moved = cards(result, finding), signal_words.moved(result, finding)
    return (
        signal_words.named_contributors(result, finding),
        words_of("what_moved", moved),
        *map(ranged, of.count),
        *(map(ranged, of.share) if of.share else ("–", "–")),
        one_in(min(t.q for t in moved)),
    )


def write_signals(folder: Path, result: ReleaseSignals) -> None:
    """Write ``signals.json``, ``signals.csv`` and ``signals.metadata.json`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    document = of_release(result)
    write_json(folder / f"{FILE}.json", document)
    write_csv(folder / f"{FILE}.csv", COLUMNS, _rows(result))
    people = result.release.protected.people
    heads = {k: v for k, v in document.items() if k not in ("signals", "explained", "others")}
    write_json(
        folder / f"{FILE}.metadata.json",
        {
            "id": FILE,
            "title": _("Signals"),
            "definition": words_of("about"),
            **heads,
            "denominator": {
                "people": people.value,
                "low": people.low,
                "high": people.high,
                "of": "all people of the release; each signal has one of its own",
            },
            "caveat": caveat(),
            "citation": citation(result.release),
            "blanks": {"": "too few to show reliably, never zero; or not tested"},
            "explained_by": (
                "contributors whose reports began or ended, for a row that moved with them and is "
                "no signal; empty for signals"
            ),
        },
    )


def _rows(result: ReleaseSignals) -> Iterator[list[object]]:
    """Signals first, then what moved because of who reports."""
    if result.search is None:
        return
    for finding in result.search.signals:
        yield [*_cells(result, finding), result.basis(finding.row), ""]
    for one in result.explained:
        yield [*_cells(result, one.finding), "all", "|".join(one.by.names)]


def _cells(result: ReleaseSignals, finding: Finding) -> list[object]:
    of, moved = cards(result, finding), signal_words.moved(result, finding)
    tests = {t.what: t for t in finding.tests}
    return [
        finding.name,
        "+".join(t.what for t in moved),
        "+".join(t.way for t in moved),
        *(f"{tests[w].q:.3g}" if w in tests else "" for w in ("count", "share")),
        *(_plain(c, n) for c in of.count for n in ("value", "low", "high")),
        *(_plain(c, "value") for c in of.whole or (None, None)),
        *(_plain(c, n) for c in of.share or (None, None) for n in ("value", "low", "high")),
    ]


def _plain(card: NumberCard | None, name: str) -> str:
    if card is None or card.value is None:
        return ""
    value = getattr(card, name)
    return f"{value:.4f}" if card.unit == "share" else str(round(value))


# --------------------------------------------------------------------------------------------------
# Three findings of a release as headlines: the largest change, the largest gap, what is missing.
#
# Each is the largest of many, so each comes from a list that allows for the choice: changes are
# signals, of which a stated share may be false at most (``stats.signals``); gaps are those whose
# simultaneous intervals leave out zero (``stats.equity``).  Where no change or gap passes, there is
# no headline.  What is missing is said without "most".

MUCH = 0.2
"""Less that is not recorded is no headline: share of people, the lower end of its interval."""


@dataclass(frozen=True)
class ReleaseFinding:
    """A finding in words.

    Attributes:
        about: "change", "gap" or "silence".
        kicker: what kind of finding it is.
        text: the headline.
        detail: a sentence or two below it.
        variable: what is not recorded; empty for the others.
    """

    about: Literal["change", "gap", "silence"]
    kicker: str
    text: str
    detail: str
    variable: str = ""


def findings(answers: Answers) -> tuple[ReleaseFinding, ...]:
    """At most one finding of each kind, in the language in force."""
    facts = (_change(answers), _gap(answers), _silence(answers))
    return tuple(each for each in facts if each is not None)


def _change(answers: Answers) -> ReleaseFinding | None:
    result = looked_for(answers)
    if not result.leads:
        return None
    words = signal_words.of_release(result, result.leads[0].finding)
    kicker = _("The clearest change")
    detail = f"{words_of('detail', words)} {signal_words.compared(result.search)}"
    return ReleaseFinding("change", kicker, words_of("headline", words), detail)


def _gap(answers: Answers) -> ReleaseFinding | None:
    gaps = [
        gap
        for by in equity.groupings(answers)
        for gap in equity.clear_gaps(equity.assistance(answers, by))
    ]
    if not gaps:
        return None
    widest = max(gaps, key=lambda gap: gap.low)
    return ReleaseFinding(
        "gap", _("Assistance recorded less often"), gap_headline(widest), gap_difference(widest)
    )


def _silence(answers: Answers) -> ReleaseFinding | None:
    """The variable for which fewest people have an answer for sure."""
    shares = []
    for name in load_schema().explorer:
        if name not in answers.variables:
            continue
        known = answers.card(Query({name: answers.domain(name)}, of=Query({})))
        if known.value is not None and known.low is not None and known.high is not None:
            shares.append((1 - known.high, 1 - known.value, 1 - known.low, name))
    if not shares or (last := max(shares))[0] < MUCH:
        return None
    low, value, high, name = last
    text = _("Not recorded for {share} of people: {variable}")
    return ReleaseFinding(
        "silence",
        _("What the data cannot say"),
        text.format(share=share_ranged(value, low, high), variable=label(name, current())),
        _("Every share by this variable is a share of the other people only."),
        name,
    )
