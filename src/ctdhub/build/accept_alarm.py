"""An alarm is accepted by name, for one delivery, in the mapping that reads it.

The entry is a commit of the mapping's history as any other edit is.
"""

from __future__ import annotations

from typing import Any

from ctdhub.build.hub import Hub
from ctdhub.build.journal import noted
from ctdhub.build.mapping_by_date import mapping_file
from ctdhub.build.steps import hash_file
from ctdhub.core.error_catalogue import error, from_json
from ctdhub.core.errors import HubError
from ctdhub.sensitive.workbench.ask import ask


def accept_alarm(
    hub: Hub, contributor: str, date: str, entry: str, reason: str, base: str, by: str
) -> None:
    """Write the entry.

    Args:
        hub: the hub.
        contributor, date: whose delivery.
        entry: the alarm, as ``Alarm.entry`` names it.
        reason: why it is right, for those who approve.
        base: SHA-256 of the mapping as whoever accepts saw it.
        by: who accepts.

    Raises:
        MappingError: somebody changed the mapping since; this person has other edits of it that
            are not kept; or the mapping knows no such alarm.
        HubFolderError: a build is at work.
    """
    path = mapping_file(hub, contributor, date)
    starts = "" if path == hub.mapping(contributor) else path.stem
    asked = {
        "folder": str(hub.root.resolve()),
        "contributor": contributor,
        "who": by,
        "day": date,
        "file": None,
    }
    with hub.lock(), noted(hub, "accept alarm", contributor=contributor, alarm=entry):
        if hash_file(path) != base:
            raise error("alarm-mapping", file=path)
        if _answer({**asked, "ask": "history"})["operations"]:
            raise error("alarm-mapping/draft", file=path)
        accepted = {"alarm": entry, "delivery": date, "reason": reason}
        operation = {"op": "accept", "entry": accepted, "on": True}
        try:
            _answer({**asked, "ask": "do", "operations": [operation]})
            kept = _answer({**asked, "ask": "keep", "why": reason, "from": starts})
        except HubError:
            ask({**asked, "ask": "discard"})
            raise
        if "kept" not in kept:
            ask({**asked, "ask": "discard"})
            raise error("alarm-mapping", file=path)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    found = ask(request)
    if "error" in found:
        raise from_json(found["error"])
    return found
