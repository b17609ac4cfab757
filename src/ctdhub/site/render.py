"""Draw a page: the frame that all pages share, in one language, with the menu of the site."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ctdhub.core.i18n import NATIVE_NAMES, RIGHT_TO_LEFT, current, said
from ctdhub.release.open import Release
from ctdhub.report import cards
from ctdhub.report.errata_words import shown
from ctdhub.report.helplines import Help
from ctdhub.schema import countries
from ctdhub.site.edition import PLAIN, Edition
from ctdhub.site.frame import (
    FEED,
    FIGURES,
    GET_HELP_PAGE,
    HOME,
    SEARCH,
    Links,
    Page,
    address,
    environment,
    inlined,
)
from ctdhub.site.kinds import GET_HELP
from ctdhub.site.leaving import SCRIPT, exit_address
from ctdhub.site.plots import card_values
from ctdhub.site.registry import menu

Entries = Mapping[str, Mapping[str, str]]
"""Entries of the menu, each with its pages by path."""
UNLISTED = (
    "home.html",
    "explore.html",
    "map.html",
    "get_help.html",
    "trends.html",
    "withdrawn.html",
)
"""Templates of pages without a list of contents: they are laid out in another way."""
LONG = 4
"""Headings from which on a page has a list of its contents."""
MOST = 4
"""Helplines at the foot of a page; the page "Get help" has all."""


def render(
    page: Page,
    release: Release,
    languages: Sequence[str],
    edition: Edition = PLAIN,
    entries: Entries | None = None,
) -> str:
    """The page as HTML in the language in force.

    Args:
        languages: languages of the site; the page links to each.
        edition: what the site shows beside the release.
        entries: of the menu; None to ask the registry.
    """
    lang = current()
    links = Links(page.path, lang, release.version)
    places = {code: address(code, release.version, page.path) for code in languages}
    css, css_hash = inlined("embed.css" if page.framed else page.css)
    searched = not release.withdrawn and not page.framed
    leaving, *scripts = [
        inlined(name) for name in (SCRIPT, *page.scripts, *([SEARCH] if searched else []))
    ]
    run = [] if page.framed else [digest for _text, digest in (leaving, *scripts)]
    files = {*page.script_sources, *(["file:"] if searched else [])}
    policy = [
        "default-src 'none'",
        f"style-src '{css_hash}'",
        *(
            [" ".join(("script-src", *(f"'{digest}'" for digest in run), *sorted(files)))]
            if run
            else []
        ),
        "img-src data:",
        *sorted({*page.sources, *(["connect-src 'self'"] if searched else [])}),
        "base-uri 'none'",
        "form-action 'none'",
    ]
    html = (
        environment()
        .get_template(page.template)
        .render(
            **page.values,
            page=page,
            links=links,
            shared=edition.sharing.head(places, lang, release, dataset=page.dataset),
            lang=lang,
            rtl=lang in RIGHT_TO_LEFT,
            release=release,
            facts=release.facts,
            notices=shown(release),
            site_feed=links.file(f"../../{FEED}"),
            **_help(page, edition.help_of(release)),
            all_help=links.page(GET_HELP_PAGE) if searched else "",
            css=css,
            policy="; ".join(policy),
            card=cards.common(release) if set(FIGURES) <= set(page.scripts) else None,
            scripts=[text for text, _digest in scripts],
            languages=[
                {"code": code, "name": NATIVE_NAMES[code], "href": links.language(code)}
                for code in languages
            ],
            **_menu(page, links, menu(release, edition) if entries is None else entries),
            searched=searched,
            exit_url=exit_address(edition.exits),
            leaving=leaving[0],
            home=links.page(HOME),
            **card_values(page.path, links, release, edition),
        )
    )
    return html if page.template in UNLISTED else contents(html)


def _help(page: Page, help: Help) -> dict[str, Any]:
    """Values of ``footer`` and ``helplines.html``: the first lines, and those of the country."""
    country = page.country and {
        "name": countries.name(page.country, current()),
        "emergency": help.emergency(page.country),
        "contacts": help.contacts(page.country, only=True),
    }
    return {"contacts": help.contacts(page.country)[:MOST], "country": country}


def _menu(page: Page, links: Links, entries: Entries) -> dict[str, Any]:
    """Values of ``menu.html``: the entries, and the pages next to this one in its entry."""
    shown, siblings = [], []
    for name, pages in entries.items():
        inside, first = page.menu in pages, next(iter(pages))
        here = "page" if page.path == first else "true" if inside else ""
        shown.append({"href": links.page(first), "name": name, "here": here})
        if inside and len(pages) > 1:
            siblings = [
                {
                    "href": links.page(path),
                    "name": label,
                    "here": "page" if path == page.path else "true" if path == page.menu else "",
                }
                for path, label in pages.items()
            ]
    opened = next((entry["name"] for entry in shown if entry["here"]), "")
    help_pages = entries.get(said(GET_HELP), {})
    return {
        "menu": shown,
        "siblings": siblings,
        "siblings_of": opened,
        "help_href": links.page(next(iter(help_pages))) if help_pages else "#contacts",
    }


def contents(html: str) -> str:
    """The page with a list of its second headings below the first one, where it has many."""
    found = re.findall(r'<h2 id="(?!card-t)([^"]+)"[^>]*>(.*?)</h2>', html, re.DOTALL)
    if len(found) < LONG:
        return html
    words = [(anchor, Markup(re.sub(r"<[^>]+>", "", text))) for anchor, text in found]  # noqa: S704
    made = environment().get_template("contents.html").render(headings=words)
    return html.replace("</h1>", f"</h1>\n{made}", 1)
