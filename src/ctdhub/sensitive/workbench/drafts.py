"""Drafts and commits of a contributor's mapping: where they lie, who wrote them, what changed."""

from __future__ import annotations

import copy
import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, ValidationError, model_validator

from ctdhub.core.errors import HubError, error
from ctdhub.core.files import append_chain, is_day, locked, read_chain, write_whole
from ctdhub.core.frozen import FrozenModel
from ctdhub.schema.model import YEARS
from ctdhub.sensitive.alarms.checks import AlarmLimits
from ctdhub.sensitive.mapping import edits, mapping_file
from ctdhub.sensitive.mapping.edits import Operation, Touching
from ctdhub.sensitive.mapping.mapping import Mapping

# --------------------------------------------------------------------------------------------------
# Where the mappings of a contributor, their history and people's drafts lie; who asks.


class Workplace(FrozenModel):
    """What the carrier says about a request: whose file, in which folder, for whom.

    Attributes:
        folder: that of a hub or kit.
        contributor: its id.
        who: id of the person who asks.
        day: date of the delivery.
        file: the file, None where only the mapping is asked about.
        years: first and last year of the public bounds, both included.
        unknown_share: share of a column's filled cells that may be unknown texts before an alarm
            rings.
        own_draft: id of the file in the carrier, where each file has a draft of its own; else the
            files of a day share one.
    """

    model_config = ConfigDict(extra="ignore")

    folder: Path
    contributor: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    who: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    day: str
    file: Path | None = None
    years: tuple[int, int] = YEARS
    unknown_share: float = Field(default=AlarmLimits.unknown_share, ge=0, le=1)
    own_draft: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,64}$")

    @model_validator(mode="after")
    def _check(self) -> Workplace:
        paths = (self.folder, self.file or self.folder)
        if not (is_day(self.day) and all(path.is_absolute() for path in paths)):
            raise ValueError("a date and absolute paths are needed")
        return self

    @classmethod
    def of(cls, request: dict[str, Any]) -> Workplace:
        """What a request says.

        Raises:
            HubError: a key is missing or malformed (rule "workbench-request").
        """
        try:
            return cls.model_validate({k: v for k, v in request.items() if v is not None})
        except ValidationError:
            raise error("workbench-request") from None

    @property
    def mappings(self) -> Path:
        """Where the mappings of a hub or kit lie."""
        return self.folder / "mappings"

    @property
    def lock(self) -> Path:
        """Held while a mapping is kept."""
        return self.mappings / ".lock"

    @property
    def log(self) -> Path:
        """The chain of commits."""
        return self.mappings / ".history" / f"{self.contributor}.jsonl"

    def text_file(self, sha256: str) -> Path:
        """The text of a mapping that was in force once."""
        return self.mappings / ".history" / self.contributor / f"{sha256}.yaml"

    @property
    def draft(self) -> Path:
        """This person's draft for this delivery."""
        own = f"-{self.own_draft}" if self.own_draft else ""
        return self.mappings / ".drafts" / self.contributor / f"{self.day}-{self.who}{own}.json"

    def other_drafts(self) -> list[Path]:
        """This person's drafts of other files, newest first; none where files share one."""
        if not self.own_draft:
            return []
        paths = [p for p in self.draft.parent.glob(f"*-{self.who}-*.json") if p != self.draft]
        return sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)

    @property
    def label(self) -> str:
        """What messages call the mapping."""
        return f"{self.contributor}.yaml"


# --------------------------------------------------------------------------------------------------
# One person's edits of a mapping that are not kept yet: a base text and operations over it.
#
# The mapping of a draft is the fold of its operations over the base; an undone operation is passed
# over, so that undoing is the fold without it.  The text has the comments and the layout of the
# base, or of what was typed last.


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
    def _active_json(self) -> str:
        return _json(self.active)

    def document(self) -> mapping_file.Document:
        """What the mapping says: the fold of the active operations over the base.

        Raises:
            HubError: an operation is about a rule that is not there any more.
        """
        return copy.deepcopy(_folded(self.base, self._active_json, self.file))

    def text(self) -> str:
        """The mapping as YAML."""
        typed = [one["text"] for one in self.active if one["op"] == "layout"]
        made = _folded(self.base, self._active_json, self.file)
        return _written(typed[-1] if typed else self.base, _json(made), self.file)

    def mapping(self) -> Mapping:
        """The mapping, checked; raises as ``load_mapping``."""
        return mapping_file.parse_mapping(self.text(), self.file)

    def with_operations(self, new: Sequence[Operation]) -> DraftFold:
        """The draft with operations behind the others, checked.

        Raises:
            HubError: the mapping would have faults.
        """
        last = max((one["n"] for one in self.operations), default=0)
        operations = (*self.operations, *edits.numbered(self.document(), new, last + 1))
        after = replace(self, operations=operations)
        after.mapping()
        return after

    def typed(self, text: str) -> list[Operation]:
        """The operations that a text, as somebody typed it, stands for.

        Raises:
            HubError: the text has faults.
        """
        mapping_file.parse_mapping(text, self.file)
        operations = edits.between(self.document(), mapping_file.document_of(text, self.file))
        made = edits.applied(self.document(), *operations)
        if mapping_file.patched(self.text(), made, self.file) != text:
            operations.append({"op": "layout", "text": text})
        return operations

    def later(self, numbers: Iterable[int]) -> list[Operation]:
        """Active operations that were made after some others and touch their keys."""
        wanted = set(numbers)
        own = Touching(one for one in self.active if one["n"] in wanted)
        return [
            one
            for one in self.active
            if one["n"] not in wanted and any(one["n"] > o["n"] for o in own.of(one))
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


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@lru_cache(maxsize=64)
def _folded(base: str, operations: str, file: str) -> mapping_file.Document:
    """The fold of operations over a text; kept, for each request needs it.  Not to be changed."""
    return edits.applied(mapping_file.document_of(base, file), *json.loads(operations))


@lru_cache(maxsize=16)
def _written(layout: str, document: str, file: str) -> str:
    return mapping_file.patched(layout, json.loads(document), file)


def load_draft(place: Workplace, other: Path | None = None) -> DraftFold | None:
    """This person's draft for the delivery, or another draft; None where there is none."""
    path = other or place.draft
    if not path.is_file():
        return None
    draft = json.loads(path.read_text("utf-8"))
    operations = tuple(draft["operations"])
    return DraftFold(draft["base"], draft["start"], operations, draft["seen"], place.label)


def save_draft(place: Workplace, draft: DraftFold) -> None:
    """Keep a draft, for its owner alone."""
    place.draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fields = {"base": draft.base, "start": draft.start, "seen": draft.seen}
    write_whole(place.draft, _json({**fields, "operations": draft.operations}).encode())


def drop_draft(place: Workplace) -> None:
    """End a draft."""
    place.draft.unlink(missing_ok=True)


# --------------------------------------------------------------------------------------------------
# Commits of a contributor's mappings: kept texts, the chain of what was done, hand edits found.
#
# ``mappings/.history/<id>/<sha256>.yaml`` holds each text that was in force, ``<id>.jsonl`` a line
# for each commit.  The text is written first, then the mapping, then the line: after a kill the
# mapping is found by its hash, like one that was edited by hand, and becomes a commit "outside".

OUTSIDE = "outside"
"""Who made a commit that was found in the folder: somebody by hand, or another program."""

Commit = dict[str, Any]
"""A line of the chain."""


def commits(place: Workplace) -> tuple[Commit, ...]:
    """The commits, hand edits included, oldest first; the chain is verified.

    Raises:
        HubError: a line was changed (rule "chain").
    """
    chain = tuple(read_chain(place.log))
    if not any(_by_hand(place, chain)):
        return chain
    with locked(place.lock):
        return _with_outside(place)


def _by_hand(place: Workplace, known: Sequence[Commit]) -> list[tuple[str, Path, str | None]]:
    """Mappings whose text is not that of their last commit, with the hash that it had."""
    last: dict[str, str] = {one["from"]: one["after"] for one in known}
    return [
        (start, path, last.get(start))
        for start, path in mapping_file.mappings(place.mappings, place.contributor)
        if digest(mapping_file.text_of(path)) != last.get(start)
    ]


def _with_outside(place: Workplace) -> tuple[Commit, ...]:
    """The commits after hand edits became such; the caller holds the lock."""
    for start, path, before in _by_hand(place, tuple(read_chain(place.log))):
        text = mapping_file.text_of(path)
        _write_kept(place, text)
        operations: list[Operation] = []
        if before:
            was = mapping_file.document_of(_text_of(place, before), place.label)
            operations = edits.numbered(
                was, edits.between(was, mapping_file.document_of(text, path.name))
            )
        _append(place, OUTSIDE, "", start, before, text, operations)
    return tuple(read_chain(place.log))


def _text_of(place: Workplace, sha256: str) -> str:
    path = place.text_file(sha256)
    if not path.is_file():
        raise error("mapping-history", file=path)
    text = mapping_file.text_of(path)
    if digest(text) != sha256:
        raise error("mapping-history", file=path)
    return text


def keep(
    place: Workplace, draft: DraftFold, start: str, why: str = "", header: Sequence[str] = ()
) -> tuple[Commit | None, list[dict[str, Any]]]:
    """Commit a draft.

    Args:
        place: whose, and by whom.
        draft: what to commit.
        start: from which date on it shall read.
        why: the reason, in the person's words.
        header: columns of the file that the draft was made with.

    Returns:
        The commit and no conflicts; or no commit and the operations that contradict what somebody
        else kept meanwhile: then the draft is over that, without them.

    Raises:
        HubError: the mapping has faults, or a line of the chain was changed.
    """
    place.mappings.mkdir(parents=True, exist_ok=True)
    with locked(place.lock):
        known = _with_outside(place)
        now = mapping_file.in_force(place.mappings, place.contributor, start or place.day)
        if now is not None and start == mapping_file.FIRST != now[0]:
            first = mapping_file.path_of(place.mappings, place.contributor, start)
            now = (start, first) if first.is_file() else None
        theirs = mapping_file.text_of(now[1]) if now else None
        text, operations = draft.text(), list(draft.active)
        if now and theirs is not None and digest(theirs) != draft.seen:
            new = DraftFold(theirs, now[0], (), digest(theirs), draft.file)
            over, lost = renewed(_over_seen(place, draft), new, known)
            if lost:
                save_draft(place, over)
                made = over.document()
                return None, [
                    {"operation": o, "operations": [o], "theirs": edits.value_in(made, o)}
                    for o in lost
                ]
            text, operations = over.text(), list(over.active)
        elif theirs is not None and theirs != draft.base:
            was = mapping_file.document_of(theirs, place.label)
            operations = edits.numbered(
                was, edits.between(was, mapping_file.document_of(text, place.label))
            )
        mapping_file.parse_mapping(text, place.label)
        target = mapping_file.path_of(place.mappings, place.contributor, start)
        before = digest(mapping_file.text_of(target)) if target.is_file() else None
        _write_kept(place, text)
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, text)
        return _append(place, place.who, why, start, before, text, operations, header), []


def _over_seen(place: Workplace, draft: DraftFold) -> DraftFold:
    """A draft that was begun anew, as operations over the mapping that was in force then."""
    if draft.seen in (None, digest(draft.base)) or not place.text_file(str(draft.seen)).is_file():
        return draft
    base = _text_of(place, str(draft.seen))
    fresh = DraftFold(base, draft.start, (), draft.seen, draft.file)
    return fresh.with_operations(edits.between(fresh.document(), draft.document()))


def renewed(
    draft: DraftFold, over: DraftFold, known: Sequence[Commit]
) -> tuple[DraftFold, list[Operation]]:
    """A draft over a mapping that was kept since it began.

    Args:
        draft: the draft.
        over: an empty one over that mapping.
        known: the commits.

    Returns:
        The draft over it, with the operations that say something else and concern nothing that was
        kept meanwhile; and the others: those that would change that, or the layout of the text.

    Raises:
        HubError: the text of one of both has faults.
    """
    base, made = mapping_file.document_of(draft.base, draft.file), over.document()
    seen = [n for n, commit in enumerate(known, 1) if commit["after"] == draft.seen]
    kept = [one for commit in known[max(seen, default=0) :] for one in commit["operations"]]
    others = Touching([*edits.numbered(base, edits.between(base, made)), *kept])
    mine, stay, lost = draft.document(), list[Operation](), list[Operation]()
    for operation in _last_of_each_key(draft.active):
        try:
            before = edits.value_in(made, operation)
            differs = before != edits.value_in(mine, operation)
            if operation["op"] == "layout" or (differs and others.of(operation)):
                lost.append(operation)
                continue
            edits.apply(made, operation)
            if edits.value_in(made, operation) != before:
                stay.append(operation)
        except HubError:  # it concerns a rule that is not there any more
            lost.append(operation)
    return over.with_operations(stay), lost


def _last_of_each_key(operations: Sequence[Operation]) -> list[Operation]:
    """The operation that decides each key, in the order in which they were made."""
    last = {edits.key_of(one): one for one in operations}
    return sorted(last.values(), key=lambda one: int(one["n"]))


def undoing(
    place: Workplace, number: int, which: Sequence[int] = ()
) -> tuple[list[Operation], list[Operation]]:
    """The operations that take a commit back, and later ones, of any commit, on the same keys.

    Args:
        place: whose.
        number: of the commit.
        which: operations of it; all of them, if none is named.

    Raises:
        HubError: there is no such commit or operation.
    """
    known = commits(place)
    if not 1 <= number <= len(known):
        raise error("mapping-commit", n=number)
    wanted = [one for one in known[number - 1]["operations"] if not which or one["n"] in which]
    if not wanted or (which and len(wanted) < len(set(which))):
        raise error("mapping-commit", n=number)
    own = Touching(wanted)
    later = [
        {**one, "commit": commit["number"]}
        for commit in known[number:]
        for one in commit["operations"]
        if commit["from"] == known[number - 1]["from"] and own.of(one)
    ]
    for one in wanted:
        one["commit"] = number
    return [undone(one) for one in reversed(wanted) if one["op"] != "layout"], later


def undone(operation: Operation) -> Operation:
    """The operation that takes one of a commit back."""
    return {**edits.opposite(operation, operation["before"]), "undoes": operation["commit"]}


def _append(
    place: Workplace, who: str, why: str, start: str, before: str | None, text: str,
    operations: Sequence[Operation], header: Sequence[str] = (),
) -> Commit:  # fmt: skip
    undoes = sorted({one["undoes"] for one in operations if "undoes" in one})
    entry = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "who": who,
        "why": why,
        "from": start,
        "before": before,
        "after": digest(text),
        "operations": [{**one, "n": n} for n, one in enumerate(operations, 1)],
        "undoes": undoes or None,
        "header": [*header],
    }
    return append_chain(place.log, entry)


def _write(path: Path, text: str) -> None:
    """Put a mapping in place; who may read it, and the mark at its begin, stay as they are."""
    mode, mark = 0o600, b""
    if path.is_file():
        mode = path.stat().st_mode & 0o777
        mark = BOM_UTF8 if path.read_bytes().startswith(BOM_UTF8) else b""
    write_whole(path, mark + text.encode(), mode)


def _write_kept(place: Workplace, text: str) -> None:
    path = place.text_file(digest(text))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.is_file():
        write_whole(path, text.encode())
