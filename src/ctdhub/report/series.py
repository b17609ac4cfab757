"""The charts of people by year in the words of one language, and who covered which year."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from ctdhub.core.format import number, year
from ctdhub.core.i18n import _, current, formula
from ctdhub.document.document import Years
from ctdhub.release.open import Release
from ctdhub.report.balance import Shift, shift
from ctdhub.report.breaks import break_sentence
from ctdhub.report.coverage import turn_sentences
from ctdhub.report.figures import base_note
from ctdhub.report.wording import ranged, sized, state_words
from ctdhub.report.year_chart import NOTHING, year_chart
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, definition, group_definition, label
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import DESTINATION, FORCED_LABOUR, HARM, ORIGIN, SEX, SEXUAL_EXPLOITATION
from ctdhub.stats.answers import Answers
from ctdhub.stats.decomposition.subject import EVERYBODY, ChangeSubject
from ctdhub.stats.query import Where
from ctdhub.stats.table import NOT_RECORDED, YES, Row, Table
from ctdhub.stats.trend import Line, covering, difference, span, trend, turns

TYPES = (FORCED_LABOUR, SEXUAL_EXPLOITATION)
SIDES = {"trends-citizenship": ORIGIN, "trends-exploited-in": DESTINATION}


@dataclass(frozen=True)
class ChartPanel:
    """One line of a chart: its label, its rows in the order of the years, what may be said, its
    change split (None for people whose answer is not recorded), and the year that the headline of
    the chart names."""

    label: str
    rows: tuple[Row, ...]
    sentence: str
    shift: Shift | None = None
    peak: str = ""

    def chart(
        self,
        top: float,
        written: Callable[[float], str] = number,
        turns: Collection[str] = (),
    ) -> Years:
        """The line to draw, see :func:`ctdhub.report.year_chart.year_chart`; a year in which a
        break was declared has a line before it as well."""
        same = self.shift.same if self.shift else NOTHING
        turns = {*turns, *(str(b.year) for b in (self.shift.report.breaks if self.shift else ()))}
        return year_chart(self.rows, top, written, turns, same, self.peak)


@dataclass(frozen=True)
class Trend:
    """A chart of people by year: small multiples on one scale, and its table in words.

    ``lines`` are the table's rows: a year, for each panel a cell (and one of the same contributors
    in every year, where these were counted apart), the number of contributors that cover it, and,
    where there is one panel only, the difference from the year before.  ``titles`` are the titles
    of the panels' columns.  ``breaks`` are sentences on those that contributors declared.
    ``title`` names it in a list.  ``turns`` are years before which a line is drawn, since
    contributors joined or left or declared a break; ``explained`` says of each which.
    """

    id: str
    headline: str
    subtitle: str
    panels: tuple[ChartPanel, ...]
    lines: tuple[tuple[str, ...], ...]
    note: str
    definition: str
    table: Table
    breaks: tuple[str, ...] = ()
    title: str = ""
    turns: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Name of its file, without its ending."""
        return self.id

    @property
    def titles(self) -> tuple[str, ...]:
        found = []
        for panel in self.panels:
            found.append(panel.label)
            if panel.shift and panel.shift.same:
                found.append(_("{label}: same contributors").format(label=panel.label))
        return tuple(found)

    @property
    def shifts(self) -> tuple[Shift, ...]:
        """The split changes of its lines."""
        return tuple(panel.shift for panel in self.panels if panel.shift)

    @property
    def top(self) -> float:
        """The highest upper end that is drawn, in people."""
        rows = (r for panel in self.panels for r in panel.rows if r.kind != "nobody_reports")
        return max((r.people.high or 0 for r in rows if r.people.value is not None), default=0)


def trends(answers: Answers) -> tuple[Trend, ...]:
    """The charts that this release has the counts for, in the language in force."""
    lang, schema = current(), load_schema()
    genders = answers.domain(SEX)
    lines = [Line(g, {SEX: [g]}) for g in (*genders, NOT_RECORDED)]
    flags = [Line(f, {f: [YES]}) for f in TYPES if f in answers.variables]
    some: Where = {schema.groups[HARM].indicator or "": [YES]}
    found = [
        _chart(answers, "trends-total", _("All people"), "line", [Line("all", {})], {}, ""),
        _chart(
            answers,
            "trends-gender",
            label(SEX, lang),
            SEX,
            lines,
            {SEX: genders},
            definition(SEX, lang),
        ),
        _chart(
            answers,
            "trends-exploitation",
            _("Type of exploitation; a person may have several"),
            "flag",
            flags,
            some,
            group_definition(HARM, lang),
        ),
    ]
    for name, variable in SIDES.items():
        title = _("Region of citizenship") if variable == ORIGIN else _("Region of exploitation")
        regions = [Line(key, {variable: countries.members(key)}) for key in countries.regions()]
        lines = [*regions, Line(NOT_RECORDED, {variable: [NOT_RECORDED]})]
        known: Where = {variable: answers.domain(variable)}
        meaning = definition(variable, lang)
        found.append(_chart(answers, name, title, f"region_of_{variable}", lines, known, meaning))
    return tuple(c for c in found if c is not None)


def _chart(
    answers: Answers,
    name: str,
    headline: str,
    variable: str,
    lines: list[Line],
    recorded: Where,
    meaning: str,
) -> Trend | None:
    table = trend(answers, variable, lines, recorded)
    if table is None:
        return None
    release = answers.release
    panels = []
    for line in lines:
        rows = tuple(r for r in table.rows if r.codes[1] == line.code)
        if rows:
            question = _question(variable, line.code)
            told = _label(variable, line.code), rows, _change(release, rows)
            panels.append(ChartPanel(*told, shift(answers, question) if question else None))
    title = headline
    subtitle = _("People identified, by year: {what}").format(what=headline)
    if len(panels) == 1 and (most := table.largest) is not None:
        headline = _("Most people were identified in {year}: {people}").format(
            year=year(most.codes[0]), people=sized(most.people)
        )
        panels = [replace(panels[0], peak=most.codes[0])]
    breaks = tuple(dict.fromkeys(b for p in panels if p.shift for b in p.shift.report.breaks))
    marks: dict[str, list[str]] = {}
    for turn in turns(release):
        marks.setdefault(str(turn.year), []).extend(turn_sentences(turn, release))
    for one in breaks:
        marks.setdefault(str(one.year), []).append(break_sentence(one, release.facts))
    drawn = [str(when) for when in span(release)[1:] if str(when) in marks]
    return Trend(
        id=name,
        headline=headline,
        subtitle=subtitle,
        panels=tuple(panels),
        lines=_lines(release, panels),
        note=base_note(table),
        definition=meaning,
        table=table,
        breaks=tuple(break_sentence(one, release.facts) for one in breaks),
        title=title,
        turns=tuple(drawn),
        explained=tuple(" ".join(marks[when]) for when in drawn),
    )


def _question(variable: str, code: str) -> ChangeSubject | None:
    """The people of a line as a question whose change can be split."""
    if code == NOT_RECORDED:
        return None
    if variable == "line":
        return EVERYBODY
    if variable == "flag":
        return ChangeSubject(code, YES)
    return ChangeSubject(variable.removeprefix("region_of_"), code)


def _label(variable: str, code: str) -> str:
    lang = current()
    if code == NOT_RECORDED:
        return state_words("not_recorded")
    if variable == "line":
        return _("All people")
    if variable == "flag":
        return label(code, lang)
    if code in countries.regions():
        return countries.region_name(code, lang)
    return code_label(variable, code, lang)


def _change(release: Release, rows: tuple[Row, ...]) -> str:
    """The last covered year beside the first: more, fewer, or no difference beyond the noise.

    The year in which the release was made was not over, so it is left out.
    """
    covered = [r for r in rows if _whole(release, r) and r.kind != "nobody_reports"]
    found = difference(covered[0].people, covered[-1].people) if covered[1:] else None
    if found is None:
        return _("Too few to compare the first year with the last.")
    first, last = (year(r.codes[0]) for r in (covered[0], covered[-1]))
    if not found.is_clear:
        text = _("{last} compared with {first}: no difference beyond the noise.")
    elif found.value > 0:
        text = _(
            "{last} compared with {first}: {n} more people identified (between {low} and {high})."
        )
    else:
        text = _(
            "{last} compared with {first}: {n} fewer people identified (between {low} and {high})."
        )
    ends = sorted((abs(found.low), abs(found.high)))
    told = text.format(
        first=first,
        last=last,
        n=number(abs(found.value)),
        low=number(ends[0]),
        high=number(ends[1]),
    )
    same = len({covering(release, int(r.codes[0])) for r in (covered[0], covered[-1])}) == 1
    return told if same else " ".join((told, _("The contributors of these two years differ.")))


def _lines(release: Release, panels: list[ChartPanel]) -> tuple[tuple[str, ...], ...]:
    found = []
    for k, row in enumerate(panels[0].rows if panels else ()):
        code = row.codes[0]
        cells = []
        for panel in panels:
            cells.append(_cell(panel.rows[k]))
            if panel.shift and panel.shift.same:
                same = panel.shift.same.get(code)
                cells.append("–" if same is None else ranged(same))
        cells.append(number(len(covering(release, int(code)))) if code else "–")
        if len(panels) == 1:
            cells.append(_since(release, panels[0].rows, k))
        found.append((year(code) if code else state_words("not_recorded"), *cells))
    return tuple(found)


def _cell(row: Row) -> str:
    if row.kind == "nobody_reports":
        return state_words("nobody_reports")
    return ranged(row.people)


def _whole(release: Release, row: Row) -> bool:
    """Whether a row is about a year that was over when the release was made."""
    return row.codes[0] not in ("", release.year)


def _since(release: Release, rows: tuple[Row, ...], k: int) -> str:
    """How the number of a year differs from the year before, where that is clear."""
    pair = rows[max(0, k - 1) : k + 1]
    counted = all(_whole(release, r) and r.kind != "nobody_reports" for r in pair)
    if len(pair) < 2 or not counted:
        return "–"
    found = difference(pair[0].people, pair[1].people)
    if found is None:
        return state_words("protected")
    if not found.is_clear:
        return _("no difference beyond the noise")
    sign = "+" if found.value > 0 else "−"
    half = number(found.high - found.value)
    return formula(f"{sign}{number(abs(found.value))} ± {half}")


def uncovered(release: Release) -> tuple[str, ...]:
    """Years of the charts that no contributor covers."""
    return tuple(year(y) for y in span(release) if not covering(release, y))
