"""A report of a series as text, JSON or a table of comma-separated values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ctdhub.core.datafiles import as_csv, as_json
from ctdhub.core.format import number, share, year
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document import plain
from ctdhub.document.document import Document, Meta, Section, Sentences, TextTable, Words
from ctdhub.release.open import Release
from ctdhub.report.breaks import break_data, break_sentence
from ctdhub.report.called import called
from ctdhub.report.decomposition import (
    counted_once,
    measured_apart,
    panel_sentence,
    question_label,
    told,
)
from ctdhub.report.sentences import why
from ctdhub.report.wording import card_data, caveat, citation, ranged
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.decomposition.report import Report
from ctdhub.stats.decomposition.split import Split
from ctdhub.stats.trend import covering

COLUMNS = ("of", "row", "from", "to", "contributors", "value", "low", "high", "state")


def as_data(report: Report, release: Release) -> dict[str, Any]:
    """The report as plain values.

    ``series`` has every year with the card of all contributors, the card of the same contributors
    (null outside their years) and who reported; ``splits`` and ``yearly`` have changes, each with
    its parts, which add up to it, and its sentences.
    """
    q, panel = report.question, report.panel
    fixed = dict(panel.years) if panel else {}
    return {
        "release": release.version,
        "hub": release.facts.hub,
        "invented": release.facts.invented,
        "level": release.protected.guarantee.level,
        "caveat": caveat(),
        "citation": citation(release),
        "of": {"variable": q.variable, "value": q.value, "label": question_label(q)},
        "adds_up_to_series": report.moved,
        "panel": panel and {"contributors": list(panel.names), "years": list(panel.span)},
        "series": [
            {
                "year": int(row.codes[0]),
                "kind": row.kind,
                "reporting": list(covering(release, int(row.codes[0]))),
                "all": _card(row.people, release),
                "same_contributors": _card(fixed.get(int(row.codes[0])), release),
            }
            for row in report.rows
        ],
        "breaks": break_data(report.breaks),
        "splits": [_split(report, s) for s in report.splits],
        "yearly": [_split(report, s) for s in report.yearly],
        "counted_once": counted_once(),
    }


def _card(card: NumberCard | None, release: Release) -> dict[str, Any] | None:
    return None if card is None else card_data(card, release)


def _split(report: Report, split: Split) -> dict[str, Any]:
    return {
        "from": split.earlier,
        "to": split.later,
        "value": split.value,
        "low": split.low,
        "high": split.high,
        "level": split.level,
        "borrowed": split.borrowed,
        "recorded": split.shares and [round(s.value or 0.0, 4) for s in split.shares],
        "recorded_intervals": split.shares
        and [[round(end or 0.0, 4) for end in (s.low, s.high)] for s in split.shares],
        "parts": [
            {
                "kind": part.kind,
                "contributors": list(part.names),
                "value": part.value,
                "low": part.low,
                "high": part.high,
            }
            for part in split.parts
        ],
        "breaks": break_data(split.breaks),
        "sentences": list(told(report.question, split)),
    }


def _json(report: Report, release: Release) -> str:
    return as_json(as_data(report, release))


def _csv(report: Report, release: Release) -> str:
    return csv_of([report])


def csv_of(reports: Sequence[Report]) -> str:
    """One row for each count, each declared break and each part of a change.

    ``of`` is the question, empty for all people; ``row`` is "all", "same_contributors", "break",
    "change" or a kind of part; ``from`` is empty for counts and breaks; a break has its day in
    ``to`` and its kind in ``state``.
    """
    return as_csv(COLUMNS, ((r.question.code, *row) for r in reports for row in _rows(r)))


def _rows(report: Report) -> Iterator[list[object]]:
    for row in report.rows:
        yield _count("all", row.codes[0], row.people, row.kind)
    for when, card in report.panel.years if report.panel else ():
        yield _count("same_contributors", str(when), card, "value")
    for one in report.breaks:
        yield ["break", "", one.day, one.name, "", "", "", one.kind]
    for split in dict.fromkeys((*report.splits, *report.yearly)):
        head = [split.earlier, split.later]
        yield ["change", *head, "", split.value, split.low, split.high, "shown"]
        for part in split.parts:
            names = "|".join(part.names)
            yield [part.kind, *head, names, part.value, part.low, part.high, "shown"]


def _count(row: str, when: str, card: NumberCard, kind: str) -> list[object]:
    names = "|".join(card.contributors) if row == "same_contributors" else ""
    if kind == "nobody_reports":
        return [row, "", when, names, "", "", "", kind]
    numbers = ["" if x is None else round(x) for x in (card.value, card.low, card.high)]
    return [row, "", when, names, *numbers, card.state]


def as_text(report: Report, release: Release) -> str:
    """:func:`document` as text."""
    return plain.write(document(report, release))


def document(report: Report, release: Release) -> Document:
    """Both series by year, the splits in sentences, what to know, the citation."""
    who = (
        panel_sentence(report.panel, release.facts),
        *(() if report.moved else (measured_apart(),)),
    )
    who += tuple(break_sentence(one, release.facts) for one in report.breaks)
    splits = [Sentences(told(report.question, s, release.facts)) for s in report.splits]
    nothing = _("Nobody reports on one of the two years, so there is nothing to split.")
    level = share(release.protected.guarantee.level)
    notes = (
        caveat() + " " + _("Intervals hold with {level} confidence.").format(level=level),
        counted_once(),
        citation(release),
    )
    return Document(
        meta=Meta(current(), current() in RIGHT_TO_LEFT, called(release.facts)),
        title=question_label(report.question),
        lead=(),
        sections=(
            Section("series", "", (_series(report, release), Sentences(who))),
            Section("change", "", tuple(splits or (Sentences((nothing,)),))),
            Section("notes", "", (Words(notes),)),
        ),
    )


def _series(report: Report, release: Release) -> TextTable:
    fixed = dict(report.panel.years) if report.panel else {}
    rows = []
    for row in report.rows:
        when = int(row.codes[0])
        same = fixed.get(when)
        nobody = row.kind == "nobody_reports"
        rows.append(
            (
                year(when),
                _("nobody reports here") if nobody else _cell(row.people),
                "–" if same is None else _cell(same),
                number(len(covering(release, when))),
            )
        )
    head = (_("year"), _("all contributors"), _("same contributors"), _("contributors"))
    return TextTable("", "", head, tuple(rows))


def _cell(card: NumberCard) -> str:
    return ranged(card) if card.has_range else why(card.state)


FORMS: Mapping[str, Callable[[Report, Release], str]] = {
    "text": as_text,
    "json": _json,
    "csv": _csv,
}
