"""Write what a site shows of one release: pages and their files, part by part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

from ctdhub.core.i18n import LANGUAGES, current
from ctdhub.release.open import Release
from ctdhub.site.api.files import write_api
from ctdhub.site.edition import Edition
from ctdhub.site.errata import tombstone
from ctdhub.site.frame import address
from ctdhub.site.kinds import Content, PageKind, WholePage, no_files
from ctdhub.site.parts import Parts, Titles, fingerprint
from ctdhub.site.registry import in_turn, kinds, menu, pages_of
from ctdhub.site.render import Entries, render
from ctdhub.site.search import write_search
from ctdhub.stats.answers import Answers


@dataclass(frozen=True)
class ReleaseWriter:
    """Writes what the site shows of one release.

    Attributes:
        answers: of the release.
        edition: as far as the release can carry it.
        lead: the release that leads the site.
        fresh: folder of the new site.
        parts: of the site.
        only: names of the kinds of page to write; none named, all are.
        whole: whether the site is no draft.
    """

    answers: Answers
    edition: Edition
    lead: Release
    fresh: Path
    parts: Parts
    only: Collection[str] = ()
    whole: bool = True

    @cached_property
    def _kinds(self) -> Sequence[PageKind]:
        return kinds(self.answers.release, self.edition, self.only)

    @cached_property
    def _print(self) -> str:
        return fingerprint(self.answers.release)

    @cached_property
    def _offered(self) -> Sequence[str]:
        return offered(self.answers.release)

    def pages(self) -> Titles:
        """Write pages and files of the language in force; the title of each page by its path."""
        release, titles = self.answers.release, Titles()
        if not release.withdrawn:
            for kind in self._kinds:
                self._files(kind, kind.translated, current())
        entries = menu(release, self.edition)
        for kind in in_turn(self._kinds):
            titles |= self._pages(kind, entries)
        if self.whole and not release.withdrawn:
            folder = (self.fresh / address(current(), release.version)).parent
            write_search(folder, Content(self.answers, self.edition), titles)
        return titles

    def files(self, latest: Path | None) -> None:
        """Files for programs, in the language in force.

        Args:
            latest: also gets those of whoever subscribes; None where the release does not lead.
        """
        if self.whole:
            self._part("api", [self._offered], self._api)
        for kind in self._kinds:
            self._files(kind, kind.files)
            if latest and kind.latest:
                kind.files(latest, Content(self.answers, self.edition))

    def _api(self, _edition: Edition, site: Path) -> Titles:
        write_api(self.answers, self._folder(site), self._offered)
        return {}

    def _files(
        self, kind: PageKind, write: Callable[[Path, Content], None], code: str = ""
    ) -> None:
        def draw(edition: Edition, site: Path) -> Titles:
            write(self._folder(site), Content(self.answers, edition))
            return {}

        if write is not no_files:
            self._part(f"{kind.name}/files/{code}", [], draw)

    def _pages(self, kind: PageKind, entries: Entries) -> Titles:
        """Write the pages of a kind; those that may link to any other page are always drawn, and
        so are those of a withdrawn release, which say what to use instead."""
        release, languages = self.answers.release, self._offered
        instead = None if self.lead.withdrawn else self.lead

        def draw(edition: Edition, site: Path) -> Titles:
            titles = Titles()
            for drawn in pages_of(kind, Content(self.answers, edition)):
                page = tombstone(drawn, release, instead) if release.withdrawn else drawn
                html = (
                    page.html()
                    if isinstance(page, WholePage)
                    else render(page, release, languages, edition, entries)
                )
                write(site / address(current(), release.version, page.path), html)
                titles[page.path] = page.title
            return titles

        if kind.links or release.withdrawn:
            return draw(self.edition, self.fresh)
        return self._part(f"{kind.name}/pages/{current()}", [languages, entries], draw)

    def _part(
        self, name: str, given: Sequence[object], draw: Callable[[Edition, Path], Titles]
    ) -> Titles:
        full = f"{self.answers.release.version}/{name}"
        return self.parts.part(full, [self._print, *given], self.edition, draw)

    def _folder(self, site: Path) -> Path:
        """The folder of the release in that of a site."""
        folder = site / "r" / self.answers.release.version
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def write(path: Path, text: str) -> None:
    """Write a page; its folder is made."""
    try:
        path.write_bytes(text.encode())
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def offered(release: Release) -> tuple[str, ...]:
    """Languages of the site: those that the hub names and that have a catalogue; English always."""
    locale = resources.files("ctdhub") / "locale"
    return tuple(
        code
        for code in LANGUAGES
        if code == LANGUAGES[0]
        or (code in release.facts.languages and (locale / f"{code}.po").is_file())
    )
