"""A document as one HTML file to read and to print: no script, no request to anybody.

All sections are in it: a page on a screen has no end.  Printed, it takes A4 (a poster A3), with
warning and citation on every page.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from ctdhub.document.charts.print import bar, years
from ctdhub.document.document import Poster, Sheet
from ctdhub.document.inline import inlined


def to_html(document: Sheet | Poster, links: Sequence[tuple[str, str]] = ()) -> str:
    """The document as HTML.

    Args:
        links: addresses and words of links that stand above it and are not printed.
    """
    css, digest = inlined("ctdhub.document/data", "sheet.css")
    name = "sheet.html" if isinstance(document, Sheet) else "poster.html"
    return (
        _templates()
        .get_template(name)
        .render(d=document, frame=document.frame, links=links, css=css, digest=digest)
    )


@cache
def _templates() -> Environment:
    found = Environment(
        loader=PackageLoader("ctdhub.document"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    found.globals |= {"bar": bar, "years": years}
    return found
