"""What each release keeps on a site for good: cards, which are cited, and files for programs.

    <release>.cards.zip     beside the release, as it was drawn when a site first showed it
    r/<version>/            the same in each site, and the release's own files; its ``index.html``
                            leads to the index of the release in each language

All that is here is made of the release, the address of the site and earlier releases, so a later
release, a notice or a helpline changes nothing of it.  A name that pages of later software give and
that is not here yet is added; what is here stays.  A site without an address keeps nothing.

What must be said today stands in slots of a card, which are filled in each site by copying:
``<!--status:page-->`` (a newer release, notices, the page that shows the charts) and
``<!--help:ITA-->`` (whom to call).  A release that was withdrawn has its notice at each address.
"""

import hashlib
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

from markupsafe import Markup

from ctdhub.core.errors import error
from ctdhub.core.files import rewrite
from ctdhub.core.i18n import LANGUAGES, Text, _, current, language
from ctdhub.release.errata import errata_of, status
from ctdhub.release.open import Problem, Release, digest, sha256
from ctdhub.report.wording import called, citation
from ctdhub.site import feed, frame, render
from ctdhub.site.api import write_api
from ctdhub.site.edition import PLAIN, Content, Edition, WholePage
from ctdhub.site.pages.changes import FOLDER as CHANGES
from ctdhub.site.pages.data import ZIP, pack, write_zip
from ctdhub.stats.answers import Answers

_CARD = re.compile(rf"(?:{'|'.join(LANGUAGES)})/.+\.html")
_NUMBERS = re.compile(rb"<table|<svg|application/json")
"""What no card of a withdrawn release has."""
_SLOT = re.compile(rb"(<!--(?P<kind>status|help):(?P<what>[\w./-]*)-->).*?(<!--/-->)", re.DOTALL)


def archive(release: Path) -> Path:
    """Where what a release keeps on a site lies, beside the folder of the release."""
    return release.with_name(f"{release.name}.cards.zip")


@dataclass(frozen=True)
class CardLog:
    """What a hub keeps of the cards of its releases, and of its pages.

    Attributes:
        note: told version and SHA-256 of an archive before it is kept.
        hashes: SHA-256 of archives by version, all that were noted.
        pages: of its site.
    """

    note: Callable[[str, str], object]
    hashes: Mapping[str, Collection[str]] = field(default_factory=dict)
    pages: render.PageLog | None = None


# --------------------------------------------------------------------------------------------------
# Draw what a release keeps: once.


def draw(
    answers: Answers,
    folder: Path,
    edition: Edition,
    languages: Sequence[str],
    only: Collection[str] = (),
) -> None:
    """Write cards and files of a release, with empty slots.

    Args:
        folder: of the release in a site.
        edition: of which the public address and the releases of the site are read, nothing else.
        languages: of the cards.
        only: names of the kinds of page of which to write them; none named, all and the interface.
    """
    if answers.release.errata:
        answers = Answers(replace(answers.release, errata=()))
    plain = Edition(frame.Sharing(edition.sharing.url), series=edition.series)
    content, kinds = Content(answers, plain), render.kinds(answers.release, plain, only)
    folder.mkdir(parents=True, exist_ok=True)
    with language(LANGUAGES[0]):
        for kind in kinds:
            if not kind.of_site:
                kind.files(folder, content)
        if not only:
            write_api(answers, folder, languages)
    for code in languages:
        with language(code):
            titles = {}
            for kind in kinds:
                kind.translated(folder, content)
                for page in kind.cards(content):
                    _write(page, content, folder)
                    titles[page.path] = page.title
            if not only:
                _write(_index(content.release, titles, folder), content, folder)


_LINK = re.compile(r'(<a\b[^>]*?) href="(?!#)[^"]*"')


def unpublished(answers: Answers, url: str) -> dict[str, tuple[str, str]]:
    """Title and HTML of each card by its path, in the language in force, as approvers see it before
    it is published: links lead nowhere, and what needs a script is left out.

    Args:
        answers: of the candidate, or of a release to be read beside it.
        url: public address of the site; empty where it is not known.
    """
    content = Content(answers, Edition(frame.Sharing(url)))
    cards = {}
    for page in (p for kind in render.kinds(content.release, PLAIN) for p in kind.cards(content)):
        if isinstance(page, frame.Page) and not page.scripts:
            html = render.render(page, content.release, (), content.edition, {})
            cards[page.path] = page.title, _LINK.sub(r"\1", html)
    return cards


def _write(page: frame.Page | WholePage, content: Content, folder: Path) -> None:
    html = render.render(page, content.release, (), content.edition, {})
    frame.write(folder / current() / page.path, html)


def _index(release: Release, titles: Mapping[str, str], folder: Path) -> frame.Page:
    """The card that says what a release is, and leads to all that it keeps: its cards, its own
    files and those in the folder, each with those beside it."""
    files = {"": sorted(path.name for path in release.path.iterdir())}
    others = {*LANGUAGES} - {current()}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and path.suffix != ".html" and not others & {*re.split("[/.]", name)}:
            files.setdefault(name.rpartition("/")[0], []).append(name)
    return frame.Page(
        path=frame.HOME,
        title=_("Release {version}").format(version=release.version),
        description=_("Identified people, not prevalence."),
        template="release.html",
        values={
            "names": [called(c) for c in release.facts.contributors],
            "cited_as": citation(release),
            "cards": titles,
            "files": files,
            "own_page": "",
        },
        framed=True,
        css="embed.css",
    )


# --------------------------------------------------------------------------------------------------
# Write it into a site: copy, then fill the slots.


@dataclass(frozen=True)
class CardWriter:
    """Writes what the releases of a site keep.

    Attributes:
        lead: the release that leads the site.
        edition: of the site.
        pages: paths of its pages by language.
        kept: of the hub; None where everything is drawn for this site alone.
    """

    lead: Release
    edition: Edition
    pages: Mapping[str, Collection[str]]
    kept: CardLog | None = None
    _calls: dict[tuple[str, ...], str] = field(default_factory=dict)

    def write(self, answers: Answers, folder: Path, languages: Sequence[str]) -> None:
        """Write a release into its folder in the site.

        Raises:
            HubError: what was kept of it was changed since.
        """
        release = answers.release
        self._take(answers, folder, languages)
        for each in self.edition.series:
            if each.release.withdrawn:
                for file in folder.glob(f"{CHANGES}/{each.release.version}.*"):
                    file.unlink()
        if release.withdrawn:
            self._withdraw(release, folder)
        for file in release.path.iterdir():
            if not release.withdrawn or file.name in feed.EVIDENCE:
                shutil.copyfile(file, folder / file.name)
        if release is self.lead and not release.withdrawn:
            write_zip(folder, release)  # of the others it would be their files once more
        feed.write_notices(release, folder)
        self.fill(release, folder)
        self._write_door(release, folder)

    def _write_door(self, release: Release, folder: Path) -> None:
        """What stands at the folder itself: what the release is, and its index by language."""
        said, (css, digest) = list[Markup](), frame.inlined("embed.css")
        for code in (code for code in LANGUAGES if (folder / code).is_dir()):
            with language(code):
                status = Markup(self._status(release, "", "../../"))  # noqa: S704  (a template)
                values = {"status": status, "index": frame.address(code), "facts": release.facts}
                text = frame.written("door_language.html", release=release, **values)
                said.append(Markup(text))  # noqa: S704  (a template)
        with language(LANGUAGES[0]):
            values = {"said": said, "css": css, "policy": frame.policy([digest], [])}
            html = frame.written("door.html", release=release, facts=release.facts, **values)
        frame.write(folder / frame.HOME, html)

    def _take(self, answers: Answers, folder: Path, languages: Sequence[str]) -> None:
        """Copy what is kept of a release, draw what is not, and keep it in a hub."""
        release, file = answers.release, archive(answers.release.path)
        noted = self.kept.hashes.get(release.version, ()) if self.kept else ()
        if noted and file.is_file():
            if sha256(file) not in noted:
                raise error("cards-changed", file=file, version=release.version)
            with zipfile.ZipFile(file) as bundle:
                bundle.extractall(folder)
                if not self._lost(release, folder):
                    return
                shutil.rmtree(folder)
                draw(answers, folder, self.edition, languages)
                bundle.extractall(folder)  # what was drawn before stays as it was
        else:
            draw(answers, folder, self.edition, languages)
        if self.kept and self.edition.sharing.url:
            files = (path for path in folder.rglob("*") if path.is_file())
            packed = BytesIO()
            pack(packed, {path.relative_to(folder).as_posix(): path for path in files}, release)
            content = packed.getvalue()
            if (now := hashlib.sha256(content).hexdigest()) not in noted:
                self.kept.note(release.version, now)
            rewrite(file, content, 0o644)

    def _lost(self, release: Release, folder: Path) -> bool:
        """Whether pages of the site name a card or file of the release that is not there."""
        if release is not self.lead or release.withdrawn:
            return False
        named = re.compile(rb'r/%s/([\w./-]+)["#&]' % re.escape(release.version).encode())
        site, names = folder.parents[1], set[str]()
        for code, paths in self.pages.items():
            for path in paths:
                html = (site / frame.address(code, path)).read_bytes()
                names |= {name.decode() for name in named.findall(html)}
        if self.edition.offline:  # scripts are written for disks later
            names = {name for name in names if not name.endswith(".js")}
        roots = folder, release.path
        return any(not any((r / name).is_file() for r in roots) for name in names - {ZIP})

    def _withdraw(self, release: Release, folder: Path) -> None:
        """Put the notice in the place of each card, and take the files away."""
        places = [path.relative_to(folder) for path in sorted(folder.rglob("*.html"))]
        shutil.rmtree(folder)
        for place in places:
            code, *inside = place.parts
            with language(code):
                onward = frame.address(self._spoken())
                page = feed.tombstone(release, self.lead, "/".join(inside), onward)
                frame.write(folder / place, render.render(page, release, (), self.edition, {}))

    def fill(self, release: Release, folder: Path) -> None:
        """Fill the slots of all cards of a release."""
        for code in (path.name for path in folder.iterdir() if path.name in LANGUAGES):
            with language(code):
                for path in (folder / code).rglob("*.html"):
                    up = "../" * (len(path.relative_to(folder).parts) + 1)
                    path.write_bytes(self._filled(path.read_bytes(), release, up))

    def _filled(self, html: bytes, release: Release, up: str) -> bytes:
        """A card in the language in force; ``up`` leads from it to the root of the site."""

        def text(slot: re.Match[bytes]) -> bytes:
            what = slot["what"].decode()
            if slot["kind"] == b"status":
                said = self._status(release, what, up)
            else:
                key = current(), what, release.facts.helpline
                if key not in self._calls:
                    contacts = self.edition.help_of(release).contacts(what)[: render.MOST]
                    self._calls[key] = frame.written("call.html", contacts=contacts)
                said = self._calls[key]
            return slot[1] + said.encode() + slot[4]

        return _SLOT.sub(text, html)

    def _status(self, release: Release, page: str, up: str) -> str:
        """What a reader of a card must know today, and where the site shows the charts."""
        code = self._spoken()
        there = page if page in self.pages.get(code, ()) else frame.HOME
        return frame.written(
            "status.html",
            older=release is not self.lead and not release.withdrawn,
            onward="" if release.withdrawn else up + frame.address(code, there),
            chart=bool(page),
            **frame.said_of(release),
        )

    def _spoken(self) -> str:
        """The language in force where the site has pages in it, else English."""
        return current() if current() in self.pages else LANGUAGES[0]


# --------------------------------------------------------------------------------------------------
# Check it: the archive by its hash, and a site by the archive, with the slots emptied.


def faults(release: Path, known: Collection[str] | None, site: Path) -> Iterator[Problem]:
    """What was changed of that which a release keeps on a site; what slots say is not compared.

    Args:
        release: its folder.
        known: SHA-256 of its archives that the hub noted; None outside a hub.
        site: the folder of the release in a site; it need not exist.
    """
    file = archive(release)
    if not file.is_file():
        if known:
            text = Text("The file is missing, or a link or folder is in its place.")
            yield Problem("missing", file.name, text)
        return
    changed = Text("The cards are not those that the hub noted when it first showed them.")
    if known is not None and sha256(file) not in known:
        yield Problem("changed", file.name, changed)
        return
    text = Text("The site does not show it as it was drawn.")
    if withdrawn := status(errata_of(release, digest(release)).notices) == "withdrawn":
        text = Text("The release {version} was withdrawn.", version=release.name)
    try:
        with zipfile.ZipFile(file) as bundle:
            bundle.getinfo(frame.address(LANGUAGES[0]))  # of a part, a spreadsheet in it may open
            wrong = sorted(_wrong(bundle, site, withdrawn=withdrawn)) if site.is_dir() else []
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, OSError, RuntimeError):
        yield Problem("changed", file.name, changed)
        return
    for name in wrong:
        yield Problem("changed", f"r/{release.name}/{name}", text)


def _wrong(bundle: zipfile.ZipFile, site: Path, *, withdrawn: bool) -> Iterator[str]:
    """Names of what a site shows of a release otherwise than its archive asks for."""
    shown = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    names = set(bundle.namelist())
    cards, drawn = ({name for name in part if _CARD.fullmatch(name)} for part in (shown, names))
    yield from cards ^ drawn
    for name in names & shown:
        content = (site / name).read_bytes()
        if withdrawn:
            if name not in drawn or _NUMBERS.search(content):
                yield name
        elif emptied(content) != emptied(bundle.read(name)):
            yield name


def emptied(content: bytes) -> bytes:
    """A card without what stands in its slots."""
    return _SLOT.sub(rb"\1\4", content)
