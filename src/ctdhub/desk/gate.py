"""The gate of the desk: every page passes here, and nothing else decides whether it is shown.

It opens the transaction with the scope, finds out who asks, finds the thing, asks
``desk.allowed``, calls the view, renders its answer inside the transaction, and writes the event.
"""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse

from ctdhub.core.errors import HubError
from ctdhub.desk.accounts.signing_in import proved
from ctdhub.desk.allowed import ACTIONS, VISITOR, Verdict, Who, allowed, scope
from ctdhub.desk.channel import Refusal
from ctdhub.desk.errors import error_page
from ctdhub.desk.registry import DeskPage
from ctdhub.desk.trail import record
from ctdhub.desk.walls import scoped, set_scope

_MISSING = (
    "contributor", "lineage-variable", "no-delivery", "no-candidate", "no-told", "no-paper",
)  # fmt: skip
"""Rules by which the hub says that there is no such thing."""
_READING = ("GET", "HEAD", "OPTIONS")


def gate(page: DeskPage, request: HttpRequest, parts: dict[str, Any]) -> HttpResponse:
    """Check a request and answer it.

    Returns:
        The view's answer, rendered; a way to sign in; or a page with status 403 (not for these
        roles), 404 (no such thing, or none of theirs: the same bytes), 405 or 409 (not in this
        state).
    """
    if request.method not in page.methods:
        return HttpResponseNotAllowed(page.methods)
    if _unkeepable(request):
        return error_page(request, 400)
    reading = request.method in _READING
    # A page that only reads may wait for another process, which must find SQLite unlocked: its
    # event is written in a transaction of its own, before the answer leaves.
    with scoped(reading=reading or not page.atomic):
        who = _who(request)
        return _checked(page, request, parts, who, reading)


def _unkeepable(request: HttpRequest) -> bool:
    """Whether a form or a query has the one character that PostgreSQL cannot keep."""
    fields = (*request.GET.lists(), *request.POST.lists())
    return any("\0" in text for _name, texts in fields for text in texts)


def _who(request: Any) -> Who:
    """Who asks; from here on the database shows what they may see."""
    who = VISITOR
    if request.user.is_authenticated:
        set_scope(Who(account=request.user.id.hex))
        who = replace(request.user.who(), visit=request.session.session_key or "")
    set_scope(who)
    request.who = who
    return who


def _checked(
    page: DeskPage, request: Any, parts: dict[str, Any], who: Who, reading: bool
) -> HttpResponse:
    name = page.action_of(request)
    action = ACTIONS[name]
    if not who.account and not allowed(who, name):
        return _sign_in(request)
    if not action.unproved and not proved(request.user):
        return redirect("mfa_index")
    verdict = allowed(who, name)
    thing = None
    if verdict and page.of:
        thing = _thing(page, who, name, parts.pop("id"))
        verdict = allowed(who, name, thing) if thing is not None else Verdict("relation")
    if not verdict:
        record(who, name, thing or "", "denied")
        return error_page(request, {"role": 403, "relation": 404, "state": 409}[verdict.rule])
    answer = _answer(page, request, [thing] if page.of else [], parts)
    if (page.recorded and not reading) or action.looks:
        outcome = "done" if answer.status_code < 400 else "failed"
        record(who, name, thing or "", outcome)
    return answer


def _answer(page: DeskPage, request: Any, thing: list[Any], parts: dict[str, Any]) -> HttpResponse:
    """The view's answer, rendered; a page with what to do where the hub refused what was asked."""
    try:
        answer: HttpResponse = page.view(request, *thing, **parts)
    except HubError as met:
        if not isinstance(met.__cause__, Refusal):
            raise
        return error_page(request, 404 if met.rule in _MISSING else 422, met)
    if hasattr(answer, "render") and not getattr(answer, "is_rendered", True):
        answer.render()
    return answer


def _thing(page: DeskPage, who: Who, action: str, key: Any) -> Any:
    """The row with this key, if it is one of those that the table leaves to them."""
    table = apps.get_model("desk", page.of)
    return table.objects.filter(scope(who, action), pk=key).first()


def _sign_in(request: HttpRequest) -> HttpResponse:
    way = reverse("account_login")
    if request.method == "GET":
        way += "?" + urlencode({"next": request.get_full_path()})
    answer = HttpResponseRedirect(way)
    if request.headers.get("HX-Request"):  # the page itself goes there, not a piece of it
        answer = HttpResponse(status=204)
        answer["HX-Redirect"] = way
    return answer
