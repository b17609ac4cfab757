"""The one folder that the kit writes: where it is, who may read it, and where it must not be."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path, PurePath

from ctdhub.core.error_catalogue import error

VARIABLE = "CTDHUB_KIT"
"""Environment variable by which the process of the kit is told its folder."""

_SYNCED = (
    "onedrive",
    "dropbox",
    "google drive",
    "googledrive",
    "my drive",
    "mon drive",
    "mi unidad",
    "icloud",
    "icloud drive",
    "iclouddrive",
    "mobile documents",
    "cloudstorage",
    "nextcloud",
    "owncloud",
    "box",
    "box sync",
    "pcloud",
    "pclouddrive",
    "megasync",
    "mega",
    "syncthing",
    "seafile",
    "tresorit",
    "sync",
    "yandex.disk",
    "creative cloud files",
)
"""Folded names of folders that programs copy to other computers."""

_MARKS = (
    ".dropbox",
    ".dropbox.cache",
    ".sync",
    ".stfolder",
    ".owncloudsync.log",
    ".nextcloudsync.log",
)
"""What such programs leave in the folder that they copy."""


def default_folder(
    system: str = sys.platform, env: Mapping[str, str] = os.environ, home: Path | None = None
) -> Path:
    """Where the kit keeps its files on a system.

    >>> default_folder("linux", {}, Path("/home/a")).as_posix()
    '/home/a/.local/share/ctdhub'
    >>> default_folder("darwin", {}, Path("/Users/a")).as_posix()
    '/Users/a/Library/Application Support/ctdhub'
    """
    home = home or Path.home()
    if system == "win32":
        return Path(env.get("LOCALAPPDATA") or home / "AppData" / "Local") / "ctdhub"
    if system == "darwin":
        return home / "Library" / "Application Support" / "ctdhub"
    return Path(env.get("XDG_DATA_HOME") or home / ".local" / "share") / "ctdhub"


def synced_by(path: PurePath, marks: tuple[str, ...] = ()) -> str:
    """The name in a path that a program copies to other computers, "" where there is none known.

    >>> synced_by(PurePath("/home/a/OneDrive - Refuge/kit"))
    'OneDrive - Refuge'
    """
    for part in path.parts:
        plain = part.casefold()
        if plain in _SYNCED or plain.split(" - ")[0] in _SYNCED or plain.split(" (")[0] in _SYNCED:
            return part
        if plain.startswith(("onedrive", "dropbox", "googledrive-", "icloud~")):
            return part
    return marks[0] if marks else ""


def prepare(folder: Path) -> Path:
    """Make the folder, for its owner alone, and refuse one that is copied elsewhere.

    Returns:
        Its real place: what a link leads to.

    Raises:
        HubFolderError: a program copies it to other computers (rule "kit-synced"), or it is
            something else (rule "kit-folder").
    """
    real = folder.expanduser().resolve()
    for place in (real, *real.parents):
        marks = tuple(m for m in _MARKS if (place / m).exists())
        if named := synced_by(place, marks):
            raise error("kit-synced", file=real, name=named)
    if real.exists() and (not real.is_dir() or (any(real.iterdir()) and not _is_kit(real))):
        raise error("kit-folder", file=real)
    real.mkdir(parents=True, exist_ok=True, mode=0o700)
    real.chmod(0o700)
    for name in ("files", "bundles", "mappings"):
        (real / name).mkdir(exist_ok=True, mode=0o700)
    return real


def _is_kit(folder: Path) -> bool:
    return (folder / "files").is_dir() and (folder / "mappings").is_dir()
