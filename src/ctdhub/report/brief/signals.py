"""Signals in a brief: which of them concern its subject, in their own sentences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ctdhub.core.format import number
from ctdhub.core.i18n import _, ngettext
from ctdhub.document.document import Section, Words
from ctdhub.document.numbers import Kind, Notebook
from ctdhub.report import signal_files
from ctdhub.report.brief.subjects import BriefPlace, Corridor
from ctdhub.report.coverage import turned
from ctdhub.report.places import sides
from ctdhub.report.signal_charts import looked_for
from ctdhub.report.signal_wording import of_release
from ctdhub.report.signals import compared, false_share, sentence, verdict
from ctdhub.report.wording import printed
from ctdhub.schema.roles import DESTINATION, ORIGIN, PERIOD
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.query import Where
from ctdhub.stats.signals.cards import cards
from ctdhub.stats.signals.find import Finding, Found, Test
from ctdhub.stats.signals.of_release import ReleaseSignals
from ctdhub.stats.signals.tested_series import PARTS, PLACES, Of

MOST = 4
"""Signals that a brief tells; the page of signals has all."""
KEEP = 68


def signs(
    answers: Answers, subject: BriefPlace | Corridor, notebook: Notebook
) -> tuple[Section, ...]:
    """The signals that concern a place or a corridor; () where there is none."""
    result = looked_for(answers)
    if result.found is None:
        return ()
    chosen = _chosen(result, result.found, _concerns(subject))
    if not chosen:
        return ()
    by_place: dict[str, list[str]] = {}
    for finding in chosen[:MOST]:
        words = of_release(result, finding)
        by_place.setdefault(words.title, []).append(f"{sentence(words)} {verdict(words)}")
        _note(result, result.found, finding, notebook)
    blocks = [Words((compared(result.found),))]
    blocks += [Words(tuple(sentences), place) for place, sentences in by_place.items()]
    blocks.append(Words(_closing(answers, result.found, len(chosen) - MOST, notebook)))
    title = _("Signals: series that departed from their usual pattern")
    return (Section("signals", title, tuple(blocks), KEEP),)


def _closing(answers: Answers, found: Found, more: int, notebook: Notebook) -> tuple[str, ...]:
    """How many more there are, who joined or left, what a signal is not."""
    paragraphs = []
    if more > 0:
        text = ngettext(
            "{n} more signal is on the page of signals of the hub.",
            "{n} more signals are on the page of signals of the hub.",
            more,
        )
        paragraphs.append(text.format(n=number(more)))
        notebook.add("signals.left", "sum", more, (number(more),))
    promise = false_share(found)
    notebook.add("signals.promise", "sum", found.settings.rate, (promise,))
    begin, end = (found.panel.periods[k].place for k in (found.past[0], found.window[1]))
    turned_then = turned(answers.release, (begin, end))
    return (*paragraphs, " ".join((*turned_then, promise, signal_files.no_cause())))


def _concerns(subject: BriefPlace | Corridor) -> Callable[[Of], bool]:
    """Whether a series is about the subject: one of its countries, or a corridor of them."""
    if isinstance(subject, Corridor):
        own = {(ORIGIN, subject.origin), (DESTINATION, subject.destination)}
        return lambda of: bool(_places(of)) and set(_places(of)) <= own
    inside = {
        (variable, code)
        for side in sides(subject.key).values()
        for variable, codes in side.where.items()
        for code in codes
    }
    return lambda of: bool(inside & set(of))


def _places(of: Of) -> Of:
    return tuple(pair for pair in of if pair[0] in PLACES)


def _chosen(result: ReleaseSignals, found: Found, concerns: Callable[[Of], bool]) -> list[Finding]:
    """The largest first, without those that follow from others.

    Of one place and one question a rise is told rather than a fall, because where one answer rises
    the others fall.  Where all people of a place rose or fell in number, so do their parts: a part
    is told beside them only if its share moved.
    """
    here = [f for f in found.signals if concerns(result.looked[f.row].of)]
    whole = {
        (_places(of), _clearest(found, finding).way)
        for finding in here
        for of in [result.looked[finding.row].of]
        if of == _places(of)
    }
    kept: dict[tuple[Of, str], Finding] = {}
    for finding in here:
        of, clearest = result.looked[finding.row].of, _clearest(found, finding)
        places, rest = _places(of), [variable for variable, _code in of if variable not in PLACES]
        moved = {t.what for t in finding.moved(found.settings.rate)}
        if rest and moved == {"count"} and (places, clearest.way) in whole:
            continue
        key = (places, next((v if v in PARTS else "flags" for v in rest), ""))
        held = kept.get(key)
        if held is None or (clearest.way == "rise" and _clearest(found, held).way == "fall"):
            kept[key] = finding
    return list(kept.values())


def _clearest(found: Found, finding: Finding) -> Test:
    """What moved most clearly."""
    return min(finding.moved(found.settings.rate), key=lambda t: t.q)


def _note(result: ReleaseSignals, found: Found, finding: Finding, notebook: Notebook) -> None:
    of, looked = cards(result, finding), result.looked[finding.row]
    part = looked.where
    whole = looked.whole_where(result.release.years)
    for k, (name, ends) in enumerate((("before", found.past), ("now", found.window))):
        when: Where = {PERIOD: _years(found, finding, ends)}
        id = f"signals.{looked.name}"
        _add(notebook, f"{id}.count-{name}", "mean", of.count[k], {**part, **when}, {})
        if of.whole is not None and of.share is not None:
            all_: Where = {**whole, **when}
            _add(notebook, f"{id}.whole-{name}", "mean", of.whole[k], all_, {})
            _add(notebook, f"{id}.share-{name}", "mean_share", of.share[k], {**part, **when}, all_)


def _years(found: Found, finding: Finding, ends: tuple[int, int]) -> list[str]:
    """The years of a mean: those that somebody covers."""
    known = ~np.isnan(found.panel.counts[finding.row])
    return [
        str(found.panel.periods[k].place) for k in range(ends[0], ends[1] + 1) if bool(known[k])
    ]


def _add(
    notebook: Notebook, id: str, kind: Kind, card: NumberCard, part: Where, whole: Where
) -> None:
    notebook.add(id, kind, card.value, printed(card), part, whole)
