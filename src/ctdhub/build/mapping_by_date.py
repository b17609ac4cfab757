"""Which mapping reads a delivery: the newest that is not younger than it.

``mappings/<id>.yaml`` reads from the first delivery on, ``mappings/<id>/<date>.yaml`` those from
that date on.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ctdhub.core.days import is_day
from ctdhub.core.error_catalogue import error

if TYPE_CHECKING:
    from ctdhub.build.hub import Hub

FIRST = ""
"""Before every date: from when on a mapping without a date reads."""


def mappings(hub: Hub, contributor: str) -> list[tuple[str, Path]]:
    """The mappings of a contributor, each with the date from which on it reads, in their order.

    Raises:
        MappingError: there is none, or one is named by something else than a date.
    """
    single = hub.mapping(contributor)
    found = [(FIRST, single)] if single.is_file() else []
    folder = single.with_suffix("")
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith("."):
            continue
        if path.suffix != ".yaml" or not is_day(path.stem):
            raise error("mapping-date", file=path, id=contributor)
        found.append((path.stem, path))
    if not found:
        raise error("no-mapping", file=single, id=contributor)
    return found


def mapping_file(hub: Hub, contributor: str, day: str) -> Path:
    """The mapping that reads a contributor's delivery.

    Args:
        day: date of the delivery.

    Raises:
        MappingError: the hub has none for it; see also :func:`mappings`.
    """
    known = [path for start, path in mappings(hub, contributor) if start <= day]
    if not known:
        raise error("no-mapping/date", file=hub.mapping(contributor), id=contributor, date=day)
    return known[-1]
