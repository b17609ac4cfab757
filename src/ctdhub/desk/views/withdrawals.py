"""Withdrawals: reported by a contributor, carried out by the steward, and the register."""

import re
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text, _, said
from ctdhub.desk.channel import ask_hub
from ctdhub.desk.deliveries import day_of
from ctdhub.desk.jobs import enqueue
from ctdhub.desk.models import Job, withdrawals_asked
from ctdhub.desk.registry import BOTH, POST, page
from ctdhub.desk.rendering import show_page
from ctdhub.desk.views.hub_page import begun, hub_page, organisation_of

# --------------------------------------------------------------------------------------------------
# Withdrawals: the register, and a contributor that withdraws with all its records.

REASONS = ("asked", "consent", "agreement", "mistake", "other")


def withdrawals(request: Any) -> HttpResponse:
    """The register; a contributor sees its own lines alone."""
    of: dict[str, Any] = {"id": request.who.organisation} if request.who.is_contributor else {}
    asked = [] if of else withdrawals_asked().select_related("organisation")
    values = {"asked": list(asked), "day_of": day_of}
    return hub_page(request, "withdrawals", "desk/hub/withdrawals.html", values=values, **of)


def withdraw_contributor(request: Any) -> HttpResponse:
    """A contributor withdraws: its files are read no more; published releases stay."""
    key, reason = str(request.POST.get("key", "")), str(request.POST.get("reason", ""))
    organisation_of(request, key, "agreement.read")
    if reason not in REASONS or request.POST.get("sure") != "yes":
        raise Http404
    return begun(request, "withdraw", "build", key, contributor=key, reason=reason)


# --------------------------------------------------------------------------------------------------
# A contributor reports that a person, or the whole organisation, withdraws; the steward does it.
#
# Numbers of cases go to the hub in the body of a request and are kept by no row, job, log or
# address.

LONGEST, LARGEST = 30_000, 2**14
"""Characters of all numbers of a report; bytes of a file that is read."""

_SCOPES = ("person", "records", "contributor")
_EMPTY = dict.fromkeys(("scope", "reason", "by", "numbers", "ahead", "sure"), "")
_KEY = re.compile(r"[0-9a-f]{32}")


def tell_withdrawal(request: Any) -> HttpResponse:
    """The form, and what was written in it."""
    if request.method != "POST":
        return _form(request, _EMPTY | {"scope": "person", "reason": "asked"}, [])
    shown = {name: str(request.POST.get(name, "")) for name in _EMPTY}
    if shown["scope"] not in _SCOPES or shown["reason"] not in REASONS:
        raise Http404
    lines = [line.strip() for line in shown["numbers"].splitlines() if line.strip()]
    whole = shown["scope"] == "contributor"
    sent = request.FILES.get("file")
    file = sent.read(LARGEST + 1).decode("utf-8", "replace") if sent is not None else ""
    problems = []
    if whole and shown["sure"] != "yes":
        problems.append(("sure", _("Say that nothing of your organisation may be used.")))
    elif not (whole or lines or file):
        problems.append(("numbers", _("Write the number of the case, or the token.")))
    elif file and lines:
        problems.append(("file", _("Hand in the file or write numbers, not both.")))
    elif not whole and len(shown["numbers"]) > LONGEST:
        problems.append(("numbers", _("These are too many numbers for one report.")))
    if problems:
        return _form(request, shown, problems)
    fields = {
        "scope": shown["scope"],
        "reason": shown["reason"],
        "what": "token" if shown["by"] == "token" else "case",
        "numbers": [] if whole else lines,
        "ahead": shown["ahead"] == "yes",
        "file": "" if whole else file,
    }
    try:
        key = str(_own(request, "tell", **fields)["key"])
    except HubError as met:
        if met.rule in ("no-number", "told-numbers", "no-case", "withdrawal-file"):
            place = "file" if met.rule == "withdrawal-file" else "numbers"
            return _form(request, shown, [(place, met.what), ("", said(met.remedy))])
        raise
    if not whole:
        _look_for(request, key)
    return redirect("told_withdrawal", key=key)


def told_withdrawal(request: Any, key: str, problem: str = "") -> HttpResponse:
    """One report: where it is, and what the contributor is asked about its own rows."""
    report = _own(request, "told", key=_checked(key))
    last = Job.objects.filter(what="told_find", given__told=key).first()
    ended = last is None or last.state in ("failed", "cancelled")
    values = {"told": report, "stopped": ended and report["state"] == "sent"}
    problems = [("questions", problem)] if problem else []
    title = Text("Report of a withdrawal")
    return show_page(request, "desk/hub/told.html", title, problems=problems, **values)


def answer_told(request: Any, key: str) -> HttpResponse:
    """Which rows are hers, and what becomes of numbers that no record carries."""
    post, missing = (
        request.POST,
        _("Answer each question; say so where no row is about the person."),
    )
    places = [p for p in post.getlist("place") if re.fullmatch(r"[0-9]{1,3}", p)]
    chosen = {p: [at for at in post.getlist(f"rows-{p}") if at.isdecimal()][:1000] for p in places}
    if any(not rows and post.get(f"none-{p}") != "yes" for p, rows in chosen.items()):
        return told_withdrawal(request, key, missing)
    fields = {"seen": str(post.get("seen", ""))[:64], "unknown": str(post.get("unknown", ""))[:5]}
    try:
        _own(request, "tell_rows", key=_checked(key), chosen=chosen, **fields)
    except HubError as met:
        if met.rule != "told-open":
            raise
        return told_withdrawal(request, key, missing)
    return redirect("withdrawals")


def look_again(request: Any, key: str) -> HttpResponse:
    """Look for the records of a report again, after what stopped it is mended."""
    _own(request, "told", key=_checked(key))
    _look_for(request, key)
    return redirect("told_withdrawal", key=key)


def take_told_back(request: Any, key: str) -> HttpResponse:
    """Take a report back that is not carried out yet."""
    _own(request, "tell_back", key=_checked(key))
    return redirect("withdrawals")


def pass_told(request: Any) -> HttpResponse:
    """The steward lets releases go on without an answer of a contributor, and says why."""
    fields = {name: str(request.POST.get(name, "")) for name in ("id", "reason")}
    ask_hub(request.who, "tell_pass", **fields)
    return redirect("withdrawals")


def carry_out_told(request: Any, key: str) -> HttpResponse:
    """The steward carries a report out."""
    return begun(request, "told_carry", "build", told=_checked(key))


def _form(request: Any, shown: dict[str, str], problems: list[tuple[str, Any]]) -> HttpResponse:
    title = Text("Report a withdrawal")
    return show_page(request, "desk/hub/tell.html", title, shown=shown, problems=problems)


def _own(request: Any, ask: str, **keys: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ask_hub(request.who, ask, id=request.who.organisation, **keys)["given"]
    return answer


def _look_for(request: Any, key: str) -> None:
    who = request.who
    enqueue("told_find", "build", who, arguments={"told": key}, organisation=who.organisation)


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise Http404
    return key


def _act(path: str, view: Any, action: str = "withdrawal.tell") -> Any:
    return page(f"withdrawals/told/<slug:key>/{path}/", view, action, POST)


PAGES = [
    page("withdrawals/pass/", pass_told, "withdrawal.carry_out", POST),
    page("withdrawals/tell/", tell_withdrawal, "withdrawal.tell", BOTH),
    page("withdrawals/told/<slug:key>/", told_withdrawal, "withdrawal.tell"),
    _act("answer", answer_told),
    _act("look", look_again),
    _act("take-back", take_told_back),
    _act("carry-out", carry_out_told, "withdrawal.carry_out"),
    page("withdrawals/", withdrawals, "withdrawal.read", menu=Text("Withdrawals"), order=60),
    page("withdrawals/contributor/", withdraw_contributor, "withdrawal.carry_out", POST),
]
