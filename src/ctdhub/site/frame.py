"""What every page shares: where it lies, how it links to others, its frame in one language.

<site>/index.html, <site>/fr/index.html    lead to the last release
<site>/latest/<language>/<page>            leads to that page of the last release
<site>/r/<version>/<language>/<page>       a page, there for good
<site>/r/<version>/<file>                  the release's own files, the charts' files
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ctdhub.core.i18n import NATIVE_NAMES, RIGHT_TO_LEFT, _, current
from ctdhub.document.charts.keys import key
from ctdhub.document.embedded import embedded
from ctdhub.document.inline import inlined as in_page
from ctdhub.release.open import Release
from ctdhub.report import cards
from ctdhub.site.edition import PLAIN, Edition

FIGURES = ("save.js", "figure.js")
"""Scripts of a page with figures: they add cards, and the downloads that a browser must make."""
HOME, EVENTS, STORIES = "index.html", "events.html", "stories/index.html"
EXIT_URL = "https://www.wikipedia.org/"


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


def render(page: Page, release: Release, languages: Sequence[str], edition: Edition = PLAIN) -> str:
    """The page as HTML in the language in force.

    Args:
        languages: languages of the site; the page links to each.
        edition: what the site shows beside the release.
    """
    lang = current()
    links = Links(page.path, lang, release.version)
    places = {code: address(code, release.version, page.path) for code in languages}
    css, css_hash = inlined("site.css")
    scripts = [inlined(name) for name in page.scripts]
    policy = [
        "default-src 'none'",
        f"style-src '{css_hash}'",
        *(
            [" ".join(("script-src", *(f"'{h}'" for _text, h in scripts), *page.script_sources))]
            if scripts
            else []
        ),
        "img-src data:",
        *page.sources,
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return (
        environment()
        .get_template(page.template)
        .render(
            **page.values,
            page=page,
            links=links,
            shared=edition.sharing.head(page.path, places, lang, release),
            lang=lang,
            rtl=lang in RIGHT_TO_LEFT,
            release=release,
            facts=release.facts,
            contacts=edition.contacts(release),
            css=css,
            policy="; ".join(policy),
            card=cards.common(release) if set(FIGURES) <= set(page.scripts) else None,
            scripts=[text for text, _digest in scripts],
            languages=[
                {"code": code, "name": NATIVE_NAMES[code], "href": links.language(code)}
                for code in languages
            ],
            menu={
                group: [
                    {"href": links.page(path), "name": name, "here": path == page.menu}
                    for path, name in entries.items()
                ]
                for group, entries in menu(edition).items()
            },
            exit_url=EXIT_URL,
        )
    )


def menu(edition: Edition) -> dict[str, dict[str, str]]:
    """Entries of the menu by group and path, without those that a site lacks."""
    groups = {
        _("Numbers"): {
            HOME: _("Overview"),
            "explore.html": _("Explore"),
            "facts.html": _("Facts"),
            "assistance.html": _("Assistance"),
            "estimates.html": _("Not seen"),
        },
        _("Places"): {
            "map.html": _("Map"),
            "countries/index.html": _("Countries and regions"),
            "corridors.html": _("Corridors"),
        },
        _("Change"): {"trends.html": _("Trends"), "signals.html": _("Signals")},
        _("Use"): {
            "briefs.html": _("Briefs"),
            STORIES: _("Stories") if edition.stories else "",
            "learn/index.html": _("Learn"),
            EVENTS: _("Events") if edition.calendar else "",
        },
        _("About"): {
            "data.html": _("Data"),
            "methods.html": _("Methods"),
            "help.html": _("Help"),
        },
    }
    return {
        group: {path: name for path, name in entries.items() if name}
        for group, entries in groups.items()
    }


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


@cache
def environment() -> Environment:
    """The templates, every value escaped."""
    found = Environment(
        loader=PackageLoader("ctdhub.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    found.globals |= {"_": _, "key": key}
    found.filters |= {"base": cards.base, "missing": cards.missing}
    return found
