"""A draft with its file: what a request works on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from ctdhub.core.error_catalogue import error
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.mapping import dated
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import parse_mapping, text_of
from ctdhub.sensitive.workbench.draft import DraftFold, digest, load_draft, save_draft
from ctdhub.sensitive.workbench.effects import FileEffect, file_effect
from ctdhub.sensitive.workbench.opened import OpenedFile, opened, opened_to_suggest
from ctdhub.sensitive.workbench.operations import Operation
from ctdhub.sensitive.workbench.place import Workplace

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
    now = dated.in_force(place.mappings, place.contributor, place.day)
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
    now = dated.in_force(place.mappings, place.contributor, place.day)
    seen = digest(text_of(now[1])) if now else None
    kept = dict(dated.mappings(place.mappings, place.contributor))
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
