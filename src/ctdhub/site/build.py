"""Build the site: its pages in every language, and what each release keeps on it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import resources
from pathlib import Path

from ctdhub.core.errors import error
from ctdhub.core.files import fresh_folder, put_back, swap, uncollected
from ctdhub.core.i18n import LANGUAGES, _, current, language
from ctdhub.release.manifest import VERSION_PATTERN
from ctdhub.release.open import Release, sha256
from ctdhub.site import explorer, feed, frame, render
from ctdhub.site.api import write_latest
from ctdhub.site.cards import CardLog, CardWriter, draw
from ctdhub.site.edition import PLAIN, Content, Edition, PageKind
from ctdhub.stats.answers import Answers

# --------------------------------------------------------------------------------------------------
# Write the pages of a site: once, as the release that leads has them.


def write_pages(
    content: Content, site: Path, only: Collection[str] = (), log: render.PageLog | None = None
) -> dict[str, str]:
    """Write the pages in the language in force, and their search.

    Args:
        content: of the release that leads.
        site: the folder of the site.
        only: names of the kinds of page to write; none named, all are, and the search.
        log: of the hub whose whole site is written; None to draw every page.

    Returns:
        The title of each page by its path in the folder of its language.
    """
    release, edition, languages = content.release, content.edition, offered(content.release)
    entries, titles = render.menu(release, edition), dict[str, str]()
    content = content if only else replace(content, others=titles)
    shown = [*map(_identity, edition.series)]
    for kind in render.in_turn(render.kinds(release, edition, only)):
        own = replace(content, edition=edition.seen_by(kind))
        others = list(titles) if kind.links else []
        sources = replace(own.edition, series=()), languages, entries, others, shown
        known = log.taken(kind.name, sources, edition.help_of(release)) if log else []
        for path, title, html in known or _drawn_pages(kind, own, languages, edition, entries):
            frame.write(site / frame.address(current(), path), html)
            titles[path] = title
            if log:
                log.note(kind.name, path, title, html)
    for path in render.lost(release):
        page = feed.tombstone(release, release, path)
        html = render.render(page, release, languages, edition, entries)
        frame.write(site / frame.address(current(), path), html)
        titles[path] = page.title
    if not only and not release.withdrawn:
        render.write_search(site / current(), content, titles)
    return titles


def _drawn_pages(
    kind: PageKind,
    content: Content,
    languages: Sequence[str],
    edition: Edition,
    entries: render.Entries,
) -> Iterator[tuple[str, str, str]]:
    framed = replace(content.edition, help=edition.help)
    for page in render.pages_of(kind, content):
        html = render.render(page, content.release, languages, framed, entries)
        yield page.path, page.title, html


def _identity(answers: Answers) -> tuple[object, ...]:
    """What stands for all that a release says."""
    release = answers.release
    files = [release.path / name for name in feed.EVIDENCE]
    return release.version, [sha256(f) for f in files if f.is_file()], release.errata


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
def renewed(out: Path, mark: str, stamp: Mapping[str, str]) -> Iterator[Path]:
    """A fresh folder to write into; it takes the place of ``out`` where nothing goes wrong.

    Args:
        out: a folder that does not exist, is empty, or holds a file named ``mark``.
        mark: this file says what the folder is, so that nothing else is ever replaced.
        stamp: what the file says, such as the release that the folder shows.

    Raises:
        HubError: the folder holds something else.
    """
    obstacle = any(out.iterdir()) and not (out / mark).is_file() if out.is_dir() else out.exists()
    if obstacle or out.is_symlink():
        raise error("site-folder", file=out)
    out.parent.mkdir(parents=True, exist_ok=True)
    put_back(out)
    fresh = fresh_folder(out)
    try:
        yield fresh
        (fresh / mark).write_text(json.dumps(dict(stamp)), "utf-8")
        fresh.chmod(0o755)
        swap(fresh, out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


# --------------------------------------------------------------------------------------------------
# Build the site of a hub: pages of the release that leads, and what each release keeps.
#
# The site opens from ``file://``, shows all its charts and tables without a script, and asks
# nothing of any other server.  Where pages lie is told in ``frame``, what stays in ``cards``.

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
    kept: CardLog | None = None,
) -> None:
    """Build the site into ``out``; readers of an older one see it until the new one is whole.

    A draft, which ``only`` or ``languages`` asks for, holds some pages as the whole site has them,
    and the cards and files of these pages: no downloads and no interface for programs.  It never
    takes the place of a site.

    Args:
        release: the opened release that leads: the newest that was not withdrawn.
        out: a folder that does not exist, is empty, or holds a site of no other releases.
        progress: told (message, fraction).
        edition: what the site shows beside its releases.
        earlier: the other releases, each with cards, files and API of its own; of withdrawn ones
            the cards say that they were.
        only: names of the kinds of page to draw; none named, all are drawn.
        languages: draw no others.
        kept: of the hub, whose cards are drawn once if the site has an address; None, as for a
            draft, to draw all for this.

    Raises:
        TypeError: not a Release.
        ValueError: no kind of page has such a name, or the site has none of these languages.
        HubError: the folder holds something else, a site that shows a release or a notice which is
            not among those given, a story is wrong, or what is kept of a release was changed.
    """
    shown = (release, *earlier)
    drawn = _drawn(shown, languages)
    whole = not only and set(LANGUAGES) <= set(languages)
    report = progress or (lambda _message, _fraction: None)
    edition = replace(edition, series=tuple(map(Answers, shown)))
    stamp = {"made by": release.manifest.software, "release": release.version}
    steps = len(drawn) + len(shown)
    with uncollected(), renewed(out, MARK if whole else DRAFT, stamp) as fresh:
        refuse_smaller(out, [each.version for each in shown])
        feed.refuse_fewer_notices(out, shown)
        frame.write_scripts(fresh)
        log = kept.pages if kept and whole else None
        content, pages = Content(edition.series[0], edition), dict[str, dict[str, str]]()
        for i, code in enumerate(drawn):
            report(_("Drawing pages"), i / steps)
            with language(code):
                pages[code] = write_pages(content, fresh, only, log)
        _write_start(fresh, content, only)
        if whole:  # while what was read and compared is at hand
            _write_root(fresh, release, edition)
        writer = CardWriter(release, edition, pages, kept)
        lead = fresh / "r" / release.version
        for i, answers in enumerate(edition.series if whole else ()):
            report(_("Copying downloads"), (len(drawn) + i) / steps)
            each = answers.release
            writer.write(answers, fresh / "r" / each.version, offered(each))
            for known in edition.series:
                known.let_go()  # of so many releases it would be gigabytes
        if not whole:
            draw(content.answers, lead, edition, drawn, only)
            writer.fill(release, lead)
        if edition.offline and (lead / explorer.FOLDER).is_dir():
            explorer.write_for_disks(lead)
        if whole:
            write_latest(fresh, release.version, feed.of_all(shown))
        if log:
            log.save()
    report(_("Site built"), 1.0)


def _drawn(shown: Sequence[Release], languages: Collection[str]) -> list[str]:
    """The languages to draw of these releases; raises as ``build_site``."""
    if not all(isinstance(each, Release) for each in shown):
        raise TypeError("a site shows releases and nothing else")
    drawn = [code for code in offered(shown[0]) if code in languages]
    if not drawn:
        raise ValueError(f"the site has none of these languages: {', '.join(languages)}")
    return drawn


def _write_start(site: Path, content: Content, only: Collection[str]) -> None:
    """The page at the root, which leads to the home page, and files of pages that lie beside it."""
    hub, code = content.release.facts, LANGUAGES[0]
    with language(code):
        for kind in render.kinds(content.release, content.edition, only):
            if kind.of_site:
                kind.files(site, content)
    html = frame.stub(frame.address(code), code, hub.hub, hidden=hub.invented)
    frame.write(site / frame.HOME, html)


def _write_root(site: Path, release: Release, edition: Edition) -> None:
    """Files that belong to no single release."""
    shown = [answers.release for answers in edition.series]
    frame.write_for_robots(site, release, edition.sharing, offered(release))
    frame.write_catalogue(site, shown, edition.sharing)
    feed.write_feed(site, edition.series, edition.sharing)


def refuse_smaller(site: Path, versions: Collection[str]) -> None:
    """Refuse to take a release from readers of a site who may have cited it.

    Args:
        site: the folder of a site; it need not exist.
        versions: of all releases that the new site will show.

    Raises:
        HubError: the site shows another one.
    """
    names = {path.name for path in site.glob("r/*") if re.fullmatch(VERSION_PATTERN, path.name)}
    if lost := sorted(names - set(versions)):
        raise error("site-smaller", file=site, versions=", ".join(lost))
