"""How a hub begins: an empty one with settings to fill in, or a practice hub.

Belongs here: the files that a new hub folder starts with.
Does not belong here: invented data (``practice``), the meaning of the settings (``hub``).
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import yaml

from ctdhub.errors import HubFolderError
from ctdhub.hub import Hub
from ctdhub.i18n import LANGUAGES, _
from ctdhub.practice import CONTRIBUTION_DATE, write_practice
from ctdhub.protect import DEFAULT_POLICY_YAML
from ctdhub.steps import Progress

FOLDERS = ("contributors", "mappings", "contributions", "ledger", "releases")


def new_hub(folder: Path, name: str, *, invented: bool = False) -> Hub:
    """Make a hub folder with settings to fill in.

    Raises:
        HubFolderError: the folder exists and is not empty.
    """
    _require_empty(folder)
    for room in FOLDERS:
        (folder / room).mkdir(parents=True, exist_ok=True)
    (folder / "contributions").chmod(0o700)
    settings = {"name": name, "languages": list(LANGUAGES), "invented": invented}
    (folder / "policy.yaml").write_text(DEFAULT_POLICY_YAML, "utf-8")
    (folder / ".gitignore").write_text("contributions/\nkeys/\nwork/\nledger/secret\n", "utf-8")
    (folder / "hub.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    return Hub(folder)


def practice_hub(folder: Path, people: int, progress: Progress | None = None) -> Hub:
    """Make a practice hub with invented contributions, or open the one that is there as it is.

    Raises:
        HubFolderError: the folder holds something else.
    """
    if (folder / "hub.yaml").is_file():
        hub = Hub(folder)
        if not hub.settings.invented:
            what = _("This folder holds a hub with real data.")
            fix = _("Name another folder for the practice hub.")
            raise HubFolderError(what, fix, file=folder, rule="practice-folder")
        return hub
    _require_empty(folder)
    fresh = folder.with_name(f".new-{folder.name}-{secrets.token_hex(4)}")
    try:
        _fill(new_hub(fresh, "Practice hub (invented data)", invented=True), people, progress)
        if folder.exists():
            folder.rmdir()
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Hub(folder)


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = _("The folder exists and is not empty.")
        fix = _("Name a folder that does not exist yet, or an empty one.")
        raise HubFolderError(what, fix, file=folder, rule="new-folder")


def _fill(hub: Hub, people: int, progress: Progress | None) -> None:
    """Move what the practice contributors sent, and their papers, to where a steward puts them."""
    folder = hub.root / "practice"
    summary = write_practice(folder, people=people, progress=progress)
    for contributor, file in summary.files.items():
        target = hub.root / "contributions" / contributor / CONTRIBUTION_DATE / file.name
        target.parent.mkdir(parents=True)
        file.rename(target)
    for papers in ("mappings", "contributors"):
        (hub.root / papers).rmdir()
        (folder / papers).rename(hub.root / papers)
