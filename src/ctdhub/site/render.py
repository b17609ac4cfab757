"""Draw a page: the frame that all pages share, in one language, with the menu of the site."""

from __future__ import annotations

from collections.abc import Sequence

from ctdhub.core.i18n import NATIVE_NAMES, RIGHT_TO_LEFT, current
from ctdhub.release.open import Release
from ctdhub.report import cards
from ctdhub.report.errata_words import shown
from ctdhub.site.edition import PLAIN, Edition
from ctdhub.site.frame import EXIT_URL, FEED, FIGURES, Links, Page, address, environment, inlined
from ctdhub.site.registry import menu


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
            shared=edition.sharing.head(places, lang, release, dataset=page.dataset),
            lang=lang,
            rtl=lang in RIGHT_TO_LEFT,
            release=release,
            facts=release.facts,
            notices=shown(release),
            site_feed=links.file(f"../../{FEED}"),
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
                for group, entries in menu(release, edition).items()
            },
            exit_url=EXIT_URL,
        )
    )
