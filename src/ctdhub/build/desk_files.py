"""What jobs of the desk leave for its pages: JSON below ``work/desk/``, for the worker alone.

It is derived: a hub without the folder has no figures to show until the jobs run again.
"""

from __future__ import annotations

import json
from typing import Any

from ctdhub.build.hub import Hub
from ctdhub.core.atomic import write_whole

FOLDER = "desk"
REHEARSAL, PRICE = "rehearsal.json", "price.json"


def keep(hub: Hub, name: str, value: dict[str, Any]) -> None:
    """Write or replace a file that its owner alone may read."""
    folder = hub.work / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(folder / name, json.dumps(value, ensure_ascii=False, indent=1).encode())


def kept(hub: Hub, name: str) -> dict[str, Any] | None:
    """What :func:`keep` wrote last; None where there is nothing, or nothing whole."""
    try:
        found = json.loads((hub.work / FOLDER / name).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None
