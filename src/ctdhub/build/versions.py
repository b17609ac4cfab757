"""Which versions a hub has made: bundles by version, and those that the last build was about."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ctdhub.build.filenames import ANSWER, CANDIDATE
from ctdhub.build.hub import Hub
from ctdhub.release.bundle import latest_release
from ctdhub.release.manifest import MANIFEST, VERSION_PATTERN


def candidate_version(hub: Hub) -> str | None:
    """The version that the last build made or found, published or not; None where it is gone."""
    return _version(hub, CANDIDATE, hub.candidates, hub.releases)


def released_version(hub: Hub) -> str | None:
    """The version that the last build released or found released, None where there is none."""
    return _version(hub, "release", hub.releases)


def _version(hub: Hub, step: str, *folders: Path) -> str | None:
    try:
        version = str(json.loads((hub.work / step / ANSWER).read_text("utf-8"))["version"])
    except FileNotFoundError:
        return None
    return version if any((f / version / MANIFEST).is_file() for f in folders) else None


def waiting_version(hub: Hub) -> str | None:
    """The newest candidate that no release has overtaken, None where there is none."""
    found, last = by_version(hub.candidates), latest_release(hub.releases)
    if found and (last is None or order(found[0]) > order(last)):
        return found[0].name
    return None


def by_version(folder: Path) -> list[Path]:
    """Bundles in a folder, the newest version first."""
    found = [m.parent for m in folder.glob(f"*/{MANIFEST}")]
    bundles = [f for f in found if re.fullmatch(VERSION_PATTERN, f.name)]
    return sorted(bundles, key=order, reverse=True)


def order(bundle: Path) -> list[int]:
    return [int(part) for part in bundle.name.split(".")]
