"""Who is assisted, in a brief: where matters stand in a place, and by citizenship in the hub.

A release measures assistance by country of exploitation, not by citizenship; so a place is told of
as the place of exploitation, and citizens of it as a part of all people of the hub.
"""

from __future__ import annotations

from functools import lru_cache

from ctdhub.core.format import decimal, listed, number, share, share_parts
from ctdhub.core.i18n import _, current
from ctdhub.document.document import Bar, Bars, Block, Section, Words
from ctdhub.document.numbers import Notebook
from ctdhub.report.brief.subjects import BriefPlace
from ctdhub.report.gaps import assistance_caveat, gap_sentence, group_name
from ctdhub.report.places import sides
from ctdhub.report.wording import ranged, sized
from ctdhub.schema.labels import label
from ctdhub.schema.roles import DESTINATION, RELATION
from ctdhub.stats import equity
from ctdhub.stats.answers import Answers
from ctdhub.stats.equity import RECEIVED, Assistance, EquityGroup
from ctdhub.stats.gaps import By, Gap
from ctdhub.stats.query import Where

CITIZENS: By = (RELATION,)
COUNTRY: By = (DESTINATION,)
KEEP_HERE, KEEP_HUB = 58, 25
"""How much the assistance in a place matters, and that of all people of the hub."""


def in_place(answers: Answers, place: BriefPlace, notebook: Notebook) -> tuple[Section, ...]:
    """Assistance in a place and in the hub; () where nothing of it is clear."""
    where = sides(place.key)["exploited"].where
    here: list[Block] = []
    if (bars := _bars(answers, where, place.name, notebook)) is not None:
        here.append(bars)
    told = [
        _gap(answers, gap, f"assistance-{gap.kind}", notebook)
        for gap in equity.clear_gaps(_assistance(answers, COUNTRY))
        if {*gap.least, *gap.most} & set(where[DESTINATION])
    ]
    if told:
        here.append(Words(tuple(told), _("Between countries of exploitation")))
    if here:
        here.append(Words((assistance_caveat(),)))
    title = _("Assistance")
    sections = [Section("assistance", title, tuple(here), KEEP_HERE)] if here else []
    return (*sections, *_hub(answers, "" if here else title, notebook))


def in_hub(answers: Answers, notebook: Notebook) -> tuple[Section, ...]:
    """Assistance of all people by citizenship; () where nothing of it is clear."""
    return _hub(answers, _("Assistance"), notebook)


@lru_cache(maxsize=4)
def _assistance(answers: Answers, by: By) -> tuple[Assistance, ...]:
    """The same for every place and language."""
    return equity.assistance(answers, by)


def _hub(answers: Answers, title: str, notebook: Notebook) -> tuple[Section, ...]:
    found = _assistance(answers, CITIZENS)
    told = [
        _gap(answers, gap, f"assistance-hub-{gap.kind}", notebook)
        for gap in equity.clear_gaps(found)
    ] or _who(found, notebook)
    if not told:
        return ()
    if title:
        told.append(assistance_caveat())
    words = Words(tuple(told), _("All people of this hub, by citizenship"))
    name = _("Assistance by citizenship")
    return (Section("assistance-hub", title, (words,), KEEP_HUB, name),)


def _bars(answers: Answers, where: Where, place: str, notebook: Notebook) -> Bars | None:
    """The share who received each kind of assistance; None where none is shown."""
    held = {
        kind: equity.standing(answers, kind, where)
        for kind in equity.kinds(answers)
        if answers.measured(kind, *COUNTRY)
    }
    shown = {kind: g for kind, g in held.items() if g.shares[RECEIVED].value is not None}
    if not shown:
        return None
    bars = []
    for kind, group in shown.items():
        part, base = group.shares[RECEIVED], group.recorded
        text = _("{kind}, n = {people}").format(
            kind=label(kind, current()), people=sized(base).replace(" ", "\u00a0")
        )
        text = text.replace(" = ", "\u00a0=\u00a0")
        bars.append(Bar(text, sized(part), part.value, part.low, part.high))
        notebook.card(f"assistance.{kind}.recorded", base, sized(base))
        notebook.card(f"assistance.{kind}", part, sized(part))
    note = [_("n: the people whose status is recorded.")]
    note.append(_unknown(shown, notebook))
    if left := len(held) - len(shown):
        few = _(
            "Rows not shown: {n}; they have fewer people, or are below the reporting threshold."
        )
        note.append(few.format(n=number(left)))
        notebook.add("assistance.left", "sum", left, (number(left),))
    return Bars(
        _("Received assistance, where recorded"),
        _("Share of the people whose status is recorded. Country of exploitation: {place}").format(
            place=place
        ),
        tuple(bars),
        " ".join(part for part in note if part),
    )


def _unknown(shown: dict[str, EquityGroup], notebook: Notebook) -> str:
    """For how many nothing is recorded, over all kinds."""
    known: list[tuple[float, str]] = [
        (g.unknown.value, kind) for kind, g in shown.items() if g.unknown.value is not None
    ]
    if not known:
        return ""
    for value, kind in (min(known), max(known)):
        notebook.card(f"assistance.{kind}.unknown", shown[kind].unknown, share(value))
    return _("Nothing is recorded for {low} to {high} of people, by kind of assistance.").format(
        low=share(min(known)[0]), high=share(max(known)[0])
    )


def _gap(answers: Answers, gap: Gap, id: str, notebook: Notebook) -> str:
    """The sentence of a gap, its numbers noted."""
    parts: list[Where] = []
    for name, codes, value, ends in (
        ("least", gap.least, gap.shares[0], gap.ends[0]),
        ("most", gap.most, gap.shares[1], gap.ends[1]),
    ):
        group = {v: [code] for v, code in zip(gap.by, codes, strict=True)}
        parts.append({**group, gap.kind: [RECEIVED]})
        whole: Where = {**group, gap.kind: answers.domain(gap.kind)}
        notebook.add(f"{id}.{name}", "share", value, share_parts(value, *ends), parts[-1], whole)
    printed = tuple(
        decimal(points, "0")
        for points in (100 * gap.difference, *_outwards(100 * gap.low, 100 * gap.high))
    )
    notebook.add(f"{id}.gap", "gap", gap.difference, printed, *parts)
    return gap_sentence(gap)


def _outwards(low: float, high: float) -> tuple[int, int]:
    return int(low // 1), -int(-high // 1)


def _who(found: tuple[Assistance, ...], notebook: Notebook) -> list[str]:
    """Who received, of the kind with most people recorded, where no gap is clear."""
    compared = [a for a in found if len(equity.comparable(a)) > 1]
    if not compared:
        return []
    most = max(compared, key=lambda a: a.everybody.recorded.value or 0)
    told = []
    for group in equity.comparable(most):
        part = group.shares[RECEIVED]
        notebook.card(f"assistance-hub.{'-'.join(group.codes)}", part, ranged(part))
        told.append(
            _("{group}, {share}").format(group=group_name(most.by, group.codes), share=ranged(part))
        )
    text = _("{kind}. Received, of those recorded: {groups}. No difference is clear.")
    return [text.format(kind=label(most.kind, current()), groups=listed(told))]
