"""Signals as a JSON document and as text.

The keys are documented in ``docs/reference/signals.md`` and stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ctdhub.core.format import isolated, listed, year
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.document import Document, Meta, Section, Words
from ctdhub.release.facts import PublicFacts
from ctdhub.report import signal_contributors, signal_wording, signals
from ctdhub.report.called import called, called_all
from ctdhub.report.signals import SignalWords
from ctdhub.report.wording import caveat, citation
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.signals.cards import cards
from ctdhub.stats.signals.corridor_totals import leads_of
from ctdhub.stats.signals.earlier_windows import CHANCE
from ctdhub.stats.signals.find import Finding, Found, SignalFigure, Test
from ctdhub.stats.signals.judging import LEVEL
from ctdhub.stats.signals.of_release import ReleaseSignals
from ctdhub.stats.signals.one_event import Lead
from ctdhub.stats.signals.smallest import POWER
from ctdhub.stats.trend import Turn

FORMAT, VERSION = "ctdhub-signals", 3
METHOD = (
    "negative-binomial and binomial tails; trend, season, wandering, earlier shifts and dispersion "
    "by empirical Bayes; Benjamini-Hochberg"
)


def of_file(found: Found, warnings: Sequence[str]) -> dict[str, Any]:
    """The document of a file of series, ready for JSON."""
    under = {f.row: lead.finding.name for lead in leads_of(found) for f in lead.also}
    return {
        **_head(found),
        "interval_level": LEVEL,
        "release": None,
        "warnings": list(warnings),
        "signals": [_file_entry(found, f, under.get(f.row)) for f in found.signals],
        "others": _others(found),
    }


def of_release(result: ReleaseSignals) -> dict[str, Any]:
    """The document of a release, ready for JSON; its figures are number cards."""
    release, found = result.release, result.found
    return {
        **(_head(found) if found else {"format": FORMAT, "version": VERSION}),
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
        "warnings": [] if found else [not_measured()],
        "signals": _signals(result),
        "explained": [
            {
                **_release_entry(result, one.finding),
                "explained_by": list(one.by.names),
                "settled": one.settled,
            }
            for one in result.explained
        ],
        "others": _others(found) if found else [],
    }


def _signals(result: ReleaseSignals) -> list[dict[str, Any]]:
    """Every signal, the largest first, with those that it is told or linked with."""
    if result.found is None:
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
        for f in result.found.signals
    ]


def not_measured() -> str:
    """Why a release has nothing to look at."""
    return _("This release has no yearly series to test, or no finished year.")


def _head(found: Found) -> dict[str, Any]:
    window, past = found.span(found.window), found.span(found.past)
    return {
        "format": FORMAT,
        "version": VERSION,
        "method": METHOD,
        "false_discovery_rate": found.settings.rate,
        "min_count": found.settings.min_count,
        "period": found.panel.periods[0].kind,
        "window": {"first": window[0], "last": window[1], "periods": _length(found.window)},
        "past": {"first": past[0], "last": past[1], "periods": _length(found.past)},
        "seasons": found.seasons,
        "series": found.looked_at,
        "tests": found.tests,
        "too_few_periods": list(found.too_few_periods),
        "smallest_rise": _smallest(found),
        "missed": None
        if found.missed is None
        else {
            "windows": found.missed.windows,
            "share": found.missed.share,
            "expected": CHANCE,
            "too_often": found.missed.too_often,
        },
    }


def _smallest(found: Found) -> dict[str, float | None]:
    half, most = found.smallest or (math.inf, math.inf)
    return {"half": _finite(half), "nine_of_ten": _finite(most), "chance": POWER}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _length(ends: tuple[int, int]) -> int:
    return ends[1] - ends[0] + 1


def _entry(finding: Finding, words: SignalWords, **figures: object) -> dict[str, Any]:
    return {
        "series": finding.name,
        "title": words.title,
        "sentence": signals.sentence(words),
        "verdict": signals.verdict(words),
        "moved": [t.what for t in words.moved],
        "tests": [_test(t) for t in finding.tests],
        "ratio": {t.what: _ratio(t) for t in signals.sized(words)},
        "smallest_rise": _finite(finding.smallest),
        "zeros": finding.zeros,
        "zeros_in_window": finding.empty,
        "past_periods": finding.known,
        "past_periods_with_share": finding.known_shares if finding.share else None,
        **figures,
    }


def _test(test: Test) -> dict[str, Any]:
    return {"what": test.what, "way": test.way, "verdict": test.verdict, "p": test.p, "q": test.q}


def _ratio(test: Test) -> dict[str, Any]:
    low, high = test.ratio.low, test.ratio.high
    return {"value": test.ratio.value, "low": low, "high": high, "people_at_least": test.size}


def _file_entry(found: Found, finding: Finding, told_with: str | None) -> dict[str, Any]:
    return _entry(
        finding,
        signal_wording.of_file(found, finding),
        told_with=told_with,
        count=_pair(finding.part or finding.count, _figure),
        denominator=_pair(finding.whole, _figure),
        share=_pair(finding.share, _figure),
    )


def _release_entry(result: ReleaseSignals, finding: Finding) -> dict[str, Any]:
    of = cards(result, finding)
    return {
        **_entry(
            finding,
            signal_wording.of_release(result, finding),
            count=_pair(of.count, _card),
            denominator=_pair(of.whole, _card),
            share=_pair(of.share, _card),
        ),
        "of": dict(result.looked[finding.row].of),
    }


def _pair(pair: tuple[Any, Any] | None, form: Callable[[Any], dict[str, Any]]) -> Any:
    return None if pair is None else {"before": form(pair[0]), "now": form(pair[1])}


def _figure(figure: SignalFigure) -> dict[str, Any]:
    return {"value": figure.value, "low": figure.low, "high": figure.high, "state": "shown"}


def _card(card: NumberCard) -> dict[str, Any]:
    return {"value": card.value, "low": card.low, "high": card.high, "state": card.state}


def _others(found: Found) -> list[dict[str, Any]]:
    """Tests of the series that are no signals: names and chances, no figures."""
    rate = found.settings.rate
    return [
        {
            "series": f.name,
            "tests": [_test(t) for t in f.tests],
            "smallest_rise": _finite(f.smallest),
            "zeros": f.zeros,
            "zeros_in_window": f.empty,
        }
        for f in found.findings
        if not f.moved(rate)
    ]


def file_document(found: Found, warnings: Sequence[str]) -> Document:
    """The report on a file of series."""
    texts = []
    for lead in leads_of(found):
        finding = lead.finding
        words = signal_wording.of_file(found, finding)
        known = finding.known_shares if finding.share else finding.known
        parts = (
            signals.sentence(words),
            signals.times(words),
            signals.verdict(words),
            signal_wording.same_event(found, lead),
            signal_wording.missing_reports(found, finding),
            signal_wording.single_periods(found, finding),
            signals.short_past(known),
        )
        texts.append(" ".join(p for p in parts if p))
    name = partial(signal_wording.named_series, found)
    return _document(
        "",
        [*_opening(found, warnings), *signals.zeros(found, name)],
        _listed(texts),
        signals.no_breaks(found, name),
        _closing(found, name),
    )


def release_document(result: ReleaseSignals) -> Document:
    """The report on a release."""
    found, facts = result.found, result.release.facts
    hub = called(facts)
    if found is None:
        return _document(hub, [not_measured()])
    texts = []
    for lead in result.leads:
        words = signal_wording.of_release(result, lead.finding)
        texts.append(f"{words.title}. {' '.join(sentences_of(result, lead))}")
    name = partial(signal_contributors.named, result)
    about = [
        *(about_turn(t, facts) for t in result.turns),
        signal_contributors.about_changes(result),
    ]
    apart = [" ".join((explained_title() + ".", *signal_contributors.explanations(result)))]
    return _document(
        hub,
        [*_opening(found, ()), " ".join(about)],
        _listed(texts),
        signals.no_breaks(found, name),
        apart if result.explained else [],
        [*_closing(found, name), caveat()],
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
    words = signal_wording.of_release(result, lead.finding)
    found = (
        signals.sentence(words),
        signals.times(words),
        signal_contributors.also(result, lead),
        signals.verdict(words),
        signal_contributors.basis(result, lead.finding),
        signal_contributors.see(result, lead),
    )
    return tuple(sentence for sentence in found if sentence)


def explained_title() -> str:
    """What heads the series that moved because of who reports."""
    return _("Explained by who reports")


def about_turn(turn: Turn, facts: PublicFacts) -> str:
    """Who joined or left, in words."""
    parts = []
    if turn.joined:
        parts.append(
            _("From {year} on there are also reports from {names}.").format(
                year=year(turn.year), names=_listed_names(turn.joined, facts)
            )
        )
    if turn.left:
        parts.append(
            _("From {year} on there are no more reports from {names}.").format(
                year=year(turn.year), names=_listed_names(turn.left, facts)
            )
        )
    return " ".join(parts)


def _listed_names(names: Sequence[str], facts: PublicFacts) -> str:
    return listed([isolated(name) for name in called_all(names, facts)])


def _opening(found: Found, warnings: Sequence[str]) -> list[str]:
    few = len(found.too_few_periods)
    note = signals.too_few(few) if few else ""
    return [*warnings, signals.looked_at(found), note, signals.compared(found)]


def _listed(texts: list[str]) -> list[str]:
    return [f"{k}. {text}" for k, text in enumerate(texts, 1)]


def _closing(found: Found, name: Callable[[Finding], str]) -> list[str]:
    smallest = signals.smallest_rise(found, name)
    if not found.signals:
        return [signals.none_found(found), smallest]
    return [signals.false_share(found), signals.falls_to_zero(found), smallest, no_cause()]


def no_cause() -> str:
    """What a signal does not say."""
    return _(
        "A signal is a question, not a cause: ask who reported, how people were found, and "
        "whether people who know the place agree."
    )


def about() -> str:
    """What a signal is."""
    return _(
        "A signal is a series of numbers whose last years differ from its own past by more than "
        "chance, its usual ups and downs and the protection noise explain."
    )
