"""One request of a hub's page, who may ask it, and its answer: JSON in, JSON out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from ctdhub.build import doubles as decided
from ctdhub.build.hub import Hub, kept, read_journal
from ctdhub.build.stages.alarms import open_alarms
from ctdhub.core.errors import HubError, as_json, error, from_json, printable
from ctdhub.core.i18n import language
from ctdhub.desk.allowed import Who, allowed
from ctdhub.desk.worker.answers import agreements, ledgers, looks, releases
from ctdhub.release.approvals import Role

# --------------------------------------------------------------------------------------------------
# Who may ask what, by the one table of the desk, and what an answer then shows.

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
    "tell_pass": "withdrawal.carry_out",
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


# --------------------------------------------------------------------------------------------------
# The hub at a glance, for the first page of its roles: each part for those who may see it.


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


# --------------------------------------------------------------------------------------------------
# One request of a hub's page and its answer: JSON in, JSON out.
#
# **Request.**  ``ask`` names the answer, ``lang`` the reader's language; the web process sets both,
# and ``sees``: what the account's roles let it see, subset of :data:`SEES`.  The other keys come
# from the page's address or its form.
#
# **Answer.**  ``{"document": …, "given": …}``: a document in that language
# (``document.document``) and values for forms and links; or ``{"error": …}`` as
# ``core.errors.as_json`` writes it.  Answers hold exact counts, and ``rejects`` and ``look`` with
# "texts" texts of cells: whoever passes them on sends ``no-store`` and keeps nothing.
#
# ======================  ========================================================================
# ``agreements``          all agreements
# ``agreement``           ``id``
# ``looks``               newest deliveries with their alarms
# ``look``                ``id``, ``date``?
# ``rejects``             ``id``, ``date``: needs "texts"
# ``drift``, ``coverage``, ``doubles``, ``lineages``, ``ledger``, ``versions``, ``rehearsal``
# ``decide``              ``pair``, ``same``, ``seen``: writes a decision of ``by``; needs "decide"
# ``lineage``             ``id``: name of a variable; ``contributor``?
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
# ``table_form``          variables and regions of which a table may be asked
# ``table_held``          ``tables``: of each, a list of variables, the release that holds it
# ``table_price``         ``variables``: what the table would cost the next release
# ``candidates``, ``approvers``
# ``candidate``           ``version``
# ``statement``           ``version``, ``role``, ``not_before``: what this role would sign now
# ``lift``                ``version``, ``role``: what takes this role's hold back
# ``key_change``          ``role``, ``reason``: what it would sign about the keys in hub.yaml
# ``stopped``             ``job``: why it stopped, in full
# ``waiting``             counts of what waits: alarms, pairs, agreements, ended contributors
# ``overview``            the hub at a glance: alarms, versions, budget, last build
# ``report``              ``id``: a contributor's private report, for itself alone
# ``next_week``           the week of the next release
# ======================  ========================================================================

SEES = (
    "texts", "columns", "drafts", "charges", "decide", "review", "alarms", "versions", "builds",
    "carry",
)  # fmt: skip
"""``texts``: of cells; ``columns``: of files, with the rules that read them; ``drafts``: charges
that were not published; ``charges``: what is left of a contributor's own limit; ``decide``: may
decide pairs; ``review``: rejected rows and alarms of a candidate; ``carry``: may carry out
reported withdrawals;
``alarms``, ``versions``, ``builds``: of the overview, the number of alarms, states of releases, the
last build."""

Given = Mapping[str, Any]


def ask(root: Path, request: Given) -> dict[str, Any]:
    """Answer a request.

    Args:
        root: the hub folder.
        request: see above.
    """
    try:
        with language(str(request.get("lang", "en"))):
            hub, sees = Hub(root), frozenset(request.get("sees", ())) & frozenset(SEES)
            make = _ANSWERS.get(str(request.get("ask")))
            if make is None:
                raise error("desk-ask", name=printable(str(request.get("ask"))))
            return make(hub, request, sees)
    except HubError as met:
        return {"error": as_json(met)}


def _text(request: Given, key: str) -> str:
    value = request.get(key)
    return value if isinstance(value, str) else ""


def _role(request: Given) -> Role:
    return "steward" if request.get("role") == "steward" else "privacy_officer"


def _rejects(hub: Hub, request: Given, sees: frozenset[str]) -> dict[str, Any]:
    if "texts" not in sees:
        raise error("desk-ask", name="rejects")
    return looks.rejects(hub, _text(request, "id"), _text(request, "date"))


def _decide(hub: Hub, request: Given, sees: frozenset[str]) -> dict[str, Any]:
    same, seen = _text(request, "same"), request.get("seen")
    if "decide" not in sees or same not in get_args(decided.Same) or not isinstance(seen, int):
        raise error("desk-ask", name="decide")
    found: decided.Same = next(s for s in decided.SAME if s == same)
    decided.decide(hub, _text(request, "pair"), found, _text(request, "by"), seen)
    return {"given": {"decided": True}}


def stopped(hub: Hub, job: str) -> dict[str, Any]:
    """Why a job of the hub stopped; the row of the job holds the rule alone.

    Raises:
        HubError: that reason.
    """
    found = kept(hub, f"stopped-{job}.json") if re.fullmatch("[0-9a-f]{32}", job) else None
    if found is None:
        raise error("desk-ask", name="stopped")
    raise from_json(found)


def waiting(hub: Hub, sees: frozenset[str]) -> dict[str, int]:
    """What waits for somebody who may see that much."""
    found: dict[str, int] = {}
    if "texts" in sees:
        found["alarms"] = len(open_alarms(hub))
        found["unread"] = looks.unread(hub)
    if "decide" in sees:
        found["pairs"] = looks.undecided(hub)
    if "carry" in sees:
        found["told"] = ledgers.ready_reports(hub)
    return found


_Answer = Callable[[Hub, Given, frozenset[str]], dict[str, Any]]

_ANSWERS: dict[str, _Answer] = {
    "agreements": lambda hub, _r, _s: agreements.agreements(hub),
    "agreement": lambda hub, r, s: agreements.agreement(
        hub, _text(r, "id"), charges="charges" in s
    ),
    "looks": lambda hub, _r, _s: looks.looks(hub),
    "look": lambda hub, r, s: looks.look_at(
        hub, _text(r, "id"), _text(r, "date") or None, texts="texts" in s
    ),
    "rejects": _rejects,
    "drift": lambda hub, _r, _s: looks.drift(hub),
    "coverage": lambda hub, _r, _s: looks.coverage(hub),
    "doubles": lambda hub, _r, _s: looks.doubles(hub),
    "decide": _decide,
    "lineages": lambda hub, r, _s: looks.lineages(hub, _text(r, "contributor") or None),
    "lineage": lambda hub, r, s: looks.lineage(
        hub, _text(r, "id"), columns="columns" in s, contributor=_text(r, "contributor") or None
    ),
    "ledger": lambda hub, _r, s: ledgers.ledger_page(hub, drafts="drafts" in s),
    "withdrawals": lambda hub, r, _s: ledgers.withdrawals(hub, _text(r, "id")),
    "tell": lambda hub, r, _s: ledgers.take_report(hub, r),
    "told": lambda hub, r, _s: ledgers.reports_of(hub, r),
    "tell_rows": lambda hub, r, _s: ledgers.report_rows(hub, r),
    "tell_back": lambda hub, r, _s: ledgers.take_back_report(hub, r),
    "tell_pass": lambda hub, r, _s: ledgers.pass_report(hub, r),
    "versions": lambda hub, _r, _s: releases.versions(hub),
    "rehearsal": lambda hub, _r, _s: releases.rehearsal(hub),
    "price": lambda hub, r, _s: releases.price(hub, _text(r, "version")),
    "changes": lambda hub, r, s: releases.difference(
        hub, _text(r, "version"), reviewed="review" in s
    ),
    "stopped": lambda hub, r, _s: stopped(hub, _text(r, "job")),
    "paper_draft": lambda hub, r, _s: agreements.paper_draft(hub, _text(r, "kind"), _text(r, "id")),
    "paper_file": lambda hub, r, _s: agreements.paper_file(hub, _text(r, "key"), _text(r, "id")),
    "table_form": lambda hub, _r, _s: releases.table_form(hub),
    "table_held": lambda hub, r, _s: releases.table_held(hub, r),
    "table_price": lambda hub, r, _s: releases.table_price(hub, r),
    "candidates": lambda hub, _r, _s: releases.candidates(hub),
    "candidate": lambda hub, r, _s: releases.candidate(hub, _text(r, "version")),
    "approvers": lambda hub, _r, _s: releases.approvers(hub),
    "statement": lambda hub, r, _s: releases.to_sign(
        hub, _text(r, "version"), _role(r), _text(r, "not_before")
    ),
    "lift": lambda hub, r, _s: releases.lift_to_sign(hub, _text(r, "version"), _role(r)),
    "key_change": lambda hub, r, _s: releases.change_to_sign(hub, _role(r), _text(r, "reason")),
    "waiting": lambda hub, _r, s: {"given": waiting(hub, s)},
    "overview": lambda hub, _r, s: overview(hub, s),
    "report": lambda hub, r, _s: looks.contributor_report(hub, _text(r, "id")),
    "next_week": lambda hub, _r, _s: looks.next_week(hub),
}
