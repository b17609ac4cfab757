"""One person's edits of a mapping that are not kept yet: a base text and operations over it.

The mapping of a draft is the fold of its operations over the base; an undone operation is passed
over, so that undoing is the fold without it.  The text has the comments and the layout of the base,
or of what was typed last.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from ctdhub.core.atomic import write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.patched_yaml import Document, document_of, patched
from ctdhub.sensitive.workbench.difference import between
from ctdhub.sensitive.workbench.edited import applied, value_in
from ctdhub.sensitive.workbench.operations import Operation, touch
from ctdhub.sensitive.workbench.place import Workplace


def digest(text: str) -> str:
    """SHA-256 of a mapping's text."""
    return sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class DraftFold:
    """A draft.

    Attributes:
        base: the text that the operations are over.
        start: from which date on the base reads, None where it is no mapping that was kept.
        seen: SHA-256 of the mapping that was in force when the draft began, None where none was.
        operations: in the order in which they were made, each with ``n``, ``before``, ``undone``.
        file: name of the mapping, for messages.
    """

    base: str
    start: str | None
    operations: tuple[Operation, ...] = ()
    seen: str | None = None
    file: str = field(default="mapping.yaml", compare=False)

    @property
    def active(self) -> tuple[Operation, ...]:
        """The operations that are not undone."""
        return tuple(one for one in self.operations if not one.get("undone"))

    @property
    def _said(self) -> str:
        return _json(self.active)

    def document(self) -> Document:
        """What the mapping says: the fold of the active operations over the base.

        Raises:
            HubError: an operation is about a rule that is not there any more.
        """
        return copy.deepcopy(_folded(self.base, self._said, self.file))

    def text(self) -> str:
        """The mapping as YAML."""
        typed = [one["text"] for one in self.active if one["op"] == "layout"]
        made = _folded(self.base, self._said, self.file)
        return _written(typed[-1] if typed else self.base, _json(made), self.file)

    def mapping(self) -> Mapping:
        """The mapping, checked; raises as ``load_mapping``."""
        return parse_mapping(self.text(), self.file)

    def with_operations(self, new: Sequence[Operation]) -> DraftFold:
        """The draft with operations behind the others, checked.

        Raises:
            HubError: the mapping would have faults.
        """
        made, numbered = self.document(), []
        last = max((one["n"] for one in self.operations), default=0)
        for n, operation in enumerate(new, last + 1):
            before = value_in(made, operation)
            made = applied(made, operation)
            numbered.append({**operation, "n": n, "before": before, "undone": False})
        after = replace(self, operations=(*self.operations, *numbered))
        after.mapping()
        return after

    def typed(self, text: str) -> list[Operation]:
        """The operations that a text, as somebody typed it, stands for.

        Raises:
            HubError: the text has faults.
        """
        parse_mapping(text, self.file)
        wanted, made = document_of(text, self.file), self.document()
        found = between(made, wanted)
        for operation in found:
            made = applied(made, operation)
        if patched(self.text(), made, self.file) != text:
            found.append({"op": "layout", "text": text})
        return found

    def later(self, numbers: Iterable[int]) -> list[Operation]:
        """Active operations that were made after some others and touch their keys."""
        wanted = set(numbers)
        own = [one for one in self.active if one["n"] in wanted]
        return [
            one
            for one in self.active
            if one["n"] not in wanted and any(one["n"] > o["n"] and touch(one, o) for o in own)
        ]

    def marked(self, numbers: Iterable[int], *, undone: bool) -> DraftFold:
        """The draft with operations undone, or done again, checked.

        Raises:
            HubError: there is no such operation, or the mapping would have faults.
        """
        wanted = set(numbers)
        if not wanted or not wanted <= {one["n"] for one in self.operations}:
            raise error("workbench-request")
        operations = tuple(
            {**one, "undone": undone} if one["n"] in wanted else one for one in self.operations
        )
        after = replace(self, operations=operations)
        after.mapping()
        return after

    def as_json(self) -> dict[str, Any]:
        """As values that JSON knows."""
        held = {"base": self.base, "start": self.start, "seen": self.seen}
        return {**held, "operations": [*self.operations]}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@lru_cache(maxsize=64)
def _folded(base: str, operations: str, file: str) -> Document:
    """The fold of operations over a text; kept, for every request asks for it.  Not to be changed.

    Each operation is applied to what the ones before it made.
    """
    told = json.loads(operations)
    if not told:
        return document_of(base, file)
    return applied(_folded(base, _json(told[:-1]), file), told[-1])


@lru_cache(maxsize=16)
def _written(layout: str, document: str, file: str) -> str:
    return patched(layout, json.loads(document), file)


def load_draft(place: Workplace, other: Path | None = None) -> DraftFold | None:
    """This person's draft for the delivery, or another draft; None where there is none."""
    path = other or place.draft
    if not path.is_file():
        return None
    told = json.loads(path.read_text("utf-8"))
    operations = tuple(told["operations"])
    return DraftFold(told["base"], told["start"], operations, told["seen"], place.shown)


def save_draft(place: Workplace, draft: DraftFold) -> None:
    """Keep a draft, for its owner alone."""
    place.draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = json.dumps(draft.as_json(), ensure_ascii=False).encode()
    write_whole(place.draft, content)


def drop_draft(place: Workplace) -> None:
    """End a draft."""
    place.draft.unlink(missing_ok=True)
