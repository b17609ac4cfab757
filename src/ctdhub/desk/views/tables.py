"""Tables on request: asked for, priced, decided with a reason, published as any table is.

What anybody is told of a request follows from settings, published releases and the choice of a
person who was shown no count: so neither a refusal nor its time says anything of a case record.
"""

import re
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from ctdhub.core.format import span
from ctdhub.core.i18n import Text, _
from ctdhub.desk.allowed import Who, allowed
from ctdhub.desk.channel import ask_hub
from ctdhub.desk.models import Job, TableRequest
from ctdhub.desk.registry import BOTH, POST, page
from ctdhub.desk.rendering import show_page
from ctdhub.desk.views.hub_page import begun
from ctdhub.document.charts.pages import bar
from ctdhub.document.document import from_json

REFUSED = ("imprecise", "budget", "exposing", "purpose", "other")
AGREED = ("useful", "mandate", "other")
"""Codes of the reasons that who asked is shown."""

_MOST, _LONGEST, _SHOWN = 4, 1_000, 200
_YEAR = re.compile(r"(19|20|21)\d\d")
_EMPTY: dict[str, Any] = {"variables": [], "region": "", "first": "", "last": "", "purpose": ""}


def tables(request: Any) -> HttpResponse:
    """All requests."""
    lines = _lines(request, list(TableRequest.objects.all()[:_SHOWN]))
    return show_page(request, "desk/hub/tables.html", Text("Tables on request"), lines=lines)


def ask_table(request: Any) -> HttpResponse:
    """The form, and what was written in it; a table that a release holds is not asked for."""
    known = ask_hub(request.who, "table_form")["given"]
    if request.method != "POST":
        return _form(request, known, _EMPTY, [])
    shown = {name: str(request.POST.get(name, "")).strip() for name in _EMPTY}
    shown["variables"] = request.POST.getlist("variables")[:50]
    wanted, problems = _checked(shown, known)
    if problems:
        return _form(request, known, shown, problems)
    one = ask_hub(request.who, "table_held", tables=[wanted["variables"]])["given"]["tables"][0]
    if one["version"]:
        return _form(request, known, shown, [], one)
    made = TableRequest.objects.create(
        account_id=UUID(request.who.account), purpose=shown["purpose"], **wanted
    )
    return redirect("table", id=made.id)


def table(request: Any, thing: TableRequest) -> HttpResponse:
    """One request: its state; for those who may know it, its price; for who decides, the choice."""
    price = None
    open_ = thing.state == "asked"
    (line,) = _lines(request, [thing])
    if open_ and allowed(request.who, "table.price"):
        price = ask_hub(request.who, "table_price", variables=thing.variables)
    return show_page(
        request,
        "desk/hub/table.html",
        Text("Request for a table"),
        line=line,
        price=from_json(price["document"]) if price else None,
        policy=price["given"]["policy"] if price else "",
        bar=bar,
        refused=REFUSED,
        agreed=AGREED,
        job=_taken_up(thing).first() if allowed(request.who, "table.price") else None,
    )


def decide_table(request: Any, thing: TableRequest) -> HttpResponse:
    """The privacy officer's yes, against the price that was shown, or no; each with a reason.

    Of two answers at once the first counts; a yes that waits or is carried out is one.
    """
    answer, reason = str(request.POST.get("answer")), str(request.POST.get("reason"))
    if reason not in {"yes": AGREED, "no": REFUSED}.get(answer, ()):
        raise Http404
    rows = TableRequest.objects.select_for_update().filter(id=thing.id, state="asked")
    if rows.first() is None or _taken_up(thing).exists():
        return redirect("table", id=thing.id)
    if answer == "yes":
        rows.update(reason=reason)
        policy = str(request.POST.get("policy", ""))[:64]
        return begun(request, "take_up", "build", thing, policy=policy)
    rows.update(state="refused", reason=reason, decided=timezone.now(), decided_by=request.user.id)
    return redirect("table", id=thing.id)


def take_table_back(request: Any, thing: TableRequest) -> HttpResponse:
    """Whoever asked does not want it any more."""
    TableRequest.objects.filter(id=thing.id, state="asked").update(state="withdrawn")
    return redirect("tables")


def waiting(who: Who) -> list[tuple[str, str, int | None]]:
    """Requests that wait for the privacy officer."""
    if not allowed(who, "table.decide"):
        return []
    count = TableRequest.objects.filter(state="asked").count()
    return [(_("Tables that were asked for"), reverse("tables"), count)] if count else []


def _taken_up(thing: TableRequest) -> Any:
    """Jobs that write this table into the policy, or wait to."""
    return Job.objects.filter(what="take_up", thing=thing.id.hex, state__in=("waiting", "running"))


def _lines(request: Any, shown: list[TableRequest]) -> list[dict[str, Any]]:
    """Requests as they are shown: in words, with the release that holds the table by now."""
    asked = [one.variables for one in shown]
    answers = ask_hub(request.who, "table_held", tables=asked)["given"]["tables"] if shown else []
    regions: dict[str, str] = {}
    if any(one.region for one in shown):
        regions = dict(ask_hub(request.who, "table_form")["given"]["regions"])
    return [
        {
            "row": one,
            "variables": answer["variables"],
            "version": answer["version"] if one.state == "agreed" else "",
            "region": regions.get(one.region, ""),
            "years": span((one.first, one.last)) if one.first and one.last else "",
            "reason": one.reason if one.state in ("agreed", "refused") else "",
        }
        for one, answer in zip(shown, answers, strict=True)
    ]


def _checked(
    shown: dict[str, Any], known: dict[str, Any]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The request as a row has it, and what is wrong with what was written."""
    names = {name for group in known["groups"] for name, _label in group["variables"]}
    regions = {key for key, _label in known["regions"]}
    chosen = [name for name in dict.fromkeys(shown["variables"]) if name in names]
    problems = []
    years = [shown["first"], shown["last"]]
    if any(years) and not (all(_YEAR.fullmatch(y) for y in years) and years[0] <= years[1]):
        problems.append(("first", _("Write both years, the earlier one first, or none.")))
    region = shown["region"] if shown["region"] in regions else ""
    more = [known["place"]] * bool(region) + [known["year"]] * any(years)
    if not chosen:
        problems.append(("variables", _("Choose at least one variable.")))
    chosen = list(dict.fromkeys((*chosen, *more)))
    if len(chosen) > _MOST:
        text = _("Choose at most four variables; a region and years count as one each.")
        problems.append(("variables", text))
    if len(shown["purpose"]) > _LONGEST:
        problems.append(("purpose", _("The text is too long.")))
    first, last = (int(y) if y.isascii() and y.isdigit() else None for y in years)
    return {"variables": chosen, "region": region, "first": first, "last": last}, problems


def _form(
    request: Any,
    known: dict[str, Any],
    shown: dict[str, Any],
    problems: list[tuple[str, str]],
    holder: dict[str, Any] | None = None,
) -> HttpResponse:
    values = {"known": known, "shown": shown, "problems": problems, "held": holder}
    return show_page(request, "desk/hub/table_form.html", Text("Ask for a table"), **values)


PAGES = [
    page("tables/", tables, "table.read", menu=Text("Tables on request"), order=42),
    page("tables/ask/", ask_table, "table.ask", BOTH),
    page("tables/<TableRequest>/", table, "table.read"),
    page("tables/<TableRequest>/decide/", decide_table, "table.decide", POST),
    page("tables/<TableRequest>/take-back/", take_table_back, "table.take_back", POST),
]
