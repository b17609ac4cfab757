"""SVG: the one place that writes elements, escapes their text, and mirrors right to left.

A chart is a function of blocks that puts marks on a :class:`Canvas`; widths are in per cent of the
frame or in pixels, heights in pixels.  The SVG itself always runs left to right (text anchors flip
otherwise): a canvas that runs right to left mirrors every place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Literal

from markupsafe import Markup, escape

Unit = Literal["%", "px"]
Place = float | str
"""A position: a number in the unit of the canvas, or as SVG writes it ("100%", "-6"), which is
never mirrored."""
Anchor = Literal["start", "middle", "end"]

_NAMES = {
    "kind": "class",
    "xml_lang": "xml:lang",
    "xmlns_rdf": "xmlns:rdf",
    "xmlns_dc": "xmlns:dc",
    "rdf_about": "rdf:about",
}
MIRRORED: dict[Anchor, Anchor] = {"start": "end", "middle": "middle", "end": "start"}
_STEPS = (1, 2, 3, 4, 5, 6, 8, 10)


def element(tag: str, /, *inside: Markup | str, **attributes: Place | None) -> Markup:
    """An element; every text in it is escaped unless it is markup.

    Args:
        inside: its content; without any the element closes itself.
        attributes: in this order; "_" stands for "-", ``kind`` for "class"; those that are None
            are left out.  Integers are written as they are, other numbers with one decimal.

    >>> element("text", "A & B", kind="label", x=3, y=1.25, text_anchor="end")
    Markup('<text class="label" x="3" y="1.2" text-anchor="end">A &amp; B</text>')
    """
    return Markup(_written(tag, inside, attributes))  # noqa: S704  (every text is escaped)


def _written(
    tag: str, inside: tuple[Markup | str, ...], attributes: Mapping[str, Place | None]
) -> str:
    """The element as text: a chart has some hundred, and is markup when it is whole."""
    words = ""
    for name, value in attributes.items():
        if type(value) is float:
            words += f' {_name(name)}="{value:.1f}"'
        elif value is not None:
            words += f' {_name(name)}="{_escaped(value) if isinstance(value, str) else value}"'
    if not inside:
        return f"<{tag}{words}/>"
    body = "".join([part if isinstance(part, Markup) else escape(part) for part in inside])
    return f"<{tag}{words}>{body}</{tag}>"


@cache
def _name(name: str) -> str:
    return _NAMES.get(name, name.replace("_", "-"))


@lru_cache(maxsize=4096)
def _escaped(text: str) -> str:
    """The value of an attribute; names of classes and anchors come again in each mark."""
    return str(escape(text))


_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"


def metadata(title: str, facts: Mapping[str, str]) -> tuple[Markup, ...]:
    """Where a picture comes from, as RDF that stands inside it; () where nothing is known.

    Args:
        facts: texts by the names of Dublin Core, such as "license"; empty ones are left out.
    """
    if not facts:
        return ()
    named = {"title": title, **facts}
    inside = [element(f"dc:{name}", text) for name, text in named.items() if text]
    described = element("rdf:Description", *inside, rdf_about="")
    graph = element("rdf:RDF", described, xmlns_rdf=_RDF, xmlns_dc=_DUBLIN_CORE)
    return (element("metadata", graph),)


@dataclass(frozen=True)
class Drawing:
    """The content of an ``<svg>``, and its height in pixels.

    Attributes:
        kind: the class of the picture that it becomes.
    """

    marks: Markup
    height: int
    kind: str = "chart"

    def chart(self, id_: str, **attributes: Place | None) -> Markup:
        """An ``<svg>`` over the whole width that the elements ``<id>-t`` and ``<id>-s`` name."""
        return element(
            "svg",
            self.marks,
            kind=self.kind,
            role="img",
            aria_labelledby=f"{id_}-t {id_}-s",
            width="100%",
            height=self.height,
            **attributes,
        )


EMPTY = Drawing(Markup(""), 0)


class Canvas:
    """Marks in the order of drawing.

    Args:
        width: of the frame, in ``unit``; what is mirrored is mirrored in it.
        unit: of places and widths; heights are always pixels.
        rtl: whether places count from the right side.
    """

    def __init__(self, width: float = 100, unit: Unit = "%", *, rtl: bool = False) -> None:
        self.width, self.unit, self.rtl = width, unit, rtl
        self._marks: list[str] = []

    @property
    def marks(self) -> Markup:
        """All marks."""
        return Markup("".join(self._marks))  # noqa: S704  (each is markup)

    def svg(self, **attributes: Place | None) -> Markup:
        """An ``<svg>`` with the marks in it."""
        return element("svg", self.marks, **attributes)

    def put(self, tag: str, /, *inside: Markup | str, **attributes: Place | None) -> None:
        """Any element, its places as SVG has them: nothing of it is mirrored."""
        self._marks.append(_written(tag, inside, attributes))

    def add(self, marks: Markup) -> None:
        """Marks of another canvas."""
        self._marks.append(marks)

    def frame(self, inner: Markup, x: int, y: int, width: Place, height: int) -> None:
        """Marks in a frame of their own, ``x`` pixels from the side where reading starts."""
        at = -x if self.rtl else x
        self.put("svg", inner, x=at, y=y, width=width, height=height, overflow="visible")

    def rect(self, kind: str, x: float, y: float, width: float, height: float) -> None:
        """A rectangle that begins at ``x``."""
        left = self.width - x - width if self.rtl else x
        self.put("rect", kind=kind, x=self._unit(left), y=y, width=self._unit(width), height=height)

    def line(self, kind: str, x1: Place, y1: float, x2: Place, y2: float) -> None:
        """A line between two points."""
        self.put("line", kind=kind, x1=self._at(x1), y1=y1, x2=self._at(x2), y2=y2)

    def across(self, kind: str, y: float, x1: Place = "0", x2: Place = "100%") -> None:
        """A level line, over the whole width by default."""
        self.put("line", kind=kind, x1=self._at(x1), x2=self._at(x2), y1=y, y2=y)

    def upright(self, kind: str, x: float, y1: float, y2: float) -> None:
        """An upright line."""
        self.put("line", kind=kind, x1=self._at(x), x2=self._at(x), y1=y1, y2=y2)

    def whisker(self, low: float, high: float, y: int, cap: int) -> None:
        """An interval along ``y``, its ends marked by caps of ``cap`` pixels to both sides."""
        self.line("whisker", low, y, high, y)
        for end in (low, high):
            self.line("whisker", end, y - cap, end, y + cap)

    def dot(self, kind: str, x: float, y: float, r: float) -> None:
        """A filled circle."""
        self.put("circle", kind=kind, cx=self._at(x), cy=y, r=r)

    def text(
        self,
        text: str,
        x: Place | None,
        y: float,
        kind: str | None = None,
        anchor: Anchor | None = "start",
        gap: int | None = None,
    ) -> None:
        """Words at ``x``; without an ``x``, at the side where reading starts.

        Args:
            y: of the base line of the letters, in pixels.
            anchor: which end of the words is at ``x``; None leaves it to the style sheet.
            gap: pixels between ``x`` and the words.
        """
        if x is None:
            at: Place = "100%" if self.rtl else "0"
        else:
            at = self._at(x)
        end = MIRRORED[anchor] if anchor and self.rtl else anchor
        self.put(
            "text",
            text,
            kind=kind,
            x=at,
            dx=-gap if gap and self.rtl else gap or None,
            y=y,
            text_anchor=None if end == "start" else end,
        )

    def _at(self, x: Place) -> Place:
        if isinstance(x, str):
            return x
        return self._unit(self.width - x if self.rtl else x)

    def _unit(self, x: float) -> Place:
        return f"{x:.2f}%" if self.unit == "%" else x


@dataclass(frozen=True)
class Scale:
    """An axis from 0 to ``top``.

    >>> Scale(200).part(50), Scale(200).part(500)
    (0.25, 1.0)
    """

    top: float

    def part(self, value: float) -> float:
        """The position of a value on the axis, in 0..1; one beyond an end is put at that end."""
        return min(1.0, max(0.0, value / self.top))


def round_top(most: float) -> int:
    """The end of an axis: the first of 1, 2, 3, 4, 5, 6, 8, 10, 20 … that is not below ``most``.

    >>> round_top(4971), round_top(1), round_top(12), round_top(2400)
    (5000, 1, 20, 3000)
    """
    power = 1
    while 10 * power < most:
        power *= 10
    return next(k * power for k in _STEPS if k * power >= most)


@cache
def colours(*, dark: bool = False) -> dict[str, str]:
    """The colours of pages and charts by name.

    Args:
        dark: those of dark pages.  Pictures never take them: they are put into documents whose
            page is white.

    >>> colours()["paper"], colours(dark=True)["paper"]
    ('#ffffff', '#14181d')
    """
    css = (resources.files("ctdhub.document") / "data" / "colours.css").read_text("utf-8")
    pairs = re.findall(r"--([a-z][a-z0-9]*):(#[0-9a-f]+)", css.split("@media")[int(dark)])
    return dict(pairs)


def contrast(one: str, other: str) -> float:
    """Contrast ratio in 1..21 of two colours "#rrggbb" (WCAG 2.2, "contrast ratio").

    >>> contrast("#ffffff", "#000000")
    21.0
    """
    dim, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance in 0..1 (WCAG 2.2, "relative luminance")."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
