"""Documents to print: two pages or a poster, as PDF and as one HTML file.

Belongs here: the shape of a document (``sheet``), its two writers (``pdf``, ``html``), drawing.
Does not belong here: what a document says, or where its numbers come from.  This room knows
nothing of releases or records: the portal hands it briefs, ``stages`` a contributor's own report.
"""

from ctdhub.paper.html import to_html
from ctdhub.paper.pdf import Typesetter
from ctdhub.paper.sheet import (
    Bar,
    Bars,
    Block,
    Frame,
    Point,
    Poster,
    Section,
    Sheet,
    Table,
    Words,
    Years,
    isolated,
)

__all__ = [
    "Bar",
    "Bars",
    "Block",
    "Frame",
    "Point",
    "Poster",
    "Section",
    "Sheet",
    "Table",
    "Typesetter",
    "Words",
    "Years",
    "isolated",
    "to_html",
]
