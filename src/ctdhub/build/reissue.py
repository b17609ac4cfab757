"""A published version is handed on again: the same files, byte for byte.

Nothing is drawn and nothing is charged, and no case data are opened: whether a version is handed on
again is decided without a look at what was received since, so that nobody can conclude from it
whether anything changed.  A new version is another thing: it is always drawn anew.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from ctdhub.build.hub import Hub
from ctdhub.core.atomic import made_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.i18n import Several
from ctdhub.release.bundle import versions
from ctdhub.release.errata import ERRATA_JSON, ERRATA_MD, as_data, as_markdown, errata_of
from ctdhub.release.verify import digest, verify


def reissue(hub: Hub, version: str, out: Path) -> int:
    """Copy the files of a release, approvals among them, to a folder; they can be read only.

    Notices about the release are written next to them.

    Args:
        hub: of whose folder only ``hub.yaml``, ``releases/`` and ``errata/`` are read.
        version: of the release.
        out: a folder that is not there yet, or an empty one; it is there whole or not at all.

    Returns:
        The number of files.

    Raises:
        ReleaseError: there is no such release, or it was damaged or tampered with.
        HubFolderError: ``out`` is there and not empty.
    """
    release = hub.releases / version
    if version not in versions(hub.releases):
        names = Several(versions(hub.releases))
        raise error(
            "no-release/reissue", file=hub.releases, version=printable(version), names=names
        )
    problems = verify(release, hub.settings.approvers)
    if problems:
        first = problems[0]
        raise error(
            "release-damaged",
            file=release,
            rule=first.kind,
            version=version,
            first=first.text,
            part=first.file,
            n=len(problems),
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise error("new-folder", file=out)
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.exists():
        out.rmdir()
    with made_whole(out.absolute()) as fresh:
        shutil.copytree(release, fresh)
        fresh.chmod(0o755)
        given = errata_of(release, digest(release), hub.settings.approvers).given
        if given:
            (fresh / ERRATA_JSON).write_text(as_data(version, given), "utf-8")
            (fresh / ERRATA_MD).write_text(as_markdown(version, given), "utf-8")
    return sum(1 for _ in out.iterdir())
