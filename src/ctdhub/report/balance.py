"""Did the world change or the data?  What stands under a line of a chart of trends.

Bars are mirrored on pages that run from right to left; beside each stands its number as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from ctdhub.core.datafiles import write_json
from ctdhub.core.format import year
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.release.open import Release
from ctdhub.report.decomposition import (
    ends,
    measured_apart,
    panel_sentence,
    part_label,
    signed,
    told,
)
from ctdhub.report.decomposition_files import as_data, csv_of
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.decomposition.report import Report, report
from ctdhub.stats.decomposition.split import Part, Split
from ctdhub.stats.decomposition.subject import Question
from ctdhub.stats.trend import covering

_HIGH = 14
"""Pixels of a bar with its whisker."""


@dataclass(frozen=True)
class Balance:
    """A change between two years: its sentences, and a bar for it and for each part."""

    title: str
    sentences: tuple[str, ...]
    bars: tuple[tuple[str, Markup], ...]


@dataclass(frozen=True)
class Shift:
    """What is said of one line.

    Attributes:
        report: the numbers behind it.
        same: by year, the people whom the same contributors registered in every year; empty where
            that was not measured, or is the line itself.
        who: the sentence on these contributors, empty where there are none.
        balances: the longest span of years first.
    """

    report: Report
    same: dict[str, NumberCard]
    who: str
    balances: tuple[Balance, ...]


def shift(answers: Answers, question: Question) -> Shift | None:
    """The split of a question's change; None where the release did not measure it by year."""
    found = report(answers, question)
    if found is None:
        return None
    same, who = _same(answers.release, found), panel_sentence(found.panel)
    if not found.moved:
        who = f"{who} {measured_apart()}"
    return Shift(
        report=found,
        same=same,
        who=who if same else "",
        balances=tuple(_balance(question, s) for s in reversed(found.splits)),
    )


def write_shifts(folder: Path, name: str, shifts: Sequence[Shift], release: Release) -> None:
    """Write ``<name>-change.json`` and ``.csv``: every line of a chart, all its changes."""
    data = [as_data(s.report, release) for s in shifts]
    write_json(folder / f"{name}-change.json", data)
    (folder / f"{name}-change.csv").write_text(csv_of([s.report for s in shifts]), "utf-8")


def _same(release: Release, found: Report) -> dict[str, NumberCard]:
    """Cards of the same contributors, where they were counted apart and others reported too."""
    if not found.apart or found.panel is None:
        return {}
    names = set(found.panel.names)
    if all(set(covering(release, when)) == names for when, _card in found.panel.years):
        return {}
    return {str(when): card for when, card in found.panel.years}


def _balance(question: Question, split: Split) -> Balance:
    title = _("{later} beside {earlier}").format(
        earlier=year(split.earlier), later=year(split.later)
    )
    bars: list[tuple[str, Part | Split]] = [(_("All of the change"), split)]
    bars += [(part_label(part), part) for part in split.parts]
    low = min(0, *(b.low for _label, b in bars))
    high = max(0, *(b.high for _label, b in bars))
    return Balance(
        title=title,
        sentences=told(question, split),
        bars=tuple((_beside(label, b), _bar(b, low, high)) for label, b in bars)
        if split.parts and any(b.kind in ("left", "joined", "rest") for b in split.parts)
        else (),
    )


def _beside(label: str, found: Part | Split) -> str:
    return _("{label}: {value} ({ends})").format(
        label=label, value=signed(found.value), ends=ends(found)
    )


def _bar(found: Part | Split, low: int, high: int) -> Markup:
    """From zero to the value, its interval across the end; a line marks zero."""
    width = max(1, high - low)

    def at(people: float) -> float:
        place = 100 * (people - low) / width
        return 100 - place if current() in RIGHT_TO_LEFT else place

    zero, end = at(0), at(found.value)
    kind = "bar" if isinstance(found, Split) or found.kind != "rest" else "bar rest"
    line = Markup('<line class="{c}" x1="{a:.2f}%" x2="{b:.2f}%" y1="{p}" y2="{q}"/>')
    middle = _HIGH / 2
    return Markup(
        '<svg class="chart balance" aria-hidden="true" width="100%" height="{h}">'
        '<rect class="{kind}" x="{x:.2f}%" y="3" width="{w:.2f}%" height="{k}"/>{zero}{whisker}'
        "</svg>"
    ).format(
        h=_HIGH,
        kind=kind,
        x=min(zero, end),
        w=abs(end - zero),
        k=_HIGH - 6,
        zero=line.format(c="zero", a=zero, b=zero, p=0, q=_HIGH),
        whisker=line.format(c="ends", a=at(found.low), b=at(found.high), p=middle, q=middle),
    )
