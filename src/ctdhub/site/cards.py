"""What each release keeps on a site for good: cards, which are cited, and files for programs.

    <release>.cards.zip     beside the release, as it was drawn when a site first showed it
    r/<version>/            the same in each site, and the release's own files

All that is here is made of the release alone, so a later release, a notice or a helpline changes
nothing of it.  What must be said today stands in slots of a card, which are filled in each site by
copying: ``<!--status:page-->`` (a newer release, notices, the page that shows the charts) and
``<!--help:ITA-->`` (whom to call).  A release that was withdrawn has its notice at each address.
"""

import re
import shutil
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

from ctdhub.core.errors import error
from ctdhub.core.files import sweep, write_whole
from ctdhub.core.i18n import LANGUAGES, Text, _, current, language
from ctdhub.release.errata import errata_of, status
from ctdhub.release.open import Release
from ctdhub.release.verify import Problem, digest, sha256
from ctdhub.report.wording import called, citation
from ctdhub.site import feed, frame, render
from ctdhub.site.api import write_api
from ctdhub.site.edition import Content, Edition, WholePage
from ctdhub.site.pages.changes import FOLDER as CHANGES
from ctdhub.site.pages.data import ZIP, pack, write_zip
from ctdhub.stats.answers import Answers

MOST = 4
"""Helplines on a card."""
_SLOT = re.compile(rb"(<!--(?P<kind>status|help):(?P<what>[\w./-]*)-->).*?(<!--/-->)", re.DOTALL)


def archive(release: Path) -> Path:
    """Where what a release keeps on a site lies, beside the folder of the release."""
    return release.with_name(f"{release.name}.cards.zip")


@dataclass(frozen=True)
class Kept:
    """What a hub keeps of the cards of its releases.

    Attributes:
        note: told version and SHA-256 of what was drawn, to keep.
        hashes: SHA-256 by version, as they were noted.
    """

    note: Callable[[str, str], object]
    hashes: Mapping[str, str] = field(default_factory=dict)


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
    for code in languages:
        with language(code):
            titles = {}
            for kind in kinds:
                kind.translated(folder, content)
                for page in kind.cards(content):
                    _write(page, content, folder)
                    titles[page.path] = page.title
            if not only:
                _write(_index(content.release, titles), content, folder)
    with language(LANGUAGES[0]):
        for kind in kinds:
            if not kind.of_site:
                kind.files(folder, content)
        if not only:
            write_api(answers, folder, languages)


def _write(page: frame.Page | WholePage, content: Content, folder: Path) -> None:
    html = (
        page.html()
        if isinstance(page, WholePage)
        else render.render(page, content.release, (), content.edition, {})
    )
    path = folder / current() / page.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(html.encode())


def _index(release: Release, titles: Mapping[str, str]) -> frame.Page:
    """The card that says what a release is, and leads to all that it keeps."""
    return frame.Page(
        path=frame.HOME,
        title=_("Release {version}").format(version=release.version),
        description=_("Identified cases, not prevalence."),
        template="release.html",
        values={
            "names": [called(c) for c in release.facts.contributors],
            "cited_as": citation(release),
            "cards": titles,
            "files": [ZIP, "api/index.json", *release.manifest.files],
            "own_page": frame.HOME,
        },
        framed=True,
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
    kept: Kept | None = None

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
            if not release.withdrawn or file.name in feed.KEPT:
                shutil.copyfile(file, folder / file.name)
        if not release.withdrawn:
            write_zip(folder, release)
        feed.write_notices(release, folder)
        self.fill(release, folder)

    def _take(self, answers: Answers, folder: Path, languages: Sequence[str]) -> None:
        """Copy what is kept of a release, or draw it, and keep it in a hub."""
        version, file = answers.release.version, archive(answers.release.path)
        if self.kept and file.is_file() and version in self.kept.hashes:
            if self.kept.hashes[version] != sha256(file):
                raise error("cards-changed", file=file, version=version)
            with zipfile.ZipFile(file) as held:
                held.extractall(folder)
        else:
            draw(answers, folder, self.edition, languages)
            if self.kept:
                held_files = [path for path in folder.rglob("*") if path.is_file()]
                names = {path.relative_to(folder).as_posix(): path for path in held_files}
                packed = BytesIO()
                pack(packed, names, answers.release)
                sweep(file.parent, file.name)
                write_whole(file, packed.getvalue(), 0o644)
        if self.kept and self.kept.hashes.get(version) != (now := sha256(file)):
            self.kept.note(version, now)

    def _withdraw(self, release: Release, folder: Path) -> None:
        """Put the notice in the place of each card, and take the files away."""
        places = [path.relative_to(folder) for path in sorted(folder.rglob("*.html"))]
        shutil.rmtree(folder)
        texts: dict[tuple[str, int], str] = {}
        for place in places:
            code, *inside = place.parts
            key = code, len(inside)
            if key not in texts:
                with language(code):
                    page = feed.tombstone(release, self.lead, "/".join(inside), framed=True)
                    texts[key] = render.render(page, release, (), self.edition, {})
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(texts[key].encode())

    def fill(self, release: Release, folder: Path) -> None:
        """Fill the slots of all cards of a release."""
        for code in (path.name for path in folder.iterdir() if path.name in LANGUAGES):
            helplines: dict[str, str] = {}
            with language(code):
                for path in (folder / code).rglob("*.html"):
                    up = "../" * (len(path.relative_to(folder).parts) + 1)
                    path.write_bytes(self._filled(path.read_bytes(), release, up, helplines))

    def _filled(self, html: bytes, release: Release, up: str, helplines: dict[str, str]) -> bytes:
        """A card in the language in force.

        Args:
            up: from it to the root of the site.
            helplines: what was said by country.
        """

        def text(slot: re.Match[bytes]) -> bytes:
            what = slot["what"].decode()
            if slot["kind"] == b"status":
                said = self._status(release, what, up)
            else:
                if what not in helplines:
                    contacts = self.edition.help_of(release).contacts(what)[:MOST]
                    helplines[what] = frame.written("call.html", contacts=contacts)
                said = helplines[what]
            return slot[1] + said.encode() + slot[4]

        return _SLOT.sub(text, html)

    def _status(self, release: Release, page: str, up: str) -> str:
        """What a reader of a card must know today, and where the site shows the charts."""
        code = current() if current() in self.pages else LANGUAGES[0]
        there = page if page in self.pages.get(code, ()) else frame.HOME
        older = release is not self.lead and not release.withdrawn
        onward = up + frame.address(code, there) if page or older else ""
        return frame.written(
            "status.html",
            older=older,
            onward="" if release.withdrawn else onward,
            **frame.said_of(release),
        )


# --------------------------------------------------------------------------------------------------
# Check it: the archive by its hash, and a site by the archive, with the slots emptied.


def faults(release: Path, known: str | None, site: Path) -> Iterator[Problem]:
    """What was changed of that which a release keeps on a site.

    Args:
        release: its folder.
        known: SHA-256 of the archive as the hub noted it; None where it did not.
        site: the folder of the release in a site; it need not exist.
    """
    file = archive(release)
    if not file.is_file():
        return
    if known not in (None, sha256(file)):
        text = Text("The cards are not those that the hub noted when it first showed them.")
        yield Problem("changed", file.name, text)
        return
    if status(errata_of(release, digest(release)).given) == "withdrawn":
        return  # a site has the notice in the place of each
    with zipfile.ZipFile(file) as held:
        for name in held.namelist():
            shown = site / name
            if shown.is_file() and emptied(shown.read_bytes()) != emptied(held.read(name)):
                text = Text("The site does not show it as it was drawn.")
                yield Problem("changed", f"r/{release.name}/{name}", text)


def emptied(content: bytes) -> bytes:
    """A card without what stands in its slots."""
    return _SLOT.sub(rb"\1\4", content)
