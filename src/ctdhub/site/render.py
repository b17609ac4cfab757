"""The pages of a site, each drawn in one language, and its search."""

import hashlib
import json
import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ctdhub.core.files import rewrite
from ctdhub.core.i18n import LANGUAGES, _, current, language, said
from ctdhub.release.open import Release
from ctdhub.report import citing
from ctdhub.report.figures import listed_places
from ctdhub.report.figures import path as place_path
from ctdhub.report.helplines import Help
from ctdhub.schema import countries
from ctdhub.schema.countries import counted_under, fold_name, own_names, spellings
from ctdhub.schema.labels import label
from ctdhub.schema.model import AGE, CHILD_BANDS, load_schema
from ctdhub.site import course, explorer, frame
from ctdhub.site.chart_files import card_values
from ctdhub.site.edition import GROUPS, PLAIN, Content, Edition, PageKind, WholePage
from ctdhub.site.explorer import synonyms
from ctdhub.site.pages import (
    assistance,
    changes,
    data,
    estimates,
    events,
    facts,
    help,
    home,
    mandated,
    methods,
    places,
    signals,
    trends,
)
from ctdhub.site.pages import map as map_page
from ctdhub.site.stories import page as stories

# --------------------------------------------------------------------------------------------------
# The pages of a site: every kind once, in the order of the menu.
#
# A new page is a module with a ``KIND``, its import and its line here.

PAGES: tuple[PageKind, ...] = (
    home.KIND,
    help.GET_HELP_KIND,
    explorer.KIND,
    facts.KIND,
    estimates.KIND,
    places.KIND,
    map_page.KIND,
    map_page.CORRIDORS_KIND,
    places.BRIEFS_KIND,
    trends.KIND,
    signals.KIND,
    changes.KIND,
    assistance.KIND,
    stories.KIND,
    course.KIND,
    events.KIND,
    help.KIND,
    data.KIND,
    data.STANDARDS_KIND,
    mandated.KIND,
    methods.KIND,
    methods.STYLE_KIND,
    methods.CHECK_KIND,
)


def kinds(release: Release, edition: Edition, only: Collection[str] = ()) -> tuple[PageKind, ...]:
    """The kinds that a release has, given what else the site shows; a withdrawn one has those that
    hold no number.

    Args:
        only: names of the kinds that are wanted; none named, all are.

    Raises:
        ValueError: no kind has such a name.
    """
    if unknown := sorted(set(only) - {kind.name for kind in PAGES}):
        raise ValueError(f"no such kind of page: {', '.join(unknown)}")
    known = (kind for kind in PAGES if kind.common or not release.withdrawn)
    offer = (kind for kind in known if kind.shown(release, edition))
    return tuple(kind for kind in offer if not only or kind.name in only)


def lost(release: Release) -> list[str]:
    """Paths of pages that a withdrawn release leaves without a number: of each kind the first."""
    if not release.withdrawn:
        return []
    return [frame.HOME, *(k.menu.path for k in PAGES if k.menu and not k.common)]


def in_turn(wanted: Collection[PageKind]) -> list[PageKind]:
    """Kinds in the order in which they are drawn."""
    return sorted(wanted, key=lambda kind: kind.links)


def pages_of(kind: PageKind, content: Content) -> Iterable[frame.Page | WholePage]:
    """The pages of a kind in the language in force."""
    if kind.links and not content.others:
        content = replace(content, others=Paths(content))
    return kind.pages(content)


class Paths(Container[str]):
    """Paths of the pages of a release, but of those that may link to any other.

    Whoever asks for a page in the menu gets an answer at once; for any other as few kinds are
    drawn as tell.
    """

    def __init__(self, content: Content) -> None:
        others = [k for k in kinds(content.release, content.edition) if not k.links]
        self._paths = {kind.menu.path for kind in others if kind.menu}
        self._more = (page.path for kind in others for page in kind.pages(content))

    def __contains__(self, path: object) -> bool:
        while path not in self._paths and (page := next(self._more, "")):
            self._paths.add(page)
        return path in self._paths


def menu(release: Release, edition: Edition) -> dict[str, dict[str, str]]:
    """Entries of the menu, each with its pages by path, in the language in force; those that a
    site has.  An entry leads to its first page."""
    entries = [kind.menu for kind in kinds(release, edition) if kind.menu is not None]
    groups = {
        said(group): {entry.path: said(entry.label) for entry in entries if entry.group == group}
        for group in GROUPS
    }
    return {group: pages for group, pages in groups.items() if pages}


# --------------------------------------------------------------------------------------------------
# Draw a page: the frame that all pages share, in one language, with the menu of the site.

Entries = Mapping[str, Mapping[str, str]]
"""Entries of the menu, each with its pages by path."""
UNLISTED = (
    "home.html",
    "explore.html",
    "map.html",
    "get_help.html",
    "place.html",
    "trends.html",
    "withdrawn.html",
)
"""Templates of pages without a list of contents: they are laid out in another way."""
LONG = 4
"""Headings from which on a page has a list of its contents."""
MOST = 4
"""Helplines at the foot of a page or card; the page "Get help" has all."""


def render(
    page: frame.Page | WholePage,
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
    if isinstance(page, WholePage):
        return page.html()
    lang = current()
    links = frame.Links(page.path, lang, release.version, page.framed)
    places = {code: frame.address(code, page.path) for code in languages}
    css, css_hash = frame.inlined(page.css)
    searched = not release.withdrawn and not page.framed
    leaving, digest = frame.inlined(frame.SCRIPT)
    run = [] if page.framed else [digest]
    scripts = (*page.scripts, *([frame.SEARCH] if searched else []))
    files = ["'self'", "file:"] if scripts else []
    more = {*page.sources, *(["connect-src 'self'"] if searched else [])}
    help = edition.help_of(release)
    html = frame.written(
        page.template,
        **(frame.about(release) | dict(page.values)),
        page=page,
        links=links,
        shared=None
        if page.framed
        else edition.sharing.head(places, lang, release, dataset=page.dataset),
        **frame.said_of(release),
        site_feed=links.root(frame.FEED),
        help=help,
        contacts=help.contacts(page.country)[:MOST],
        all_help="" if page.framed else links.page(frame.GET_HELP_PAGE),
        css=css,
        policy=frame.policy([css_hash], run, files, more=sorted(more)),
        card=citing.common(release) if set(frame.FIGURES) <= set(page.scripts) else None,
        scripts=[links.root(frame.script(name)) for name in scripts],
        languages=languages,
        entries=menu(release, edition) if entries is None else entries,
        searched=searched,
        exit_url=frame.exit_address(edition.exits),
        leaving=leaving,
        home=links.page(frame.HOME),
        **card_values(links, edition, release),
    )
    return html if page.framed or page.template in UNLISTED else contents(html)


def contents(html: str) -> str:
    """The page with a list of its second headings below the first one, where it has many."""
    heads = re.findall(r'<h2 id="(?!card-t)([^"]+)"[^>]*>(.*?)</h2>', html, re.DOTALL)
    if len(heads) < LONG:
        return html
    words = [(anchor, Markup(re.sub(r"<[^>]+>", "", text))) for anchor, text in heads]  # noqa: S704
    made = frame.written("contents.html", headings=words)
    return html.replace("</h1>", f"</h1>\n{made}", 1)


_SLOT = re.compile(r"(<!--(contacts|helplines):(\w*)-->).*?(<!--/-->)", re.DOTALL)


def with_help(html: str, path: str, help: Help) -> str:
    """The page in the language in force with the helplines of today in its slots."""

    def text(slot: re.Match[str]) -> str:
        where, links = slot[3], frame.Links(path, current(), "")
        values = {"help": help, "country": where, "all_help": links.page(frame.GET_HELP_PAGE)}
        contacts = help.contacts(where)[:MOST]
        return slot[1] + frame.written(f"{slot[2]}.html", contacts=contacts, **values) + slot[4]

    return _SLOT.sub(text, html)


# --------------------------------------------------------------------------------------------------
# Pages that the site has already: taken from it where what they are made of is the same.


@dataclass(frozen=True)
class PageLog:
    """What the pages of a hub's site were made of.

    Attributes:
        site: folder of the site.
        file: where that is written down, which nobody but the hub can write.
        software: hash of the program that draws.
    """

    site: Path
    file: Path
    software: str
    _now: dict[str, tuple[str, dict[str, tuple[str, str]]]] = field(default_factory=dict)

    def taken(self, kind: str, sources: object, help: Help) -> list[tuple[str, str, str]]:
        """Path, title and HTML of pages of the site, in the language in force; none where the site
        has them otherwise.

        Args:
            kind: of the pages.
            sources: what they are made of; its ``repr`` says all of it.
            help: what their slots are filled with.
        """
        name, key = frame.address(current(), kind), _hash(repr((self.software, sources)))
        self._now[name] = key, {}
        try:
            made_of, pages = self._before[name]
            files = pages.items() if made_of == key else ()
            read = [(path, title, self._read(path, sha256)) for path, (title, sha256) in files]
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return []
        return [(path, title, with_help(html, path, help)) for path, title, html in read]

    def note(self, kind: str, path: str, title: str, html: str) -> None:
        """A page that is written."""
        self._now[frame.address(current(), kind)][1][path] = title, _hash(html)

    def _read(self, path: str, sha256: str) -> str:
        html = (self.site / frame.address(current(), path)).read_bytes().decode()
        if _hash(html) != sha256:
            raise ValueError
        return html

    @cached_property
    def _before(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.file.read_bytes()))
        except (OSError, ValueError, TypeError):
            return {}

    def save(self) -> None:
        """Write it down."""
        self.file.parent.mkdir(exist_ok=True)
        rewrite(self.file, json.dumps(self._now).encode())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --------------------------------------------------------------------------------------------------
# The search of a site: places, variables and pages, found by any spelling in any language.
#
# Each language has one file, which a page loads when its reader enters the search: over HTTP it is
# fetched, from ``file://`` it runs as a classic script.  ``static/search.js`` folds what is typed
# in the way of :func:`ctdhub.schema.countries.fold_name`.

FILE, CALL = "search-index.js", "ctdhubSearch"
Entry = tuple[str, str, str, str]
"""Name, address from the folder of the language, what it is, folded spellings joined by "|"."""


def write_search(folder: Path, content: Content, titles: Mapping[str, str]) -> None:
    """Write the file of the language in force.

    Args:
        folder: of the language.
        titles: of each page by its path; a place is only led to where it has a page.
    """
    rows = [*_places(content, titles), *_variables(content), *_pages(content, titles)]
    hints = sorted({hint for _name, _path, hint, _spelt in rows})
    data = {
        "hints": hints,
        "entries": [[name, where, hints.index(hint), spelt] for name, where, hint, spelt in rows],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    (folder / FILE).write_text(f"{CALL}({text})", "utf-8")


def _places(content: Content, titles: Mapping[str, str]) -> Iterator[Entry]:
    """Regions, then every country: one without a page leads to its region, and says so."""
    lang, codes = current(), listed_places(content.answers)
    for key in countries.regions():
        names = (countries.region_name(key, code) for code in LANGUAGES)
        if place_path(key) in titles:
            yield countries.region_name(key, lang), place_path(key), _("region"), _spelt(names)
    for code in countries.ALPHA3:
        region = countries.region(code)
        above = countries.region_name(region, lang)
        where, hint = place_path(code), above
        if code not in codes:
            where = place_path(region if region != countries.NO_REGION else "index")
            hint = _("not shown (not zero); see {region}").format(region=above)
        if where not in titles:
            continue
        own = map(fold_name, own_names(code))
        yield countries.name(code, lang), where, hint, "|".join(_fewer((*spellings()[code], *own)))
        if others := counted_under().get(code):
            hint = _("{name}: counted here in these data").format(name=others[0])
            yield countries.name(code, lang), where, hint, _spelt(others)


def _variables(content: Content) -> Iterator[Entry]:
    """Variables of the release, and children: in the explorer where it has a chart of them, else in
    the codebook."""
    lang, schema = current(), load_schema()
    book = frame.codebook(lang)
    has_book = (content.release.path / book).exists()
    links = frame.Links(frame.HOME, lang, content.release.version)
    for name in sorted(content.answers.variables):
        where = f"{explorer.PATH}#show={name}"
        called = (label(name, code) for code in LANGUAGES)
        spelt = _spelt((name, *called, *synonyms()["pages"].get(where, ())))
        if name in schema.explorer:
            yield label(name, lang), where, _("variable: chart"), spelt
        elif has_book:
            yield label(name, lang), links.file(f"{book}#{name}"), _("variable: definition"), spelt
    if AGE in content.answers.variables:
        where = f"{explorer.PATH}#{AGE}={','.join(CHILD_BANDS)}"
        yield _("Children under 18"), where, label(AGE, lang), _spelt(synonyms()["children"])


def _pages(content: Content, titles: Mapping[str, str]) -> Iterator[Entry]:
    """Pages that are no place, by their titles; those of the menu also by their labels."""
    labels = {
        kind.menu.path: (kind.menu.label, kind.menu.group)
        for kind in kinds(content.release, content.edition)
        if kind.menu
    }
    for where, title in titles.items():
        if where.startswith(("countries/", "briefs/")):
            continue
        words = [title]
        for code in LANGUAGES if where in labels else ():
            with language(code):
                words += map(said, labels[where])
        yield (
            title,
            where,
            _("page"),
            _spelt([*words, *synonyms()["pages"].get(where, ())]),
        )
        if cited := synonyms()["pages"].get(f"{where}#cite"):
            yield _("Cite"), f"{where}#cite", _("page"), _spelt([_("Cite"), *cited])


def _spelt(words: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    folded = sorted({fold_name(word) for word in words}, key=lambda k: (-len(k), k))
    return "|".join(_fewer(folded))


def _fewer(folded: list[str] | tuple[str, ...]) -> list[str]:
    """Without those that another begins with, which what is typed begins with too; codes stay."""
    kept: list[str] = []
    for key in folded:
        if key and (len(key) <= 3 or not any(other.startswith(key) for other in kept)):
            kept.append(key)
    return kept
