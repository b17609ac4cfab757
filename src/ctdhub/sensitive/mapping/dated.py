"""Which mapping of a folder reads a delivery: the newest that is not younger than it.

``mappings/<id>.yaml`` reads from the first delivery on, ``mappings/<id>/<date>.yaml`` those from
that date on.
"""

from __future__ import annotations

from pathlib import Path

from ctdhub.core.days import is_day
from ctdhub.core.error_catalogue import error

FIRST = ""
"""Before every date: from when on a mapping without a date reads."""


def path_of(folder: Path, contributor: str, start: str) -> Path:
    """Where the mapping that reads from a date on lies, or would lie."""
    if start == FIRST:
        return folder / f"{contributor}.yaml"
    return folder / contributor / f"{start}.yaml"


def mappings(folder: Path, contributor: str) -> list[tuple[str, Path]]:
    """The mappings of a contributor, each with the date from which on it reads, in their order.

    Raises:
        MappingError: one is named by something else than a date.
    """
    single = path_of(folder, contributor, FIRST)
    found = [(FIRST, single)] if single.is_file() else []
    inner = single.with_suffix("")
    for path in sorted(inner.iterdir()) if inner.is_dir() else []:
        if path.name.startswith("."):
            continue
        if path.suffix != ".yaml" or not is_day(path.stem):
            raise error("mapping-date", file=path, id=contributor)
        found.append((path.stem, path))
    return found


def in_force(folder: Path, contributor: str, day: str) -> tuple[str, Path] | None:
    """The mapping that reads a delivery of a day, with its date; None where there is none."""
    known = [one for one in mappings(folder, contributor) if one[0] <= day]
    return known[-1] if known else None
