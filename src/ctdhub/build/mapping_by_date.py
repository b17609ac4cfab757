"""Which mapping of a hub reads a delivery; how they are dated: ``sensitive.mapping.dated``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ctdhub.core.error_catalogue import error
from ctdhub.sensitive.mapping import dated

if TYPE_CHECKING:
    from ctdhub.build.hub import Hub


def mappings(hub: Hub, contributor: str) -> list[tuple[str, Path]]:
    """The mappings of a contributor, each with the date from which on it reads, in their order.

    Raises:
        MappingError: there is none, or one is named by something else than a date.
    """
    single = hub.mapping(contributor)
    found = dated.mappings(single.parent, contributor)
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
