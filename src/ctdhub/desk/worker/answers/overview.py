"""The hub at a glance, for the first page of its roles: each part for those who may see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ctdhub.build.hub import Hub
from ctdhub.build.journal import read_journal
from ctdhub.build.stages.alarms import open_alarms
from ctdhub.core.errors import HubError
from ctdhub.desk.worker.answers import ledgers, looks, releases


def overview(hub: Hub, sees: frozenset[str]) -> dict[str, Any]:
    """Values for the first page; a part that cannot be read is None, and its own page says why.

    Args:
        sees: see ``may.sees``; each part needs one of its names.

    Returns:
        ``given``: ``alarms``: how many are open, and how many files are not read yet, so that
        theirs are not known; ``versions``: as ``releases.versions`` gives them; ``budget``: spent,
        left, budget; ``built``: when the last build ended and whether it did so well, without the
        rule that stopped it.
    """
    parts: dict[str, tuple[set[str], Callable[[], Any]]] = {
        "alarms": ({"alarms"}, lambda: _alarms(hub)),
        "versions": ({"versions"}, lambda: releases.versions(hub)["given"]["versions"]),
        "budget": ({"drafts"}, lambda: ledgers.ledger_page(hub, drafts=True)["given"]),
        "built": ({"builds", "review"}, lambda: _built(hub)),
    }
    given = {name: _read(make) for name, (needs, make) in parts.items() if needs & sees}
    return {"given": given}


def _read(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except HubError:
        return None


def _alarms(hub: Hub) -> dict[str, int]:
    return {"open": len(open_alarms(hub)), "unread": looks.unread(hub)}


def _built(hub: Hub) -> dict[str, Any]:
    runs = [line for line in read_journal(hub) if line.what == "build"]
    if not runs:
        return {"time": "", "done": False}
    return {"time": runs[-1].time, "done": runs[-1].outcome == "done"}
