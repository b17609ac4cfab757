"""A draft with its file: what a request works on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from ctdhub.core.errors import HubError, error
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.mapping import mapping_file
from ctdhub.sensitive.mapping.builtin import recognise
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import load_mapping, parse_mapping, text_of
from ctdhub.sensitive.workbench.drafts import DraftFold, Workplace, digest, load_draft, save_draft
from ctdhub.sensitive.workbench.opened import (
    FileEffect,
    OpenedFile,
    file_effect,
    opened,
    opened_to_suggest,
)
from ctdhub.sensitive.workbench.operations import Operation

SUGGESTION = "suggestion"


class Bench:
    """A person's draft over a file.

    Args:
        place: whose.
        draft: the draft.
    """

    def __init__(self, place: Workplace, draft: DraftFold) -> None:
        self.place, self.draft = place, draft

    @cached_property
    def mapping(self) -> Mapping:
        """What the draft says."""
        return self.draft.mapping()

    @cached_property
    def file(self) -> OpenedFile:
        """The file, read as the draft says.

        Raises:
            HubError: no file was named, or it cannot be read.
        """
        if self.place.file is None:
            raise error("workbench-request")
        return opened(self.place.file, self.mapping.read)

    @property
    def effect(self) -> FileEffect:
        """What the mapping makes of the file."""
        return file_effect(self.mapping, self.file, self.place.years)

    def with_operations(self, operations: Sequence[Operation]) -> Bench:
        """The same with operations behind the others.

        Raises:
            HubError: the mapping would have faults.
        """
        return Bench(self.place, self.draft.with_operations(operations))


def draft_of(place: Workplace) -> DraftFold:
    """This person's draft, or an empty one over the mapping in force.

    Raises:
        HubError: there is neither (rule "workbench-nothing").
    """
    if (found := load_draft(place)) is not None:
        return found
    now = mapping_file.in_force(*place.of_day)
    if now is not None:
        text = text_of(now[1])
        return DraftFold(text, now[0], (), digest(text), place.shown)
    raise error("workbench-nothing", id=place.contributor, at=place.day)


def bench(place: Workplace) -> Bench:
    """What a request works on; raises as :func:`draft_of`."""
    return Bench(place, draft_of(place))


def begun(place: Workplace, start: str | None, read: ReadOptions | None = None) -> Bench:
    """A draft begun anew.

    Args:
        place: whose.
        start: date of the mapping to begin with; ``suggestion``, or the name of a built-in mapping;
            None for the mapping in force where it reads such a file, else the suggestion.
        read: what is stated about the file, where it is suggested for.

    Raises:
        HubError: the file cannot be read, or there is no such mapping.
    """
    now = mapping_file.in_force(*place.of_day)
    seen = digest(text_of(now[1])) if now else None
    kept = dict(mapping_file.mappings(place.mappings, place.contributor))
    if start is None and now is not None:
        start = now[0]
    if start is not None and start in kept:
        draft = DraftFold(text_of(kept[start]), start, (), seen, place.shown)
    elif start in (None, SUGGESTION):
        if place.file is None:
            raise error("workbench-nothing", id=place.contributor, at=place.day)
        yaml = opened_to_suggest(place.file, read).suggestion.yaml
        draft = DraftFold(yaml, None, (), seen, place.shown)
    else:
        draft = DraftFold(f"builtin: {start}\n", None, (), seen, place.shown)
        parse_mapping(draft.base, place.shown)
    save_draft(place, draft)
    return Bench(place, draft)


# --------------------------------------------------------------------------------------------------
# Mappings that were kept before, and how well each reads a new file.


def fits(mapping: Mapping, file: OpenedFile) -> tuple[list[str], list[str]]:
    """Columns that a mapping reads or decides on, and those of them that the file lacks."""
    wanted = list(dict.fromkeys([*mapping.needed(), *mapping.stripped()]))
    return wanted, [column for column in wanted if file.header.find(column) is None]


def saved(place: Workplace, file: OpenedFile) -> list[dict[str, Any]]:
    """The mappings of the contributor and the built-in one for such headers, best first."""
    draft = load_draft(place)
    start = draft.start if draft else None
    found = []
    for day, path in mapping_file.mappings(place.mappings, place.contributor):
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
