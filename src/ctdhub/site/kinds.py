"""A kind of page: what it puts on a site, and where the menu has it.

A module of pages ends its work in one :class:`PageKind`; ``registry`` lists them.  Whoever draws a
site asks the kinds and names no page.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from ctdhub.core.i18n import Text, current
from ctdhub.release.open import Release
from ctdhub.site.edition import Edition
from ctdhub.site.frame import Page, address
from ctdhub.stats.answers import Answers

GET_HELP, EXPLORE, PLACES = Text("Get help"), Text("Explore"), Text("Places")
CHANGE, ASSISTANCE = Text("Change"), Text("Assistance (data)")
LEARN, DATA = Text("Learn"), Text("Data")
GROUPS = (GET_HELP, EXPLORE, PLACES, CHANGE, ASSISTANCE, LEARN, DATA)
"""Entries of the menu, in its order: at most seven.  Each leads to the first page of its group."""


@dataclass(frozen=True)
class Content:
    """What the pages of one release are made of.

    Attributes:
        answers: the release's.
        edition: what the site shows besides its releases.
        others: paths of the other pages, for those that link to any of them.
    """

    answers: Answers
    edition: Edition
    others: Container[str] = ()

    @property
    def release(self) -> Release:
        """The release."""
        return self.answers.release

    def place(self, path: str) -> str:
        """Where a page in the language in force is for good: its public address, or its path."""
        return self.edition.sharing.place(address(current(), self.release.version, path))


@dataclass(frozen=True)
class MenuEntry:
    """A page in the menu: the entry that it belongs to, its path, and its label in the line of
    pages of that entry."""

    group: Text
    path: str
    label: Text


@dataclass(frozen=True)
class WholePage:
    """A page that is a whole document, without the frame of the other pages.

    Attributes:
        path: in the folder of its language.
        title: of the window.
        html: makes its text, in the language in force.
    """

    path: str
    title: str
    html: Callable[[], str]


def _always(_release: Release, _edition: Edition) -> bool:
    return True


def no_files(_folder: Path, _content: Content) -> None:
    """Write no files."""


@dataclass(frozen=True)
class PageKind:
    """A kind of page.

    Attributes:
        name: what ``build_site(only=…)`` calls it.
        pages: its pages, in the language in force.
        menu: where the menu has it; None where another page leads to it.
        shown: whether a release has it, given what else the site shows.
        files: writes its files for programs into the folder of the release, in English, such as
            the numbers of its charts.
        translated: writes its files of the language in force into the folder of the release.
        latest: ``files`` are also written for the newest release, whichever it is, for those who
            subscribe.
        links: its pages may link to any other, so they are drawn last.
        paths: paths of its pages where these are known without drawing them; None to draw them.
    """

    name: str
    pages: Callable[[Content], Iterable[Page | WholePage]]
    menu: MenuEntry | None = None
    shown: Callable[[Release, Edition], bool] = _always
    files: Callable[[Path, Content], None] = no_files
    translated: Callable[[Path, Content], None] = no_files
    latest: bool = False
    links: bool = False
    paths: Callable[[Content], Iterable[str]] | None = None
