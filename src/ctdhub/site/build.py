"""Build the site of a release, part by part: its pages in every language, its files, the charts'
files.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ctdhub.core.errors import error
from ctdhub.core.files import uncollected, write_whole
from ctdhub.core.i18n import LANGUAGES, _, current, language
from ctdhub.release.manifest import VERSION_PATTERN
from ctdhub.release.open import Release
from ctdhub.site import feed, frame, render
from ctdhub.site.api import write_api, write_latest
from ctdhub.site.edition import PLAIN, Content, Edition, PageKind, WholePage, no_files
from ctdhub.stats.answers import Answers

# --------------------------------------------------------------------------------------------------
# Parts of a site that are as they were: taken from the site before, not drawn again.
#
# A part is what one kind of page writes of one release in one language, pages or files.  It is made
# of the release, of the program, and of those parts of the edition that it read while it was drawn,
# which its edition notes.  A record outside the site says what they were, and the SHA-256 of each
# file that came of them.  Where all are the same, the files are taken from the site before; a file
# that is not what the record says is never taken, and its part is drawn again.

Titles = dict[str, str]
"""The title of each page by its path in the folder of its language."""
FORM = 1
"""Of the record; one of another form is as good as none."""


@dataclass(frozen=True)
class Before:
    """What a hub keeps of the site that it built last.

    Attributes:
        site: the folder of the site; whatever lies there is trusted for nothing.
        record: the file that says what the site was made of, where readers of the site cannot
            write; it is written anew with each site, and need not exist.
        software: hash of the program that draws.
    """

    site: Path
    record: Path
    software: str


class Parts:
    """Draws the parts of a site, or takes them from the site before.

    Args:
        before: None to draw everything and to note nothing.
        fresh: folder of the new site.
    """

    def __init__(self, before: Before | None, fresh: Path) -> None:
        self._before, self._fresh = before, fresh
        self._held = {} if before is None else _read(before)
        self._made: dict[str, Any] = {}
        self._digests: dict[int, tuple[object, str]] = {}
        self.taken: list[str] = []
        """Names of the parts that were not drawn."""

    def part(
        self, name: str, given: object, edition: Edition, draw: Callable[[Edition, Path], Titles]
    ) -> Titles:
        """Write a part of the site.

        Args:
            name: of the part, the same in every site.
            given: all that the part is made of besides program and edition.
            draw: writes the files of the part into a folder as into that of the site, with the
                edition that it is given and no other; says the titles of its pages.
        """
        if self._before is None:
            return draw(edition, self._fresh)
        key = digest(given)
        found = self._held.get(name)
        if not (found and found["key"] == key and self._take(self._before.site, found, edition)):
            found = {"key": key, **self._draw(edition, draw)}
        else:
            self.taken.append(name)
        self._made[name] = found
        return dict(found["titles"])

    def _draw(self, edition: Edition, draw: Callable[[Edition, Path], Titles]) -> dict[str, Any]:
        noted = Noted.watching(edition)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=self._fresh) as name:
            folder = Path(name)
            titles = draw(noted, folder)
            files = dict(_hashes(folder))
            for file in files:
                (folder / file).replace(self._target(file))
        read = {part: self._digest(getattr(edition, part)) for part in sorted(noted.read)}
        return {"read": read, "titles": titles, "files": files}

    def _take(self, site: Path, found: dict[str, Any], edition: Edition) -> bool:
        """Take the files of a part from the site before; whether it and they are the same."""
        for part, was in found["read"].items():
            if self._digest(getattr(edition, part)) != was:
                return False
        held = {}
        for name, hash_ in found["files"].items():
            try:
                content = (site / name).read_bytes()
            except OSError:
                return False
            if hashlib.sha256(content).hexdigest() != hash_:
                return False
            held[name] = content
        for name, content in held.items():
            self._target(name).write_bytes(content)
        return True

    def _target(self, file: str) -> Path:
        """A file of the new site; its folder is made."""
        target = self._fresh / file
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _digest(self, value: object) -> str:
        """The digest of a part of the edition, made once; the value is kept, so its id stays."""
        if id(value) not in self._digests:
            self._digests[id(value)] = value, digest(value)
        return self._digests[id(value)][1]

    def close(self) -> None:
        """Write the record of this site; the parts that it does not have are forgotten."""
        if self._before is not None:
            found = {"form": FORM, "software": self._before.software, "parts": self._made}
            write_whole(self._before.record, json.dumps(found, ensure_ascii=False).encode())


def _read(before: Before) -> dict[str, Any]:
    """The parts of the record that are of this program."""
    try:
        found = json.loads(before.record.read_text("utf-8"))
        same = (found["form"], found["software"]) == (FORM, before.software)
        return dict(found["parts"]) if same else {}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _hashes(folder: Path) -> Iterator[tuple[str, str]]:
    """Each file below a folder, by its path from there, and its SHA-256."""
    for path in folder.rglob("*"):
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            yield path.relative_to(folder).as_posix(), content


@dataclass(frozen=True)
class Noted(Edition):
    """An edition that notes which of its parts are read.

    Attributes:
        read: their names.
    """

    read: set[str] = field(default_factory=set)

    @classmethod
    def watching(cls, edition: Edition) -> Noted:
        """The same edition, of which nothing was read yet."""
        return cls(**{part: getattr(edition, part) for part in _names()})

    def __getattribute__(self, name: str) -> Any:
        if name in _names():
            object.__getattribute__(self, "read").add(name)
        return object.__getattribute__(self, name)


@cache
def _names() -> frozenset[str]:
    return frozenset(part.name for part in fields(Edition))


def digest(value: object) -> str:
    """SHA-256 of a value by what it holds: of texts, numbers, days, models, releases, and of
    lists, mappings and dataclasses of such.

    Raises:
        TypeError: it holds something else.
    """
    text = json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    """The value as JSON has it; two that differ are never the same."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Answers):
        return _plain(value.release)
    if isinstance(value, Release):
        return {"release": fingerprint(value)}
    if isinstance(value, date | Path):
        return {type(value).__name__: str(value)}
    if isinstance(value, BaseModel):
        return {type(value).__name__: value.model_dump_json()}
    if is_dataclass(value) and not isinstance(value, type):
        held = [_plain(getattr(value, part.name)) for part in fields(value)]
        return {type(value).__name__: held}
    if isinstance(value, Mapping):
        return {"map": [[_plain(key), _plain(part)] for key, part in value.items()]}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_plain(part) for part in value]
    if isinstance(value, Set):
        return {"set": sorted(json.dumps(_plain(part)) for part in value)}
    raise TypeError(f"no value that a part of a site is made of: {type(value).__name__}")


def fingerprint(release: Release) -> str:
    """SHA-256 of all that a release holds: its files, and the notices about it."""
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(release.path.iterdir())
        if path.is_file() and path.name not in release.manifest.files
    }
    return digest([release.version, release.manifest, files, release.errata])


# --------------------------------------------------------------------------------------------------
# Write what a site shows of one release: pages and their files, part by part.


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
        common: titles of the pages of no release by language, once the leading release is written.
    """

    answers: Answers
    edition: Edition
    lead: Release
    fresh: Path
    parts: Parts
    only: Collection[str] = ()
    whole: bool = True
    common: dict[str, Titles] = field(default_factory=dict)

    @cached_property
    def _kinds(self) -> Sequence[PageKind]:
        return render.kinds(self.answers.release, self.edition, self.only)

    @cached_property
    def _print(self) -> str:
        return fingerprint(self.answers.release)

    @cached_property
    def _offered(self) -> Sequence[str]:
        return offered(self.answers.release)

    def write_release(self, languages: Collection[str]) -> Iterator[tuple[str, float]]:
        """All that the site shows of the release, and what leads to the one that leads; before each
        part what it is, and how much is done."""
        release, newest = self.answers.release, self.answers.release is self.lead
        drawn = [code for code in self._offered if code in languages]
        folder = self._folder(self.fresh)
        for i, code in enumerate(drawn):
            yield _("Drawing pages"), i / (len(drawn) + 1)
            with language(code):
                leading = self.pages()
                if newest:
                    self._lead(leading)
        yield _("Copying downloads"), len(drawn) / (len(drawn) + 1)
        if self.whole:
            for file in release.path.iterdir():
                if not release.withdrawn or file.name in feed.KEPT:
                    shutil.copyfile(file, folder / file.name)
            feed.write_notices(release, folder)
        if not release.withdrawn:
            with language(LANGUAGES[0]):
                self.files(self.fresh / frame.LATEST if newest else None)

    def _lead(self, leading: Mapping[str, str]) -> None:
        """What leads from ``latest`` and from the root to pages of the release, by path and title,
        in the language in force."""
        facts, code = self.lead.facts, current()
        home = frame.HOME
        more = (home, f"{frame.LATEST}/{home}") if code == LANGUAGES[0] else ()
        stubs = [
            (f"{frame.LATEST}/{code}/{path}", path, title)
            for path, title in leading.items()
            if not frame.is_common(path)
        ]
        for place, path, title in (
            *stubs,
            *((root, home, facts.hub) for root in (f"{code}/{home}", *more)),
        ):
            target = "../" * place.count("/") + frame.address(code, self.lead.version, path)
            write(self.fresh / place, frame.stub(target, code, title, hidden=facts.invented))

    def pages(self) -> Titles:
        """Write pages and files of the language in force; the title of each page by its path."""
        release, titles = self.answers.release, Titles()
        if not release.withdrawn:
            for kind in self._kinds:
                self._files(kind, kind.translated, current())
        entries = render.menu(release, self.edition)
        for kind in render.in_turn(self._kinds):
            if release is self.lead or not kind.common:
                titles |= self._pages(kind, entries)
        if release is self.lead:
            self.common[current()] = {
                path: t for path, t in titles.items() if frame.is_common(path)
            }
        titles = self.common.get(current(), {}) | titles
        if self.whole and not release.withdrawn:
            folder = (self.fresh / frame.address(current(), release.version)).parent
            render.write_search(folder, Content(self.answers, self.edition), titles)
        return titles

    def files(self, latest: Path | None) -> None:
        """Files for programs, in the language in force.

        Args:
            latest: also gets those of whoever subscribes; None where the release does not lead.
        """
        if self.whole:
            self._part("api", [self._offered], self._api)
        for kind in self._kinds:
            if not kind.latest:
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

    def _pages(self, kind: PageKind, entries: render.Entries) -> Titles:
        """Write the pages of a kind; those that may link to any other page are always drawn, and
        so are those of a withdrawn release, which say what to use instead."""
        release, languages = self.answers.release, self._offered
        instead = None if self.lead.withdrawn else self.lead
        code = current() if current() in offered(self.lead) else LANGUAGES[0]
        leads = self.lead is release or release.withdrawn
        newest = "" if leads else f"{frame.LATEST}/{code}/{frame.HOME}"

        def draw(edition: Edition, site: Path) -> Titles:
            titles = Titles()
            for drawn in render.pages_of(kind, Content(self.answers, edition)):
                page = feed.tombstone(drawn, release, instead) if release.withdrawn else drawn
                html = (
                    page.html()
                    if isinstance(page, WholePage)
                    else render.render(page, release, languages, edition, entries, newest, code)
                )
                write(site / frame.address(current(), release.version, page.path), html)
                titles[page.path] = page.title
            return titles

        if kind.links or release.withdrawn:
            return draw(self.edition, self.fresh)
        return self._part(
            f"{kind.name}/pages/{current()}", [languages, entries, newest, code], draw
        )

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


# --------------------------------------------------------------------------------------------------
# Make a folder anew: its readers see the old one until the new one is whole.


@contextmanager
def renewed(out: Path, mark: str, told: Mapping[str, str]) -> Iterator[Path]:
    """A fresh folder to write into; it takes the place of ``out`` where nothing goes wrong.

    Args:
        out: a folder that does not exist, is empty, or holds a file named ``mark``.
        mark: this file says what the folder is, so that nothing else is ever replaced.
        told: what the file says, such as the release that the folder shows.

    Raises:
        HubError: the folder holds something else.
    """
    held = any(out.iterdir()) and not (out / mark).is_file() if out.is_dir() else out.exists()
    if held or out.is_symlink():
        raise error("site-folder", file=out)
    out.parent.mkdir(parents=True, exist_ok=True)
    for kind in (".writing", ".old"):  # left behind by a killed run
        for leftover in out.parent.glob(f"{kind}-{out.name}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
    fresh, old = (
        Path(tempfile.mkdtemp(prefix=f"{kind}-{out.name}-", dir=out.parent))
        for kind in (".writing", ".old")
    )
    try:
        yield fresh
        (fresh / mark).write_text(json.dumps(dict(told)), "utf-8")
        fresh.chmod(0o755)
        if out.exists():
            out.rename(old / "site")
        fresh.rename(out)
    finally:
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)


# --------------------------------------------------------------------------------------------------
# Build the site of a release: its pages in every language, its files, the charts' files.
#
# The site opens from ``file://``, shows all its charts and tables without a script, and asks
# nothing of any other server.  Where pages lie is told in ``frame``.  It is the same whatever the
# site held before: each release keeps its pages, so what was cited can be found, and a part that is
# taken from the site before is byte for byte the part that would be drawn (``parts``).

Progress = Callable[[str, float], None]
MARK = "site.json"
"""This file says that a folder holds a site, so that nothing else is ever replaced."""
DRAFT = "draft.json"
"""Says the same of a folder that holds some pages of a site."""


def build_site(
    release: Release,
    out: Path,
    progress: Progress | None = None,
    edition: Edition = PLAIN,
    earlier: Sequence[Release] = (),
    only: Collection[str] = (),
    languages: Collection[str] = LANGUAGES,
    before: Before | None = None,
) -> None:
    """Build the site into ``out``; readers of an older one see it until the new one is whole.

    A draft, which ``only`` or ``languages`` asks for, holds some pages as the whole site has them,
    and the files of these pages: no downloads and no interface for programs.  It never takes the
    place of a site.

    Args:
        release: the opened release that leads: the newest that was not withdrawn.
        out: a folder that does not exist, is empty, or holds a site of no other releases.
        progress: told (message, fraction).
        edition: what the site shows beside its releases.
        earlier: the other releases, each with pages, files and API of its own; of withdrawn ones
            the pages say that they were.
        only: names of the kinds of page to draw; none named, all are drawn.
        languages: draw no others.
        before: the site that was built before this one, whose parts are taken where they are as
            they would be drawn; None to draw all.  A draft takes none.

    Raises:
        TypeError: not a Release.
        ValueError: no kind of page has such a name, or the site has none of these languages.
        HubError: the folder holds something else, a site that shows a release or a notice which is
            not among those given, or a story is wrong.
    """
    shown = (release, *earlier)
    if not all(isinstance(each, Release) for each in shown):
        raise TypeError("a site shows releases and nothing else")
    if not set(languages) & set(offered(release)):
        raise ValueError(f"the site has none of these languages: {', '.join(languages)}")
    refuse_smaller(out, [each.version for each in shown])
    feed.refuse_fewer_notices(out, shown)
    whole, report = not only and set(LANGUAGES) <= set(languages), progress or _untold
    edition = replace(edition, series=tuple(map(Answers, shown)))
    told = {"made by": release.manifest.software, "release": release.version}
    with uncollected(), renewed(out, MARK if whole else DRAFT, told) as fresh:
        frame.write_scripts(fresh)
        parts = Parts(before if whole else None, fresh)
        common: dict[str, Titles] = {}
        for i, each in enumerate(edition.series):
            own = edition if each.release is release else render.fitting(each, edition)
            writer = ReleaseWriter(each, own, release, fresh, parts, only, whole, common)
            for message, done in writer.write_release(languages):
                report(message, (i + done) / len(shown))
        if whole:
            frame.write_for_robots(fresh, release, edition.sharing, offered(release))
            write_latest(fresh, release.version, feed.of_all(shown))
            frame.write_catalogue(fresh, shown, edition.sharing)
            feed.write_feed(fresh, edition.series, edition.sharing)
        parts.close()
    report(_("Site built"), 1.0)


def _untold(_message: str, _fraction: float) -> None:
    """Nobody waits for the progress."""


def refuse_smaller(site: Path, versions: Collection[str]) -> None:
    """Refuse to take a release from readers of a site who may have cited it.

    Args:
        site: the folder of a site; it need not exist.
        versions: of all releases that the new site will show.

    Raises:
        HubError: the site shows another one.
    """
    held = {path.name for path in site.glob("r/*") if re.fullmatch(VERSION_PATTERN, path.name)}
    if lost := sorted(held - set(versions)):
        raise error("site-smaller", file=site, versions=", ".join(lost))
