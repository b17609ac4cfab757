"""The figures of the site: tables of number cards, put into the words of one language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from ctdhub.core.format import number, share
from ctdhub.core.i18n import LANGUAGES, _, current
from ctdhub.document.document import Bar
from ctdhub.report.coverage import turn_sentences
from ctdhub.report.headlines import headline as headline_of
from ctdhub.report.sentences import corridor
from ctdhub.report.wording import Kind, ends, ranged, sized, state_words
from ctdhub.schema.labels import code_label, definition, group_definition, group_label, label
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, DESTINATION, HARM, MEANS, ORIGIN, PERIOD, SEX
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Where
from ctdhub.stats.table import Row, Table
from ctdhub.stats.tables import ENDS, corridors, distribution, flag_group
from ctdhub.stats.trend import turns


@dataclass(frozen=True)
class FigureBar(Bar):
    """One row of a figure, ready to draw and to print.

    Sizes are in the figure's unit (people, or share in 0..1).  ``cells`` are the texts of the row's
    table cells (people or why there is no number, low, high, share), empty where nothing was
    measured or nobody reports and ``text`` says so.
    """

    kind: Kind = "value"
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure: headline, subtitle, bars, note; ``table`` holds the cards behind it.

    Attributes:
        bars: its rows in ``unit``.
        other: the same rows in the other unit; () where shares, or counts, would mislead.
        file: names the file of its numbers, without its ending.
        picture: whether it is also a picture in a file (``picture``).
        published: whether every number is a cell of a measured table, and none a sum of cells.
        measured: the key of the measured table whose cells it shows, "" where it shows others.
        where: the conditions that its people meet; ``subject`` is the variable, group of flags or
            "corridors" that divides them, the name of the explorer's chart of it.
        turns: years in which contributors joined or left, for a line of years; ``explained`` says
            of each which.
    """

    id: str
    headline: str
    subtitle: str
    bars: tuple[FigureBar, ...]
    note: str
    definition: str
    table: Table
    file: str = ""
    picture: bool = False
    unit: Literal["people", "share"] = "people"
    other: tuple[FigureBar, ...] = ()
    published: bool = True
    measured: str = ""
    where: Where = field(default_factory=dict)
    subject: str = ""
    turns: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """How many people it is about, and the share whose answer is not recorded."""
        return base_note(self.table)

    @property
    def by_year(self) -> bool:
        """Whether it is drawn as a line of years."""
        return self.table.variables == (PERIOD,)

    @property
    def drawn(self) -> tuple[FigureBar, ...]:
        """The rows that have a place in the picture; of the rest its :attr:`not_shown` speaks."""
        return tuple(b for b in self.bars if b.kind not in ("protected", "nobody_reports"))

    @property
    def not_shown(self) -> tuple[FigureBar, ...]:
        """Rows below the reporting threshold, which are not zero."""
        return tuple(b for b in self.bars if b.kind == "protected" and not b.missing)


@dataclass(frozen=True)
class Among:
    """The people that figures are about.

    Attributes:
        where: conditions that they meet.
        prefix: begins the figures' ids.
        file: their numbers as a file, without its ending; "" where each figure has one of its own.
    """

    where: Where
    prefix: str
    file: str


ALL = Among({}, "", "")


def figures(answers: Answers, among: Among = ALL) -> tuple[Figure, ...]:
    """The six figures in the language in force; those without any bar are left out.

    Corridors are among them where no condition is set but on their two countries.
    """
    where = tuple((name, tuple(codes)) for name, codes in among.where.items())
    asked = current(), where, among.prefix, among.file
    if current() != LANGUAGES[0]:
        return _made(answers, *asked)
    return answers.kept(
        ("figures", *asked), lambda: _made(answers, *asked)
    )  # for files, at the end


@lru_cache(maxsize=2)
def _made(
    answers: Answers,
    _language: str,
    where: tuple[tuple[str, tuple[str, ...]], ...],
    prefix: str,
    file: str,
) -> tuple[Figure, ...]:
    """The figures, kept for whoever draws the same people next, such as for a frame."""
    among = Among(dict(where), prefix, file)
    found = [
        _by_year(answers, among),
        _by_value(answers, among, "gender", SEX),
        _by_value(answers, among, "age", AGE),
        _by_flag(answers, among, "exploitation", HARM),
        _by_flag(answers, among, "means-of-control", MEANS),
    ]
    largest = corridor_figure(answers, among) if among.where.keys() <= ENDS else None
    if largest is not None:
        found.append(largest)
    return tuple(
        replace(
            f,
            id=among.prefix + f.id,
            file=among.file or f.id,
            picture=not (where or prefix or file),
        )
        for f in found
        if any(b.size is not None for b in f.bars)
    )


def subject_figure(answers: Answers, subject: str, among: Among, most: int) -> Figure | None:
    """The figure of a variable, of a group of flags, or of "corridors"; None if not measured.

    Args:
        among: its prefix is the figure's id, its file the figure's file.
        most: how many countries or corridors, the largest; other figures have all their rows.
    """
    if subject == "corridors":
        found = corridor_figure(answers, among, most)
    elif subject == PERIOD:
        found = _by_year(answers, among)
    elif subject in load_schema().groups:
        found = _by_flag(answers, among, subject, subject)
    else:
        few = most if load_schema().variable(subject).kind == "country" else None
        found = _by_value(answers, among, subject, subject, few)
        if few is not None:
            note = _(
                "Of all countries at most {n} are shown, the largest; any other has fewer "
                "people, or is not shown (below the reporting threshold)."
            ).format(n=number(few))
            found = replace(found, note=f"{found.note} {note}")
    if found is None or all(b.kind == "not_measured" for b in found.bars):
        return None
    return replace(found, id=among.prefix, file=among.file)


def corridor_figure(answers: Answers, among: Among = ALL, most: int = 12) -> Figure | None:
    """The largest corridors; None where this release did not measure them."""
    table, lang = corridors(answers, most, among.where), current()
    if table is None:
        return None
    subtitle = _("The largest corridors: country of citizenship to country of exploitation")
    meaning = f"{definition(ORIGIN, lang)} {definition(DESTINATION, lang)}"
    found = figure_of("corridors", subtitle, table, _corridor, meaning, shares=False)
    key = _measured(answers, among, ORIGIN, DESTINATION)
    return replace(found, where=among.where, subject="corridors", published=bool(key), measured=key)


def _measured(answers: Answers, among: Among, *by: str) -> str:
    """The key of the measured table whose cells are the rows; "" where they are sums of cells."""
    single = all(len(codes) == 1 for codes in among.where.values())
    return (single and answers.measured(*by, *among.where)) or ""


def value_figure(answers: Answers, name: str, variable: str) -> Figure:
    """All people by one variable, under a name of its own."""
    return replace(_by_value(answers, ALL, name, variable), file=name)


def _by_value(
    answers: Answers, among: Among, name: str, variable: str, most: int | None = None
) -> Figure:
    lang = current()
    subtitle = _("People identified, by: {variable}").format(variable=label(variable, lang))
    table = distribution(answers, variable, among.where)
    found = figure_of(
        name,
        subtitle,
        table if most is None else table.top(most),
        lambda codes: code_label(variable, codes[0], lang),
        definition(variable, lang),
        shares=False,
    )
    key = _measured(answers, among, variable)
    return replace(found, where=among.where, subject=variable, published=bool(key), measured=key)


def _by_year(answers: Answers, among: Among) -> Figure:
    """People by year: what stands out is a number of people, and contributors come and go."""
    found = _by_value(answers, among, "people-by-year", PERIOD)
    if met := turns(answers.release):
        note = _(
            "Not every contributor covers every year (see who contributed): a rise or fall may "
            "come from one that joined or left."
        )
        found = replace(
            found,
            note=f"{found.note} {note}",
            turns=tuple(str(turn.year) for turn in met),
            explained=tuple(" ".join(turn_sentences(turn, answers.release)) for turn in met),
        )
    return found


def _by_flag(answers: Answers, among: Among, name: str, group: str) -> Figure:
    lang = current()
    subtitle = _(
        "{group}: share of the people for whom any is recorded; a person may have several"
    ).format(group=group_label(group, lang))
    table = flag_group(answers, group, among.where)
    shared = group_definition(group, lang)
    found = figure_of(
        name, subtitle, table, lambda codes: label(codes[0], lang), shared, shares=True
    )
    flags = [row.codes[0] for row in table.rows if row.kind == "value"]
    measured = all(_measured(answers, among, flag) for flag in flags)
    return replace(found, where=among.where, subject=group, published=measured)


def _corridor(codes: tuple[str, ...]) -> str:
    return corridor(codes[0], codes[1])


def figure_of(
    name: str,
    subtitle: str,
    table: Table,
    words: Callable[[tuple[str, ...]], str],
    meaning: str,
    *,
    shares: bool,
) -> Figure:
    """A table in words: ``words`` names the codes of a row, ``meaning`` defines the question."""

    named = [(row, _name(row, words), _cells(row)) for row in table.rows]

    def bars(*, shares: bool) -> tuple[FigureBar, ...]:
        return tuple(_bar(row, name, cells, shares=shares) for row, name, cells in named)

    return Figure(
        name,
        headline_of(table, words),
        subtitle,
        bars(shares=shares),
        base_note(table),
        meaning,
        table,
        unit="share" if shares else "people",
        other=bars(shares=not shares) if _switches(table) else (),
    )


def _switches(table: Table) -> bool:
    """Whether the rows can be read as people and as shares: some share is precise enough."""
    divided = table.variables != (PERIOD,) and len(table.variables) == 1
    return divided and any(
        row.kind == "value" and row.share is not None and row.share.state == "shown"
        for row in table.rows
    )


def _name(row: Row, words: Callable[[tuple[str, ...]], str]) -> str:
    return state_words("not_recorded") if row.kind == "not_recorded" else words(row.codes)


def _bar(row: Row, name: str, cells: tuple[str, ...], *, shares: bool) -> FigureBar:
    missing = row.kind == "not_recorded"
    drawn = row.share if shares and row.share is not None else row.people
    kind: Kind = row.kind
    if row.kind != "nobody_reports" and drawn.state != "shown":
        kind = drawn.state
    if kind == "protected":
        few = (state_words(kind), *ends(row.people), "–")
        cells = cells if row.people.has_range else few
        return FigureBar(name, state_words(kind), missing=missing, kind=kind, cells=cells)
    if kind in ("nobody_reports", "not_measured"):
        return FigureBar(name, state_words(kind), missing=missing, kind=kind)
    if kind == "imprecise":
        return FigureBar(name, sized(drawn), missing=missing, kind=kind, cells=cells)
    outside = shares and missing
    size = None if outside else drawn.value
    text = sized(drawn)
    if outside:
        text = _("{people} people, outside the shares").format(people=text)
    return FigureBar(name, text, size, drawn.low, drawn.high, missing, kind, cells)


def _cells(row: Row) -> tuple[str, ...]:
    people = ("–", "–", "–")
    if row.people.has_range:
        value = row.people.value
        people = ("–" if value is None else number(value), *ends(row.people))
    part = ranged(row.share) if row.share is not None and row.share.has_range else "–"
    return (*people, part)


def base_note(table: Table) -> str:
    """How many people the table is about, and the share whose answer is not recorded."""
    parts = []
    if table.base.value is not None:
        parts.append(
            _("n = {n} people whose answer is recorded ({low} to {high}).").format(
                n=number(table.base.value),
                low=number(table.base.low or 0),
                high=number(table.base.high or 0),
            )
        )
    if table.missing is not None and table.missing >= 0.005:
        parts.append(_("Not recorded for {share} of people.").format(share=share(table.missing)))
    return " ".join(parts)
