"""Open what lies in a folder or at an address: a hub, a release or a site."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ctdhub.api.release import PublishedRelease, open_release
from ctdhub.client.site import Site, open_site
from ctdhub.core.error_catalogue import error
from ctdhub.release.bundle import latest_standing, versions
from ctdhub.release.manifest import MANIFEST


@dataclass(frozen=True)
class HubFolder:
    """The releases of a hub; made by :func:`open_hub`.  Nothing sensitive is read.

    Attributes:
        path: the folder of the hub.
    """

    path: Path

    @property
    def versions(self) -> tuple[str, ...]:
        """Versions of its releases, the oldest first.

        >>> import ctdhub
        >>> ctdhub.open_hub("my-hub").versions
        ('2026.1',)
        """
        return versions(self.path / "releases")

    def release(self, version: str | None = None) -> PublishedRelease:
        """A release of the hub, verified.

        Args:
            version: for example "2026.1"; by default the last one that was not withdrawn.

        Raises:
            ReleaseError: the hub has no such release (``no-release``), or it was changed.

        >>> import ctdhub
        >>> ctdhub.open_hub("my-hub").release("2026.1").version
        '2026.1'
        """
        folder = self.path / "releases"
        if version is None:
            found = latest_standing(folder)
        else:
            found = folder / version if version in self.versions else None
        if found is None:
            names = ", ".join(self.versions) or "–"
            raise error("no-release/version", file=self.path, names=names)
        return open_release(found)


def open_hub(where: str | os.PathLike[str]) -> HubFolder:
    """Open a hub for its releases.

    Args:
        where: the folder of the hub.

    Raises:
        HubFolderError: the folder is not a hub (``hub-folder``).

    >>> import ctdhub
    >>> ctdhub.open_hub("my-hub").release().version
    '2026.1'
    """
    path = Path(where)
    if not (path / "hub.yaml").is_file():
        raise error("hub-folder", file=path)
    return HubFolder(path)


def open(where: str | os.PathLike[str]) -> HubFolder | PublishedRelease | Site:
    """Open a hub, a release or a site, by what lies there.

    Args:
        where: a folder, or the address of a site (http or https).  Programs that are checked by
            types use :func:`open_hub`, :func:`open_release` or :func:`open_site`.

    Raises:
        HubFolderError: the folder is none of them (``hub-folder``).
        ReleaseError: the release was changed.
        SiteError: the site cannot be reached or is damaged.

    >>> import ctdhub
    >>> type(ctdhub.open("my-hub")).__name__
    'HubFolder'
    >>> type(ctdhub.open("my-hub/releases/2026.1")).__name__
    'PublishedRelease'
    """
    if isinstance(where, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", where):
        return open_site(where)
    path = Path(where)
    if (path / "hub.yaml").is_file():
        return open_hub(path)
    if (path / MANIFEST).is_file():
        return open_release(path)
    if (path / "api" / "latest.json").is_file():
        return open_site(path)
    raise error("hub-folder/neither", file=path)
