"""One request of a hub's page and its answer: JSON in, JSON out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctdhub.core.errors import HubError, as_json, error, from_json
from ctdhub.core.i18n import language
from ctdhub.desk.allowed import Who, allowed, may_ask
from ctdhub.desk.worker.answers import agreements, ledgers, looks, releases
from ctdhub.desk.worker.identities import has_hub_keys
from ctdhub.hub import doubles as decided
from ctdhub.hub.folder import Hub, desk_file
from ctdhub.hub.stages.alarms import open_alarms
from ctdhub.release.approvals import Role
from ctdhub.release.bundle import latest_release


def begun(hub: Hub) -> dict[str, Any]:
    """What a new hub has already, on its way to a first release: yes or no, no count."""
    steps = {
        "agreement": bool(hub.agreements()),
        "keys": has_hub_keys(hub),
        "file": bool(hub.received()),
        "approvers": hub.settings.approvers is not None,
        "release": latest_release(hub.releases) is not None,
    }
    return {"given": steps}


# --------------------------------------------------------------------------------------------------
# One request of a hub's page and its answer: JSON in, JSON out.
#
# **Request.**  ``ask`` names the answer, ``lang`` the reader's language; the web process sets both.
# The other keys come from the page's address or its form.
#
# **Answer.**  ``{"document": …, "given": …}``: a document in that language
# (``document.document``) and values for forms and links; or ``{"error": …}`` as
# ``core.errors.as_json`` writes it.  Answers hold exact counts, and ``rejects`` and ``look`` texts
# of cells, where the action ``look.read`` is theirs: whoever passes them on sends ``no-store`` and
# keeps nothing.
#
# ======================  ========================================================================
# ``agreements``          all agreements
# ``agreement``           ``id``
# ``looks``               newest deliveries with their alarms
# ``look``                ``id``, ``date``?
# ``rejects``             ``id``, ``date``
# ``drift``, ``coverage``, ``doubles``, ``lineages``, ``ledger``, ``versions``, ``rehearsal``
# ``decide``              ``pair``, ``same``, ``seen``: writes a decision
# ``lineage``             ``id``: name of a variable
# ``withdrawals``         ``id``?: the only contributor whose lines are shown
# ``tell``                ``id``: contributor; ``scope``, ``reason``, ``numbers``, ``what``,
#                         ``ahead``, ``file``
# ``told``                ``id``: contributor; ``key``: one report, and what is asked about it
# ``tell_rows``           ``id``, ``key``, ``seen``, ``chosen``, ``unknown``: what it answers
# ``tell_back``           ``id``, ``key``: takes a report back that is not carried out
# ``tell_pass``           ``id``, ``reason``: lets releases go on without an answer of that one
# ``price``, ``changes``  ``version``
# ``paper_draft``         ``kind``, ``id``: contributor of an agreement
# ``paper_file``          ``key``: of a signed paper; ``id``: whose it is, "" for the hub's
# ``keys``                ``id``?: cards and senders of all agreements, or of one
# ``key_file``            ``id``: contributor; ``content``: of the file that it hands in
# ``table_form``          variables and regions of which a table may be asked
# ``table_held``          ``tables``: of each, a list of variables, the release that holds it
# ``table_price``         ``variables``: what the table would cost the next release
# ``candidates``, ``approvers``
# ``candidate``           ``version``
# ``card``                ``version``, ``path``: a page of the candidate, or of the release before
# ``statement``           ``version``, ``role``, ``not_before``: what this role would sign now
# ``lift``                ``version``, ``role``: what takes this role's hold back
# ``key_change``          ``role``, ``reason``: what it would sign about the keys in hub.yaml
# ``stopped``             ``job``: why it stopped, in full
# ``waiting``             counts of what waits: alarms, pairs, agreements, ended contributors
# ``begun``               what a new hub has on its way to a first release
# ``report``              ``id``: a contributor's private report, for itself alone
# ``next_week``           the week of the next release
# ======================  ========================================================================


@dataclass(frozen=True)
class HubRequest:
    """A request and who makes it; ``request["id"]`` is a text of it, "" where there is none."""

    who: Who
    fields: Mapping[str, Any]

    def __getitem__(self, key: str) -> str:
        value = self.fields.get(key)
        return value if isinstance(value, str) else ""

    def may(self, action: str) -> bool:
        """Whether they may, so that the answer shows it."""
        return bool(allowed(self.who, action))


def ask(root: Path, who: Who, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a request of somebody, if they may ask it.

    Args:
        root: the hub folder.
        request: see above.
    """
    name = str(request.get("ask"))
    try:
        if not may_ask(who, request):
            raise error("desk-ask", name=name[:40])
        with language(str(request.get("lang", "en")), page=True):
            return _ANSWERS[name](Hub(root), HubRequest(who, request))
    except HubError as met:
        return {"error": as_json(met)}


def _role(asked: HubRequest) -> Role:
    return "steward" if asked["role"] == "steward" else "privacy_officer"


def _decide(hub: Hub, asked: HubRequest) -> dict[str, Any]:
    same, seen = asked["same"], asked.fields.get("seen")
    verdict = next((one for one in decided.SAME if one == same), None)
    if verdict is None or not isinstance(seen, int):
        raise error("desk-ask", name="decide")
    decided.decide(hub, asked["pair"], verdict, asked.who.account, seen)
    return {"given": {"decided": True}}


def stopped(hub: Hub, job: str) -> dict[str, Any]:
    """Why a job of the hub stopped; the row of the job holds the rule alone.

    Raises:
        HubError: that reason.
    """
    cause = desk_file(hub, f"stopped-{job}.json") if re.fullmatch("[0-9a-f]{32}", job) else None
    if cause is None:
        raise error("desk-ask", name="stopped")
    raise from_json(cause)


def waiting(hub: Hub, asked: HubRequest) -> dict[str, Any]:
    """What waits for somebody who may see that much."""
    counts: dict[str, int] = {}
    if asked.may("look.read"):
        counts |= {"alarms": len(open_alarms(hub)), "unread": looks.unread(hub)}
    if asked.may("doubles.decide"):
        counts["pairs"] = looks.undecided(hub)
    if asked.may("withdrawal.carry_out"):
        counts["told"] = ledgers.ready_reports(hub)
    return {"given": counts}


_ANSWERS: dict[str, Callable[[Hub, HubRequest], dict[str, Any]]] = {
    "agreements": lambda hub, r: agreements.agreements(hub),
    "agreement": lambda hub, r: agreements.agreement(hub, r["id"], charges=r.may("ledger.read")),
    "looks": lambda hub, r: looks.looks(hub),
    "look": lambda hub, r: looks.look_at(hub, r["id"], r["date"], texts=r.may("look.read")),
    "rejects": lambda hub, r: looks.rejects(hub, r["id"], r["date"]),
    "drift": lambda hub, r: looks.drift(hub),
    "coverage": lambda hub, r: looks.coverage(hub),
    "doubles": lambda hub, r: looks.doubles(hub),
    "decide": _decide,
    "lineages": lambda hub, r: looks.lineages(hub),
    "lineage": lambda hub, r: looks.lineage(hub, r["id"], columns=r.may("look.read")),
    "ledger": lambda hub, r: ledgers.ledger_page(hub),
    "withdrawals": lambda hub, r: ledgers.withdrawals(hub, r["id"]),
    "tell": lambda hub, r: ledgers.take_report(hub, r.fields),
    "told": lambda hub, r: ledgers.reports_of(hub, r.fields),
    "tell_rows": lambda hub, r: ledgers.report_rows(hub, r.fields),
    "tell_back": lambda hub, r: ledgers.take_back_report(hub, r.fields),
    "tell_pass": lambda hub, r: ledgers.pass_report(hub, r.fields),
    "versions": lambda hub, r: releases.versions(hub),
    "rehearsal": lambda hub, r: releases.rehearsal(hub),
    "price": lambda hub, r: releases.price(hub, r["version"]),
    "changes": lambda hub, r: releases.difference(hub, r["version"], reviewed=r.may("plan.price")),
    "stopped": lambda hub, r: stopped(hub, r["job"]),
    "paper_draft": lambda hub, r: agreements.paper_draft(hub, r["kind"], r["id"]),
    "paper_file": lambda hub, r: agreements.paper_file(hub, r["key"], r["id"]),
    "keys": lambda hub, r: agreements.bundle_keys(hub, r["id"]),
    "key_file": lambda hub, r: agreements.sender_key(hub, r["id"], r["content"]),
    "table_form": lambda hub, r: releases.table_form(hub),
    "table_held": lambda hub, r: releases.table_held(hub, r.fields),
    "table_price": lambda hub, r: releases.table_price(hub, r.fields),
    "candidates": lambda hub, r: releases.candidates(hub),
    "card": lambda hub, r: releases.card(hub, r["version"], r["path"]),
    "candidate": lambda hub, r: releases.candidate(hub, r["version"]),
    "approvers": lambda hub, r: releases.approvers(hub),
    "statement": lambda hub, r: releases.to_sign(hub, r["version"], _role(r), r["not_before"]),
    "lift": lambda hub, r: releases.lift_to_sign(hub, r["version"], _role(r)),
    "notice": lambda hub, r: releases.notice(hub, r["version"]),
    "notice_to_sign": lambda hub, r: releases.notice_to_sign(hub, r["version"], _role(r)),
    "key_change": lambda hub, r: releases.change_to_sign(hub, _role(r), r["reason"]),
    "waiting": waiting,
    "begun": lambda hub, r: begun(hub),
    "report": lambda hub, r: looks.contributor_report(hub, r["id"]),
    "next_week": lambda hub, r: looks.next_week(hub),
}
