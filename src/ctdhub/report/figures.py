"""The figures of the site: tables of number cards, put into the words of one language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ctdhub.core.format import number, share
from ctdhub.core.i18n import _, current
from ctdhub.document.document import Bar
from ctdhub.report.sentences import corridor
from ctdhub.report.wording import Kind, ends, ranged, sized, state_words
from ctdhub.schema.labels import code_label, definition, group_definition, group_label, label
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, DESTINATION, HARM, MEANS, ORIGIN, PERIOD, SEX
from ctdhub.stats.answers import Answers
from ctdhub.stats.precision import in_headline
from ctdhub.stats.query import Where
from ctdhub.stats.table import Row, Table
from ctdhub.stats.tables import ENDS, corridors, distribution, flag_group

MUCH = 0.2
"""Where more than this share of people is not recorded, the headline says so."""


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

    ``file`` names the file of its numbers, without its ending; ``picture`` says whether the figure
    is also a picture in a file (``picture``).
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
        replace(f, id=among.prefix + f.id, file=among.file or f.id, picture=among == ALL)
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
    return figure_of("corridors", subtitle, table, _corridor, meaning, shares=False)


def value_figure(answers: Answers, name: str, variable: str) -> Figure:
    """All people by one variable, under a name of its own."""
    return replace(_by_value(answers, ALL, name, variable), file=name)


def _by_value(
    answers: Answers, among: Among, name: str, variable: str, most: int | None = None
) -> Figure:
    lang = current()
    subtitle = _("People identified, by: {variable}").format(variable=label(variable, lang))
    table = distribution(answers, variable, among.where)
    return figure_of(
        name,
        subtitle,
        table if most is None else table.top(most),
        lambda codes: code_label(variable, codes[0], lang),
        definition(variable, lang),
        shares=False,
    )


def _by_year(answers: Answers, among: Among) -> Figure:
    """People by year: what stands out is a number of people, and contributors come and go."""
    found = _by_value(answers, among, "people-by-year", PERIOD)
    spans = {c.years or answers.years for c in answers.release.facts.contributors}
    if len(spans) > 1:
        note = _(
            "Not every contributor covers every year (see who contributed): a rise or fall may "
            "come from one that joined or left."
        )
        found = replace(found, note=f"{found.note} {note}")
    if (largest := found.table.largest) is not None:
        headline = _("Year with the most people identified: {year}, {people} people").format(
            year=code_label(PERIOD, largest.codes[0], current()), people=sized(largest.people)
        )
        found = replace(found, headline=headline)
    return found


def _by_flag(answers: Answers, among: Among, name: str, group: str) -> Figure:
    lang = current()
    subtitle = _(
        "{group}: share of the people for whom any is recorded; a person may have several"
    ).format(group=group_label(group, lang))
    table = flag_group(answers, group, among.where)
    shared = group_definition(group, lang)
    return figure_of(
        name, subtitle, table, lambda codes: label(codes[0], lang), shared, shares=True
    )


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
    bars = tuple(_bar(row, words, shares=shares) for row in table.rows)
    largest = table.largest
    headline = subtitle
    if largest is not None and largest.share is not None and in_headline(largest.share):
        headline = _("Largest: {label}, {share} of those recorded").format(
            label=words(largest.codes), share=sized(largest.share)
        )
        if table.missing is not None and table.missing > MUCH:
            headline = _("{headline}; not recorded for {share} of people").format(
                headline=headline, share=share(table.missing)
            )
    return Figure(name, headline, subtitle, bars, base_note(table), meaning, table)


def _bar(row: Row, words: Callable[[tuple[str, ...]], str], *, shares: bool) -> FigureBar:
    missing = row.kind == "not_recorded"
    name = state_words("not_recorded") if missing else words(row.codes)
    drawn = row.share if shares and row.share is not None else row.people
    kind: Kind = row.kind
    if row.kind != "nobody_reports" and drawn.state != "shown":
        kind = drawn.state
    if kind == "protected":
        few = (state_words(kind), *ends(row.people), "–")
        cells = _cells(row) if row.people.has_range else few
        return FigureBar(name, state_words(kind), missing=missing, kind=kind, cells=cells)
    if kind in ("nobody_reports", "not_measured"):
        return FigureBar(name, state_words(kind), missing=missing, kind=kind)
    if kind == "imprecise":
        return FigureBar(name, sized(drawn), missing=missing, kind=kind, cells=_cells(row))
    outside = shares and missing
    size = None if outside else drawn.value
    text = sized(drawn)
    if outside:
        text = _("{people} people, outside the shares").format(people=text)
    return FigureBar(name, text, size, drawn.low, drawn.high, missing, kind, _cells(row))


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
