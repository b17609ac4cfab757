"""Notices about releases on a site: their files, and pages that stand where numbers were.

A withdrawn release keeps every address of its pages: each says what was there, that it was
withdrawn, why, and what to use.  Its files and charts are gone from the site.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.core.format import day, span
from ctdhub.core.i18n import _, current
from ctdhub.release.approvals import APPROVALS
from ctdhub.release.errata import ERRATA_JSON, ERRATA_MD, as_data, as_markdown, plain_data
from ctdhub.release.manifest import SUMS
from ctdhub.release.open import Release
from ctdhub.report.called import called
from ctdhub.report.wording import citation
from ctdhub.site.frame import HOME, Page, address
from ctdhub.site.kinds import WholePage

KEPT = (APPROVALS, SUMS)
"""Files of a withdrawn release that stay: who has a copy can still tell which release it is."""


def write_notices(release: Release, folder: Path) -> None:
    """Write the notices about a release, with their signatures, next to its own files."""
    if release.errata:
        (folder / ERRATA_JSON).write_text(as_data(release.version, release.errata), "utf-8")
        (folder / ERRATA_MD).write_text(as_markdown(release.version, release.errata), "utf-8")


def tombstone(page: Page | WholePage, release: Release, instead: Release | None) -> Page:
    """What stands at the address of a page of a withdrawn release, in the language in force.

    Args:
        instead: the release that leads the site; None where that was withdrawn too.
    """
    facts = release.facts
    return Page(
        path=page.path,
        title=page.title,
        description=_("Release {version} was withdrawn.").format(version=release.version),
        template="withdrawn.html",
        values={
            "citation": citation(release),
            "published": day(date.fromisoformat(release.manifest.created[:10])),
            "years": span(release.years),
            "contributors": [called(c) for c in facts.contributors],
            "digest": release.errata[0].notice.digest,
            "kept": [name for name in KEPT if (release.path / name).is_file()],
            "instead": instead
            and {"version": instead.version, "path": address(current(), instead.version, HOME)},
        },
        menu=page.menu if isinstance(page, Page) else "",
        dataset=isinstance(page, Page) and page.dataset,
    )


def of_all(releases: Iterable[Release]) -> dict[str, Any]:
    """What the root of a site says of notices: those of each version, and which were withdrawn.

    Empty where there are none.
    """
    held = list(releases)
    found = {r.version: plain_data(r.errata) for r in held if r.errata}
    withdrawn = [r.version for r in held if r.withdrawn]
    return {
        **({"errata": found} if found else {}),
        **({"withdrawn": withdrawn} if withdrawn else {}),
    }


def refuse_fewer_notices(site: Path, releases: Sequence[Release]) -> None:
    """Refuse to take a notice from readers of a site.

    Args:
        site: the folder of a site; it need not exist.
        releases: that the new site will show.

    Raises:
        HubError: the site shows a notice that is not among those of the releases.
    """
    for release in releases:
        file = site / "r" / release.version / ERRATA_JSON
        try:
            held = json.loads(file.read_text("utf-8"))["errata"]
        except FileNotFoundError:
            continue
        except (ValueError, KeyError, TypeError):
            held = []
        now = [json.loads(e.notice.model_dump_json()) for e in release.errata]
        if [e["notice"] for e in held] != now[: len(held)]:
            raise error("site-smaller/notices", file=file, version=release.version)
