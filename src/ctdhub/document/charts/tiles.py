"""The tile-grid map of the world as inline SVG: equal squares without borders, and arrows.

Every country and territory of ISO 3166 is one tile; no line of a border is drawn.  The map is the
same in every language: it is not mirrored.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from markupsafe import Markup

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


def draw_map(id_: str, tiles: Iterable[Tile], arrows: Iterable[Arrow] = ()) -> Markup:
    """The map as an ``<svg>`` that is named by the headings ``<id>-t`` and ``<id>-s``."""
    width, height = extent()
    return Markup(
        '<svg class="tiles" role="group" aria-labelledby="{id}-t {id}-s" '
        'viewBox="-4 -4 {w} {h}">{body}</svg>'
    ).format(id=id_, w=width + 8, h=height + 8, body=marks(tiles, arrows))


def marks(tiles: Iterable[Tile], arrows: Iterable[Arrow] = ()) -> Markup:
    """Tiles, then arrows above them, then the ranks above all arrows."""
    drawn: list[Markup] = []
    ranks: list[Markup] = []
    taken: list[Point] = []
    for arrow in arrows:
        line, places = _inside(arrow) if arrow.origin == arrow.place else _between(arrow)
        drawn.append(line)
        taken.append(
            next((p for p in places if all(math.dist(p, q) > 13 for q in taken)), places[0])
        )
        ranks.append(_rank(arrow, taken[-1]))
    return Markup("").join([*(_tile(tile) for tile in tiles), *drawn, *ranks])


def swatch(look: Look) -> Markup:
    """A tile's look for a legend."""
    return _key(_shape(look, 1, 1, SIZE - _GAP) + _pips(look, 0, 0))


def stroke(size: float) -> float:
    """Width of an arrow whose people are ``size`` (0..1) of the widest one's."""
    return max(THINNEST, WIDEST * size)


def arrow_swatch(size: float) -> Markup:
    """An arrow's width for a legend."""
    line = Markup('<path class="flow" d="M0 16H32" stroke-width="{w:.1f}"/>')
    return _key(line.format(w=stroke(size)))


def _key(inside: Markup) -> Markup:
    return Markup(
        '<svg class="tiles" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">'
        "{inside}</svg>"
    ).format(inside=inside)


def _tile(tile: Tile) -> Markup:
    column, row = layout()[tile.code]
    x, y = column * SIZE, row * SIZE
    body = Markup('<title>{words}</title>{shape}<text x="{x}" y="{y}">{code}</text>{pips}').format(
        words=tile.words,
        shape=_shape(tile.look, x + 1, y + 1, SIZE - _GAP),
        x=x + SIZE // 2,
        y=y + 16,
        code=tile.code,
        pips=_pips(tile.look, x, y),
    )
    if tile.href:
        return Markup('<a href="{href}" aria-label="{words}" data-tile="{code}">{body}</a>').format(
            href=tile.href, words=tile.words, code=tile.code, body=body
        )
    return Markup('<g role="img" aria-label="{words}">{body}</g>').format(
        words=tile.words, body=body
    )


def _shape(look: Look, x: int, y: int, side: int) -> Markup:
    return Markup('<rect class="{look}" x="{x}" y="{y}" width="{s}" height="{s}"/>').format(
        look=look, x=x, y=y, s=side
    )


def _pips(look: Look, x: int, y: int) -> Markup:
    """As many dots as the step has, so that no colour is needed to read it."""
    if not look.startswith("step"):
        return Markup("")
    n = int(look[-1])
    first = x + SIZE / 2 - 2.5 * (n - 1)
    dots = " ".join(f"M{first + 5 * k:g} {y + 24}h0" for k in range(n))
    return Markup('<path class="pip" d="{d}"/>').format(d=dots)


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
    line = _path(arrow, path, width, Markup('<polygon points="{}"/>').format(points))
    places = []
    for t in (0.5, 0.35, 0.65, 0.2, 0.8):
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        at = a * x1 + b * cx + c * end[0], a * y1 + b * cy + c * end[1]
        places.append(_towards(*at, cx, cy, 6))
    return line, places


def _towards(x: float, y: float, to_x: float, to_y: float, way: float) -> Point:
    far = math.hypot(to_x - x, to_y - y) or 1.0
    return x + way * (to_x - x) / far, y + way * (to_y - y) / far


def _path(arrow: Arrow, path: str, width: float, head: Markup | str = "") -> Markup:
    return Markup(
        '<g class="flow" data-ends="{a} {b}" role="img" aria-label="{words}">'
        '<title>{words}</title><path class="flow" d="{d}" stroke-width="{w:.1f}"/>{head}</g>'
    ).format(
        a=arrow.origin, b=arrow.place, words=arrow.words, d=path, w=width, head=head or Markup("")
    )


def _rank(arrow: Arrow, at: Point) -> Markup:
    return Markup(
        '<g class="rank" data-ends="{a} {b}" aria-hidden="true">'
        '<circle cx="{x:.1f}" cy="{y:.1f}" r="7"/><text x="{x:.1f}" y="{t:.1f}">{mark}</text></g>'
    ).format(a=arrow.origin, b=arrow.place, x=at[0], y=at[1], t=at[1] + 3.5, mark=arrow.mark)
