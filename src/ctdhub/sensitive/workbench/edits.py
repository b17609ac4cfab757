"""Answers about the draft and the history of a mapping; what a request looks like: ``ask``."""

from __future__ import annotations

from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.sensitive.mapping import dated
from ctdhub.sensitive.mapping.mapping_file import text_of
from ctdhub.sensitive.mapping.patched_yaml import lines_of
from ctdhub.sensitive.workbench import history as kept
from ctdhub.sensitive.workbench.draft import (
    MappingDraft,
    digest,
    drop_draft,
    load_draft,
    save_draft,
)
from ctdhub.sensitive.workbench.operations import Operation, checked
from ctdhub.sensitive.workbench.place import Workplace

Answer = dict[str, Any]


def draft_of(place: Workplace) -> MappingDraft:
    """This person's draft, or an empty one over the mapping in force.

    Raises:
        HubError: there is neither, and no file to suggest one for.
    """
    if (found := load_draft(place)) is not None:
        return found
    now = dated.in_force(place.mappings, place.contributor, place.day)
    if now is not None:
        return MappingDraft(text_of(now[1]), now[0], (), place.shown)
    raise error("workbench-nothing", id=place.contributor, date=place.day)


def state(place: Workplace) -> dict[str, Any] | None:
    """What every answer says of the draft; None where there is none and nothing to begin one."""
    try:
        draft = draft_of(place)
    except HubError:
        return None
    now = dated.in_force(place.mappings, place.contributor, place.day)
    there = text_of(now[1]) if now else None
    found: dict[str, Any] = {"operations": len(draft.active), "from": draft.start}
    found["stale"] = there is not None and there != draft.base
    try:
        text = draft.text()
        found |= {"sha256": digest(text), "kept": text == there, "invalid": None}
    except HubError as met:
        found |= {"sha256": None, "kept": False, "invalid": met.fault.as_json()}
    return found


def do(place: Workplace, request: dict[str, Any]) -> Answer:
    """Add operations to the draft."""
    return _add(place, [checked(one) for one in _list(request, "operations")])


def _add(place: Workplace, operations: list[Operation]) -> Answer:
    draft = draft_of(place)
    if not operations:
        return {"done": []}
    after = draft.with_operations(operations)
    save_draft(place, after)
    return {"done": [one["n"] for one in after.operations[len(draft.operations) :]]}


def undo(place: Workplace, request: dict[str, Any]) -> Answer:
    """Undo operations; later ones on their keys are shown first, or undone too, or stay."""
    draft, numbers = draft_of(place), _numbers(request)
    later = draft.later(numbers)
    if later and request.get("later") not in ("undo", "stay"):
        return {"later": later}
    if request.get("later") == "undo":
        numbers += [one["n"] for one in later]
    save_draft(place, draft.marked(numbers, undone=True))
    return {"undone": numbers}


def redo(place: Workplace, request: dict[str, Any]) -> Answer:
    """Do undone operations again."""
    numbers = _numbers(request)
    save_draft(place, draft_of(place).marked(numbers, undone=False))
    return {"done": numbers}


def discard(place: Workplace, request: dict[str, Any]) -> Answer:
    """End the draft."""
    drop_draft(place)
    return {}


def history(place: Workplace, request: dict[str, Any]) -> Answer:
    """Operations of the draft and commits, newest first."""
    commits = [_shown(one) for one in reversed(kept.commits(place))]
    draft = load_draft(place)
    operations = list(reversed(draft.operations)) if draft else []
    outside = bool(commits) and commits[0]["who"] == kept.OUTSIDE
    return {"operations": operations, "commits": commits, "outside": outside}


def _shown(commit: kept.Commit) -> dict[str, Any]:
    return {k: v for k, v in commit.items() if k not in ("previous", "hash", "header")}


def undo_kept(place: Workplace, request: dict[str, Any]) -> Answer:
    """Take a commit, or operations of it, back by operations in the draft."""
    number = request.get("commit")
    if not isinstance(number, int):
        raise error("workbench-request")
    which = _numbers(request) if "n" in request else []
    operations, later = kept.undoing(place, number, which)
    if later and request.get("later") not in ("undo", "stay"):
        return {"later": later}
    if request.get("later") == "undo":
        more = [kept.undone(one) for one in reversed(later)]
        operations = [*more, *operations]
    return _add(place, operations)


def text(place: Workplace, request: dict[str, Any]) -> Answer:
    """The mapping as YAML, with the first line of each rule."""
    words = draft_of(place).text()
    places = lines_of(words, place.shown)
    lines = {".".join(map(str, where[-1:])): n for where, n in places.items() if len(where) > 1}
    return {"text": words, "lines": lines}


def write(place: Workplace, request: dict[str, Any]) -> Answer:
    """The mapping as somebody typed it."""
    typed = request.get("text")
    if not isinstance(typed, str):
        raise error("workbench-request")
    typed = typed.replace("\r\n", "\n") if "\r\n" not in draft_of(place).text() else typed
    return _add(place, draft_of(place).typed(typed))


def keep(place: Workplace, request: dict[str, Any]) -> Answer:
    """Commit the draft."""
    start = request.get("from", place.day)
    answers = {int(n): str(answer) for n, answer in (request.get("answers") or {}).items()}
    draft = draft_of(place)
    done, conflicts = kept.keep(place, draft, start, str(request.get("why") or ""), answers)
    if done is None:
        return {"conflicts": conflicts}
    drop_draft(place)
    path = dated.path_of(place.mappings, place.contributor, done["from"])
    named = {"number": done["number"], "from": done["from"], "sha256": done["after"]}
    return {"kept": {**named, "path": path.relative_to(place.mappings.parent).as_posix()}}


def _list(request: dict[str, Any], key: str) -> list[Any]:
    found = request.get(key)
    if not isinstance(found, list):
        raise error("workbench-request")
    return found


def _numbers(request: dict[str, Any]) -> list[int]:
    found = _list(request, "n")
    if not found or not all(type(n) is int for n in found):
        raise error("workbench-request")
    return found
