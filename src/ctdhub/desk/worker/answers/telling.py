"""Reports of withdrawals: taken, shown to the contributor that sent them, and listed for the hub.

A contributor is told what its own files say, never what a report does elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from ctdhub.build import told as reports
from ctdhub.build.case_rows import CaseRow
from ctdhub.build.find_person import ByWhat
from ctdhub.build.hub import Hub
from ctdhub.core.error_catalogue import as_json, error, from_json
from ctdhub.core.errors import HubError, printable
from ctdhub.core.format import number
from ctdhub.core.i18n import current
from ctdhub.desk.worker.kept import stopped_as_kept
from ctdhub.schema.labels import code_label
from ctdhub.schema.roles import AGE, SEX
from ctdhub.sensitive.consent.entry import REASONS, Scope

Given = Mapping[str, Any]


def tell(hub: Hub, request: Given) -> dict[str, Any]:
    """Take a report; gives its key."""
    scope, reason, by = (request.get(name) for name in ("scope", "reason", "what"))
    numbers = request.get("numbers")
    if (
        scope not in get_args(Scope)
        or reason not in REASONS
        or by not in (None, *get_args(ByWhat))
        or not isinstance(numbers, list)
        or not all(isinstance(one, str) for one in numbers)
    ):
        raise error("desk-ask", name="tell")
    try:
        key = reports.tell(
            hub,
            _id(request),
            cast("Scope", scope),
            reason,
            numbers,
            by,
            ahead=request.get("ahead") is True,
        )
    except HubError as met:  # a contributor is shown no name of a file of the hub
        if met.rule in ("no-number", "no-case", "told-numbers"):
            raise from_json(as_json(met) | {"file": None}) from None
        raise from_json(stopped_as_kept(met)) from None
    return {"given": {"key": key}}


def told(hub: Hub, request: Given) -> dict[str, Any]:
    """One report as its contributor sees it, with what it is asked."""
    one = reports.report_of(hub, str(request.get("key")), _id(request))
    asked = [
        {"place": case.place, "rows": [_row(row) for row in case.rows]}
        for case in (one.asked if one.state == "asked" else ())
    ]
    unknown = list(one.unknown) if one.state == "asked" and not one.ahead else []
    given = {**_line(str(request["key"]), one), "asked": asked, "unknown": unknown}
    return {"given": given | {"seen": one.seen}}


def rows(hub: Hub, request: Given) -> dict[str, Any]:
    """Keep what the contributor answers."""
    unknown = request.get("unknown")
    try:
        chosen = {int(k): [int(at) for at in v] for k, v in dict(request["chosen"]).items()}
    except (KeyError, TypeError, ValueError):
        raise error("desk-ask", name="tell_rows") from None
    key, seen = str(request.get("key")), str(request.get("seen"))
    settled = next((one for one in ("ahead", "drop") if one == unknown), "")
    reports.answer(hub, key, _id(request), seen, chosen, settled)  # type: ignore[arg-type]
    return {"given": {"kept": True}}


def back(hub: Hub, request: Given) -> dict[str, Any]:
    """Take a report back."""
    reports.take_back(hub, str(request.get("key")), _id(request))
    return {"given": {"taken": True}}


def told_rows(hub: Hub, contributor: str = "") -> list[dict[str, Any]]:
    """All reports for a list: of one contributor, or of all with its name."""
    called = {one.id: printable(one.name) for one in hub.agreements()}
    return [
        _line(key, one) | {"name": "" if contributor else called.get(one.contributor, "–")}
        for key, one in reports.reports(hub, contributor).items()
    ]


def ready(hub: Hub) -> int:
    """How many wait for the steward."""
    return sum(one.state == "ready" for one in reports.reports(hub).values())


def _line(key: str, one: reports.ToldWithdrawal) -> dict[str, Any]:
    return {
        "key": key,
        "scope": one.scope,
        "reason": one.reason,
        "state": one.state,
        "numbers": len(one.numbers),
        "not_found": one.not_found,
        "sent": one.sent[:10],
        "ended": one.ended[:10],
    }


def _row(row: Mapping[str, Any]) -> list[str]:
    lang = current()
    one = CaseRow(**row)
    coded = ((SEX, one.gender), (AGE, one.age))
    return [
        one.date,
        number(one.row),
        "–" if one.year is None else str(one.year),
        *("–" if code is None else code_label(name, code, lang) for name, code in coded),
    ]


def _id(request: Given) -> str:
    """The contributor that asks; nobody else asks for a report.

    Raises:
        HubError: it is not named.
    """
    found = request.get("id")
    if not isinstance(found, str) or not found:
        raise error("desk-ask", name=printable(str(request.get("ask"))))
    return found
