"""Trends: people by year in words, who covered which year, and whether the world changed or the
data.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ctdhub.core.format import interval, isolated, number, share, share_ranged, signed, year
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current, formula, ngettext
from ctdhub.core.tables import as_csv, as_json, write_json
from ctdhub.document import text
from ctdhub.document.document import (
    Change,
    Document,
    Meta,
    Section,
    Sentences,
    TextTable,
    Words,
    Years,
)
from ctdhub.release.manifest import PublicFacts
from ctdhub.release.open import Release
from ctdhub.report import wording
from ctdhub.report.figures import NOTHING, Chart, base_note, named_years, year_chart, years_headline
from ctdhub.schema import countries
from ctdhub.schema.countries import place_of
from ctdhub.schema.labels import code_label, definition, group_definition, group_label, label
from ctdhub.schema.model import (
    DESTINATION,
    FORCED_LABOUR,
    HARM,
    ORIGIN,
    SEX,
    SEXUAL_EXPLOITATION,
    load_schema,
)
from ctdhub.stats import decomposition
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NOT_RECORDED, YES, Interval, NumberCard, Row, Table, is_precise
from ctdhub.stats.query import Where
from ctdhub.stats.trend import Line, covering, difference, span, trend, turns

# --------------------------------------------------------------------------------------------------
# A split change in whole sentences, in the language in force.
#
# Nothing here says that trafficking rose or fell: what is counted are people who were identified.


words_of = partial(wording.paragraph, "trends.txt")
"""What a part of the template says, by the name of the part."""
measured_apart = partial(words_of, "measured_apart")
"""Why the counts of contributors do not add up to the published ones."""
counted_once = partial(words_of, "counted_once")
"""Under whom a person counts."""


def question_label(question: decomposition.ChangeSubject) -> str:
    """The people whom a question is about."""
    lang, name = current(), question.variable
    if not name:
        return _("All people")
    if name in decomposition.REGIONS:
        value = place_of(question.value).name(lang)
    elif load_schema().variable(name).kind == "flag":
        return label(name, lang)
    else:
        value = code_label(name, question.value, lang)
    return _("{variable}: {value}").format(variable=label(name, lang), value=value)


def change_sentences(
    question: decomposition.ChangeSubject,
    split: decomposition.Split,
    facts: PublicFacts | None = None,
) -> tuple[str, ...]:
    """The change, each of its parts, and the breaks declared between the two years.

    Args:
        facts: for contributors' names in the language in force; their one names without them.
    """
    parts = [(part, _isolated(part.names, facts)) for part in split.parts]
    breaks = [wording.break_sentence(one, facts) for one in split.breaks]
    shares = [recorded_share(s) for s in split.shares or (Interval(0.0, 0.0, 1.0),) * 2]
    what = _what(question) if any(part.kind == "recording" for part in split.parts) else ""
    return wording.paragraphs("trends.txt", "told", split, parts, breaks, what, shares)


def recorded_share(estimate: Interval) -> str:
    """A share of people whose answer is recorded: with its interval, or as a range alone where it
    is too imprecise for a point."""
    value, low, high = estimate.value or 0.0, estimate.low or 0.0, estimate.high or 0.0
    if is_precise(estimate, "share"):
        return share_ranged(value, low, high)
    first, last = interval(low, high)
    return _("between {low} and {high}").format(low=first, high=last)


def _what(question: decomposition.ChangeSubject) -> str:
    """What is recorded or not, in quotation marks."""
    variable = load_schema().variable(question.variable)
    group = variable.group or variable.any_of
    if question.indicator or load_schema().is_indicator(question.variable):
        name = group_label(group or "", current())
    else:
        name = label(question.variable, current())
    return _("“{name}”").format(name=name)


def panel_sentence(panel: decomposition.FixedPanel | None, facts: PublicFacts) -> str:
    """Who is in the series of the same contributors."""
    if panel is None:
        return words_of("panel", None, [])
    return words_of("panel", panel.span, _isolated(panel.names, facts))


def part_label(part: decomposition.ChangePart, facts: PublicFacts) -> str:
    """A part in few words, for a table or beside a bar."""
    return words_of("part", part.kind, _isolated(part.names, facts))


def _isolated(names: Sequence[str], facts: PublicFacts | None) -> list[str]:
    """Names of contributors; each keeps its own direction inside a sentence."""
    return [isolated(name) for name in wording.called_all(names, facts)]


@wording.word
def signed_people(change: int) -> str:
    """A number of people more or fewer.

    >>> signed_people(-1200), signed_people(1)
    ('1,200 fewer people', '1 more person')
    """
    n = abs(change)
    if change < 0:
        return ngettext("{n} fewer person", "{n} fewer people", n).format(n=number(n))
    return ngettext("{n} more person", "{n} more people", n).format(n=number(n))


@wording.word
def change_ends(change: decomposition.ChangePart | decomposition.Split) -> str:
    """The two ends of an interval of a change, with their signs."""
    return _("{low} to {high}").format(low=signed(change.low), high=signed(change.high))


# --------------------------------------------------------------------------------------------------
# A report of a series as text, JSON or a table of comma-separated values.

COLUMNS = ("of", "row", "from", "to", "contributors", "value", "low", "high", "state")


def as_data(report: decomposition.Report, release: Release) -> dict[str, Any]:
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
        "caveat": wording.caveat(),
        "citation": wording.citation(release),
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
        "breaks": wording.break_data(report.breaks),
        "splits": [_split(report, s) for s in report.splits],
        "yearly": [_split(report, s) for s in report.yearly],
        "counted_once": counted_once(),
    }


def _card(card: NumberCard | None, release: Release) -> dict[str, Any] | None:
    return None if card is None else wording.card_data(card, release)


def _split(report: decomposition.Report, split: decomposition.Split) -> dict[str, Any]:
    return {
        "from": split.earlier,
        "to": split.later,
        **wording.attributes(split, "value", "low", "high", "level", "borrowed"),
        "recorded": split.shares and [round(s.value or 0.0, 4) for s in split.shares],
        "recorded_intervals": split.shares
        and [[round(end or 0.0, 4) for end in (s.low, s.high)] for s in split.shares],
        "parts": [
            {
                "kind": part.kind,
                "contributors": list(part.names),
                **wording.attributes(part, "value", "low", "high"),
            }
            for part in split.parts
        ],
        "breaks": wording.break_data(split.breaks),
        "sentences": list(change_sentences(report.question, split)),
    }


def csv_of(reports: Sequence[decomposition.Report]) -> str:
    """One row for each count, each declared break and each part of a change.

    ``of`` is the question, empty for all people; ``row`` is "all", "same_contributors", "break",
    "change" or a kind of part; ``from`` is empty for counts and breaks; a break has its day in
    ``to`` and its kind in ``state``.
    """
    return as_csv(COLUMNS, ((r.question.code, *row) for r in reports for row in _rows(r)))


def _rows(report: decomposition.Report) -> Iterator[list[object]]:
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
    return [row, "", when, names, *wording.file_numbers(card), card.state]


def document(report: decomposition.Report, release: Release) -> Document:
    """Both series by year, the splits in sentences, what to know, the citation."""
    who = (
        panel_sentence(report.panel, release.facts),
        *(() if report.moved else (measured_apart(),)),
    )
    who += tuple(wording.break_sentence(one, release.facts) for one in report.breaks)
    splits = [Sentences(change_sentences(report.question, s, release.facts)) for s in report.splits]
    nothing = _("Nobody reports on one of the two years, so there is nothing to split.")
    level = share(release.protected.guarantee.level)
    notes = (
        wording.caveat() + " " + _("Intervals hold with {level} confidence.").format(level=level),
        counted_once(),
        wording.citation(release),
    )
    return Document(
        meta=Meta(current(), current() in RIGHT_TO_LEFT, wording.called(release.facts)),
        title=question_label(report.question),
        lead=(),
        sections=(
            Section("series", "", (_series(report, release), Sentences(who))),
            Section("change", "", tuple(splits or (Sentences((nothing,)),))),
            Section("notes", "", (Words(notes),)),
        ),
    )


def _series(report: decomposition.Report, release: Release) -> TextTable:
    fixed = dict(report.panel.years) if report.panel else {}
    rows = []
    for row in report.rows:
        when = int(row.codes[0])
        same = fixed.get(when)
        rows.append(
            (
                year(when),
                _series_cell(row),
                "–" if same is None else wording.ranged(same),
                number(len(covering(release, when))),
            )
        )
    head = (_("year"), _("all contributors"), _("same contributors"), _("contributors"))
    return TextTable("", "", head, tuple(rows))


FORMS = ("text", "json", "csv")


def written(report: decomposition.Report, release: Release, form: str) -> str:
    """The report in one of :data:`FORMS`; its text is :func:`document`."""
    if form == "json":
        return as_json(as_data(report, release))
    return csv_of([report]) if form == "csv" else text.write_plain(document(report, release))


# --------------------------------------------------------------------------------------------------
# Did the world change or the data?  What stands under a line of a chart of trends.


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

    report: decomposition.Report
    same: dict[str, NumberCard]
    who: str
    balances: tuple[Balance, ...]


def shift(answers: Answers, question: decomposition.ChangeSubject) -> Shift | None:
    """The split of a question's change; None where the release did not measure it by year."""
    report = decomposition.report(answers, question)
    if report is None:
        return None
    facts = answers.release.facts
    same, who = _same(answers.release, report), panel_sentence(report.panel, facts)
    if not report.moved:
        who = f"{who} {measured_apart()}"
    return Shift(
        report=report,
        same=same,
        who=who if same else "",
        balances=tuple(_balance(question, s, facts) for s in reversed(report.splits)),
    )


def write_shifts(folder: Path, name: str, shifts: Sequence[Shift], release: Release) -> None:
    """Write ``<name>-change.json`` and ``.csv``: every line of a chart, all its changes."""
    data = [as_data(s.report, release) for s in shifts]
    write_json(folder / f"{name}-change.json", data)
    (folder / f"{name}-change.csv").write_text(csv_of([s.report for s in shifts]), "utf-8")


def _same(release: Release, report: decomposition.Report) -> dict[str, NumberCard]:
    """Cards of the same contributors, where they were counted apart and others reported too."""
    if not report.apart or report.panel is None:
        return {}
    names = set(report.panel.names)
    if all(set(covering(release, when)) == names for when, _card in report.panel.years):
        return {}
    return {str(when): card for when, card in report.panel.years}


def _balance(
    question: decomposition.ChangeSubject, split: decomposition.Split, facts: PublicFacts
) -> Balance:
    title = _("{later} compared with {earlier}").format(
        earlier=year(split.earlier), later=year(split.later)
    )
    changes = [_drawn(_("All of the change"), split)]
    changes += [_drawn(part_label(part, facts), part) for part in split.parts]
    divided = any(part.kind in ("left", "joined", "rest") for part in split.parts)
    return Balance(
        title=title,
        sentences=change_sentences(question, split, facts),
        changes=tuple(changes) if divided else (),
    )


def _drawn(label: str, change: decomposition.ChangePart | decomposition.Split) -> Change:
    text = _("{label}: {value} ({ends})").format(
        label=label, value=signed(change.value), ends=change_ends(change)
    )
    rest = isinstance(change, decomposition.ChangePart) and change.kind == "rest"
    return Change(text, change.value, change.low, change.high, rest)


# --------------------------------------------------------------------------------------------------
# The charts of people by year in the words of one language, and who covered which year.

TYPES = (FORCED_LABOUR, SEXUAL_EXPLOITATION)
SIDES = {"trends-citizenship": ORIGIN, "trends-exploited-in": DESTINATION}


@dataclass(frozen=True)
class ChartPanel:
    """One line of a chart: its label, its rows in the order of the years, what may be said, its
    change split (None for people whose answer is not recorded), and the years that the headline of
    the chart names."""

    label: str
    rows: tuple[Row, ...]
    sentence: str
    shift: Shift | None = None
    named: tuple[str, ...] = ()

    def chart(
        self,
        top: float,
        written: Callable[[float], str] = number,
        turns: Collection[str] = (),
    ) -> Years:
        """The line to draw, see :func:`ctdhub.report.figures.year_chart`; a year in which a
        break was declared has a line before it as well."""
        same = self.shift.same if self.shift else NOTHING
        turns = {*turns, *(str(b.year) for b in (self.shift.report.breaks if self.shift else ()))}
        return year_chart(self.rows, top, written, turns, same, self.named)


@dataclass(frozen=True, kw_only=True)
class Trend(Chart):
    """A chart of people by year: small multiples on one scale, and its table in words.

    ``lines`` are the table's rows: a year, for each panel a cell (and one of the same contributors
    in every year, where these were counted apart), the number of contributors that cover it, and,
    where there is one panel only, the difference from the year before.  ``titles`` are the titles
    of the panels' columns.  ``breaks`` are sentences on those that contributors declared.
    ``title`` names it in a list.  ``turns`` are years before which a line is drawn, since
    contributors joined or left or declared a break; ``explained`` says of each which.
    """

    panels: tuple[ChartPanel, ...]
    lines: tuple[tuple[str, ...], ...]
    table: Table
    breaks: tuple[str, ...] = ()
    title: str = ""
    turns: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()

    @property
    def titles(self) -> tuple[str, ...]:
        titles = []
        for panel in self.panels:
            titles.append(panel.label)
            if panel.shift and panel.shift.same:
                titles.append(_("{label}: same contributors").format(label=panel.label))
        return tuple(titles)

    @property
    def shifts(self) -> tuple[Shift, ...]:
        """The split changes of its lines."""
        return tuple(panel.shift for panel in self.panels if panel.shift)

    @property
    def who(self) -> str:
        """Who the same contributors of its lines are, each said once; "" where there are none."""
        return " ".join(dict.fromkeys(shift.who for shift in self.shifts if shift.who))

    @property
    def top(self) -> float:
        """The highest upper end that is drawn, in people."""
        rows = (r for panel in self.panels for r in panel.rows if r.kind != "nobody_reports")
        return max((r.people.high or 0 for r in rows if r.people.value is not None), default=0)


ChartLine = tuple[Line, str, decomposition.ChangeSubject | None]
"""A line, its label, and its people as a question whose change can be split."""


def trends(answers: Answers) -> tuple[Trend, ...]:
    """The charts that this release has the counts for, in the language in force."""
    lang, genders = current(), answers.domain(SEX)
    some: Where = {load_schema().groups[HARM].indicator or "": [YES]}

    def line(variable: str, code: str, name: str, inside: Sequence[str] = ()) -> ChartLine:
        question = decomposition.ChangeSubject(variable, code)
        return Line(code, {variable: inside or [code]}), name, question

    def unknown(variable: str) -> ChartLine:
        missing = Line(NOT_RECORDED, {variable: [NOT_RECORDED]})
        return missing, wording.state_words("not_recorded"), None

    everybody: ChartLine = (Line("all", {}), _("All people"), decomposition.EVERYBODY)
    flags = [(f, decomposition.ChangeSubject(f, YES)) for f in TYPES if f in answers.variables]
    by_flag: list[ChartLine] = [(Line(f, {f: [YES]}), label(f, lang), of) for f, of in flags]
    by_gender = [*(line(SEX, g, code_label(SEX, g, lang)) for g in genders), unknown(SEX)]
    kinds = _("Type of exploitation; a person may have several")
    charts: list[tuple[str, str, str, list[ChartLine], Where, str]] = [
        ("trends-total", "line", _("All people"), [everybody], {}, ""),
        ("trends-gender", SEX, label(SEX, lang), by_gender, {SEX: genders}, definition(SEX, lang)),
        ("trends-exploitation", "flag", kinds, by_flag, some, group_definition(HARM, lang)),
    ]
    for name, variable in SIDES.items():
        title = _("Region of citizenship") if variable == ORIGIN else _("Region of exploitation")
        by_region = [
            line(variable, key, countries.region_name(key, lang), countries.members(key))
            for key in countries.regions()
        ]
        known: Where = {variable: answers.domain(variable)}
        lines = [*by_region, unknown(variable)]
        meaning = definition(variable, lang)
        charts.append((name, f"region_of_{variable}", title, lines, known, meaning))
    candidates = (_chart(answers, *chart) for chart in charts)
    return tuple(c for c in candidates if c is not None)


def _chart(
    answers: Answers,
    name: str,
    variable: str,
    headline: str,
    lines: Sequence[ChartLine],
    recorded: Where,
    meaning: str,
) -> Trend | None:
    table = trend(answers, variable, [line for line, _label, _question in lines], recorded)
    if table is None:
        return None
    release, panels = answers.release, list[ChartPanel]()
    for line, label_, question in lines:
        rows = tuple(r for r in table.rows if r.codes[1] == line.code)
        if rows:
            split = shift(answers, question) if question else None
            panels.append(ChartPanel(label_, rows, _series_change(release, rows), split))
    title = headline
    subtitle = _("People identified, by year: {what}").format(what=headline)
    if len(panels) == 1:
        claim = decomposition.year_claim(answers, lines[0][0].where, panels[0].rows)
        headline = years_headline(claim, release)
        panels = [replace(panels[0], named=named_years(claim))]
    breaks = tuple(dict.fromkeys(b for p in panels if p.shift for b in p.shift.report.breaks))
    marks: dict[str, list[str]] = {}
    for turn in turns(release):
        marks.setdefault(str(turn.year), []).extend(wording.turn_sentences(turn, release))
    for one in breaks:
        marks.setdefault(str(one.year), []).append(wording.break_sentence(one, release.facts))
    drawn = [str(when) for when in span(release)[1:] if str(when) in marks]
    return Trend(
        id=name,
        file=name,
        headline=headline,
        subtitle=subtitle,
        panels=tuple(panels),
        lines=_lines(release, panels),
        note=base_note(table),
        definition=meaning,
        table=table,
        breaks=tuple(wording.break_sentence(one, release.facts) for one in breaks),
        title=title,
        turns=tuple(drawn),
        explained=tuple(" ".join(marks[when]) for when in drawn),
    )


def _series_change(release: Release, rows: tuple[Row, ...]) -> str:
    """The last covered year beside the first: more, fewer, or no difference beyond the noise.

    The year in which the release was made was not over, so it is left out.
    """
    covered = [r for r in rows if _whole(release, r) and r.kind != "nobody_reports"]
    if len(covered) < 2:
        return words_of("since_first", None, 0, 0, same=True)
    change = difference(covered[0].people, covered[-1].people)
    first, last = (int(r.codes[0]) for r in (covered[0], covered[-1]))
    same = covering(release, first) == covering(release, last)
    return words_of("since_first", change, first, last, same)


def _lines(release: Release, panels: list[ChartPanel]) -> tuple[tuple[str, ...], ...]:
    lines = []
    for k, row in enumerate(panels[0].rows if panels else ()):
        code = row.codes[0]
        cells = []
        for panel in panels:
            cells.append(_series_cell(panel.rows[k]))
            if panel.shift and panel.shift.same:
                same = panel.shift.same.get(code)
                cells.append("–" if same is None else wording.ranged(same))
        cells.append(number(len(covering(release, int(code)))) if code else "–")
        if len(panels) == 1:
            cells.append(_since(release, panels[0].rows, k))
        lines.append((year(code) if code else wording.state_words("not_recorded"), *cells))
    return tuple(lines)


def _series_cell(row: Row) -> str:
    if row.kind == "nobody_reports":
        return wording.state_words("nobody_reports")
    return wording.ranged(row.people)


def _whole(release: Release, row: Row) -> bool:
    """Whether a row is about a year that was over when the release was made."""
    return row.codes[0] not in ("", release.year)


def _since(release: Release, rows: tuple[Row, ...], k: int) -> str:
    """How the number of a year differs from the year before, where that is clear."""
    pair = rows[max(0, k - 1) : k + 1]
    counted = all(_whole(release, r) and r.kind != "nobody_reports" for r in pair)
    if len(pair) < 2 or not counted:
        return "–"
    change = difference(pair[0].people, pair[1].people)
    if change is None:
        return wording.state_words("protected")
    if not change.is_clear:
        return _("no difference beyond the noise")
    sign = "+" if change.value > 0 else "−"
    half = number(change.high - change.value)
    return formula(f"{sign}{number(abs(change.value))} ± {half}")


def uncovered(release: Release) -> tuple[str, ...]:
    """Years of the charts that no contributor covers."""
    return tuple(year(y) for y in span(release) if not covering(release, y))
