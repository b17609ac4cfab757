"""The style page: every part that pages are made of, drawn by the rules that all pages share."""

from __future__ import annotations

from markupsafe import Markup

from ctdhub.core.format import decimal
from ctdhub.core.i18n import Text, _, said
from ctdhub.document.svg import Canvas, colours, contrast
from ctdhub.report.figures import figures
from ctdhub.site.frame import FIGURES, Page
from ctdhub.site.kinds import Content, PageKind
from ctdhub.site.pages.about import about
from ctdhub.site.plots import plot

PATH = "style.html"
KIND = PageKind("style", lambda content: [page(content)])

_USES = {
    "harbour": Text("series 1, bars"),
    "ember": Text("series 2"),
    "fern": Text("series 3"),
    "mallow": Text("series 4"),
    "ink": Text("text, series 5"),
    "muted": Text("small text"),
    "edge": Text("outlines"),
    "link": Text("links and buttons"),
    "warm": Text("notices"),
    **{f"step{k}": Text("step of the map") for k in range(1, 6)},
}


def page(content: Content) -> Page:
    """The page, with the first chart of the release."""
    first = next(iter(figures(content.answers)), None)
    light, dark = colours(), colours(dark=True)
    return Page(
        path=PATH,
        title=_("Parts of the pages"),
        description=_("Every part that pages are made of, for those who change them."),
        template="style.html",
        values={
            "colours": [
                {
                    "name": name,
                    "use": said(use),
                    "picture": _swatch(name),
                    "contrast": [
                        decimal(contrast(mode[name], mode["paper"])) for mode in (light, dark)
                    ],
                }
                for name, use in _USES.items()
            ],
            "drawn": first and (first, plot(first)),
            **about(content.release),
        },
        menu="methods.html",
        scripts=FIGURES if first else (),
    )


def _swatch(name: str) -> Markup:
    canvas = Canvas(48, "px")
    canvas.put("rect", width=48, height=24, fill=f"var(--{name})", stroke="var(--edge)")
    return canvas.svg(width=48, height=24, aria_hidden="true")
