"""Agreements: the list, one of them, a change of it, a new one.

A change becomes a job of the worker with the SHA-256 of the file that was shown, so that nobody
overwrites what somebody else wrote meanwhile.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text, _
from ctdhub.desk.asking import ask_hub
from ctdhub.desk.registry import page
from ctdhub.desk.views.hub_page import begun, hub_page, organisation_of, wrong

TEXTS = ("purpose", "scope", "legal_basis", "consent_rule", "retention", "display_rule")
NEEDED = ("scope", "legal_basis", "consent_rule", "retention", "display_rule")
LONGEST = 2_000
MOST_MONTHS = 600
_ABOVE = ((Text("Agreements"), "agreements"),)
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


def agreements(request: Any) -> HttpResponse:
    """All agreements; a contributor's own for a contributor."""
    if request.who.is_contributor:
        way = reverse("agreement", kwargs={"key": request.who.organisation})
        return HttpResponseRedirect(way)
    return hub_page(request, "agreements", "desk/hub/agreements.html")


def agreement(request: Any, key: str) -> HttpResponse:
    """One agreement: terms, limits, whether it is in force, what was sent under it."""
    organisation_of(request, key, "agreement.read")
    above = () if request.who.is_contributor else _ABOVE
    return hub_page(request, "agreement", "desk/hub/agreement.html", above, id=key)


def change_agreement(request: Any, key: str) -> HttpResponse:
    """A form with the agreement as it is; what is sent goes to the worker."""
    organisation_of(request, key, "agreement.write")
    try:
        found = ask_hub(request.who, "agreement", id=key)["given"]
    except HubError as met:
        return wrong(request, met)
    shown = {**found["settings"], "base": found["base"]}
    if request.method != "POST":
        return _form(request, key, found["kinds"], shown, [])
    posted = _posted(request.POST)
    settings, problems = _checked(posted)
    if problems:
        return _form(request, key, found["kinds"], {**shown, **posted}, problems)
    before = {name: _plain(found["settings"][name]) for name in settings}
    changed = {k: v for k, v in settings.items() if _plain(v) != before[k]}
    if not changed:
        return HttpResponseRedirect(reverse("agreement", kwargs={"key": key}))
    base = str(request.POST.get("base", ""))[:64]
    return begun(request, "agreement", "files", key, contributor=key, settings=changed, base=base)


def new_agreement(request: Any) -> HttpResponse:
    """An agreement with an organisation that the hub does not know yet."""
    try:
        kinds = ask_hub(request.who, "agreements")["given"]["kinds"]
    except HubError as met:
        return wrong(request, met)
    if request.method != "POST":
        return _form(request, "", kinds, {"kind": kinds[0][0]}, [])
    posted, key = _posted(request.POST), str(request.POST.get("id", "")).strip()
    settings, problems = _checked(posted)
    if not _ID.fullmatch(key):
        problems.insert(0, ("id", _("Write the id with small letters, digits and hyphens.")))
    if problems:
        return _form(request, "", kinds, {**posted, "id": key}, problems)
    filled = {k: v for k, v in settings.items() if v not in (None, "")}
    return begun(request, "agreement", "files", key, contributor=key, settings=filled, base="")


def _form(
    request: Any,
    key: str,
    kinds: list[list[str]],
    shown: dict[str, Any],
    problems: list[tuple[str, str]],
) -> HttpResponse:
    values = {
        "title": Text("Change an agreement") if key else Text("New agreement"),
        "key": key,
        "kinds": kinds,
        "shown": shown,
        "problems": problems,
        "labels": labels(),
        "texts": TEXTS,
        "needed": NEEDED,
    }
    return render(request, "desk/hub/agreement_form.html", values, status=422 if problems else 200)


def labels() -> dict[str, str]:
    """What each setting is called, and what belongs there."""
    return {
        "id": _("Id (small letters, digits, hyphens; it stays)"),
        "name": _("Name of the organisation"),
        "kind": _("Kind of organisation"),
        "purpose": _("Purpose: what the data may be used for"),
        "scope": _("Scope: whose cases, which years and places"),
        "legal_basis": _("Legal basis"),
        "consent_rule": _("Consent: whose records may be sent"),
        "retention": _("Retention: when files are deleted"),
        "display_rule": _("How the organisation and its data are shown"),
        "show_counts": _("Noisy counts may be published under its own name"),
        "keep_months": _(
            "Months after which a file is erased, counted from the day of the delivery (empty: by "
            "hand)"
        ),
        "budget_limit": _("Limit of epsilon in all (empty: none of its own)"),
        "ends": _("Last day (empty: none)"),
    }


def _posted(post: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: str(post.get(name, ""))[: LONGEST + 1]
        for name in ("name", "kind", "keep_months", "budget_limit", "ends", *TEXTS)
    }
    return {**found, "show_counts": bool(post.get("show_counts"))}


def _checked(posted: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Settings as the file has them, and what is wrong with what was written."""
    settings: dict[str, Any] = {k: " ".join(posted[k].split()) for k in ("name", *TEXTS)}
    settings |= {"kind": posted["kind"], "show_counts": posted["show_counts"]}
    problems = []
    called = labels()
    for name in ("name", *NEEDED):
        if not settings[name]:
            problems.append((name, _("{field}: this is missing.").format(field=called[name])))
    for name in ("name", *TEXTS):
        if len(settings[name]) > (200 if name == "name" else LONGEST):
            problems.append((name, _("{field}: this is too long.").format(field=called[name])))
    settings |= dict.fromkeys(("keep_months", "budget_limit", "ends"))
    if text := posted["keep_months"].strip():
        fits = re.fullmatch(r"[1-9][0-9]{0,2}", text) and int(text) <= MOST_MONTHS
        settings["keep_months"] = int(text) if fits else None
        if not fits:
            problems.append(("keep_months", _("Write the months as a number from 1 to 600.")))
    if text := posted["budget_limit"].strip().replace(",", "."):
        settings["budget_limit"] = float(text) if re.fullmatch(r"\d{1,4}(\.\d{1,6})?", text) else 0
        if not settings["budget_limit"]:
            problems.append(("budget_limit", _("Write the limit as a number above 0, such as 8.")))
    if text := posted["ends"].strip():
        try:
            settings["ends"] = date.fromisoformat(text).isoformat()
        except ValueError:
            problems.append(("ends", _("Write the day as 2027-01-31.")))
    return settings, problems


def _plain(value: Any) -> Any:
    """A setting as it is compared: no text and none are one."""
    return " ".join(value.split()) if isinstance(value, str) and value else value or None


PAGES = [
    page("agreements/", agreements, action="agreement.read", menu=Text("Agreements"), order=20),
    page("agreements/new/", new_agreement, action="agreement.write", methods=("GET", "POST")),
    page("agreements/<slug:key>/", agreement, action="agreement.read"),
    page(
        "agreements/<slug:key>/change/",
        change_agreement,
        action="agreement.write",
        methods=("GET", "POST"),
    ),
]
