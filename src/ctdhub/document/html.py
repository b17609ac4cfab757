"""A document as one HTML file to read and to print: no script, no request to anybody.

All sections are in it: a page on a screen has no end.  Printed, it takes A4 (a poster A3), with
warning and citation on every page.
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ctdhub.document.charts import years
from ctdhub.document.charts.pages import bar
from ctdhub.document.document import Document
from ctdhub.document.svg import element

# --------------------------------------------------------------------------------------------------
# A file of the package that stands inside a page, and its hash for the page's policy.

_COMMENT = re.compile(r"/\*.*?\*/\n?", re.DOTALL)
_LONE_COMMENT = re.compile(r"^ */\*.*?\*/\n", re.DOTALL | re.MULTILINE)
"""A comment of a script that has lines of its own."""
_INDENT = re.compile(r"^ +", re.MULTILINE)
_IMPORT = re.compile(r'^@import "([^"]+)";$', re.MULTILINE)


@cache
def inlined(folder: str, name: str) -> tuple[Markup, str]:
    """The file's text, and its hash as a Content-Security-Policy has it.

    A line ``@import "package/folder/name.css";`` is replaced by that file, also inside such a file.
    Comments of style sheets, and those of scripts that have lines of their own, are left out; so is
    the indentation of scripts, which hold no text over several lines.  A program that readers may
    take along, ``.mjs``, stays as it is.

    Args:
        folder: package and folder, for example "ctdhub.site/static".
    """
    text = _text(f"{folder}/{name}")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"sha256-{digest}"  # noqa: S704  (files of this package, no input)


def _text(path: str) -> str:
    package, _slash, inside = path.partition("/")
    text = (resources.files(package) / inside).read_text("utf-8")
    if path.endswith(".mjs"):
        return text
    if path.endswith(".js"):
        return _INDENT.sub("", _LONE_COMMENT.sub("", text)).strip()
    if not path.endswith(".css"):
        return text.strip()
    return _IMPORT.sub(lambda match: _text(match[1]), _COMMENT.sub("", text)).strip()


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
        templates()
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
def templates() -> Environment:
    """The templates of documents, every value escaped."""
    environment = Environment(
        loader=PackageLoader("ctdhub.document"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.globals |= {"bar": bar, "years": years.printed}
    return environment


# --------------------------------------------------------------------------------------------------
# Values for the scripts of a page, as JSON that stands inside it.


def embedded(value: object) -> Markup:
    r"""JSON to stand in a ``<script>``: no ``<``, so no tag in a text can begin or end.

    >>> embedded({"name": "</script>"})
    Markup('{"name":"\\u003c/script\\u003e"}')
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704  (it holds no tag)
