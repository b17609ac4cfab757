"""The maps of the site in the words of one language: corridors, citizenship, exploitation."""

from dataclasses import dataclass, replace
from typing import cast

from ctdhub.core.format import number
from ctdhub.core.i18n import _, current
from ctdhub.document.charts.tiles import Arrow, Key, Look, Tile, TileMap, layout
from ctdhub.report.figures import (
    Figure,
    corridor_figure,
    listed_places,
    path,
    value_figure,
    words_of,
)
from ctdhub.report.wording import sized, state_words
from ctdhub.schema import countries
from ctdhub.schema.model import DESTINATION, ORIGIN
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.query import Query, Where

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
    found = [corridor_map(answers)]
    shown = {v: answers.cells(v) for v in VIEWS.values()}
    top = max((e.value for c in shown.values() for (k,), e in c.items() if k), default=0)
    found += [_shaded(answers, name, variable, steps(top)) for name, variable in VIEWS.items()]
    return tuple(m for m in found if m is not None)


def steps(top: float) -> tuple[int, ...]:
    """Where the steps of shading begin, lowest first: 1, 3, 10, 30 … up to the largest count.

    >>> steps(10528), steps(1679), steps(5)
    ((0, 300, 1000, 3000, 10000), (0, 30, 100, 300, 1000), (0, 1, 3))
    """
    found: list[int] = []
    bound = 1
    while bound <= top:
        found.append(bound)
        bound = bound * 3 if str(bound)[0] == "1" else bound // 3 * 10
    return (0, *found[-(STEPS - 1) :])


def corridor_map(answers: Answers) -> Map | None:
    """The largest corridors as arrows; None where this release did not measure them."""
    figure = corridor_figure(answers, most=ARROWS)
    if figure is None:
        return None
    figure = replace(figure, id=CORRIDORS, file=CORRIDORS)
    held, lang = listed_places(answers), current()
    pairs = zip(figure.bars, figure.table.rows, strict=True)
    drawn = [(bar, row) for bar, row in pairs if bar.size is not None and not bar.missing]
    top = max((bar.size or 0 for bar, _row in drawn), default=0) or 1.0
    arrows = tuple(
        Arrow(
            origin=row.codes[0],
            place=row.codes[1],
            size=(bar.size or 0) / top,
            mark=number(rank),
            words=_named(bar.label, bar.text),
        )
        for rank, (bar, row) in enumerate(drawn, 1)
    )
    tiles = tuple(
        Tile(code, "plain", countries.name(code, lang), path(code) if code in held else "")
        for code in layout()
    )
    widths = [
        Key(_("{n} people").format(n=number(bound)), size=bound / top)
        for bound in steps(top)[-2:]
        if bound
    ]
    told = [
        Key(words_of("key", "rank")),
        Key(words_of("key", "frame")),
        _unknown(figure),
        Key(words_of("key", "no_arrow")),
    ]
    return _map(figure, tiles, arrows, (*widths, *told))


def _shaded(answers: Answers, name: str, variable: str, bounds: tuple[int, ...]) -> Map | None:
    """Tiles shaded by people; None where this release did not measure the variable."""
    if answers.measured(variable) is None:
        return None
    figure = value_figure(answers, name, variable)
    held = listed_places(answers)
    regions = {
        key: _people(answers, {variable: countries.members(key)}) for key in countries.regions()
    }
    rows = {row.codes[0]: row.people for row in figure.table.rows if row.kind == "value"}
    tiles = tuple(
        Tile(
            code,
            _look(rows[code], bounds),
            _words(code, rows[code], regions),
            path(code) if code in held else "",
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
        return _named(name, sized(people))
    return _("{place}: {why} (region, {region}: {people})").format(
        place=name,
        why=state_words("protected"),
        region=countries.region_name(region, lang),
        people=regions[region],
    )


def _named(place: str, people: str) -> str:
    return _("{place}: {people}").format(place=place, people=people)


def _unknown(figure: Figure) -> Key:
    """People on no tile, because their answer is not recorded."""
    people = sized(figure.table.rows[-1].people)
    text = _("not recorded: {people} people, on no tile").format(people=people)
    if figure.table.rows[-1].people.value is None:
        text = _("not recorded: {why}, on no tile").format(why=people)
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
