"""Figures as pictures in files: an SVG that stands alone, for documents and slides.

    charts/<language>/<file>.svg    the figures of the first page

Colours are those of ``site.css``, written out, since many programs do not know CSS variables.
Text in an SVG does not flow, so lines are broken here by the number of letters.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from markupsafe import Markup

from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.charts.bars import body
from ctdhub.document.document import isolated
from ctdhub.release.open import Release
from ctdhub.report.figures import Figure, figures
from ctdhub.site.frame import colours
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import citation

WIDTH, MARGIN = 760, 24
_SIZES = {"title": 19, "sub": 14, "small": 12}
"""Height in pixels of each kind of text; a letter is about half as wide."""
_LINE, _LETTER = 1.45, 0.54
_RLM = "\u200f"
"""Begins a line that runs right to left whatever its first letter is."""
_ISOLATED = re.compile("\u2066[^\u2069]*\u2069")


def write_pictures(folder: Path, answers: Answers) -> None:
    """Write the figures of the first page, in the language in force, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for figure in figures(answers):
        text = picture(figure, answers.release)
        (folder / f"{figure.file}.svg").write_text(text, "utf-8")


def picture(figure: Figure, release: Release) -> str:
    """The figure as an SVG file in the language in force: headline, bars, note, citation."""
    drawn, height = body(figure, rtl=current() in RIGHT_TO_LEFT)
    return sheet(figure.headline, figure.subtitle, (drawn, height), _notes(figure, release))


def sheet(headline: str, subtitle: str, drawing: tuple[Markup, int], notes: Sequence[str]) -> str:
    """A drawing as an SVG file that stands alone, in the language in force.

    Args:
        drawing: marks, and their height in pixels.
        notes: paragraphs below it.
    """
    lang, (drawn, height) = current(), drawing
    rtl = lang in RIGHT_TO_LEFT
    head, y = _block([(headline, "title"), (subtitle, "sub")], MARGIN, rtl)
    frame = Markup('<svg x="{x}" y="{y}" width="{w}" height="{h}" overflow="visible">{rows}</svg>')
    bars = frame.format(x=MARGIN, y=y + 10, w=WIDTH - 2 * MARGIN, h=height, rows=drawn)
    foot, bottom = _block([(text, "small") for text in notes], y + height + 18, rtl)
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" '
        'xml:lang="{lang}" role="img" aria-labelledby="t d"><title id="t">{title}</title>'
        '<desc id="d">{words}</desc><style>{style}</style>'
        '<rect class="paper" width="100%" height="100%"/>{head}{bars}{foot}</svg>\n'
    ).format(
        w=WIDTH,
        h=bottom + MARGIN // 2,
        lang=lang,
        title=headline,
        words=" ".join([subtitle, *notes]),
        style=_style(),
        head=head,
        bars=bars,
        foot=foot,
    )


def _notes(figure: Figure, release: Release) -> list[str]:
    """What stands below the bars; the warning about invented data, if any, is in the citation."""
    facts = release.facts
    return [
        *(text for text in (figure.note, figure.definition) if text),
        *(isolated(caveat) for caveat in facts.caveats),
        _("The line across the end of each bar is its interval."),
        _("Identified cases, not prevalence."),
        citation(release).replace(facts.hub, isolated(facts.hub), 1),
    ]


def _block(texts: list[tuple[str, str]], y: float, rtl: bool) -> tuple[Markup, int]:
    """Paragraphs below ``y``, each with its kind, and where the next thing may start."""
    line = Markup('<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>')
    lines = []
    for text, kind in texts:
        for part in _lines(text, int((WIDTH - 2 * MARGIN) / (_SIZES[kind] * _LETTER))):
            y += _SIZES[kind] * _LINE
            x, anchor, mark = (WIDTH - MARGIN, "end", _RLM) if rtl else (MARGIN, "start", "")
            lines.append(line.format(kind=kind, x=x, y=round(y), anchor=anchor, text=mark + part))
    return Markup("").join(lines), round(y)


def _lines(text: str, most: int) -> Iterator[str]:
    r"""Lines of at most ``most`` letters; a formula such as "5 ± 1" is not torn apart.

    >>> list(_lines("one two three", 8))
    ['one two', 'three']
    """
    whole = _ISOLATED.sub(lambda found: found[0].replace(" ", "\u00a0"), text)
    return iter(textwrap.wrap(whole, most, break_on_hyphens=False))


@cache
def _style() -> Markup:
    """The rules that a picture needs, with the site's colours.  They hold no text from data."""
    ink, paper, muted, blue = (colours()[name] for name in ("ink", "paper", "muted", "bar"))
    sizes = "".join(f".{kind}{{font-size:{size}px}}" for kind, size in _SIZES.items())
    return Markup(  # noqa: S704
        'svg{direction:ltr;font-family:system-ui,"Noto Sans","Noto Sans Arabic",sans-serif}'
        f"text{{font-size:14px;fill:{ink};unicode-bidi:plaintext}}{sizes}"
        f".title,.number{{font-weight:600}}.sub,.small,.why{{fill:{muted}}}"
        f".why{{font-style:italic}}.paper{{fill:{paper}}}.bar{{fill:{blue}}}"
        f".unknown{{fill:{paper};stroke:{muted};stroke-width:1.5;stroke-dasharray:4 3}}"
        f".whisker{{stroke:{ink};stroke-width:2}}.grid{{stroke:{muted};stroke-width:.5}}"
    )
