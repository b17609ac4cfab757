"""Did the world change or the data?  What stands under a line of a chart of trends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ctdhub.core.datafiles import write_json
from ctdhub.core.format import year
from ctdhub.core.i18n import _
from ctdhub.document.document import Change
from ctdhub.release.facts import PublicFacts
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
from ctdhub.stats.decomposition.split import ChangePart, Split
from ctdhub.stats.decomposition.subject import ChangeSubject
from ctdhub.stats.trend import covering


@dataclass(frozen=True)
class Balance:
    """A change between two years: its sentences, and a bar for it and for each part."""

    title: str
    sentences: tuple[str, ...]
    changes: tuple[Change, ...]


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


def shift(answers: Answers, question: ChangeSubject) -> Shift | None:
    """The split of a question's change; None where the release did not measure it by year."""
    found = report(answers, question)
    if found is None:
        return None
    facts = answers.release.facts
    same, who = _same(answers.release, found), panel_sentence(found.panel, facts)
    if not found.moved:
        who = f"{who} {measured_apart()}"
    return Shift(
        report=found,
        same=same,
        who=who if same else "",
        balances=tuple(_balance(question, s, facts) for s in reversed(found.splits)),
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


def _balance(question: ChangeSubject, split: Split, facts: PublicFacts) -> Balance:
    title = _("{later} compared with {earlier}").format(
        earlier=year(split.earlier), later=year(split.later)
    )
    changes = [_drawn(_("All of the change"), split)]
    changes += [_drawn(part_label(part, facts), part) for part in split.parts]
    divided = any(part.kind in ("left", "joined", "rest") for part in split.parts)
    return Balance(
        title=title,
        sentences=told(question, split, facts),
        changes=tuple(changes) if divided else (),
    )


def _drawn(label: str, found: ChangePart | Split) -> Change:
    text = _("{label}: {value} ({ends})").format(
        label=label, value=signed(found.value), ends=ends(found)
    )
    rest = isinstance(found, ChangePart) and found.kind == "rest"
    return Change(text, found.value, found.low, found.high, rest)
