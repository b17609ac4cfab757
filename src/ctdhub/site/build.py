"""Build the site of a release: its pages in every language, its files, the charts' files.

The site opens from ``file://``, shows all its charts and tables without a script, and asks nothing
of any other server.  Where pages lie is told in ``frame``.  It is drawn from releases alone, never
from what a site held before: each keeps its pages, so what was cited can be found.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from pathlib import Path

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import LANGUAGES, _, current, language
from ctdhub.release.manifest import VERSION_PATTERN
from ctdhub.release.open import Release
from ctdhub.site.api.files import write_api, write_latest
from ctdhub.site.edition import PLAIN, Edition
from ctdhub.site.errata import KEPT, of_all, refuse_fewer_notices, tombstone, write_notices
from ctdhub.site.feed import write_feed
from ctdhub.site.folder import renewed
from ctdhub.site.frame import HOME, address, stub
from ctdhub.site.kinds import Content, WholePage
from ctdhub.site.registry import fitting, kinds, pages
from ctdhub.site.render import render
from ctdhub.site.search import write_search
from ctdhub.site.sharing import write_catalogue, write_for_robots
from ctdhub.stats.answers import Answers

Progress = Callable[[str, float], None]
MARK = "site.json"
"""This file says that a folder holds a site, so that nothing else is ever replaced."""
DRAFT = "draft.json"
"""Says the same of a folder that holds some pages of a site."""

LATEST = "latest"


def build_site(
    release: Release,
    out: Path,
    progress: Progress | None = None,
    edition: Edition = PLAIN,
    earlier: Sequence[Release] = (),
    only: Collection[str] = (),
    languages: Collection[str] = LANGUAGES,
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
    refuse_fewer_notices(out, shown)
    plan = _Plan(progress or (lambda message, fraction: None), only, languages)
    edition = replace(edition, series=tuple(map(Answers, shown)))
    told = {"made by": release.manifest.software, "release": release.version}
    with renewed(out, MARK if plan.whole else DRAFT, told) as fresh:
        for i, each in enumerate(edition.series):
            part = replace(plan, report=partial(_part, plan.report, i / len(shown), 1 / len(shown)))
            _write_release(each, fresh, part, edition, release)
        if plan.whole:
            write_for_robots(fresh, release, edition.sharing, offered(release))
            write_latest(fresh, release.version, of_all(shown))
            write_catalogue(fresh, shown, edition.sharing)
            write_feed(fresh, edition.series, edition.sharing)
    plan.report(_("Site built"), 1.0)


@dataclass(frozen=True)
class _Plan:
    """What to draw, and whom to tell of the progress."""

    report: Progress
    only: Collection[str]
    languages: Collection[str]

    @property
    def whole(self) -> bool:
        """Whether everything is drawn."""
        return not self.only and set(LANGUAGES) <= set(self.languages)


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


def _part(report: Progress, start: float, share: float, message: str, fraction: float) -> None:
    """Tell the progress of one release as progress of the whole."""
    report(message, start + share * fraction)


def offered(release: Release) -> tuple[str, ...]:
    """Languages of the site: those that the hub names and that have a catalogue; English always."""
    locale = resources.files("ctdhub") / "locale"
    return tuple(
        code
        for code in LANGUAGES
        if code == LANGUAGES[0]
        or (code in release.facts.languages and (locale / f"{code}.po").is_file())
    )


def _write_release(
    answers: Answers, fresh: Path, plan: _Plan, edition: Edition, lead: Release
) -> None:
    """All that the site shows of one release, and what leads to the one that leads."""
    release = answers.release
    languages, newest = offered(release), release is lead
    instead = None if lead.withdrawn else lead
    if not newest:
        edition = fitting(answers, edition)
    drawn = [code for code in languages if code in plan.languages]
    folder = fresh / "r" / release.version
    folder.mkdir(parents=True)
    for i, code in enumerate(drawn):
        plan.report(_("Drawing pages"), i / (len(drawn) + 1))
        with language(code):
            content = Content(answers, edition)
            leading = _write_language(content, languages, fresh, plan, instead)
            if newest:
                _lead(fresh, release, code, leading)
    plan.report(_("Copying downloads"), len(drawn) / (len(drawn) + 1))
    if plan.whole:
        for file in release.path.iterdir():
            if not release.withdrawn or file.name in KEPT:
                shutil.copyfile(file, folder / file.name)
        write_notices(release, folder)
    if release.withdrawn:
        return
    if plan.whole:
        write_api(answers, folder, languages)
    with language(LANGUAGES[0]):
        for kind in kinds(release, edition, plan.only):
            kind.files(folder, Content(answers, edition))
            if newest and kind.latest:
                kind.files(fresh / LATEST, Content(answers, edition))


def _write_language(
    content: Content,
    languages: Sequence[str],
    fresh: Path,
    plan: _Plan,
    instead: Release | None,
) -> dict[str, str]:
    """All pages of the language in force and their files; the title of each page by its path."""
    release, edition, leading = content.release, content.edition, dict[str, str]()
    for kind in () if release.withdrawn else kinds(release, edition, plan.only):
        kind.translated(fresh / "r" / release.version, content)
    for drawn in pages(content.answers, edition, plan.only):
        page = tombstone(drawn, release, instead) if release.withdrawn else drawn
        html = (
            page.html()
            if isinstance(page, WholePage)
            else render(page, release, languages, edition)
        )
        _write(fresh / address(current(), release.version, page.path), html)
        leading[page.path] = page.title
    if plan.whole and not release.withdrawn:
        folder = (fresh / address(current(), release.version)).parent
        write_search(folder, content, leading)
    return leading


def _lead(fresh: Path, release: Release, code: str, leading: Mapping[str, str]) -> None:
    """What leads from ``latest`` and from the root to pages of a release, by path and title."""
    hidden = release.facts.invented
    roots = (HOME, f"{LATEST}/{HOME}") if code == LANGUAGES[0] else (f"{code}/{HOME}",)
    stubs = [(f"{LATEST}/{code}/{path}", path, title) for path, title in leading.items()]
    for place, path, title in (*stubs, *((root, HOME, release.facts.hub) for root in roots)):
        target = "../" * place.count("/") + address(code, release.version, path)
        _write(fresh / place, stub(target, code, title, hidden=hidden))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
