"""Bars for a document that is printed, and pictures that stand alone; mirrored right to left."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from markupsafe import Markup

from ctdhub.document.document import Bar
from ctdhub.document.svg import Canvas, Drawing, colours, element, metadata


def bar(row: Bar, top: float, *, rtl: bool) -> Markup:
    """A bar with its whisker; ``top`` is the size that takes the whole width.  People whose answer
    is not recorded, where they are more than that, are a strip that is cut."""
    if row.size is None or row.low is None or row.high is None:
        return Markup("")
    if row.missing and row.high > top:
        return _cut(rtl=rtl)
    size, low, high = (100 * x / top for x in (row.size, row.low, row.high))
    canvas = Canvas(rtl=rtl)
    canvas.rect("missing" if row.missing else "bar", 0, 1, size, 14)
    canvas.across("whisker", 8, low, high)
    for end in (low, high):
        canvas.upright("whisker", end, 4, 12)
    return canvas.svg(width="100%", height=16, aria_hidden="true")


def _cut(*, rtl: bool) -> Markup:
    canvas = Canvas(rtl=rtl)
    canvas.rect("missing", 0, 1, 78, 14)
    canvas.rect("missing", 82, 1, 18, 14)
    for at in (78, 82):
        canvas.line("whisker", at - 1, 16, at + 1, 0)
    return canvas.svg(width="100%", height=16, aria_hidden="true")


# --------------------------------------------------------------------------------------------------
# A drawing as an SVG file that stands alone, for documents and slides: title, notes, colours.
#
# Colours are those of the pages, written out, since many programs do not know CSS variables.  Text
# in an SVG does not flow, so lines are broken here by the number of letters.

WIDTH, MARGIN = 760, 24
_SIZES = {"title": 19, "sub": 14, "small": 12}
"""Height in pixels of each kind of text; a letter is about half as wide."""
_LINE, _LETTER = 1.45, 0.54
_RLM = "\u200f"
"""Begins a line that runs right to left whatever its first letter is."""
_ISOLATED = re.compile("\u2066[^\u2069]*\u2069")


@dataclass(frozen=True)
class Picture:
    """What stands around a drawing: what stands out, what is counted, paragraphs below it; and
    ``about``, by names of Dublin Core, what programs read of where it comes from."""

    headline: str
    subtitle: str
    notes: tuple[str, ...]
    lang: str
    rtl: bool
    about: Mapping[str, str] = field(default_factory=dict)


def standalone(picture: Picture, drawing: Drawing) -> str:
    """The drawing as an SVG file."""
    canvas = Canvas(WIDTH, "px")
    head = [(picture.headline, "title"), (picture.subtitle, "sub")]
    y = _block(canvas, head, MARGIN, rtl=picture.rtl)
    canvas.frame(drawing.marks, MARGIN, y + 10, WIDTH - 2 * MARGIN, drawing.height)
    foot = [(text, "small") for text in picture.notes]
    bottom = _block(canvas, foot, y + drawing.height + 18, rtl=picture.rtl)
    height = bottom + MARGIN // 2
    page = element(
        "svg",
        element("title", picture.headline, id="t"),
        element("desc", " ".join([picture.subtitle, *picture.notes]), id="d"),
        *metadata(picture.headline, picture.about),
        element("style", _style()),
        element("rect", kind="paper", width="100%", height="100%"),
        canvas.marks,
        xmlns="http://www.w3.org/2000/svg",
        width=WIDTH,
        height=height,
        viewBox=f"0 0 {WIDTH} {height}",
        xml_lang=picture.lang,
        role="img",
        aria_labelledby="t d",
    )
    return f"{page}\n"


def _block(canvas: Canvas, texts: Sequence[tuple[str, str]], y: float, *, rtl: bool) -> int:
    """Paragraphs below ``y``, each with its kind; gives where the next thing may start."""
    edge = Canvas(WIDTH, "px", rtl=rtl)
    for text, kind in texts:
        for part in _lines(text, int((WIDTH - 2 * MARGIN) / (_SIZES[kind] * _LETTER))):
            y += _SIZES[kind] * _LINE
            edge.text((_RLM if rtl else "") + part, MARGIN, round(y), kind)
    canvas.add(edge.marks)
    return round(y)


def _lines(text: str, most: int) -> Iterator[str]:
    r"""Lines of at most ``most`` letters; a formula such as "5 ± 1" is not torn apart.

    >>> list(_lines("one two three", 8))
    ['one two', 'three']
    """
    whole = _ISOLATED.sub(lambda match: match[0].replace(" ", "\u00a0"), text)
    return iter(textwrap.wrap(whole, most, break_on_hyphens=False))


@cache
def _style() -> Markup:
    """The rules that a picture needs, with the site's colours.  They hold no text from data."""
    names = ("ink", "paper", "muted", "harbour", "warm")
    ink, paper, muted, blue, warm = (colours()[name] for name in names)
    sizes = "".join(f".{kind}{{font-size:{size}px}}" for kind, size in _SIZES.items())
    return Markup(  # noqa: S704
        'svg{direction:ltr;font-family:system-ui,"Noto Sans","Noto Sans Arabic",sans-serif}'
        f"text{{font-size:14px;fill:{ink};unicode-bidi:plaintext}}{sizes}"
        f".title,.number{{font-weight:600}}.sub,.small,.why{{fill:{muted}}}"
        f".paper{{fill:{paper}}}.bar{{fill:{blue}}}"
        f".unknown{{fill:{paper};stroke:{muted};stroke-width:1.5;stroke-dasharray:4 3}}"
        f".whisker{{stroke:{ink};stroke-width:2}}.grid,.axis{{stroke:{muted};stroke-width:.5}}"
        f".cut{{stroke:{muted};stroke-width:1.5}}.band{{fill:{blue};fill-opacity:.25}}"
        f".join{{fill:none;stroke:{blue};stroke-width:2;vector-effect:non-scaling-stroke}}"
        f".turn{{stroke:{muted};stroke-width:1.5;stroke-dasharray:6 3}}"
        f".veiled{{stroke:{muted};stroke-width:2;stroke-dasharray:2 4}}"
        f".nobody{{fill:{warm};stroke:{muted};stroke-dasharray:4 3}}"
        f".same{{fill:none;stroke:{ink};stroke-width:1.5;vector-effect:non-scaling-stroke}}"
    )
