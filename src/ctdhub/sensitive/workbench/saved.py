"""Mappings that were kept before, and how well each reads a new file."""

from __future__ import annotations

from typing import Any

from ctdhub.core.errors import HubError
from ctdhub.sensitive.mapping import dated
from ctdhub.sensitive.mapping.builtin import recognise
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import load_mapping, parse_mapping
from ctdhub.sensitive.workbench.draft import load_draft
from ctdhub.sensitive.workbench.opened import OpenedFile
from ctdhub.sensitive.workbench.place import Workplace


def fits(mapping: Mapping, file: OpenedFile) -> tuple[list[str], list[str]]:
    """Columns that a mapping reads or decides on, and those of them that the file lacks."""
    wanted = list(dict.fromkeys([*mapping.needed(), *mapping.stripped()]))
    return wanted, [column for column in wanted if file.header.find(column) is None]


def saved(place: Workplace, file: OpenedFile) -> list[dict[str, Any]]:
    """The mappings of the contributor and the built-in one for such headers, best first."""
    draft = load_draft(place)
    start = draft.start if draft else None
    found = []
    for day, path in dated.mappings(place.mappings, place.contributor):
        try:
            mapping = load_mapping(path)
        except HubError:  # a hand edit that is not whole yet
            continue
        found.append(_said(mapping, file, day, None, chosen=draft is not None and start == day))
    known = recognise(file.names)
    if known is not None:
        mapping = parse_mapping(f"builtin: {known}\n", f"{known}.yaml")
        base = draft.base if draft else ""
        found.append(_said(mapping, file, None, known, chosen=base == f"builtin: {known}\n"))
    found.sort(key=lambda one: str(one["from"] or ""), reverse=True)
    return sorted(found, key=lambda one: -one["fits"] / max(one["of"], 1))


def _said(
    mapping: Mapping, file: OpenedFile, day: str | None, name: str | None, *, chosen: bool
) -> dict[str, Any]:
    wanted, missing = fits(mapping, file)
    return {
        "from": day,
        "fits": len(wanted) - len(missing),
        "of": len(wanted),
        "missing": missing,
        "builtin": name,
        "chosen": chosen,
    }
