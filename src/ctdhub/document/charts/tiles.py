"""The tile-grid map of the world: equal squares without borders, and arrows.

Every country and territory of ISO 3166 is one tile; no line of a border is drawn.  The map is the
same in every language: it is not mirrored.
"""

import csv
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Literal

from markupsafe import Markup

from ctdhub.document.svg import Canvas, colours, element, metadata

SIZE = 32
"""Side of a tile with its gap, in units of the drawing."""
_GAP = 2
WIDEST, THINNEST = 7.0, 0.8
"""Widths of arrows in units of the drawing."""

Point = tuple[float, float]
Look = Literal["step1", "step2", "step3", "step4", "step5", "few", "plain", "unknown"]


@dataclass(frozen=True)
class Tile:
    """A tile: what it looks like, its words, the address that it leads to ("" for none)."""

    code: str
    look: Look
    words: str
    href: str = ""


@dataclass(frozen=True)
class Arrow:
    """People from one tile to another, or inside one; ``size`` is their part of the widest, 0..1;
    ``mark`` is the rank written on it."""

    origin: str
    place: str
    size: float
    mark: str
    words: str


@dataclass(frozen=True)
class Key:
    """A line of a legend: a tile's look, or the size of an arrow, or neither; and its words."""

    words: str
    look: Look | None = None
    size: float | None = None


@dataclass(frozen=True)
class TileMap:
    """A map: what stands out, what is counted, its tiles, its arrows, the widest first, legend."""

    headline: str
    subtitle: str
    tiles: tuple[Tile, ...]
    arrows: tuple[Arrow, ...]
    legend: tuple[Key, ...]


@cache
def layout() -> Mapping[str, tuple[int, int]]:
    """Column and row of each country's tile (``data/tiles.csv``)."""
    text = (resources.files("ctdhub.document.charts") / "data" / "tiles.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["code"]: (int(row["column"]), int(row["row"])) for row in rows}


def extent() -> tuple[int, int]:
    """Width and height of the map, in units of the drawing."""
    columns, rows = zip(*layout().values(), strict=True)
    return (max(columns) + 1) * SIZE, (max(rows) + 1) * SIZE


def draw_map(tiles: TileMap, id_: str) -> Markup:
    """The map as an ``<svg>`` that is named by the elements ``<id>-t`` and ``<id>-s``."""
    return element(
        "svg",
        element("g", marks(tiles.tiles, tiles.arrows), kind="tiles", id=f"{id_}-tiles"),
        kind="tiles",
        role="group",
        aria_labelledby=f"{id_}-t {id_}-s",
        viewBox=_view(),
    )


def overview(id_: str) -> Markup:
    """The map of :func:`draw_map` once more on the same page, as small as the screen needs it.

    It is for the eye alone: whoever places it says so to other readers (``inert``).
    """
    return element("svg", element("use", href=f"#{id_}-tiles"), viewBox=_view())


def _view() -> str:
    width, height = extent()
    return f"-4 -4 {width + 8} {height + 8}"


def marks(tiles: Iterable[Tile], arrows: Iterable[Arrow] = ()) -> Markup:
    """Tiles, then arrows above them, then the ranks above all arrows, each where it hides no other
    rank and no code of a country, or as far from them as there is room."""
    tiles = tuple(tiles)
    codes = [_centre(tile.code) for tile in tiles]
    drawn: list[Markup] = []
    ranks: list[Markup] = []
    taken: list[Point] = []
    for arrow in arrows:
        line, places = _inside(arrow) if arrow.origin == arrow.place else _between(arrow)
        drawn.append(line)
        taken.append(max(places, key=lambda p: _free(p, taken, codes)))
        ranks.append(_rank(arrow, taken[-1]))
    return Markup("").join([*(_tile(tile) for tile in tiles), *drawn, *ranks])


def _free(at: Point, ranks: Iterable[Point], codes: Iterable[Point]) -> float:
    """How far a rank is from other ranks and from codes: 1 where it touches none, and no more.

    A rank is a circle of 14 units; a code is 24 units wide and 10 high, and read where it is half
    hidden, as two circles are not.
    """
    apart = (math.dist(at, other) / 15 for other in ranks)
    beside = (max(abs(at[0] - x) / 20, abs(at[1] - y) / 13) for x, y in codes)
    return min(1.0, *(math.pow(x, 1.5) for x in apart), *beside)


def picture(key: Key) -> Markup:
    """What stands before a line of a legend; empty where there are words only."""
    canvas = Canvas(SIZE, "px")
    if key.look is not None:
        canvas.rect(key.look, 1, 1, SIZE - _GAP, SIZE - _GAP)
        _pips(canvas, key.look, 0, 0)
    elif key.size is not None:
        canvas.put("path", kind="flow", d="M0 16H32", stroke_width=stroke(key.size))
    else:
        return Markup("")
    return canvas.svg(kind="tiles", viewBox="0 0 32 32", width=28, height=28, aria_hidden="true")


def stroke(size: float) -> float:
    """Width of an arrow whose people are ``size`` (0..1) of the widest one's."""
    return max(THINNEST, WIDEST * size)


def standalone(tiles: TileMap, notes: Sequence[str], about: Mapping[str, str]) -> str:
    """The map as a file that stands alone: title, tiles, legend, notes, its own colours.

    Args:
        notes: sentences below the legend.
        about: where it comes from, see :func:`ctdhub.document.svg.metadata`.
    """
    width, height = extent()
    canvas, y = Canvas(width, "px"), height + 76
    canvas.text(tiles.headline, 8, 28, "words large", None)
    canvas.text(tiles.subtitle, 8, 50, "words", None)
    drawn = marks([replace(tile, href="") for tile in tiles.tiles], tiles.arrows)
    canvas.put("g", drawn, transform="translate(0 64)")
    for key in tiles.legend:
        shown = picture(key)
        for k, line in enumerate(textwrap.wrap(key.words, 150)):
            y += 32
            if shown and not k:
                canvas.put("g", shown, transform=f"translate(8 {y - 20})")
            canvas.text(line, 48, y, "words", None)
    for sentence in notes:
        for line in textwrap.wrap(sentence, 160):
            y += 22
            canvas.text(line, 8, y + 12, "words", None)
    page = element(
        "svg",
        element("title", tiles.subtitle),
        *metadata(tiles.subtitle, about),
        element("style", _rules()),
        element("rect", kind="sheet", width=width + 8, height=y + 32),
        canvas.marks,
        xmlns="http://www.w3.org/2000/svg",
        kind="tiles",
        viewBox=f"0 0 {width + 8} {y + 32}",
        width=width + 8,
        height=y + 32,
    )
    return f"{page}\n"


@cache
def _rules() -> Markup:
    """The look of tiles and arrows with the colours written out.  They hold no text from data."""
    css = (resources.files("ctdhub.document.charts") / "data" / "tiles.css").read_text("utf-8")
    for name, colour in colours().items():
        css = css.replace(f"var(--{name})", colour)
    return Markup(css.replace("\n", ""))  # noqa: S704  (a file of this package)


def _tile(tile: Tile) -> Markup:
    column, row = layout()[tile.code]
    x, y = column * SIZE, row * SIZE
    canvas = Canvas(SIZE, "px")
    words = f"{tile.code} – {tile.words}"  # a name begins with what is seen (WCAG 2.5.3)
    canvas.put("title", words)
    canvas.rect(tile.look, x + 1, y + 1, SIZE - _GAP, SIZE - _GAP)
    canvas.text(tile.code, x + SIZE // 2, y + 16, anchor=None)
    _pips(canvas, tile.look, x, y)
    if tile.href:
        return element("a", canvas.marks, href=tile.href, data_tile=tile.code)
    return element("g", canvas.marks, role="img")


def _pips(canvas: Canvas, look: Look, x: int, y: int) -> None:
    """As many dots as the step has, so that no colour is needed to read it."""
    if not look.startswith("step"):
        return
    n = int(look[-1])
    first = x + SIZE / 2 - 2.5 * (n - 1)
    dots = " ".join(f"M{first + 5 * k:g} {y + 24}h0" for k in range(n))
    canvas.put("path", kind="pip", d=dots)


def _centre(code: str) -> Point:
    column, row = layout()[code]
    return (column + 0.5) * SIZE, (row + 0.5) * SIZE


def _inside(arrow: Arrow) -> tuple[Markup, list[Point]]:
    """A frame around the tile of people exploited in their own country; places for its rank."""
    x, y = _centre(arrow.origin)
    width = stroke(arrow.size)
    half = SIZE / 2 - 1 + width / 2
    path = f"M{x - half:.1f} {y - half:.1f}h{2 * half:.1f}v{2 * half:.1f}h{-2 * half:.1f}z"
    corners = [(x + a * half, y + b * half) for b in (-1, 1) for a in (-1, 1)]
    return _path(arrow, path, width), corners


def _between(arrow: Arrow) -> tuple[Markup, list[Point]]:
    """A curve with a head, and places for its rank; opposite arrows bend to different sides."""
    (x1, y1), (x2, y2) = _centre(arrow.origin), _centre(arrow.place)
    far = math.hypot(x2 - x1, y2 - y1)
    bend = min(0.5, 0.1 + 14 / far)
    cx, cy = (x1 + x2) / 2 + bend * (y2 - y1), (y1 + y2) / 2 - bend * (x2 - x1)
    x1, y1 = _towards(x1, y1, cx, cy, 10)
    tip = _towards(x2, y2, cx, cy, 11)
    width = stroke(arrow.size)
    head = 4 + 1.1 * width
    end = _towards(*tip, cx, cy, head)
    across = (end[1] - tip[1]) / head, (tip[0] - end[0]) / head
    wings = [
        (end[0] + s * across[0] * head / 2, end[1] + s * across[1] * head / 2) for s in (1, -1)
    ]
    path = f"M{x1:.1f} {y1:.1f}Q{cx:.1f} {cy:.1f} {end[0]:.1f} {end[1]:.1f}"
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (tip, *wings))
    line = _path(arrow, path, width, element("polygon", points=points))
    places = []
    for t in (0.5, 0.35, 0.65, 0.2, 0.8, 0.42, 0.58, 0.27, 0.73):
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        at = a * x1 + b * cx + c * end[0], a * y1 + b * cy + c * end[1]
        places += [_towards(*at, cx, cy, way) for way in (6, -6)]
    return line, places


def _towards(x: float, y: float, to_x: float, to_y: float, way: float) -> Point:
    far = math.hypot(to_x - x, to_y - y) or 1.0
    return x + way * (to_x - x) / far, y + way * (to_y - y) / far


def _path(arrow: Arrow, path: str, width: float, *head: Markup) -> Markup:
    return element(
        "g",
        element("title", arrow.words),
        element("path", kind="flow", d=path, stroke_width=width),
        *head,
        kind="flow",
        data_ends=f"{arrow.origin} {arrow.place}",
        role="img",
        aria_label=arrow.words,
    )


def _rank(arrow: Arrow, at: Point) -> Markup:
    canvas = Canvas(SIZE, "px")
    canvas.put("circle", cx=at[0], cy=at[1], r=7)
    canvas.text(arrow.mark, at[0], at[1] + 3.5, anchor=None)
    return element(
        "g",
        canvas.marks,
        kind="rank",
        data_ends=f"{arrow.origin} {arrow.place}",
        aria_hidden="true",
    )
