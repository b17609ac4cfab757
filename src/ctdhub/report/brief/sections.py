"""Sections of a brief, and its notebook: the question behind each number that was printed."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from ctdhub.core.format import decimal, interval, listed, number, share, share_parts, signed
from ctdhub.core.i18n import _, current
from ctdhub.document.document import Bar, Bars, Block, Section, Words, Years
from ctdhub.document.svg import round_top
from ctdhub.release.manifest import PublicFacts
from ctdhub.report import figures as site
from ctdhub.report.brief.subjects import BriefPlace, Corridor
from ctdhub.report.brief.subjects import words_of as brief_words
from ctdhub.report.equity import assistance_caveat, gap_sentence, people_of
from ctdhub.report.figures import Among, Figure, named_years, sides, year_chart, years_headline
from ctdhub.report.sentences import assisted_sentence, estimate_printed
from ctdhub.report.signal_charts import looked_for
from ctdhub.report.signals import compared, false_share, of_release, sentence, verdict, words_of
from ctdhub.report.trends import change_sentences, measured_apart, question_label, recorded_share
from ctdhub.report.wording import break_sentence, printed, ranged, sized, surely, turned
from ctdhub.schema.labels import label
from ctdhub.schema.model import AGE, DESTINATION, ORIGIN, PERIOD, RELATION, load_schema
from ctdhub.stats import decomposition, equity, trend
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard, Row, Table
from ctdhub.stats.decomposition import year_claim
from ctdhub.stats.equity import RECEIVED, Assistance, By, EquityGroup, Gap
from ctdhub.stats.query import Query, Where
from ctdhub.stats.signals.cards import cards
from ctdhub.stats.signals.events import PARTS, PLACES, Of
from ctdhub.stats.signals.find import Finding, Search, Test
from ctdhub.stats.signals.of_release import ReleaseSignals
from ctdhub.stats.tables import children_share

# --------------------------------------------------------------------------------------------------
# The question behind every number that a brief prints, so that anybody can ask it again.

Kind = Literal[
    "people",
    "share",
    "rest",
    "missing",
    "sum",
    "gap",
    "mean",
    "mean_share",
    "change",
    "change_part",
]


@dataclass(frozen=True)
class PrintedNumber:
    """A number as it is printed, and the question that it answers.

    Attributes:
        id: where it stands, for example "exploited-gender.female.people".
        kind: "people": how many people meet ``part``; "share": ``part`` among ``whole``; "rest":
            people of ``whole`` outside ``part``; "missing": the same as a share of ``whole``;
            "gap": of those in ``part`` and in ``whole`` whose status is recorded, the share of
            ``whole`` with the status named less that of ``part``; "mean" and "mean_share": people
            of ``part`` in a year, or their share of ``whole``, as the mean of the series by year
            (``measurements``) over the years named; "change": people of ``part`` less those of
            ``whole``, the same people in an earlier year; "change_part": what a part of that
            change amounts to, or the share recorded in one of its years; "sum": a number of
            cells, of contributors or of years, which is not counted in people.
        part, whole: conditions, see :data:`ctdhub.stats.query.Where`.
        value: the answer: people (negative for fewer), a share in 0..1, or a number; None where
            it is not precise enough and only the ends of its interval are printed.
        printed: every form in which it, or an end of its interval, stands in the document.
    """

    id: str
    kind: Kind
    part: Where
    whole: Where
    value: float | None
    printed: tuple[str, ...]


class Notebook:
    """Collects what a brief prints."""

    def __init__(self) -> None:
        self._numbers: dict[str, PrintedNumber] = {}

    @property
    def numbers(self) -> tuple[PrintedNumber, ...]:
        """All numbers, in the order of writing."""
        return tuple(self._numbers.values())

    def add(
        self,
        id: str,
        kind: Kind,
        value: float | None,
        printed: tuple[str, ...],
        part: Where | None = None,
        whole: Where | None = None,
    ) -> None:
        """Note a number that is printed; one without a value has nothing to note."""
        if value is not None:
            self._numbers[id] = PrintedNumber(
                id, kind, _plain(part or {}), _plain(whole or {}), value, printed
            )

    def card(self, id: str, card: NumberCard, *printed: str) -> None:
        """Note a card, with every form in which it is printed; its own query says what it is.

        People with a query of others are those of the others outside it.

        Raises:
            ValueError: no single question gives the card.
        """
        query = card.query
        if query is None:
            raise ValueError("a number that no single question gives is noted by `add`")
        kind: Kind = "share" if card.unit == "share" else "rest" if query.of else "people"
        whole = query.of.where if query.of else {}
        self.add(id, kind, card.value, printed, query.where, whole)
        if card.value is None and card.has_range:
            self._numbers[id] = PrintedNumber(
                id, kind, _plain(query.where), _plain(whole), None, printed
            )


def _plain(where: Where) -> dict[str, tuple[str, ...]]:
    return {name: tuple(sorted(values)) for name, values in where.items()}


# --------------------------------------------------------------------------------------------------
# Figures of the site as blocks of a brief, each number noted with its question.

MOST = {"means-of-control": 7, "exploitation": 6, "labour": 7, "corridors": 7}
"""Rows that a figure has on paper; the site shows all."""


def drawn(
    answers: Answers, where: Where, prefix: str, names: Collection[str], notebook: Notebook
) -> dict[str, Bars]:
    """The bar figures of some people by name; those with hardly a bar are left out.

    Args:
        where: conditions that the people meet.
        prefix: begins the ids of the numbers.
        names: of the figures that are wanted, as the site calls them, or other groups of flags.
        notebook: gets every number that is printed.
    """
    chosen = Among(where, "", "")
    figures = {f.id: f for f in site.figures(answers, chosen) if f.id in names}
    for group in [n for n in names if n in load_schema().groups and n not in figures]:
        if figure := site.subject_figure(answers, group, Among(where, group, ""), 0):
            figures[group] = figure
    return {
        name: _bars(answers, name, figure, where, f"{prefix}{name}", notebook)
        for name, figure in figures.items()
        if name == "gender" or sum(b.size is not None for b in figure.bars if not b.missing) > 1
    }


def _bars(
    answers: Answers, name: str, figure: Figure, where: Where, id: str, notebook: Notebook
) -> Bars:
    table, shares = figure.table, load_schema().is_indicator(figure.table.variables[0])
    most = MOST.get(name, len(figure.bars))
    values = [k for k, row in enumerate(table.rows) if row.kind != "not_recorded"]
    kept = values[:most]
    if len(values) > most or shares:
        kept = [k for k in kept if figure.bars[k].size is not None]
    kept += [k for k, row in enumerate(table.rows) if row.kind == "not_recorded"]
    for k in kept:
        _note_row(table, table.rows[k], figure.bars[k].text, id, notebook, shares=shares)
    note, left = figure.note, len(table.rows) - len(kept)
    if left:
        note = f"{note} {brief_words('rows_left', left)}"
        notebook.add(f"{id}.left", "sum", left, (number(left),))
    _note_base(table, where, id, notebook)
    if (largest := table.largest) is not None and largest.share is not None:
        notebook.card(f"{id}.largest", largest.share, sized(largest.share))
    if AGE in table.variables and AGE not in where:
        children = children_share(answers, where)
        notebook.card(f"{id}.children", children, sized(children))
    shown = [figure.bars[k] for k in kept]
    bars = tuple(Bar(b.label, b.text, b.size, b.low, b.high, b.missing) for b in shown)
    return Bars(figure.headline, figure.subtitle, bars, note)


def _note_row(
    table: Table, row: Row, text: str, id: str, notebook: Notebook, *, shares: bool
) -> None:
    code = "-".join(row.codes) or "not_recorded"
    if row.kind == "not_recorded":
        outside = shares or len(table.variables) > 1
        notebook.card(f"{id}.{code}", row.people, sized(row.people) if outside else text)
    elif shares and row.share is not None:
        notebook.card(f"{id}.{code}", row.share, text)
    else:
        notebook.card(f"{id}.{code}", row.people, text)


def _note_base(table: Table, where: Where, id: str, notebook: Notebook) -> None:
    card, missing = table.base, table.missing
    notebook.card(f"{id}.base", card, *(number(x or 0) for x in (card.value, card.low, card.high)))
    if missing is not None and card.query is not None:
        among = card.query.where
        notebook.add(f"{id}.missing", "missing", missing, (share(missing),), among, where)


def by_year(answers: Answers, where: Where, id: str, notebook: Notebook) -> Years | None:
    """People by year; None where this release did not measure them, or no year is shown."""
    table = trend.trend(answers, "line", [trend.Line("all", where)])
    if table is None:
        return None
    rows = [row for row in table.rows if row.codes[0]]
    points = year_chart(rows, 1).points
    shown = [k for k, p in enumerate(points) if p.state == "shown"]
    if not shown:
        return None
    for k in shown:
        notebook.card(f"{id}.{rows[k].codes[0]}", rows[k].people, points[k].text)
    top = round_top(max(p.high for p in points if p.state != "not_measured"))
    release = answers.release
    met = trend.breaks_within(release, tuple(where), *release.years)
    declared = [break_sentence(one, release.facts) for one in met]
    lines = {str(t.year) for t in trend.turns(release)} | {str(b.year) for b in met}
    claim = year_claim(answers, where, rows)
    chart = year_chart(rows, top, turns=lines, named=named_years(claim))
    notebook.add(f"{id}.axis", "sum", top, tuple(a for a in chart.axis if a))
    return replace(
        chart,
        title=years_headline(claim, release),
        subtitle=_("People identified by year"),
        year=_("Year"),
        column=_("People by year, as a table"),
        note=" ".join((brief_words("dotted", bool(met)), *turned(release), *declared)),
    )


# --------------------------------------------------------------------------------------------------
# Who is assisted, in a brief: where matters stand in a place, and by citizenship in the hub.
#
# A release measures assistance by country of exploitation, not by citizenship; so a place is told
# of as the place of exploitation, and citizens of it as a part of all people of the hub.

CITIZENS: By = (RELATION,)
COUNTRY: By = (DESTINATION,)
KEEP_HERE, KEEP_HUB = 58, 25
"""How much the assistance in a place matters, and that of all people of the hub."""


def assistance_in_place(
    answers: Answers, place: BriefPlace, notebook: Notebook
) -> tuple[Section, ...]:
    """Assistance in a place and in the hub; () where nothing of it is clear."""
    where = sides(place.key)["exploited"].where
    here: list[Block] = []
    if (bars := _assistance_bars(answers, where, place.name, notebook)) is not None:
        here.append(bars)
    gaps = [
        _gap(answers, gap, f"assistance-{gap.kind}", notebook)
        for gap in equity.clear_gaps(_assistance(answers, COUNTRY))
        if {*gap.least, *gap.most} & set(where[DESTINATION])
    ]
    if gaps:
        here.append(Words(tuple(gaps), _("Between countries of exploitation")))
    if here:
        sure = assisted(equity.assisted(answers, where), notebook)
        here.append(Words(tuple(filter(None, (sure, assistance_caveat())))))
    title = _("Assistance")
    sections = [Section("assistance", title, tuple(here), KEEP_HERE)] if here else []
    return (*sections, *_hub(answers, "" if here else title, notebook))


def assisted(some: tuple[tuple[str, NumberCard], ...], notebook: Notebook) -> str:
    """How many people surely received assistance, each number noted; empty where not one is."""
    text = assisted_sentence(some)
    for kind, people in some if text else ():
        notebook.card(f"assisted.{kind}", people, number(surely(people)), *estimate_printed(people))
    return text


def assistance_in_hub(answers: Answers, notebook: Notebook) -> tuple[Section, ...]:
    """Assistance of all people by citizenship; () where nothing of it is clear."""
    return _hub(answers, _("Assistance"), notebook)


@lru_cache(maxsize=4)
def _assistance(answers: Answers, by: By) -> tuple[Assistance, ...]:
    """The same for every place and language."""
    return equity.assistance(answers, by)


def _hub(answers: Answers, title: str, notebook: Notebook) -> tuple[Section, ...]:
    by_kind = _assistance(answers, CITIZENS)
    texts = [
        _gap(answers, gap, f"assistance-hub-{gap.kind}", notebook)
        for gap in equity.clear_gaps(by_kind)
    ] or _who(by_kind, notebook)
    if not texts:
        return ()
    if title:
        texts.append(assistance_caveat())
    words = Words(tuple(texts), _("All people of this hub, by citizenship"))
    name = _("Assistance by citizenship")
    return (Section("assistance-hub", title, (words,), KEEP_HUB, name),)


def _assistance_bars(answers: Answers, where: Where, place: str, notebook: Notebook) -> Bars | None:
    """The share who received each kind of assistance; None where none is shown."""
    groups = {
        kind: equity.standing(answers, kind, where)
        for kind in equity.kinds(answers)
        if answers.measured(kind, *COUNTRY)
    }
    shown = {kind: g for kind, g in groups.items() if g.shares[RECEIVED].value is not None}
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
    if left := len(groups) - len(shown):
        note.append(brief_words("rows_left", left))
        notebook.add("assistance.left", "sum", left, (number(left),))
    return Bars(
        _("Received assistance, where recorded"),
        brief_words("assistance", place),
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
    return brief_words("unknown", min(known)[0], max(known)[0])


def _gap(answers: Answers, gap: Gap, id: str, notebook: Notebook) -> str:
    """The sentence of a gap, its numbers noted."""
    parts: list[Where] = []
    for k, (name, codes) in enumerate((("least", gap.least), ("most", gap.most))):
        group = {v: [code] for v, code in zip(gap.by, codes, strict=True)}
        parts.append({**group, gap.kind: [RECEIVED]})
        whole: Where = {**group, gap.kind: answers.domain(gap.kind)}
        forms = share_parts(gap.shares[k], *gap.ends[k])
        notebook.add(f"{id}.{name}", "share", gap.shares[k], forms, parts[-1], whole)
        open_ends = (share(gap.unknown[k]), *interval(*gap.bounds[k]))
        notebook.add(f"{id}.{name}.unknown", "share", gap.unknown[k], open_ends, whole, group)
    printed = tuple(
        decimal(points, "0")
        for points in (100 * gap.difference, math.floor(100 * gap.low), math.ceil(100 * gap.high))
    )
    notebook.add(f"{id}.gap", "gap", gap.difference, printed, *parts)
    return gap_sentence(gap)


def _who(by_kind: tuple[Assistance, ...], notebook: Notebook) -> list[str]:
    """Who received, of the kind with most people recorded, where no gap is clear."""
    compared = [a for a in by_kind if len(equity.comparable(a)) > 1]
    if not compared:
        return []
    most = max(compared, key=lambda a: a.everybody.recorded.value or 0)
    shares = []
    for group in equity.comparable(most):
        part = group.shares[RECEIVED]
        notebook.card(f"assistance-hub.{'-'.join(group.codes)}", part, ranged(part))
        shares.append(
            _("{group}, {share}").format(group=people_of(most.by, group.codes), share=ranged(part))
        )
    text = _("{kind}. Received, of those recorded: {groups}. No difference is clear.")
    return [text.format(kind=label(most.kind, current()), groups=listed(shares))]


# --------------------------------------------------------------------------------------------------
# Did the world change or the data?  A brief's section on what explains a rise or a fall.

KEEP = 62
WHOLE_ONLY = frozenset({"undivided", "unmeasured", "unclear"})
"""Kinds of parts that stand for a change that cannot be split."""


def changed(
    answers: Answers, questions: Sequence[decomposition.ChangeSubject], notebook: Notebook
) -> tuple[Section, ...]:
    """The changes of some people, split where the release allows it; () where nothing is clear."""
    blocks: list[Words] = []
    apart = False
    unsplit: dict[tuple[int, int], list[str]] = {}
    for question in questions:
        report = decomposition.report(answers, question)
        if report is None or all(row.people.value is None for row in report.rows):
            continue
        if texts := _texts(report, answers.release.facts, notebook):
            blocks.append(Words(tuple(texts), question_label(question)))
            apart = apart or (report.apart and not report.moved)
        for split in reversed(report.splits):
            years = split.earlier, split.later
            if not _can_be_split(split) and not _same_contributors(answers, *years):
                unsplit.setdefault(years, []).append(question_label(question))
    if apart:
        blocks.append(Words((measured_apart(),)))
    for years, labels in unsplit.items():
        title = _("; ").join(labels)
        before = blocks.pop().paragraphs if blocks and blocks[-1].title == title else ()
        blocks.append(Words((*before, _not_split(answers, *years)), title))
    return _section(blocks)


def on_corridor(answers: Answers, corridor: Corridor, notebook: Notebook) -> tuple[Section, ...]:
    """The same of a corridor, whose people are not counted by contributor.

    Where the same contributors report on both years the change is told, else who joined or left.
    """
    release, last = answers.release, decomposition.last_whole_year(answers.release)
    texts = []
    for earlier in (last - n for n in reversed(decomposition.BACK) if last - n >= release.years[0]):
        before, after = (
            answers.card(Query({**corridor.where, PERIOD: [str(y)]})) for y in (earlier, last)
        )
        change = trend.difference(before, after)
        if change is None:
            continue
        if not _same_contributors(answers, earlier, last):
            texts.append(_not_split(answers, earlier, last))
        elif change.is_clear:
            level = release.protected.guarantee.level
            ends = round(change.value), math.floor(change.low), math.ceil(change.high)
            met = trend.breaks_between(release, tuple(corridor.where), earlier, last)
            split = decomposition.Split(earlier, last, *ends, (), None, False, level, met)
            _note(corridor.where, "change.corridor", split, notebook)
            same = brief_words("same_contributors")
            texts.append(
                " ".join((*change_sentences(decomposition.EVERYBODY, split, release.facts), same))
            )
    return _section([Words(tuple(texts))] if texts else [])


def _section(blocks: Sequence[Words]) -> tuple[Section, ...]:
    if not blocks:
        return ()
    title = _("Did the world change or the data?")
    return (Section("change", title, tuple(blocks), KEEP),)


def _texts(report: decomposition.Report, facts: PublicFacts, notebook: Notebook) -> list[str]:
    """A paragraph for each span of years of which something is clear, the longest first."""
    texts = []
    for split in reversed(report.splits):
        clear = split.is_clear or any(part.is_clear for part in split.parts)
        if clear and _can_be_split(split):
            id = f"change.{report.question.code or 'all'}"
            _note(report.question.where, id, split, notebook)
            texts.append(" ".join(change_sentences(report.question, split, facts)))
    return texts


def _can_be_split(split: decomposition.Split) -> bool:
    return not {part.kind for part in split.parts} <= WHOLE_ONLY


def _same_contributors(answers: Answers, earlier: int, later: int) -> bool:
    return trend.covering(answers.release, earlier) == trend.covering(answers.release, later)


def _not_split(answers: Answers, earlier: int, later: int) -> str:
    """Who joined or left between two years, where nothing else can be told apart."""
    first = brief_words("not_split", earlier, later)
    return " ".join((first, *turned(answers.release, (earlier, later))))


def _note(where: Where, id: str, split: decomposition.Split, notebook: Notebook) -> None:
    """Note a change and its parts as they are told."""
    id = f"{id}.{split.earlier}-{split.later}"
    after: Where = {**where, PERIOD: [str(split.later)]}
    before: Where = {**where, PERIOD: [str(split.earlier)]}
    notebook.add(id, "change", split.value, _printed(split), after, before)
    for n, part in enumerate(split.parts):
        name = f"{id}.{n}-{part.kind}"
        notebook.add(name, "change_part", part.value, _printed(part), after, before)
    for name, value in zip(("before", "after"), split.shares or (), strict=False):
        printed = (recorded_share(value),)
        notebook.add(f"{id}.recorded-{name}", "change_part", value.value, printed, after, before)


def _printed(change: decomposition.ChangePart | decomposition.Split) -> tuple[str, ...]:
    """The number of people where it is told, and the ends of its interval."""
    ends = signed(change.low), signed(change.high)
    return (number(abs(change.value)), *ends) if change.is_clear else ends


# --------------------------------------------------------------------------------------------------
# Signals in a brief: which of them concern its subject, in their own sentences.

SIGNALS_MOST = 4
"""Signals that a brief tells; the page of signals has all."""
SIGNALS_KEEP = 68


def signs(
    answers: Answers, subject: BriefPlace | Corridor, notebook: Notebook
) -> tuple[Section, ...]:
    """The signals that concern a place or a corridor; () where there is none."""
    result = looked_for(answers)
    if result.search is None:
        return ()
    chosen = _chosen(result, result.search, _concerns(subject))
    if not chosen:
        return ()
    by_place: dict[str, list[str]] = {}
    for finding in chosen[:SIGNALS_MOST]:
        words = of_release(result, finding)
        by_place.setdefault(words.title, []).append(f"{sentence(words)} {verdict(words)}")
        _signals_note(result, result.search, finding, notebook)
    blocks = [Words((compared(result.search),))]
    blocks += [Words(tuple(sentences), place) for place, sentences in by_place.items()]
    blocks.append(Words(_closing(answers, result.search, len(chosen) - SIGNALS_MOST, notebook)))
    title = _("Signals: series that departed from their usual pattern")
    return (Section("signals", title, tuple(blocks), SIGNALS_KEEP),)


def _closing(answers: Answers, search: Search, more: int, notebook: Notebook) -> tuple[str, ...]:
    """How many more there are, who joined or left, what a signal is not."""
    paragraphs = []
    if more > 0:
        paragraphs.append(brief_words("more_signals", more))
        notebook.add("signals.left", "sum", more, (number(more),))
    promise = false_share(search)
    notebook.add("signals.promise", "sum", search.settings.rate, (promise,))
    begin, end = (search.panel.periods[k].place for k in (search.past[0], search.window[1]))
    turned_then = turned(answers.release, (begin, end))
    return (*paragraphs, " ".join((*turned_then, promise, words_of("no_cause"))))


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


def _chosen(
    result: ReleaseSignals, search: Search, concerns: Callable[[Of], bool]
) -> list[Finding]:
    """The largest first, without those that follow from others.

    Of one place and one question a rise is told rather than a fall, because where one answer rises
    the others fall.  Where all people of a place rose or fell in number, so do their parts: a part
    is told beside them only if its share moved.
    """
    here = [f for f in search.signals if concerns(result.looked[f.row].of)]
    whole = {
        (_places(of), _clearest(search, finding).way)
        for finding in here
        for of in [result.looked[finding.row].of]
        if of == _places(of)
    }
    kept: dict[tuple[Of, str], Finding] = {}
    for finding in here:
        of, clearest = result.looked[finding.row].of, _clearest(search, finding)
        places, rest = _places(of), [variable for variable, _code in of if variable not in PLACES]
        moved = {t.what for t in finding.moved(search.settings.rate)}
        if rest and moved == {"count"} and (places, clearest.way) in whole:
            continue
        key = (places, next((v if v in PARTS else "flags" for v in rest), ""))
        other = kept.get(key)
        if other is None or (clearest.way == "rise" and _clearest(search, other).way == "fall"):
            kept[key] = finding
    return list(kept.values())


def _clearest(search: Search, finding: Finding) -> Test:
    """What moved most clearly."""
    return min(finding.moved(search.settings.rate), key=lambda t: t.q)


def _signals_note(
    result: ReleaseSignals, search: Search, finding: Finding, notebook: Notebook
) -> None:
    of, looked = cards(result, finding), result.looked[finding.row]
    part = looked.where
    whole = looked.whole_where(result.release.years)
    for k, (name, ends) in enumerate((("before", search.past), ("now", search.window))):
        when: Where = {PERIOD: _years(search, finding, ends)}
        id = f"signals.{looked.name}"
        _add(notebook, f"{id}.count-{name}", "mean", of.count[k], {**part, **when}, {})
        if of.whole is not None and of.share is not None:
            all_: Where = {**whole, **when}
            _add(notebook, f"{id}.whole-{name}", "mean", of.whole[k], all_, {})
            _add(notebook, f"{id}.share-{name}", "mean_share", of.share[k], {**part, **when}, all_)


def _years(search: Search, finding: Finding, ends: tuple[int, int]) -> list[str]:
    """The years of a mean: those that somebody covers."""
    known = ~np.isnan(search.panel.counts[finding.row])
    return [
        str(search.panel.periods[k].place) for k in range(ends[0], ends[1] + 1) if bool(known[k])
    ]


def _add(
    notebook: Notebook, id: str, kind: Kind, card: NumberCard, part: Where, whole: Where
) -> None:
    notebook.add(id, kind, card.value, printed(card), part, whole)
