"""The pages of a site: every kind once, in the order of the menu.

A new page is a module with a ``KIND``, its import and its line here.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import replace

from ctdhub.core.i18n import said
from ctdhub.release.open import Release
from ctdhub.site.course import page as learn
from ctdhub.site.edition import Edition
from ctdhub.site.explorer import page as explore
from ctdhub.site.frame import Page
from ctdhub.site.kinds import GROUPS, Content, PageKind, WholePage
from ctdhub.site.pages import (
    assistance,
    briefs,
    changes,
    corridors,
    data,
    embed,
    estimates,
    events,
    facts,
    get_help,
    help,
    home,
    mandated,
    map,
    methods,
    places,
    signals,
    style,
    trends,
)
from ctdhub.site.stories import page as stories
from ctdhub.stats.answers import Answers

PAGES: tuple[PageKind, ...] = (
    home.KIND,
    get_help.KIND,
    explore.KIND,
    facts.KIND,
    estimates.KIND,
    places.KIND,
    map.KIND,
    corridors.KIND,
    briefs.KIND,
    trends.KIND,
    signals.KIND,
    changes.KIND,
    assistance.KIND,
    stories.KIND,
    learn.KIND,
    events.KIND,
    help.KIND,
    data.KIND,
    mandated.KIND,
    methods.KIND,
    style.KIND,
    embed.KIND,
)


def kinds(release: Release, edition: Edition, only: Collection[str] = ()) -> tuple[PageKind, ...]:
    """The kinds that a release has, given what else the site shows.

    Args:
        only: names of the kinds that are wanted; none named, all are.

    Raises:
        ValueError: no kind has such a name.
    """
    if unknown := sorted(set(only) - {kind.name for kind in PAGES}):
        raise ValueError(f"no such kind of page: {', '.join(unknown)}")
    held = (kind for kind in PAGES if kind.shown(release, edition))
    return tuple(kind for kind in held if not only or kind.name in only)


def pages(
    answers: Answers, edition: Edition, only: Collection[str] = ()
) -> Iterator[Page | WholePage]:
    """The pages of a release in the language in force; those that link to any other come last.

    Args:
        only: names of the kinds to draw; their links are still judged by all pages.

    Raises:
        ValueError: no kind has such a name.
    """
    content = Content(answers, edition)
    for kind in in_turn(kinds(answers.release, edition, only)):
        yield from pages_of(kind, content)


def in_turn(wanted: Collection[PageKind]) -> list[PageKind]:
    """Kinds in the order in which they are drawn."""
    return sorted(wanted, key=lambda kind: kind.links)


def pages_of(kind: PageKind, content: Content) -> Iterable[Page | WholePage]:
    """The pages of a kind in the language in force."""
    if kind.links:
        content = replace(content, others=Paths(content.answers, content.edition))
    return kind.pages(content)


class Paths(Container[str]):
    """Paths of the pages of a release, but of those that may link to any other.

    Whoever asks for a page in the menu gets an answer at once; for any other as few kinds are
    drawn as tell.
    """

    def __init__(self, answers: Answers, edition: Edition) -> None:
        held = [kind for kind in kinds(answers.release, edition) if not kind.links]
        self._found = {kind.menu.path for kind in held if kind.menu}
        self._more = _paths(held, Content(answers, edition))

    def __contains__(self, path: object) -> bool:
        while path not in self._found and (found := next(self._more, "")):
            self._found.add(found)
        return path in self._found


def _paths(held: Iterable[PageKind], content: Content) -> Iterator[str]:
    """Paths of the pages of these kinds, first of those that need not be drawn for it."""
    for kind in sorted(held, key=lambda kind: (kind.paths is None, kind.name)):
        if kind.paths:
            yield from kind.paths(content)
        else:
            yield from (page.path for page in kind.pages(content))


def fitting(answers: Answers, edition: Edition) -> Edition:
    """The edition as far as an earlier release can carry it.

    A story that asks for what the release does not hold, or links to a page that it does not have,
    was never told on it.
    """
    if not edition.stories:
        return edition
    others = Paths(answers, replace(edition, stories=()))
    return replace(edition, stories=stories.fitting(answers, edition.stories, others))


def menu(release: Release, edition: Edition) -> dict[str, dict[str, str]]:
    """Entries of the menu, each with its pages by path, in the language in force; those that a
    site has.  An entry leads to its first page."""
    entries = [kind.menu for kind in kinds(release, edition) if kind.menu is not None]
    found = {
        said(group): {entry.path: said(entry.label) for entry in entries if entry.group == group}
        for group in GROUPS
    }
    return {group: pages for group, pages in found.items() if pages}
