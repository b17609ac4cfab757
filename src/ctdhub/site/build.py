"""Build the site of a release: its pages in every language, its files, the charts' files.

The site opens from ``file://``, shows all its charts and tables without a script, and asks nothing
of any other server.  Where pages lie is told in ``frame``.  Pages of earlier releases stay as they
are: what was cited can be found.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

from ctdhub.core.i18n import LANGUAGES, _, language
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
from ctdhub.site.registry import pages
from ctdhub.site.sharing import write_for_robots
from ctdhub.stats.answers import Answers

Progress = Callable[[str, float], None]
MARK = "site.json"
"""This file says that a folder holds a site, so that nothing else is ever replaced."""

LATEST = "latest"


def build_site(
    release: Release, out: Path, progress: Progress | None = None, edition: Edition = PLAIN
) -> None:
    """Build the site into ``out``; readers of an older one see it until the new one is whole.

    Args:
        release: an opened release.
        out: a folder that does not exist, is empty, or holds a site; its other releases stay.
        progress: told (message, fraction).
        edition: what the site shows beside its release.

    Raises:
        TypeError: not a Release.
        HubError: the folder holds something else, or a story is wrong.
    """
    if not isinstance(release, Release):
        raise TypeError("the portal shows releases and nothing else")
    report = progress or (lambda message, fraction: None)
    with renewed(out, MARK, release) as fresh:
        answers, languages = Answers(release), offered(release)
        for i, code in enumerate(languages):
            report(_("Drawing pages"), i / (len(languages) + 1))
            _write_language(answers, languages, code, fresh, edition)
        report(_("Copying downloads"), len(languages) / (len(languages) + 1))
        _downloads(answers, fresh / "r" / release.version, edition)
        write_data(answers, fresh / "r" / release.version, offline=edition.offline)
        write_api(answers, fresh / "r" / release.version, languages)
        write_for_robots(fresh, release, edition.sharing, languages)
        if edition.calendar:
            for folder in (fresh / "r" / release.version, fresh / LATEST):
                events.write_files(folder, release, edition.calendar)
        _keep_earlier(out, fresh, release.version)
        write_latest(fresh, release.version)
    report(_("Site built"), 1.0)


def offered(release: Release) -> tuple[str, ...]:
    """Languages of the site: those that the hub names and that have a catalogue; English always."""
    locale = resources.files("ctdhub") / "locale"
    return tuple(
        code
        for code in LANGUAGES
        if code == LANGUAGES[0]
        or (code in release.facts.languages and (locale / f"{code}.po").is_file())
    )


def _write_language(
    answers: Answers, languages: Sequence[str], code: str, fresh: Path, edition: Edition
) -> None:
    """All pages of a language, and what leads to them from ``latest`` and from the root."""
    version, hidden = answers.release.version, answers.release.facts.invented
    with language(code):
        write_sheets(fresh / "r" / version / FOLDER / code, tuple(sheets(answers)))
        pictures = fresh / "r" / version / "charts" / code
        write_pictures(pictures, answers)
        write_estimates_picture(pictures, answers.release)
        for path, title, html in briefs.documents(answers):
            _write(fresh / address(code, version, path), html)
            _lead(fresh, version, code, path, title, hidden=hidden)
        for page in pages(answers, edition):
            target = address(code, version, page.path)
            _write(fresh / target, render(page, answers.release, languages, edition))
            _lead(fresh, version, code, page.path, page.title, hidden=hidden)
            if page.path == HOME:
                hub = answers.release.facts.hub
                roots = (HOME, f"{LATEST}/{HOME}") if code == LANGUAGES[0] else (f"{code}/{HOME}",)
                for root in roots:
                    up = "../" * root.count("/")
                    _write(fresh / root, stub(up + target, code, hub, hidden=hidden))


def _lead(fresh: Path, version: str, code: str, path: str, title: str, *, hidden: bool) -> None:
    """What leads from ``latest`` to a page of this release."""
    up = "../" * (path.count("/") + 2)
    leading = stub(up + address(code, version, path), code, title, hidden=hidden)
    _write(fresh / LATEST / code / path, leading)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _downloads(answers: Answers, folder: Path, edition: Edition) -> None:
    for file in answers.release.path.iterdir():
        shutil.copyfile(file, folder / file.name)
    with language(LANGUAGES[0]):
        write_charts(folder / "charts", answers, edition.stories)
        write_estimates(folder / "charts", answers.release)


def _keep_earlier(out: Path, fresh: Path, version: str) -> None:
    """Releases that the site showed before."""
    for earlier in sorted((out / "r").glob("*")):
        if earlier.name != version and earlier.is_dir() and not earlier.is_symlink():
            shutil.copytree(earlier, fresh / "r" / earlier.name, symlinks=True)
