"""Three findings of a release as headlines: the largest change, the largest gap, what is missing.

Each is the largest of many, so each comes from a list that allows for the choice: changes are
signals, of which a stated share may be false at most (``stats.signals``); gaps are those whose
simultaneous intervals leave out zero (``stats.equity``).  Where no change or gap passes, there is
no headline.  What is missing is said without "most".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ctdhub.core.format import share_ranged
from ctdhub.core.i18n import _, current
from ctdhub.report.gaps import gap_difference, gap_headline
from ctdhub.report.signal_charts import headline, looked_for
from ctdhub.report.wording import ranged
from ctdhub.schema.labels import label
from ctdhub.schema.model import load_schema
from ctdhub.stats import equity
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Query
from ctdhub.stats.signals.cards import cards

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
    found = (_change(answers), _gap(answers), _silence(answers))
    return tuple(each for each in found if each is not None)


def _change(answers: Answers) -> ReleaseFinding | None:
    result = looked_for(answers)
    lead = next((each for each in result.leads), None)
    if lead is None:
        return None
    found = cards(result, lead.finding)
    before, now = found.count
    detail = _("People identified in a year, on average: {now} compared with {before} before.")
    moved = result.found and lead.finding.moved(result.found.settings.rate)
    if found.share is not None and "share" in {test.what for test in moved or ()}:
        before, now = found.share
        detail = _("Share on average: {now} compared with {before} before.")
    return ReleaseFinding(
        "change",
        _("The clearest change"),
        headline(result, lead.finding),
        detail.format(now=ranged(now), before=ranged(before)),
    )


def _gap(answers: Answers) -> ReleaseFinding | None:
    held = [
        gap
        for by in equity.groupings(answers)
        for gap in equity.clear_gaps(equity.assistance(answers, by))
    ]
    if not held:
        return None
    widest = max(held, key=lambda gap: gap.low)
    return ReleaseFinding(
        "gap", _("A gap in assistance"), gap_headline(widest), gap_difference(widest)
    )


def _silence(answers: Answers) -> ReleaseFinding | None:
    """The variable for which fewest people have an answer for sure."""
    held = []
    for name in load_schema().explorer:
        if name not in answers.variables:
            continue
        known = answers.card(Query({name: answers.domain(name)}, of=Query({})))
        if known.value is not None and known.low is not None and known.high is not None:
            held.append((1 - known.high, 1 - known.value, 1 - known.low, name))
    if not held or (last := max(held))[0] < MUCH:
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
