"""One request of a hub's page and its answer: JSON in, JSON out.

**Request.**  ``ask`` names the answer, ``lang`` the reader's language; the web process sets both,
and ``sees``: what the account's roles let it see, subset of :data:`SEES`.  The other keys come from
the page's address or its form.

**Answer.**  ``{"document": …, "given": …}``: a document in that language
(``document.as_json``) and values for forms and links; or ``{"error": …}`` as
``core.error_catalogue.as_json`` writes it.  Answers hold exact counts, and ``rejects`` and ``look``
with "texts" texts of cells: whoever passes them on sends ``no-store`` and keeps nothing.

======================  ============================================================================
``agreements``          all agreements
``agreement``           ``id``
``looks``               newest deliveries with their alarms
``look``                ``id``, ``date``?
``rejects``             ``id``, ``date``: needs "texts"
``drift``, ``coverage``, ``doubles``, ``lineages``, ``ledger``, ``versions``, ``rehearsal``
``decide``              ``pair``, ``same``, ``seen``: writes a decision of ``by``; needs "decide"
``lineage``             ``id``: name of a variable; ``contributor``?
``withdrawals``         ``id``?: the only contributor whose lines are shown
``tell``                ``id``: contributor; ``scope``, ``reason``, ``numbers``, ``what``, ``ahead``
``told``                ``id``: contributor; ``key``: one report, and what its contributor is asked
``tell_rows``           ``id``, ``key``, ``seen``, ``chosen``, ``unknown``: what it answers
``tell_back``           ``id``, ``key``: takes a report back that is not carried out
``price``, ``changes``  ``version``
``paper_draft``         ``kind``, ``id``: contributor of an agreement
``paper_file``          ``key``: of a signed paper; ``id``: whose it is, "" for the hub's
``table_form``          variables and regions of which a table may be asked
``table_held``          ``tables``: of each, a list of variables, the release that holds it
``table_price``         ``variables``: what the table would cost the next release
``candidates``, ``approvers``
``candidate``           ``version``
``statement``           ``version``, ``role``, ``not_before``: what this role would sign now
``lift``                ``version``, ``role``: what takes this role's hold back
``key_change``          ``role``, ``reason``: what it would sign about the keys in hub.yaml
``stopped``             ``job``: why it stopped, in full
``waiting``             counts of what waits: alarms, pairs, agreements, ended contributors
``overview``            the hub at a glance: alarms, versions, budget, last build
``report``              ``id``: a contributor's private report, for itself alone
``next_week``           the week of the next release
======================  ============================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from ctdhub.build import doubles as decided
from ctdhub.build.desk_files import kept
from ctdhub.build.hub import Hub
from ctdhub.build.stages.alarms import open_alarms
from ctdhub.core.error_catalogue import as_json, error, from_json
from ctdhub.core.errors import HubError, printable
from ctdhub.core.i18n import language
from ctdhub.desk.worker.answers import (
    agreements,
    approvals,
    doubles,
    ledgers,
    lineages,
    looks,
    overview,
    own,
    papers,
    releases,
    tables,
    telling,
)
from ctdhub.release.approvers import Role

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
        found["pairs"] = doubles.undecided(hub)
    if "carry" in sees:
        found["told"] = telling.ready(hub)
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
    "doubles": lambda hub, _r, _s: doubles.doubles(hub),
    "decide": _decide,
    "lineages": lambda hub, r, _s: lineages.lineages(hub, _text(r, "contributor") or None),
    "lineage": lambda hub, r, s: lineages.lineage(
        hub, _text(r, "id"), columns="columns" in s, contributor=_text(r, "contributor") or None
    ),
    "ledger": lambda hub, _r, s: ledgers.ledger_page(hub, drafts="drafts" in s),
    "withdrawals": lambda hub, r, _s: ledgers.withdrawals(hub, _text(r, "id")),
    "tell": lambda hub, r, _s: telling.tell(hub, r),
    "told": lambda hub, r, _s: telling.told(hub, r),
    "tell_rows": lambda hub, r, _s: telling.rows(hub, r),
    "tell_back": lambda hub, r, _s: telling.back(hub, r),
    "versions": lambda hub, _r, _s: releases.versions(hub),
    "rehearsal": lambda hub, _r, _s: releases.rehearsal(hub),
    "price": lambda hub, r, _s: releases.price(hub, _text(r, "version")),
    "changes": lambda hub, r, s: releases.difference(
        hub, _text(r, "version"), reviewed="review" in s
    ),
    "stopped": lambda hub, r, _s: stopped(hub, _text(r, "job")),
    "paper_draft": lambda hub, r, _s: papers.draft(hub, _text(r, "kind"), _text(r, "id")),
    "paper_file": lambda hub, r, _s: papers.file(hub, _text(r, "key"), _text(r, "id")),
    "table_form": lambda hub, _r, _s: tables.form(hub),
    "table_held": lambda hub, r, _s: tables.held(hub, r),
    "table_price": lambda hub, r, _s: tables.price(hub, r),
    "candidates": lambda hub, _r, _s: approvals.candidates(hub),
    "candidate": lambda hub, r, _s: approvals.candidate(hub, _text(r, "version")),
    "approvers": lambda hub, _r, _s: approvals.approvers(hub),
    "statement": lambda hub, r, _s: approvals.to_sign(
        hub, _text(r, "version"), _role(r), _text(r, "not_before")
    ),
    "lift": lambda hub, r, _s: approvals.lift_to_sign(hub, _text(r, "version"), _role(r)),
    "key_change": lambda hub, r, _s: approvals.change_to_sign(hub, _role(r), _text(r, "reason")),
    "waiting": lambda hub, _r, s: {"given": waiting(hub, s)},
    "overview": lambda hub, _r, s: overview.overview(hub, s),
    "report": lambda hub, r, _s: own.report(hub, _text(r, "id")),
    "next_week": lambda hub, _r, _s: own.next_week(hub),
}
