"""Who may ask what, by the one table of the desk, and what an answer then shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctdhub.desk.allowed import Who, allowed

ACTION_OF = {
    "agreements": "agreement.read",
    "agreement": "agreement.read",
    "looks": "look.counts",
    "look": "look.counts",
    "rejects": "look.read",
    "drift": "drift.read",
    "coverage": "coverage.read",
    "doubles": "doubles.read",
    "decide": "doubles.decide",
    "lineages": "lineage.read",
    "lineage": "lineage.read",
    "ledger": "ledger.account",
    "withdrawals": "withdrawal.read",
    "tell": "withdrawal.tell",
    "told": "withdrawal.tell",
    "tell_rows": "withdrawal.tell",
    "tell_back": "withdrawal.tell",
    "versions": "plan.read",
    "rehearsal": "plan.read",
    "price": "plan.price",
    "changes": "plan.read",
    "stopped": "plan.price",
    "waiting": "home.read",
    "overview": "home.read",
    "report": "report.read",
    "next_week": "home.read",
    "paper_draft": "paper.draft",
    "paper_file": "paper.read",
    "table_form": "table.ask",
    "table_held": "table.read",
    "table_price": "table.price",
    "candidates": "approval.read",
    "candidate": "approval.read",
    "approvers": "approval.read",
    "statement": "approval.give",
    "lift": "approval.give",
    "key_change": "approval.give",
}
"""The action of each request."""

_SEES = {
    "texts": "look.read",
    "columns": "look.read",
    "drafts": "ledger.read",
    "charges": "ledger.read",
    "decide": "doubles.decide",
    "review": "plan.price",
    "alarms": "look.counts",
    "versions": "plan.read",
    "builds": "operation.read",
    "carry": "withdrawal.carry_out",
}
"""The action that lets an answer show something."""

_TELLING = ("tell", "told", "tell_rows", "tell_back")
_OF_ONE = frozenset(
    {"agreement", "lineages", "lineage", "withdrawals", "report", "paper_file", *_TELLING}
)
"""Requests that a contributor may make of its own organisation."""

_OF_NONE = frozenset({"ledger", "waiting", "next_week", "table_form", "table_held"})
"""Those that it may make which are of no organisation."""


class _Own:
    def __init__(self, organisation: str) -> None:
        self.organisation_id = organisation


def sees(who: Who, request: Mapping[str, Any]) -> frozenset[str] | None:
    """What an answer shows to somebody; None where they may not ask.

    Args:
        who: who asks.
        request: of whom it asks is ``id``; for lineage ``contributor``.
    """
    ask = str(request.get("ask"))
    action = ACTION_OF.get(ask)
    if action is None:
        return None
    thing = None
    if who.is_contributor:
        if ask not in _OF_ONE | _OF_NONE:
            return None
        key = "contributor" if ask in ("lineage", "lineages") else "id"
        thing = _Own(str(request.get(key, ""))) if ask in _OF_ONE else None
    if not allowed(who, action, thing):
        return None
    found = {name for name, of in _SEES.items() if allowed(who, of)}
    if who.is_contributor and ask in _OF_ONE:
        found.add("columns")
    return frozenset(found)
