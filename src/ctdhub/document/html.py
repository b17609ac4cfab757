"""A document as one HTML file to read and to print: no script, no request to anybody.

All sections are in it: a page on a screen has no end.  Printed, it takes A4 (a poster A3), with
warning and citation on every page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ctdhub.document.charts.print import bar, years
from ctdhub.document.document import Document
from ctdhub.document.inline import inlined
from ctdhub.document.svg import element


@dataclass(frozen=True)
class Leaving:
    """What lets a reader leave a document that is part of a site.

    Attributes:
        target: address that the exit leads to, and its words.
        script: what replaces the document, and its hash for the policy.
    """

    target: tuple[str, str]
    script: tuple[Markup, str]


def write(
    document: Document,
    links: Sequence[tuple[str, str]] = (),
    leaving: Leaving | None = None,
) -> str:
    """The document as HTML.

    Args:
        links: addresses and words of links that stand above it and are not printed.
        leaving: the quick exit, the first of these links; a document alone has none.
    """
    css, digest = inlined("ctdhub.document/data", "sheet.css")
    name = "sheet.html" if document.paper == "a4" else "poster.html"
    return (
        _templates()
        .get_template(name)
        .render(
            d=document, meta=document.meta, links=links, leaving=leaving, css=css, digest=digest
        )
    )


def bidi(text: str) -> Markup:
    r"""A text whose names are set apart by characters, with elements in their place.

    >>> bidi("of \u2068A & B\u2069.")
    Markup('of <bdi>A &amp; B</bdi>.')
    """
    parts = re.split("\u2068([^\u2068\u2069]*)\u2069", text)
    return Markup("").join(element("bdi", p) if k % 2 else p for k, p in enumerate(parts))


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
