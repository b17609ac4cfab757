"""Build the site of a release: its pages in every language, its files, the charts' files.

The site opens from ``file://``, shows all its charts and tables without a script, and asks nothing
of any other server.  Where pages lie is told in ``frame``.  It is the same whatever the site held
before: each release keeps its pages, so what was cited can be found, and a part that is taken from
the site before is byte for byte the part that would be drawn (``parts``).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import LANGUAGES, _, language
from ctdhub.core.memory import uncollected
from ctdhub.release.manifest import VERSION_PATTERN
from ctdhub.release.open import Release
from ctdhub.site.api.files import write_latest
from ctdhub.site.edition import PLAIN, Edition
from ctdhub.site.errata import KEPT, of_all, refuse_fewer_notices, write_notices
from ctdhub.site.feed import write_feed
from ctdhub.site.folder import renewed
from ctdhub.site.frame import HOME, address, stub
from ctdhub.site.parts import Before, Parts
from ctdhub.site.registry import fitting
from ctdhub.site.sharing import write_catalogue, write_for_robots
from ctdhub.site.writer import ReleaseWriter, offered, write
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
    refuse_fewer_notices(out, shown)
    plan = _Plan(progress or (lambda message, fraction: None), only, languages)
    edition = replace(edition, series=tuple(map(Answers, shown)))
    told = {"made by": release.manifest.software, "release": release.version}
    with uncollected(), renewed(out, MARK if plan.whole else DRAFT, told) as fresh:
        parts = Parts(before if plan.whole else None, fresh)
        for i, each in enumerate(edition.series):
            part = replace(plan, report=partial(_part, plan.report, i / len(shown), 1 / len(shown)))
            _write_release(each, fresh, part, edition, release, parts)
        if plan.whole:
            write_for_robots(fresh, release, edition.sharing, offered(release))
            write_latest(fresh, release.version, of_all(shown))
            write_catalogue(fresh, shown, edition.sharing)
            write_feed(fresh, edition.series, edition.sharing)
        parts.close()
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


def _write_release(
    answers: Answers, fresh: Path, plan: _Plan, edition: Edition, lead: Release, parts: Parts
) -> None:
    """All that the site shows of one release, and what leads to the one that leads."""
    release = answers.release
    languages, newest = offered(release), release is lead
    if not newest:
        edition = fitting(answers, edition)
    drawn = [code for code in languages if code in plan.languages]
    folder = fresh / "r" / release.version
    folder.mkdir(parents=True)
    writer = ReleaseWriter(answers, edition, lead, fresh, parts, plan.only, whole=plan.whole)
    for i, code in enumerate(drawn):
        plan.report(_("Drawing pages"), i / (len(drawn) + 1))
        with language(code):
            leading = writer.pages()
            if newest:
                _lead(fresh, release, code, leading)
    plan.report(_("Copying downloads"), len(drawn) / (len(drawn) + 1))
    if plan.whole:
        for file in release.path.iterdir():
            if not release.withdrawn or file.name in KEPT:
                shutil.copyfile(file, folder / file.name)
        write_notices(release, folder)
    if not release.withdrawn:
        with language(LANGUAGES[0]):
            writer.files(fresh / LATEST if newest else None)


def _lead(fresh: Path, release: Release, code: str, leading: Mapping[str, str]) -> None:
    """What leads from ``latest`` and from the root to pages of a release, by path and title."""
    hidden = release.facts.invented
    roots = (HOME, f"{LATEST}/{HOME}") if code == LANGUAGES[0] else (f"{code}/{HOME}",)
    stubs = [(f"{LATEST}/{code}/{path}", path, title) for path, title in leading.items()]
    for place, path, title in (*stubs, *((root, HOME, release.facts.hub) for root in roots)):
        target = "../" * place.count("/") + address(code, release.version, path)
        write(fresh / place, stub(target, code, title, hidden=hidden))
