"""Answers about the draft and the history of a mapping; what a request looks like: ``ask``."""

from __future__ import annotations

from typing import Any

from ctdhub.core.days import is_day
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.sensitive.mapping import dated
from ctdhub.sensitive.mapping.mapping_file import text_of
from ctdhub.sensitive.mapping.patched_yaml import lines_of
from ctdhub.sensitive.workbench import history as kept
from ctdhub.sensitive.workbench.bench import Bench, draft_of
from ctdhub.sensitive.workbench.draft import (
    DraftFold,
    digest,
    drop_draft,
    load_draft,
    save_draft,
)
from ctdhub.sensitive.workbench.effects import change
from ctdhub.sensitive.workbench.operations import Operation, checked
from ctdhub.sensitive.workbench.place import Workplace
from ctdhub.sensitive.workbench.readings import named

Answer = dict[str, Any]


def state(place: Workplace) -> dict[str, Any] | None:
    """What every answer says of the draft; None where there is none and nothing to begin one."""
    try:
        draft = draft_of(place)
    except HubError:
        return None
    now = dated.in_force(place.mappings, place.contributor, place.day)
    there = text_of(now[1]) if now else None
    found: dict[str, Any] = {"operations": len(draft.active), "from": draft.start}
    found["stale"] = (digest(there) if there else None) != draft.seen
    try:
        text = draft.text()
        found |= {"sha256": digest(text), "kept": text == there, "invalid": None}
    except HubError as met:
        found |= {"sha256": None, "kept": False, "invalid": met.fault.as_json()}
    return found


def do(place: Workplace, request: dict[str, Any]) -> Answer:
    """Add operations to the draft."""
    return _add(place, [checked(one) for one in _list(request, "operations")])


def try_(place: Workplace, request: dict[str, Any]) -> Answer:
    """What operations would change."""
    draft = draft_of(place)
    after = draft.with_operations([checked(one) for one in _list(request, "operations")])
    return {"change": _change(place, draft, after)}


def _add(place: Workplace, operations: list[Operation]) -> Answer:
    draft = draft_of(place)
    after = draft.with_operations(operations)
    answer = {"done": [one["n"] for one in after.operations[len(draft.operations) :]]}
    return {**answer, "change": _saved(place, draft, after)}


def _saved(place: Workplace, before: DraftFold, after: DraftFold) -> dict[str, Any] | None:
    told = _change(place, before, after)
    save_draft(place, after)
    return told


def _change(place: Workplace, before: DraftFold, after: DraftFold) -> dict[str, Any] | None:
    """What rows become otherwise; None without a file."""
    if place.file is None:
        return None
    now, then = Bench(place, before), Bench(place, after)
    if now.mapping.read != then.mapping.read:
        return None  # another table: its rows are not those
    return change(now.effect, then.effect, named)


def undo(place: Workplace, request: dict[str, Any]) -> Answer:
    """Undo operations; later ones on their keys are shown first, or undone too, or stay."""
    draft, numbers = draft_of(place), _numbers(request)
    later = draft.later(numbers)
    if later and request.get("later") not in ("undo", "stay"):
        return {"later": later}
    if request.get("later") == "undo":
        numbers += [one["n"] for one in later]
    return {"undone": numbers, "change": _saved(place, draft, draft.marked(numbers, undone=True))}


def redo(place: Workplace, request: dict[str, Any]) -> Answer:
    """Do undone operations again."""
    numbers = _numbers(request)
    draft = draft_of(place)
    return {"done": numbers, "change": _saved(place, draft, draft.marked(numbers, undone=False))}


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
    start, given = request.get("from", place.day), request.get("answers") or {}
    if start != dated.FIRST and not (isinstance(start, str) and is_day(start)):
        raise error("workbench-request")
    if not isinstance(given, dict) or not all(str(n).isdecimal() for n in given):
        raise error("workbench-request")
    answers = {int(n): str(answer) for n, answer in given.items()}
    draft = draft_of(place)
    header = Bench(place, draft).file.names if place.file else ()
    why = str(request.get("why") or "")
    done, conflicts = kept.keep(place, draft, start, why, answers, header)
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
