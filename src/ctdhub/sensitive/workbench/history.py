"""Commits of a contributor's mappings: kept texts, the chain of what was done, hand edits found.

``mappings/.history/<id>/<sha256>.yaml`` holds each text that was in force, ``<id>.jsonl`` a line
for each commit.  The text is written first, then the mapping, then the line: after a kill the
mapping is found by its hash, like one that was edited by hand, and becomes a commit "outside".
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ctdhub.core.atomic import write_whole
from ctdhub.core.chainlog import append_chain, read_chain
from ctdhub.core.error_catalogue import error
from ctdhub.core.lock import locked
from ctdhub.sensitive.mapping import dated
from ctdhub.sensitive.mapping.mapping_file import parse_mapping, text_of
from ctdhub.sensitive.mapping.patched_yaml import Document, document_of, patched
from ctdhub.sensitive.workbench.difference import between
from ctdhub.sensitive.workbench.draft import DraftFold, digest
from ctdhub.sensitive.workbench.edited import applied, value_in
from ctdhub.sensitive.workbench.operations import Operation, key_of, opposite, touch
from ctdhub.sensitive.workbench.place import Workplace

OUTSIDE = "outside"
"""Who made a commit that was found in the folder: somebody by hand, or another program."""

Commit = dict[str, Any]
"""A line of the chain."""


def commits(place: Workplace) -> tuple[Commit, ...]:
    """The commits, hand edits included, oldest first; the chain is verified.

    Raises:
        HubError: a line was changed (rule "chain").
    """
    found = read_chain(place.log)
    if not any(_by_hand(place, found)):
        return found
    with locked(place.lock):
        return _with_outside(place)


def _by_hand(place: Workplace, known: Sequence[Commit]) -> list[tuple[str, Path, str | None]]:
    """Mappings whose text is not that of their last commit, with the hash that it had."""
    last: dict[str, str] = {one["from"]: one["after"] for one in known}
    return [
        (start, path, last.get(start))
        for start, path in dated.mappings(place.mappings, place.contributor)
        if digest(text_of(path)) != last.get(start)
    ]


def _with_outside(place: Workplace) -> tuple[Commit, ...]:
    """The commits after hand edits became such; the caller holds the lock."""
    for start, path, before in _by_hand(place, read_chain(place.log)):
        text = text_of(path)
        _write_kept(place, text)
        was = document_of(_text_of(place, before), place.shown) if before else None
        operations = [] if was is None else _numbered(was, between(was, _read(text, path)))
        _append(place, OUTSIDE, "", start, before, text, operations)
    return read_chain(place.log)


def _read(text: str, path: Path) -> Document:
    return document_of(text, path.name)


def _text_of(place: Workplace, sha256: str) -> str:
    path = place.kept(sha256)
    if not path.is_file():
        raise error("mapping-history", file=path)
    text = text_of(path)
    if digest(text) != sha256:
        raise error("mapping-history", file=path)
    return text


def _numbered(before: Document, operations: Sequence[Operation]) -> list[Operation]:
    """Operations with their numbers and the values before them."""
    made, found = before, []
    for n, operation in enumerate(operations, 1):
        found.append({**operation, "n": n, "before": value_in(made, operation), "undone": False})
        made = applied(made, operation)
    return found


def keep(
    place: Workplace,
    draft: DraftFold,
    start: str,
    why: str = "",
    answers: Mapping[int, str] | None = None,
    header: Sequence[str] = (),
) -> tuple[Commit | None, list[dict[str, Any]]]:
    """Commit a draft.

    Args:
        place: whose, and by whom.
        draft: what to commit.
        start: from which date on it shall read.
        why: the reason, in the person's words.
        answers: for operations in conflict ``mine`` or ``theirs``.
        header: columns of the file that the draft was made with.

    Returns:
        The commit and no conflicts, or no commit and the conflicts that ``answers`` leave open.

    Raises:
        HubError: the mapping has faults, or a line of the chain was changed.
    """
    place.mappings.mkdir(parents=True, exist_ok=True)
    with locked(place.lock):
        known = _with_outside(place)
        now = dated.in_force(place.mappings, place.contributor, start or place.day)
        if now is not None and start == dated.FIRST != now[0]:
            first = dated.path_of(place.mappings, place.contributor, start)
            now = (start, first) if first.is_file() else None
        theirs = text_of(now[1]) if now else None
        text, operations = draft.text(), list(draft.active)
        if theirs is not None and digest(theirs) != draft.seen:
            rebased = rebase(_over_seen(place, draft), theirs, answers or {})
            if rebased.conflicts:
                return None, [_said(one, known) for one in rebased.conflicts]
            text, operations = rebased.text, rebased.operations
        elif theirs is not None and theirs != draft.base:
            was = document_of(theirs, place.shown)
            operations = _numbered(was, between(was, document_of(text, place.shown)))
        parse_mapping(text, place.shown)
        target = dated.path_of(place.mappings, place.contributor, start)
        before = digest(text_of(target)) if target.is_file() else None
        _write_kept(place, text)
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, text)
        return _append(place, place.who, why, start, before, text, operations, header), []


def _over_seen(place: Workplace, draft: DraftFold) -> DraftFold:
    """A draft that was begun anew, as operations over the mapping that was in force then."""
    if draft.seen in (None, digest(draft.base)) or not place.kept(str(draft.seen)).is_file():
        return draft
    base = _text_of(place, str(draft.seen))
    fresh = DraftFold(base, draft.start, (), draft.seen, draft.file)
    return fresh.with_operations(between(fresh.document(), draft.document()))


def _said(conflict: dict[str, Any], known: Sequence[Commit]) -> dict[str, Any]:
    """A conflict with who made the other value, and when."""
    for commit in reversed(known):
        if any(touch(conflict["operation"], one) for one in commit["operations"]):
            return {**conflict, "who": commit["who"], "time": commit["time"]}
    return {**conflict, "who": OUTSIDE, "time": ""}


class Rebased:
    """A draft over a mapping that somebody else kept meanwhile.

    Attributes:
        operations: those of the draft that still say something, with their values before.
        conflicts: those that give a key another value than the other person did, unanswered.
        text: the mapping with both people's changes; only where there are no conflicts.
    """

    def __init__(self, draft: DraftFold, theirs: str, answers: Mapping[int, str]) -> None:
        self.operations: list[Operation] = []
        self.conflicts: list[dict[str, Any]] = []
        base, now = document_of(draft.base, draft.file), document_of(theirs, draft.file)
        mine = draft.document()
        others = _numbered(base, between(base, now))
        made = now
        for operation in _last_of_each_key(draft.active):
            answer = answers.get(operation["n"])
            there = value_in(now, operation)
            if self._clash(operation, others, (base, now, mine)):
                if answer == "theirs":
                    continue
                if answer != "mine":
                    conflict = {"n": operation["n"], "operation": operation, "theirs": there}
                    self.conflicts.append({**conflict, "base": value_in(base, operation)})
                    continue
            if operation["op"] == "layout":
                continue
            before = value_in(made, operation)
            made = applied(made, operation)
            if value_in(made, operation) != before:
                n = len(self.operations) + 1
                self.operations.append({**operation, "n": n, "before": before})
        self.text = theirs if self.conflicts else patched(theirs, made, draft.file)

    @staticmethod
    def _clash(
        operation: Operation, others: Sequence[Operation], states: tuple[Document, ...]
    ) -> bool:
        """Whether somebody else gave the key, or a part of it, another value."""
        base, now, mine = (value_in(state, operation) for state in states)
        if now != base:
            return bool(now != mine)
        return any(
            touch(operation, other)
            and key_of(operation) != key_of(other)
            and value_in(states[2], other) != value_in(states[1], other)
            and value_in(states[1], other) != value_in(states[0], other)
            for other in others
        )


def rebase(draft: DraftFold, theirs: str, answers: Mapping[int, str]) -> Rebased:
    """A draft over the text that somebody else kept.

    Raises:
        HubError: the text of one of both has faults.
    """
    return Rebased(draft, theirs, answers)


def _last_of_each_key(operations: Sequence[Operation]) -> list[Operation]:
    """The operation that decides each key, in the order in which they were made."""
    last = {key_of(one): one for one in operations}
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
    later = [
        {**one, "commit": commit["number"]}
        for commit in known[number:]
        for one in commit["operations"]
        if commit["from"] == known[number - 1]["from"] and any(touch(one, o) for o in wanted)
    ]
    for one in wanted:
        one["commit"] = number
    return [undone(one) for one in reversed(wanted) if one["op"] != "layout"], later


def undone(operation: Operation) -> Operation:
    """The operation that takes one of a commit back."""
    return {**opposite(operation, operation["before"]), "undoes": operation["commit"]}


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
    path = place.kept(digest(text))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.is_file():
        write_whole(path, text.encode())
