"""The figures and maps of the site: tables of number cards in the words of one language, their
headlines, their pictures.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal, cast

from ctdhub.core.format import day, inline, number, people_words, set_apart, share, year
from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT, _, current, formula
from ctdhub.document.charts import years
from ctdhub.document.charts.bars import draw_bars
from ctdhub.document.charts.pages import MARGIN, WIDTH, Picture, standalone
from ctdhub.document.charts.tiles import Arrow, Key, Look, Tile, TileMap, layout
from ctdhub.document.document import Bar, Ends, Point, Years
from ctdhub.document.svg import Drawing, round_top
from ctdhub.release.open import Release
from ctdhub.report import wording
from ctdhub.report.sentences import corridor
from ctdhub.report.wording import sized, state_words
from ctdhub.schema import countries, model
from ctdhub.schema.countries import place_of
from ctdhub.schema.labels import code_label, definition, group_definition, group_label, label
from ctdhub.schema.model import DESTINATION, ORIGIN
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard, Row, Table, in_headline
from ctdhub.stats.decomposition import YearClaim, year_claim
from ctdhub.stats.estimator import memoised
from ctdhub.stats.query import Query, Where
from ctdhub.stats.tables import ENDS, SideName, children_share, corridors, distribution, flag_group
from ctdhub.stats.trend import turns

# --------------------------------------------------------------------------------------------------
# The headline of a chart: a sentence that its numbers allow, and never its subtitle again.
#
# "About seven in ten are women or girls: 70.0% ± 0.1%".  Which words a share allows says
# ``claims``: the whole interval lies inside the claim.  A group is called the most frequent only
# where its interval overlaps no other one.

words_of = partial(wording.paragraph, "figures.txt")
"""What a part of the template says, by the name of the part."""
MUCH = 0.2
"""Where more than this share of people is not recorded, the headline says so."""


def headline(table: Table, words: Callable[[tuple[str, ...]], str], title: str) -> str:
    """The headline of a table, in the language in force.

    Args:
        words: the label of a row's codes.
        title: what the table is about, where nothing stands out.
    """
    largest = table.largest
    if not table.shows_people:
        return _("No answer is shown: all are below the reporting threshold")
    if largest is None or table.variables == (model.PERIOD,):
        return title
    if table.variables == (model.ORIGIN, model.DESTINATION):
        return _("The corridor with the most people: {label}, {people}").format(
            label=words(largest.codes), people=wording.sized(largest.people)
        )
    label = words(largest.codes)
    most = _("Most frequent: {label}").format(label=label)
    if largest.share is None or not in_headline(largest.share):
        return most
    variable, code = table.variables[0], largest.codes[0]
    who = code if variable == model.SEX or model.load_schema().is_indicator(variable) else ""
    return _of_a_share(largest.share, who, table.missing, most, label)


def children_headline(children: NumberCard, missing: float | None, title: str) -> str:
    """The headline of ages, which are ranges that differ in width: the share of children."""
    if not in_headline(children):
        return title
    return _of_a_share(children, "children", missing, _("Children under 18"))


def years_headline(claim: YearClaim | None, release: Release) -> str:
    """The headline of people by year: what changed, and the contributors that explain it."""
    if claim is None:
        return _("People identified by year")
    before, after = (
        _("below the reporting threshold") if c.value is None else wording.sized(c)
        for c in (claim.earlier.people, claim.later.people)
    )
    years = (year(row.codes[0]) for row in (claim.earlier, claim.later))
    return wording.paragraph(
        "trends.txt",
        "explained",
        words_of("moved", claim.sign, before, after, *years),
        claim.kind,
        [set_apart(name) for name in wording.called_all(claim.names, release.facts)],
    )


def _of_a_share(
    part: NumberCard, who: str, missing: float | None, most: str, label: str = ""
) -> str:
    claim, text = wording.share_words(part), most
    if claim:
        text = words_of("claim", who, claim, wording.claimed(part), label)
        text = f"{text[:1].upper()}{text[1:]}"
    text = _("{claim}: {share}").format(claim=text, share=wording.sized(part))
    if missing is not None and missing > MUCH:
        text = _("{headline}; not recorded for {share} of people").format(
            headline=text, share=share(missing)
        )
    return text


# --------------------------------------------------------------------------------------------------
# The figures of the site: tables of number cards, put into the words of one language.


@dataclass(frozen=True)
class FigureBar(Bar):
    """One row of a figure, ready to draw and to print.

    Sizes are in the figure's unit (people, or share in 0..1).  ``cells`` are the texts of the row's
    table cells (people or why there is no number, low, high, share), empty where nothing was
    measured or nobody reports and ``text`` says so.
    """

    kind: wording.Kind = "value"
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What every chart has: words around its drawing, and files of its numbers.

    Attributes:
        headline: what stands out; ``subtitle`` says what is counted.
        note: who is in it; ``definition`` what its question means.
        file: names its page for frames, and where it is one of no place the file of its numbers.
        scope: the conditions that all its people meet, in words, "" for everybody.
    """

    id: str
    headline: str
    subtitle: str
    note: str = ""
    definition: str = ""
    file: str = ""
    scope: str = ""

    @property
    def caption(self) -> str:
        """What is counted, and of whom: wherever the chart leaves its page."""
        if not self.scope:
            return self.subtitle
        return _("{scope}. {subtitle}").format(scope=self.scope, subtitle=self.subtitle)

    @property
    def name(self) -> str:
        """What its pictures and its citation are called among the charts of all pages."""
        page = self.file.rpartition("/")[2]
        return self.id if page in ("", self.id) else f"{page}-{self.id}"

    @property
    def numbers(self) -> tuple[str, Mapping[str, str]]:
        """The file of its numbers, without its ending, in the folder of charts; and by which
        columns its rows are found there, where the file holds those of all places."""
        place, (side, _line, subject) = self.file.removeprefix("places/"), self.id.partition("-")
        if place == self.file:
            return self.file or self.id, {}
        return f"places/{subject}", {"place": place, "side": side}


@dataclass(frozen=True, kw_only=True)
class Figure(Chart):
    """Bars, or a line of years; ``table`` holds the cards behind it.

    Attributes:
        bars: its rows in ``unit``.
        other: the same rows in the other unit; () where shares, or counts, would mislead.
        picture: whether it is also a picture in a file (``picture``).
        published: whether every number is a cell of a measured table, and none a sum of cells.
        measured: the key of the measured table whose cells it shows, "" where it shows others.
        where: the conditions that its people meet; ``subject`` is the variable, group of flags or
            "corridors" that divides them, the name of the explorer's chart of it.
        named: years that the headline names, for a line of years.
        turns: years in which contributors joined or left, for a line of years; ``explained`` says
            of each which.
    """

    bars: tuple[FigureBar, ...]
    table: Table
    picture: bool = False
    unit: Literal["people", "share"] = "people"
    other: tuple[FigureBar, ...] = ()
    published: bool = True
    measured: str = ""
    where: Where = field(default_factory=dict)
    subject: str = ""
    named: tuple[str, ...] = ()
    turns: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """How many people it is about, and the share whose answer is not recorded."""
        return base_note(self.table)

    @property
    def by_year(self) -> bool:
        """Whether it is drawn as a line of years."""
        return self.table.variables == (model.PERIOD,)

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
        file: of the figures; "" where each has one of its own.
        scope: the conditions in words.
    """

    where: Where
    prefix: str
    file: str
    scope: str = ""


ALL = Among({}, "", "")
_Inputs = tuple[str, tuple[tuple[str, tuple[str, ...]], ...], str, str, str]


def figures(answers: Answers, among: Among = ALL) -> tuple[Figure, ...]:
    """The six figures in the language in force; those without any bar are left out.

    Corridors are among them where no condition is set but on their two countries.
    """
    where = tuple((name, tuple(codes)) for name, codes in among.where.items())
    asked = current(), where, among.prefix, among.file, among.scope
    if current() != LANGUAGES[0]:
        return _made(answers, *asked)
    return _for_files(answers, asked)


@memoised
def _for_files(answers: Answers, asked: _Inputs) -> tuple[Figure, ...]:
    return _made(answers, *asked)


@lru_cache(maxsize=2)
def _made(
    answers: Answers,
    _language: str,
    where: tuple[tuple[str, tuple[str, ...]], ...],
    prefix: str,
    file: str,
    scope: str,
) -> tuple[Figure, ...]:
    """The figures, kept for whoever draws the same people next, such as for a frame."""
    among = Among(dict(where), prefix, file, scope)
    charts = [
        _by_year(answers, among),
        _by_value(answers, among, "gender", model.SEX),
        _by_value(answers, among, "age", model.AGE),
        _by_flag(answers, among, "exploitation", model.HARM),
        _by_flag(answers, among, "means-of-control", model.MEANS),
    ]
    largest = corridor_figure(answers, among) if among.where.keys() <= ENDS else None
    if largest is not None:
        charts.append(largest)
    return tuple(
        replace(
            f,
            id=among.prefix + f.id,
            file=among.file or f.id,
            scope=scope,
            picture=not (where or prefix or file),
        )
        for f in charts
        if any(b.size is not None for b in f.bars)
    )


def subject_figure(answers: Answers, subject: str, among: Among, most: int) -> Figure | None:
    """The figure of a variable, of a group of flags, or of "corridors"; None if not measured.

    Args:
        among: its prefix is the figure's id, its file the figure's file.
        most: how many countries or corridors, the largest; other figures have all their rows.
    """
    if subject == "corridors":
        figure = corridor_figure(answers, among, most)
    elif subject == model.PERIOD:
        figure = _by_year(answers, among)
    elif subject in model.load_schema().groups:
        figure = _by_flag(answers, among, subject, subject)
    else:
        few = most if model.load_schema().variable(subject).kind == "country" else None
        figure = _by_value(answers, among, subject, subject, few)
        if few is not None:
            note = words_of("most_countries", few)
            figure = replace(figure, note=f"{figure.note} {note}")
    if figure is None or all(b.kind == "not_measured" for b in figure.bars):
        return None
    return replace(figure, id=among.prefix, file=among.file, scope=among.scope)


def corridor_figure(answers: Answers, among: Among = ALL, most: int = 12) -> Figure | None:
    """The largest corridors; None where this release did not measure them."""
    table, lang = corridors(answers, most, among.where), current()
    if table is None:
        return None
    subtitle = _("The largest corridors: country of citizenship to country of exploitation")
    meaning = f"{definition(model.ORIGIN, lang)} {definition(model.DESTINATION, lang)}"
    title = _("The largest corridors")
    chart = figure_of(
        "corridors", title, subtitle, table, lambda codes: corridor(*codes), meaning, shares=False
    )
    key = _measured(answers, among, model.ORIGIN, model.DESTINATION)
    return replace(chart, where=among.where, subject="corridors", published=bool(key), measured=key)


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
    title = label(variable, lang)
    subtitle = _("People identified, by {variable}").format(variable=inline(title))
    table = distribution(answers, variable, among.where)
    figure = figure_of(
        name,
        title,
        subtitle,
        table if most is None else table.top(most),
        lambda codes: code_label(variable, codes[0], lang),
        definition(variable, lang),
        shares=False,
    )
    if variable == model.AGE and model.AGE not in among.where:
        children = children_share(answers, among.where)
        figure = replace(figure, headline=children_headline(children, table.missing, title))
    key = _measured(answers, among, variable)
    return replace(figure, where=among.where, subject=variable, published=bool(key), measured=key)


def _by_year(answers: Answers, among: Among) -> Figure:
    """People by year: what stands out is a change, and contributors come and go."""
    figure = _by_value(answers, among, "people-by-year", model.PERIOD)
    claim = year_claim(answers, among.where, figure.table.rows)
    if figure.table.shows_people:
        said = years_headline(claim, answers.release)
        figure = replace(figure, headline=said, named=named_years(claim))
    if met := turns(answers.release):
        note = words_of("not_every_year")
        figure = replace(
            figure,
            note=f"{figure.note} {note}",
            turns=tuple(str(turn.year) for turn in met),
            explained=tuple(
                " ".join(wording.turn_sentences(turn, answers.release)) for turn in met
            ),
        )
    return figure


def _by_flag(answers: Answers, among: Among, name: str, group: str) -> Figure:
    lang = current()
    title = group_label(group, lang)
    subtitle = words_of("any_of", title)
    table = flag_group(answers, group, among.where)
    shared = group_definition(group, lang)
    figure = figure_of(
        name, title, subtitle, table, lambda codes: label(codes[0], lang), shared, shares=True
    )
    flags = [row.codes[0] for row in table.rows if row.kind == "value"]
    measured = all(_measured(answers, among, flag) for flag in flags)
    return replace(figure, where=among.where, subject=group, published=measured)


def figure_of(
    name: str,
    title: str,
    subtitle: str,
    table: Table,
    words: Callable[[tuple[str, ...]], str],
    meaning: str,
    *,
    shares: bool,
) -> Figure:
    """A table in words.

    Args:
        title: its headline where nothing stands out; ``meaning`` defines its question.
        words: names the codes of a row.
    """

    named = [(row, _name(row, words), _cells(row)) for row in table.rows]

    def bars(*, shares: bool) -> tuple[FigureBar, ...]:
        return tuple(_bar(row, name, cells, shares=shares) for row, name, cells in named)

    return Figure(
        id=name,
        headline=headline(table, words, title),
        subtitle=subtitle,
        bars=bars(shares=shares),
        note=base_note(table),
        definition=meaning,
        table=table,
        unit="share" if shares else "people",
        other=bars(shares=not shares) if _switches(table) else (),
    )


def _switches(table: Table) -> bool:
    """Whether the rows can be read as people and as shares: some share is precise enough."""
    divided = table.variables != (model.PERIOD,) and len(table.variables) == 1
    return divided and any(
        row.kind == "value" and row.share is not None and row.share.state == "shown"
        for row in table.rows
    )


def _name(row: Row, words: Callable[[tuple[str, ...]], str]) -> str:
    return wording.state_words("not_recorded") if row.kind == "not_recorded" else words(row.codes)


def _bar(row: Row, name: str, cells: tuple[str, ...], *, shares: bool) -> FigureBar:
    missing = row.kind == "not_recorded"
    drawn = row.share if shares and row.share is not None else row.people
    kind: wording.Kind = row.kind
    if row.kind != "nobody_reports" and drawn.state != "shown":
        kind = drawn.state
    if kind == "protected":
        few = (wording.state_words(kind), *wording.ends(row.people), "–")
        cells = cells if row.people.has_range else few
        return FigureBar(name, wording.state_words(kind), missing=missing, kind=kind, cells=cells)
    if kind in ("nobody_reports", "not_measured"):
        return FigureBar(name, wording.state_words(kind), missing=missing, kind=kind)
    if kind == "imprecise":
        return FigureBar(name, wording.sized(drawn), missing=missing, kind=kind, cells=cells)
    outside = shares and missing
    size = None if outside else drawn.value
    text = wording.sized(drawn)
    if outside:
        text = _("{people}, outside the shares").format(people=people_words(text))
    return FigureBar(name, text, size, drawn.low, drawn.high, missing, kind, cells)


def _cells(row: Row) -> tuple[str, ...]:
    people = ("–", "–", "–")
    if row.people.has_range:
        value = row.people.value
        people = ("–" if value is None else number(value), *wording.ends(row.people))
    part = wording.ranged(row.share) if row.share is not None and row.share.has_range else "–"
    return (*people, part)


def base_note(table: Table) -> str:
    """How many people the table is about, and the share whose answer is not recorded."""
    both = table.variables == (model.ORIGIN, model.DESTINATION)  # of one, more people are known
    return words_of("base", table.base, both, table.missing)


# --------------------------------------------------------------------------------------------------
# People by year as a block to draw, in the language in force: the years that are covered.

NOTHING: Mapping[str, NumberCard] = {}


def year_chart(
    rows: Sequence[Row],
    top: float,
    written: Callable[[float], str] = number,
    turns: Collection[str] = (),
    same: Mapping[str, NumberCard] = NOTHING,
    named: Collection[str] = (),
) -> Years:
    """One line's points; the last that is shown, and one that is named, stand in words there.

    Args:
        rows: in the order of the years; those without a year, and years before the first or after
            the last that somebody covers, are left out.
        top: the end of the axis, in people or as a share, the same for all panels of a chart.
        written: how the axis writes a value; of people, half of ``top`` is written where it is
            a whole number.
        turns: years before which a line is drawn, because other contributors report from then on.
        same: by year, the people whom the same contributors registered in every year.
        named: years that the headline names; the first that is shown is labelled too.
    """
    dated = [row for row in covered_rows(rows) if row.codes[0]]
    points = tuple(point(row, same.get(row.codes[0])) for row in dated)
    shown = [k for k, p in enumerate(points) if p.state == "shown"]
    half = top / 2
    first = [k for k in shown if dated[k].codes[0] in named][:1]
    return Years(
        points=points,
        top=top,
        axis=(
            written(0),
            "" if written is number and half != int(half) else written(half),
            written(top),
        ),
        turns=tuple(k for k, row in enumerate(dated) if k and row.codes[0] in turns),
        marked=tuple(sorted({*shown[-1:], *first})),
    )


def line_of(figure: Figure) -> Years:
    """The years of a figure by year as a line."""
    rows = figure.table.rows
    values = [r.people.high or 0 for r in rows if r.kind == "value" and r.people.value is not None]
    top = round_top(max(values, default=1))
    return year_chart(rows, top, named=figure.named, turns=figure.turns)


def named_years(claim: YearClaim | None) -> tuple[str, ...]:
    """The years that a headline names."""
    return (claim.earlier.codes[0], claim.later.codes[0]) if claim else ()


def covered_rows(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows by year without those before the first and after the last year that somebody covers.

    >>> covered_rows([])
    ()
    """
    covered = [k for k, row in enumerate(rows) if row.codes[0] and row.kind != "nobody_reports"]
    first, last = (covered[0], covered[-1]) if covered else (len(rows), -1)
    return tuple(row for k, row in enumerate(rows) if not row.codes[0] or first <= k <= last)


def point(row: Row, same: NumberCard | None = None) -> Point:
    """A year in words, and what is drawn of it."""
    people, words = row.people, year(row.codes[0])
    beside = None
    if same is not None and same.value is not None:
        beside = Ends(same.value, same.low or 0, same.high or 0)
    if row.kind == "nobody_reports":
        return Point(words, wording.state_words("nobody_reports"), "nobody", same=beside)
    if people.low is None or people.high is None:
        return Point(words, wording.state_words("not_measured"), "not_measured", same=beside)
    if people.value is None:
        text = wording.sized(people)
        return Point(words, text, "protected", high=people.high, same=beside)
    text = wording.sized(people)
    value, low, high = wording.printed(people)
    number_, ends = formula(value), formula(f"{low}–{high}")
    label = _("{year}: {people}").format(year=words, people=formula(f"{value} ({low}–{high})"))
    drawn = people.value, people.low, people.high
    return Point(words, text, "shown", *drawn, label, beside, number_, ends)


# --------------------------------------------------------------------------------------------------
# Countries and regions of the site: which have a page and files, where, and about whom.

SIDES: dict[SideName, str] = {"citizens": model.ORIGIN, "exploited": model.DESTINATION}
"""Id of the section of each side, and the variable that it is about."""


def listed_places(answers: Answers) -> frozenset[str]:
    """Countries with a page: those shown by citizenship or as place of exploitation."""
    return frozenset(
        code for variable in SIDES.values() for (code,) in answers.cells(variable) if code
    )


def path(key: str) -> str:
    """Where the page of a country or region lies."""
    return f"countries/{key.lower()}.html"


def file(key: str) -> str:
    """Name of a place's card, without its ending."""
    return f"places/{key.lower()}"


STORIES = "stories/"
"""Begins the names of files of figures that belong to stories, and so to no release."""


def numbers_place(name: str, version: str) -> str:
    """Where a file of numbers lies, from the root of the site."""
    path = f"charts/{name}.csv"
    return path if name.startswith(STORIES) else f"r/{version}/{path}"


def sides(key: str) -> dict[SideName, Among]:
    """The people that the two halves of a place's page are about, by id of the section."""
    place, lang = place_of(key), current()
    return {
        name: Among(
            {variable: place.members},
            f"{name}-",
            file(key),
            _("{question}: {answers}").format(
                question=label(variable, lang), answers=place.name(lang)
            ),
        )
        for name, variable in SIDES.items()
    }


# --------------------------------------------------------------------------------------------------
# Figures as pictures in files: an SVG that stands alone, for documents and slides.
#
#     charts/<language>/<file>.svg    the figures of the first page
#
# A picture that leaves the site carries title, note, caveat, citation, licence and address.

NO_PICTURE: Mapping[str, str] = {}


def write_pictures(folder: Path, answers: Answers, place: Callable[[Figure], str]) -> None:
    """Write the figures of the first page, in the language in force, into a folder.

    Args:
        place: where a figure stands for good.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for figure in figures(answers):
        text = picture(figure, answers.release, place(figure))
        (folder / f"{figure.file}.svg").write_text(text, "utf-8")


def picture(figure: Figure, release: Release, url: str) -> str:
    """The figure as an SVG file in the language in force: headline, chart, note, citation, source.

    Args:
        url: where the figure stands for good.
    """
    rtl = current() in RIGHT_TO_LEFT
    if figure.by_year:
        drawn = years.body(line_of(figure), rtl=rtl, wide=WIDTH - 2 * MARGIN)
    else:
        drawn = draw_bars(figure.drawn, rtl=rtl)
    notes = (*_notes(figure, release), source_line(release, url))
    return alone(figure.headline, figure.caption, drawn, notes, provenance(release, url))


def source_line(release: Release, url: str) -> str:
    """Where a picture comes from, in the language in force: hub, release, licence, address, day."""
    facts = release.facts
    return _("Source: {hub}, release {version}, {day}. Licence: {licence}. {url}").format(
        hub=set_apart(wording.called(facts)),
        version=release.version,
        day=day(date.fromisoformat(release.manifest.created[:10])),
        licence=facts.licence or _("not stated"),
        url=set_apart(url),
    )


def provenance(release: Release, url: str) -> dict[str, str]:
    """The same for programs, by the names of Dublin Core."""
    facts = release.facts
    return {
        "publisher": facts.hub,
        "source": url,
        "date": release.manifest.created[:10],
        "license": facts.licence_url or facts.licence,
        "identifier": f"release {release.version}",
    }


def alone(
    headline: str,
    subtitle: str,
    drawing: Drawing,
    notes: Sequence[str],
    about: Mapping[str, str] = NO_PICTURE,
) -> str:
    """A drawing as an SVG file that stands alone, in the language in force.

    Args:
        notes: paragraphs below it.
        about: what programs read of where it comes from, see :func:`provenance`.
    """
    lang = current()
    around = Picture(headline, subtitle, tuple(notes), lang, lang in RIGHT_TO_LEFT, about)
    return standalone(around, drawing)


def _notes(figure: Figure, release: Release) -> list[str]:
    """What stands below the bars; the warning about fictitious data, if any, is in the citation."""
    facts = release.facts
    return [
        *(text for text in (figure.note, figure.definition) if text),
        *(set_apart(caveat) for caveat in facts.caveats),
        _("The band around the line is the interval.")
        if figure.by_year
        else _("The line across the end of each bar is its interval."),
        _("Identified people, not prevalence."),
        wording.citation(release).replace(
            wording.called(facts), set_apart(wording.called(facts)), 1
        ),
    ]


# --------------------------------------------------------------------------------------------------
# The maps of the site in the words of one language: corridors, citizenship, exploitation.


ARROWS = 25
STEPS = 5
VIEWS = {"map-citizenship": ORIGIN, "map-exploitation": DESTINATION}
CORRIDORS = "map-corridors"


@dataclass(frozen=True)
class Map:
    """A map: its figure (headline, subtitle, rows, note), and what is drawn."""

    figure: Figure
    drawn: TileMap


def maps(answers: Answers) -> tuple[Map, ...]:
    """The maps that this release has the counts for, in the language in force."""
    candidates = [corridor_map(answers)]
    shown = {v: answers.cells(v) for v in VIEWS.values()}
    top = max((e.value for c in shown.values() for (k,), e in c.items() if k), default=0)
    candidates += [_shaded(answers, name, variable, steps(top)) for name, variable in VIEWS.items()]
    return tuple(m for m in candidates if m is not None)


def steps(top: float) -> tuple[int, ...]:
    """Where the steps of shading begin, lowest first: 1, 3, 10, 30 … up to the largest count.

    >>> steps(10528), steps(1679), steps(5)
    ((0, 300, 1000, 3000, 10000), (0, 30, 100, 300, 1000), (0, 1, 3))
    """
    bounds: list[int] = []
    bound = 1
    while bound <= top:
        bounds.append(bound)
        bound = bound * 3 if str(bound)[0] == "1" else bound // 3 * 10
    return (0, *bounds[-(STEPS - 1) :])


def corridor_map(answers: Answers) -> Map | None:
    """The largest corridors as arrows; None where this release did not measure them."""
    figure = corridor_figure(answers, most=ARROWS)
    if figure is None:
        return None
    figure = replace(figure, id=CORRIDORS, file=CORRIDORS)
    places, lang = listed_places(answers), current()
    pairs = zip(figure.bars, figure.table.rows, strict=True)
    drawn = [(bar, row) for bar, row in pairs if bar.size is not None and not bar.missing]
    top = max((bar.size or 0 for bar, _row in drawn), default=0) or 1.0
    arrows = tuple(
        Arrow(
            origin=row.codes[0],
            place=row.codes[1],
            size=(bar.size or 0) / top,
            mark=number(rank),
            words=_with_people(bar.label, bar.text),
        )
        for rank, (bar, row) in enumerate(drawn, 1)
    )
    tiles = tuple(
        Tile(code, "plain", countries.name(code, lang), path(code) if code in places else "")
        for code in layout()
    )
    widths = [
        Key(people_words(number(bound)), size=bound / top) for bound in steps(top)[-2:] if bound
    ]
    keys = [
        Key(words_of("key", "rank")),
        Key(words_of("key", "frame")),
        _unknown(figure),
        Key(words_of("key", "no_arrow")),
    ]
    return _map(figure, tiles, arrows, (*widths, *keys))


def _shaded(answers: Answers, name: str, variable: str, bounds: tuple[int, ...]) -> Map | None:
    """Tiles shaded by people; None where this release did not measure the variable."""
    if answers.measured(variable) is None:
        return None
    figure = value_figure(answers, name, variable)
    places = listed_places(answers)
    regions = {
        key: _people(answers, {variable: countries.members(key)}) for key in countries.regions()
    }
    rows = {row.codes[0]: row.people for row in figure.table.rows if row.kind == "value"}
    tiles = tuple(
        Tile(
            code,
            _look(rows[code], bounds),
            _words(code, rows[code], regions),
            path(code) if code in places else "",
        )
        for code in layout()
    )
    return _map(figure, tiles, (), _legend(bounds, figure))


def _map(
    figure: Figure, tiles: tuple[Tile, ...], arrows: tuple[Arrow, ...], legend: tuple[Key, ...]
) -> Map:
    return Map(figure, TileMap(figure.headline, figure.subtitle, tiles, arrows, legend))


def _people(answers: Answers, where: Where) -> str:
    return sized(answers.card(Query(where)))


def _look(people: NumberCard, bounds: tuple[int, ...]) -> Look:
    if people.value is None:
        return "few"
    step = sum(people.value >= bound for bound in bounds)
    return cast(Look, f"step{step}")


def _words(code: str, people: NumberCard, regions: dict[str, str]) -> str:
    """What a tile says; one that is too few to show says its region's number."""
    lang = current()
    name, region = countries.name(code, lang), countries.region(code)
    if people.value is not None or region not in regions:
        return _with_people(name, sized(people))
    return _("{place}: {why} (region, {region}: {people})").format(
        place=name,
        why=state_words("protected"),
        region=countries.region_name(region, lang),
        people=regions[region],
    )


def _with_people(place: str, people: str) -> str:
    return _("{place}: {people}").format(place=place, people=people)


def _unknown(figure: Figure) -> Key:
    """People on no tile, because their answer is not recorded."""
    card = figure.table.rows[-1].people
    if card.value is None:
        text = _("not recorded: {why}, on no tile").format(why=sized(card))
    else:
        text = _("not recorded: {people}, on no tile").format(people=people_words(sized(card)))
    return Key(text, "unknown")


def shades(bounds: tuple[int, ...]) -> list[str]:
    """How many people each step of shading has, in words; none where all have one shade."""
    if len(bounds) < 2:
        return []
    ends = zip((0, *bounds[1:]), (*bounds[1:], 0), strict=True)
    return [words_of("shade", low, high) for low, high in ends]


def _legend(bounds: tuple[int, ...], figure: Figure) -> tuple[Key, ...]:
    return (
        *(Key(text, cast(Look, f"step{k}")) for k, text in enumerate(shades(bounds), 1)),
        Key(words_of("key", "few"), "few"),
        _unknown(figure),
        Key(words_of("key", "zero")),
        Key(words_of("key", "nobody")),
    )
