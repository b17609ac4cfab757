"""Build the site of a release: its pages in every language, its files, the charts' files.

The site opens from ``file://``, shows all its charts and tables without a script, and asks nothing
of any other server.  Where pages lie is told in ``frame``.  It is drawn from releases alone, never
from what a site held before: each keeps its pages, so what was cited can be found.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from importlib import resources
from pathlib import Path

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import LANGUAGES, _, language
from ctdhub.release.manifest import VERSION_PATTERN
from ctdhub.release.open import Release
from ctdhub.report.picture import write_pictures
from ctdhub.site.api.files import write_api, write_latest
from ctdhub.site.chart_files import write_charts
from ctdhub.site.edition import PLAIN, Edition
from ctdhub.site.explorer.pack import write_data
from ctdhub.site.folder import renewed
from ctdhub.site.frame import HOME, address, render, stub
from ctdhub.site.pages import briefs, events
from ctdhub.site.pages.estimates import write_estimates, write_estimates_picture
from ctdhub.site.pages.factsheets import FOLDER, sheets, write_sheets
from ctdhub.site.registry import fitting, pages
from ctdhub.site.sharing import write_for_robots
from ctdhub.stats.answers import Answers

Progress = Callable[[str, float], None]
MARK = "site.json"
"""This file says that a folder holds a site, so that nothing else is ever replaced."""

LATEST = "latest"


def build_site(
    release: Release,
    out: Path,
    progress: Progress | None = None,
    edition: Edition = PLAIN,
    earlier: Sequence[Release] = (),
) -> None:
    """Build the site into ``out``; readers of an older one see it until the new one is whole.

    Args:
        release: an opened release, the newest of the site.
        out: a folder that does not exist, is empty, or holds a site of no other releases.
        progress: told (message, fraction).
        edition: what the site shows beside its releases.
        earlier: the other releases, each with pages, files and API of its own.

    Raises:
        TypeError: not a Release.
        HubError: the folder holds something else, a site that shows a release which is not among
            those given, or a story is wrong.
    """
    shown = (release, *earlier)
    if not all(isinstance(each, Release) for each in shown):
        raise TypeError("the portal shows releases and nothing else")
    refuse_smaller(out, [each.version for each in shown])
    report = progress or (lambda message, fraction: None)
    told = {"made by": release.manifest.software, "release": release.version}
    with renewed(out, MARK, told) as fresh:
        for i, each in enumerate(shown):
            part = partial(_part, report, i / len(shown), 1 / len(shown))
            _write_release(each, fresh, part, edition, newest=each is release)
        write_for_robots(fresh, release, edition.sharing, offered(release))
        if edition.calendar:
            events.write_files(fresh / LATEST, release, edition.calendar)
        write_latest(fresh, release.version)
    report(_("Site built"), 1.0)


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
    release: Release, fresh: Path, report: Progress, edition: Edition, *, newest: bool
) -> None:
    """All that the site shows of one release, and what leads to the newest."""
    answers, languages = Answers(release), offered(release)
    if not newest:
        edition = fitting(answers, edition)
    for i, code in enumerate(languages):
        report(_("Drawing pages"), i / (len(languages) + 1))
        _write_language(answers, languages, code, fresh, edition, newest=newest)
    report(_("Copying downloads"), len(languages) / (len(languages) + 1))
    folder = fresh / "r" / release.version
    _downloads(answers, folder, edition)
    write_data(answers, folder, offline=edition.offline)
    write_api(answers, folder, languages)
    if edition.calendar:
        events.write_files(folder, release, edition.calendar)


def _write_language(
    answers: Answers,
    languages: Sequence[str],
    code: str,
    fresh: Path,
    edition: Edition,
    *,
    newest: bool,
) -> None:
    """All pages of a language; of the newest also what leads to them from ``latest`` and root."""
    release, leading = answers.release, dict[str, str]()
    with language(code):
        write_sheets(fresh / "r" / release.version / FOLDER / code, tuple(sheets(answers)))
        pictures = fresh / "r" / release.version / "charts" / code
        write_pictures(pictures, answers)
        write_estimates_picture(pictures, release)
        for path, title, html in briefs.documents(answers):
            _write(fresh / address(code, release.version, path), html)
            leading[path] = title
        for page in pages(answers, edition):
            html = render(page, release, languages, edition)
            _write(fresh / address(code, release.version, page.path), html)
            leading[page.path] = page.title
        if newest:
            _lead(fresh, release, code, leading)


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


def _downloads(answers: Answers, folder: Path, edition: Edition) -> None:
    for file in answers.release.path.iterdir():
        shutil.copyfile(file, folder / file.name)
    with language(LANGUAGES[0]):
        write_charts(folder / "charts", answers, edition.stories)
        write_estimates(folder / "charts", answers.release)
