"""What every page shares: where it lies, how it links to others, its frame in one language.

<site>/index.html, <site>/fr/index.html    lead to the last release
<site>/latest/<language>/<page>            leads to that page of the last release
<site>/r/<version>/<language>/<page>       a page, there for good
<site>/r/<version>/<file>                  the release's own files, the charts' files
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ctdhub.core.i18n import RIGHT_TO_LEFT, _
from ctdhub.document.charts.keys import key
from ctdhub.document.embedded import embedded
from ctdhub.document.html import bidi
from ctdhub.document.inline import inlined as in_page
from ctdhub.report import cards
from ctdhub.report.called import called

FIGURES = ("save.js", "copy.js", "figure.js")
"""Scripts of a page with figures: they add cards, and the downloads that a browser must make."""
SEARCH = "search.js"
"""Script of every page: the search of places, variables and pages."""
GET_HELP_PAGE = "get-help.html"
HOME, FEED = "index.html", "feed.xml"


@dataclass(frozen=True)
class Page:
    """One page in one language.

    Attributes:
        path: where it lies in the folder of its language, for example "countries/civ.html".
        title: of the window and of search results, without the hub's name.
        description: one sentence for search results.
        template: the file in ``templates`` that draws it.
        values: what the template needs beside the frame.
        menu: path of the entry of the menu that it belongs to.
        scripts: files in ``static`` that run on it, in this order; the policy allows no others.
        sources: more directives of its Content-Security-Policy, for example "connect-src 'self'".
        script_sources: where else scripts may come from, for example "file:".
        dataset: it carries the schema.org Dataset.
        framed: it stands in frames of others: no menu, no search, no script.
        country: alpha-3 code of the country that it is about; its helplines come first.
        css: the file in ``static`` of its style, if it stands in no frame of others.
    """

    path: str
    title: str
    description: str
    template: str
    values: Mapping[str, Any]
    menu: str = ""
    scripts: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    script_sources: tuple[str, ...] = ()
    dataset: bool = False
    framed: bool = False
    country: str = ""
    css: str = "site.css"


@dataclass(frozen=True)
class Links:
    """Addresses as they are seen from one page; they work from ``file://``."""

    path: str
    lang: str
    version: str

    def page(self, path: str) -> str:
        """Another page of the same language."""
        return self._up + path

    def language(self, code: str) -> str:
        """The same page in another language."""
        return f"{self._up}../{code}/{self.path}"

    def file(self, name: str) -> str:
        """A file of the release, or of the charts."""
        return f"{self._up}../{name}"

    @property
    def _up(self) -> str:
        return "../" * self.path.count("/")


def address(code: str, version: str, path: str = HOME) -> str:
    """Where a page lies, from the root of the site."""
    return f"r/{version}/{code}/{path}"


def stub(target: str, code: str, title: str, *, hidden: bool) -> str:
    """A page that leads to another one at once; a script, where there is one, keeps what stands
    behind the ``#``, such as the filters of the explorer.

    Args:
        target: relative address.
        code: language.
        hidden: ask search engines not to list it.
    """
    text = environment().get_template("stub.html")
    return text.render(
        target=target,
        script_target=embedded(target),
        lang=code,
        rtl=code in RIGHT_TO_LEFT,
        title=title,
        hidden=hidden,
    )


def inlined(name: str) -> tuple[Markup, str]:
    """A file of ``static`` to stand in a page, and its hash as a Content-Security-Policy has it."""
    return in_page("ctdhub.site/static", name)


def scroll(name: str) -> Markup:
    """Opens the ``<div>`` of a table, which the keyboard can scroll: a region with a name."""
    tag = '<div class="scroll" tabindex="0" role="region" aria-label="{}">'
    return Markup(tag).format(name)  # noqa: S704  (the name is escaped)


@cache
def environment() -> Environment:
    """The templates, every value escaped."""
    found = Environment(
        loader=PackageLoader("ctdhub.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        auto_reload=False,
    )
    found.globals |= {"_": _, "key": key, "scroll": scroll}
    found.filters |= {"base": cards.base, "missing": cards.missing, "bidi": bidi, "called": called}
    return found
