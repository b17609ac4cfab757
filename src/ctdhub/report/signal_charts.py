"""The signals of a release in the words of one language: charts, table, files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ctdhub.core.datafiles import write_csv, write_json
from ctdhub.core.format import year
from ctdhub.core.i18n import _, current
from ctdhub.report import signal_contributors, signal_files
from ctdhub.report.series import ChartPanel
from ctdhub.report.signal_wording import part, title
from ctdhub.report.signals import one_in
from ctdhub.report.wording import caveat, citation, ranged, state_words
from ctdhub.schema.labels import definition
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.signals.cards import by_year, cards
from ctdhub.stats.signals.find import Finding, Found, What
from ctdhub.stats.signals.of_release import ReleaseSignals, signals
from ctdhub.stats.signals.one_event import Lead
from ctdhub.stats.signals.tested_series import Of
from ctdhub.stats.table import Row

FILE = "signals"
DRAWN, LISTED = 5, 100
"""Most charts of each kind, and most lines of the table; the files hold all."""
COLUMNS = (
    "series", "moved", "way", "q_count", "q_share", "count_before", "count_before_low",
    "count_before_high", "count_now", "count_now_low", "count_now_high", "whole_before",
    "whole_now", "share_before", "share_before_low", "share_before_high", "share_now",
    "share_now_low", "share_now_high", "compared", "explained_by",
)  # fmt: skip


@dataclass(frozen=True)
class SignalChart:
    """A chart of a signal: numbers of people by year, and their share where there is one.

    ``text`` says what moved, how sure that is and what was compared, ``line`` only the numbers;
    ``lines`` are the rows of its table in words: year, people, share.
    """

    id: str
    headline: str
    subtitle: str
    text: str
    people: ChartPanel
    share: ChartPanel | None
    lines: tuple[tuple[str, ...], ...]
    note: str
    definition: str
    line: str
    file: str = FILE


@lru_cache(maxsize=1)
def looked_for(answers: Answers) -> ReleaseSignals:
    """The signals of a release, looked for once for all pages, files and briefs of it."""
    return signals(answers.release, answers=answers)


def drawn(result: ReleaseSignals, what: What) -> tuple[SignalChart, ...]:
    """The largest signals of the share or of the number, at most one for each place.

    A series whose share moved is drawn there, and not again for its number; one that is told with
    another is in that one's text.  Of one place a rise is drawn rather than a fall.
    """
    if result.found is None:
        return ()
    rate = result.found.settings.rate
    chosen: dict[Of, tuple[int, Lead, bool]] = {}
    for k, lead in enumerate(result.leads, 1):
        moved = {t.what: t.way for t in lead.finding.moved(rate)}
        if ("share" if "share" in moved else "count") != what:
            continue
        place = result.looked[lead.finding.row].places
        rose = moved[what] == "rise"
        if place not in chosen or (rose and not chosen[place][2]):
            chosen[place] = (k, lead, rose)
    return tuple(_chart(result, f, f"signal-{k}") for k, f, _rose in list(chosen.values())[:DRAWN])


def _chart(result: ReleaseSignals, lead: Lead, id_: str) -> SignalChart:
    finding, looked = lead.finding, result.looked[lead.finding.row]
    years = by_year(result, finding)
    rows = tuple(_row(y.year, y.people, covered=y.covered) for y in years)
    shares = None
    if finding.share is not None:
        parts = tuple(
            _row(y.year, y.share, covered=y.covered) for y in years if y.share is not None
        )
        shares = ChartPanel(_("Share"), parts, "")
    lines = tuple(
        (
            year(y.year),
            ranged(y.people) if y.covered else state_words("nobody_reports"),
            *([ranged(y.share) if y.covered else "–"] if y.share is not None else []),
        )
        for y in years
    )
    names = [v for v, _code in looked.of]
    return SignalChart(
        id=id_,
        headline=headline(result, finding),
        subtitle=" ".join(
            (
                _subtitle(finding, title(looked), part(looked.of)),
                *(("· " + signal_contributors.short(),) if result.is_less(finding.row) else ()),
            )
        ),
        text=" ".join(signal_files.sentences_of(result, lead)),
        people=ChartPanel(_("People"), rows, ""),
        share=shares,
        lines=lines,
        note="",
        definition=" ".join(definition(v, current()) for v in names),
        line=_in_short(result, finding),
    )


def _in_short(result: ReleaseSignals, finding: Finding) -> str:
    """Before and now in one line: the share where it moved, else the number of people."""
    found, text = cards(result, finding), _("People in a year, on average: {before} → {now}")
    rate = result.found.settings.rate if result.found else 0.0
    before, now = found.count
    if found.share is not None and "share" in {test.what for test in finding.moved(rate)}:
        (before, now), text = found.share, _("Share, on average: {before} → {now}")
    return text.format(before=ranged(before), now=ranged(now))


def _row(when: int, card: NumberCard, *, covered: bool) -> Row:
    return Row((str(when), ""), "value" if covered else "nobody_reports", card)


def headline(result: ReleaseSignals, finding: Finding) -> str:
    """What moved, in one line without a number."""
    looked = result.looked[finding.row]
    rate = result.found.settings.rate if result.found else 0.0
    way = {t.what: t.way for t in finding.moved(rate)}
    if "share" in way:
        text = (
            _("{place}: the share of {part} rose")
            if way["share"] == "rise"
            else _("{place}: the share of {part} fell")
        )
    else:
        text = (
            _("{place}: the number of {part} rose")
            if way["count"] == "rise"
            else _("{place}: the number of {part} fell")
        )
    return text.format(place=title(looked), part=part(looked.of))


def _subtitle(finding: Finding, place: str, who: str) -> str:
    if finding.whole is None:
        text = _("People identified by year: {place}")
    else:
        text = _(
            "People identified by year, and their share of all whose answer is recorded: {part}. "
            "{place}"
        )
    return text.format(part=who, place=place)


def table(result: ReleaseSignals) -> tuple[tuple[str, ...], ...]:
    """Lines of the table of signals: group, what moved, number, share, how many may be false."""
    if result.found is None:
        return ()
    return tuple(_line(result, result.found, f) for f in result.found.signals[:LISTED])


def _line(result: ReleaseSignals, found: Found, finding: Finding) -> tuple[str, ...]:
    of = cards(result, finding)
    words = {
        ("share", "rise"): _("share rose"),
        ("share", "fall"): _("share fell"),
        ("count", "rise"): _("number rose"),
        ("count", "fall"): _("number fell"),
    }
    moved = finding.moved(found.settings.rate)
    return (
        signal_contributors.named(result, finding),
        _("; ").join(words[t.what, t.way] for t in moved),
        ranged(of.count[0]),
        ranged(of.count[1]),
        ranged(of.share[0]) if of.share else "–",
        ranged(of.share[1]) if of.share else "–",
        one_in(min(t.q for t in moved)),
    )


def write_signals(folder: Path, result: ReleaseSignals) -> None:
    """Write ``signals.json``, ``signals.csv`` and ``signals.metadata.json`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    document = signal_files.of_release(result)
    write_json(folder / f"{FILE}.json", document)
    write_csv(folder / f"{FILE}.csv", COLUMNS, _rows(result))
    people = result.release.protected.people
    heads = {k: v for k, v in document.items() if k not in ("signals", "explained", "others")}
    write_json(
        folder / f"{FILE}.metadata.json",
        {
            "id": FILE,
            "title": _("Signals"),
            "definition": signal_files.about(),
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
    if result.found is None:
        return
    for finding in result.found.signals:
        yield [*_cells(result, finding), result.basis(finding.row), ""]
    for one in result.explained:
        yield [*_cells(result, one.finding), "all", "|".join(one.by.names)]


def _cells(result: ReleaseSignals, finding: Finding) -> list[object]:
    rate = result.found.settings.rate if result.found else 0.0
    of, moved = cards(result, finding), finding.moved(rate)
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
