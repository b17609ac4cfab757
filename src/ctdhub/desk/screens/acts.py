"""What a form of a screen asks for, and what came of it: one place for every screen.

Each button carries the operations that the workbench proposed, as JSON; a form of chosen texts
makes them itself.  Nothing is read of an address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text, many
from ctdhub.desk.screens.carrier import Carrier, asked
from ctdhub.desk.screens.words import REASONS, changed

_LONGEST = 2_000_000


def needed(posted: Any) -> str:
    """The action of ``desk.allowed`` that a form of a screen asks for.

    Args:
        posted: the form, a ``QueryDict``.
    """
    kind = posted.get("act", "")
    if posted.get("operations") or (posted.get("sheet") and not kind):
        return "mapping.edit"
    if kind == "keep":
        return "mapping.keep"
    return "mapping.read" if kind in ("", "find") else "mapping.edit"


@dataclass(frozen=True)
class Outcome:
    """What came of a form.

    Attributes:
        said: what is told to the reader, None where nothing is.
        met: what was wrong; then nothing was changed.
        later: operations that an undo would touch too, to be decided about.
        asked_undo: numbers of the operations that were to be undone, where ``later`` has any.
        conflicts: keys for which somebody else kept another value meanwhile.
        chosen: texts that stay chosen.
    """

    said: Text | None = None
    met: HubError | None = None
    later: tuple[Mapping[str, Any], ...] = ()
    asked_undo: tuple[int, ...] = ()
    conflicts: tuple[Mapping[str, Any], ...] = ()
    chosen: frozenset[str] = field(default_factory=frozenset)


def act(carrier: Carrier, posted: Any, sheet: str | None = None) -> Outcome:
    """Do what a form asks for.

    Args:
        posted: the form, a ``QueryDict``.
        sheet: that the chosen texts are of.
    """
    try:
        return _act(carrier, posted, sheet)
    except HubError as met:
        return Outcome(met=met, chosen=frozenset(posted.getlist("texts")))


def _act(carrier: Carrier, posted: Any, sheet: str | None) -> Outcome:
    kind = posted.get("act", "")
    if given := posted.get("operations", ""):
        return _do(carrier, _operations(given))
    if kind in ("map", "try"):
        return _map(carrier, posted, sheet, only_try=kind == "try")
    if kind == "leave_out":
        return _leave_out(carrier, posted)
    if kind == "sure":
        found = asked(carrier, "suggested", **_column(posted))["suggested"]
        sure = [op for one in found if one["sure"] for op in one["operations"]]
        return _do(carrier, sure) if sure else Outcome(Text("Nothing more is sure."))
    if kind in ("undo", "redo", "undo_kept"):
        return _undo(carrier, posted, kind)
    if kind == "discard":
        asked(carrier, "discard")
        return Outcome(Text("All changes since the last mapping were dropped."))
    if kind == "write":
        text = posted.get("text", "").replace("\r\n", "\n")[:_LONGEST]
        return _told(asked(carrier, "write", text=text))
    if kind == "keep":
        return _keep(carrier, posted)
    return Outcome()


def _do(carrier: Carrier, operations: list[Any]) -> Outcome:
    return _told(asked(carrier, "do", operations=operations))


def _map(carrier: Carrier, posted: Any, sheet: str | None, *, only_try: bool) -> Outcome:
    texts = posted.getlist("texts")
    codes = [code for code in posted.getlist("codes") if code]
    if not texts:
        return Outcome(Text("Choose at least one text first."))
    if not codes and "nothing" not in posted:
        return Outcome(Text("Choose what the texts mean."), chosen=frozenset(texts))
    operations = [{"op": "map", "sheet": sheet, "text": text, "codes": codes} for text in texts]
    if only_try:
        change = asked(carrier, "try", operations=operations)["change"]
        return Outcome(changed(change), chosen=frozenset(texts))
    return _do(carrier, operations)


def _leave_out(carrier: Carrier, posted: Any) -> Outcome:
    """A rule that excludes the rows with the chosen texts, under the name of its reason."""
    texts, name = posted.getlist("texts"), posted.get("reason", "")
    if not texts or name not in REASONS:
        return Outcome(Text("Choose at least one text first."))
    rule = {"when": {posted.get("column", ""): texts}}
    return _do(carrier, [{"op": "exclude", "name": name, "rule": rule}])


def _undo(carrier: Carrier, posted: Any, kind: str) -> Outcome:
    numbers = [n for given in posted.getlist("n") if (n := small_number(given)) is not None]
    more = {"later": posted["later"]} if posted.get("later") in ("undo", "stay") else {}
    if kind == "undo_kept":
        answer = asked(carrier, kind, commit=small_number(posted.get("commit")) or 0, **more)
    else:
        answer = asked(carrier, kind, n=numbers, **more)
    if answer.get("later"):
        return Outcome(later=tuple(answer["later"]), asked_undo=tuple(numbers))
    return _told(answer)


def _keep(carrier: Carrier, posted: Any) -> Outcome:
    answers = {
        name.removeprefix("answer-"): posted[name] for name in posted if name.startswith("answer-")
    }
    answer = asked(carrier, "keep", why=posted.get("why", "")[:500], answers=answers)
    if answer.get("conflicts"):
        return Outcome(conflicts=tuple(answer["conflicts"]))
    return Outcome(Text("The mapping is kept."))


def _told(answer: Mapping[str, Any]) -> Outcome:
    done = answer.get("done") or answer.get("undone") or ()
    change = answer.get("change")
    if change is None:
        return Outcome(many("{n} change.", "{n} changes.", len(done)))
    return Outcome(changed(change))


def _column(posted: Any) -> dict[str, str]:
    return {"column": posted["column"]} if posted.get("column") else {}


def small_number(given: str | None) -> int | None:
    """A number of a form or an address, of up to nine digits; None where it is none."""
    return int(given) if given and given.isdecimal() and len(given) < 10 else None


def _operations(given: str) -> list[Any]:
    try:
        found = json.loads(given[:_LONGEST])
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []
