"""Where the file of a delivery is in the hub folder, by its key alone: no name that somebody gave.

The web process says these places on to the workbench and cannot read them itself.
"""

from __future__ import annotations

from pathlib import Path

from ctdhub.desk.uploads.kinds import BUNDLE


def table_name(key: str, kind: str) -> str:
    """Name of the table of a delivery: its key, and the ending that says how to read it."""
    return f"{key}.{'csv' if kind == BUNDLE else kind}"


def opened_folder(hub: Path, key: str) -> Path:
    """Where a delivery that is not accepted lies open: on the volume that case data may be on."""
    return hub / "work" / "desk" / key


def table_of(hub: Path, key: str, kind: str, organisation: str = "", day: str = "") -> Path:
    """The table of a delivery.

    Args:
        organisation, day: of one that is accepted.
    """
    name = table_name(key, kind)
    if day:
        return hub / "contributions" / organisation / day / name
    return opened_folder(hub, key) / name
