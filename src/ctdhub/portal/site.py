"""Build the site of a release: its pages in every language, its files, the charts' files.

Belongs here: folders and files of the site.  Does not belong here: what stands on a page.

The site opens from ``file://``, needs a script only to filter, and asks nothing of any other
server.  Where pages lie is told in ``frame``.  Pages of earlier releases stay as they are: what
was cited can be found.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

from ctdhub.errors import HubError
from ctdhub.i18n import LANGUAGES, _, language
from ctdhub.insight import Answers
from ctdhub.portal.charts import write_charts
from ctdhub.portal.explorer import write_data
from ctdhub.portal.frame import HOME, address, render, stub
from ctdhub.portal.pages import pages
from ctdhub.release import Release

Progress = Callable[[str, float], None]
MARK = "site.json"
"""This file says that a folder holds a site, so that nothing else is ever replaced."""

LATEST = "latest"


def build_site(
    release: Release, out: Path, progress: Progress | None = None, *, offline: bool = False
) -> None:
    """Build the site into ``out``; readers of an older one see it until the new one is whole.

    Args:
        release: an opened release.
        out: a folder that does not exist, is empty, or holds a site; its other releases stay.
        progress: told (message, fraction).
        offline: the explorer reads its data from a script, which also works from ``file://``,
            instead of fetching them.

    Raises:
        TypeError: not a Release.
        HubError: the folder holds something else.
    """
    if not isinstance(release, Release):
        raise TypeError("the portal shows releases and nothing else")
    _replaceable(out)
    report = progress or (lambda message, fraction: None)
    out.parent.mkdir(parents=True, exist_ok=True)
    for kind in (".writing", ".old"):  # left behind by a killed run
        for leftover in out.parent.glob(f"{kind}-{out.name}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".writing-{out.name}-", dir=out.parent))
    try:
        answers, languages = Answers(release), offered(release)
        for i, code in enumerate(languages):
            report(_("Drawing pages"), i / (len(languages) + 1))
            _write_language(answers, languages, code, fresh, offline=offline)
        report(_("Copying downloads"), len(languages) / (len(languages) + 1))
        _downloads(answers, fresh / "r" / release.version)
        write_data(answers, fresh / "r" / release.version, offline=offline)
        _keep_earlier(out, fresh, release.version)
        mark = {"made by": release.manifest.software, "release": release.version}
        (fresh / MARK).write_text(json.dumps(mark), "utf-8")
        fresh.chmod(0o755)
        _swap(fresh, out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
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
    answers: Answers, languages: Sequence[str], code: str, fresh: Path, *, offline: bool
) -> None:
    """All pages of a language, and what leads to them from ``latest`` and from the root."""
    version = answers.release.version
    with language(code):
        for page in pages(answers, offline=offline):
            target = address(code, version, page.path)
            _write(fresh / target, render(page, answers.release, languages))
            up = "../" * (page.path.count("/") + 2)
            _write(fresh / LATEST / code / page.path, stub(up + target, code, page.title))
            if page.path == HOME:
                root = HOME if code == LANGUAGES[0] else f"{code}/{HOME}"
                up = "../" * root.count("/")
                _write(fresh / root, stub(up + target, code, answers.release.facts.hub))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _downloads(answers: Answers, folder: Path) -> None:
    for file in answers.release.path.iterdir():
        shutil.copyfile(file, folder / file.name)
    with language(LANGUAGES[0]):
        write_charts(folder / "charts", answers)


def _keep_earlier(out: Path, fresh: Path, version: str) -> None:
    """Releases that the site showed before."""
    for earlier in sorted((out / "r").glob("*")):
        if earlier.name != version and earlier.is_dir() and not earlier.is_symlink():
            shutil.copytree(earlier, fresh / "r" / earlier.name, symlinks=True)


def _replaceable(out: Path) -> None:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        free = False
    else:
        free = not out.is_dir() or not any(out.iterdir()) or (out / MARK).is_file()
    if not free:
        what = _("The folder holds something that is not a site; nothing was changed.")
        fix = _("Name an empty folder, or one that does not exist.")
        raise HubError(what, fix, file=out, rule="site-folder")


def _swap(fresh: Path, out: Path) -> None:
    old = Path(tempfile.mkdtemp(prefix=f".old-{out.name}-", dir=out.parent))
    try:
        if out.exists():
            out.rename(old / "site")
        fresh.rename(out)
    finally:
        shutil.rmtree(old, ignore_errors=True)
