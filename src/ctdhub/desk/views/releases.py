"""Releases from the plan to the candidate: plan, rehearse, price, yes to the price, build, diff.

From "built" on the state of a plan is what the hub folder says; the row adds who, when and why.
"""

import re
from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, Text, _
from ctdhub.desk.channel import ask_hub
from ctdhub.desk.models import ReleasePlan, withdrawals_asked
from ctdhub.desk.registry import BOTH, POST, page
from ctdhub.desk.rendering import show_page
from ctdhub.desk.views.hub_page import VERSION, answer_page, begun, hub_page
from ctdhub.desk.views.operation import jobs_of
from ctdhub.document.charts.pages import bar
from ctdhub.document.document import from_json
from ctdhub.release.changes import tells_of_withdrawals

NOTE_LONGEST = 1_000
_ABOVE = ((Text("Releases"), "releases"),)
_NO_PRICE = {"known": False, "stale": False, "epsilon": None}


def releases(request: Any) -> HttpResponse:
    """Plans, and every version that waits or is published."""
    answer = ask_hub(request.who, "versions")
    computed = {one["version"]: one["state"] for one in answer["given"]["versions"]}
    plans = list(ReleasePlan.objects.all())
    for plan in plans:
        follow(plan, computed)
    document, versions = from_json(answer["document"]), answer["given"]["versions"]
    values = {"plans": plans, "d": document, "bar": bar, "versions": versions}
    return show_page(request, "desk/hub/releases.html", Text("Releases"), **values)


def follow(plan: ReleasePlan, computed: dict[str, str]) -> None:
    """Let a plan be where the folder says it is, whichever hand brought it there."""
    state = computed.get(plan.version, "drafted")
    if state != plan.state:
        plan.state = state
        plan.save(update_fields=["state", "changed"])


def new_plan(request: Any) -> HttpResponse:
    """A plan: version, week, note in four languages.  It is a row; nothing is charged."""
    if request.method != "POST":
        return _form(request, None, {"week": _next_monday().isoformat()}, [])
    posted, problems = _posted(request.POST)
    if not VERSION.fullmatch(posted["version"]):
        problems.insert(0, ("version", _("Write the version as 2026.2.")))
    elif ReleasePlan.objects.filter(version=posted["version"]).exists():
        problems.insert(0, ("version", _("There is a plan for this version already.")))
    if problems:
        return _form(request, None, posted, problems)
    plan = ReleasePlan.objects.create(
        version=posted["version"],
        week=_monday(posted["week"]),
        note=_note(posted),
        account_id=request.user.id,
    )
    return redirect("plan", id=plan.id)


def change_plan(request: Any, thing: ReleasePlan) -> HttpResponse:
    """Another week or another note, as long as nothing is built."""
    shown = {
        "version": thing.version,
        "week": thing.week.isoformat() if thing.week else "",
        **{f"note-{code}": text for code, text in thing.note.items()},
    }
    if request.method != "POST":
        return _form(request, thing, shown, [])
    posted, problems = _posted(request.POST)
    if problems:
        return _form(request, thing, {**posted, "version": thing.version}, problems)
    thing.week, thing.note = _monday(posted["week"]), _note(posted)
    thing.save(update_fields=["week", "note", "changed"])
    return redirect("plan", id=thing.id)


def plan(request: Any, thing: ReleasePlan) -> HttpResponse:
    """One release: where it is, and the next step for each role."""
    here = ask_hub(request.who, "versions")["given"]
    rehearsed = ask_hub(request.who, "rehearsal")
    price = _price(request, thing)
    mine = next((one for one in here["versions"] if one["version"] == thing.version), None)
    follow(thing, {thing.version: mine["state"]} if mine else {})
    return show_page(
        request,
        "desk/hub/plan.html",
        Text("Release {version}", version=thing.version),
        plan=thing,
        mine=mine,
        waits=here["waits"],
        notes=[(code, NATIVE_NAMES[code], thing.note.get(code, "")) for code in LANGUAGES],
        rehearsal=from_json(rehearsed["document"]),
        rehearsed=rehearsed["given"],
        price=from_json(price["document"]) if price else None,
        priced=price["given"] if price else _NO_PRICE,
        bar=bar,
        jobs=jobs_of(request, thing.version, thing.id.hex),
        asked=withdrawals_asked().count(),
    )


def _price(request: Any, thing: ReleasePlan) -> dict[str, Any] | None:
    """The price, for those who may know it."""
    if not request.who.roles & {"steward", "privacy_officer"}:
        return None
    return ask_hub(request.who, "price", version=thing.version)


def rehearse_plan(request: Any, thing: ReleasePlan) -> HttpResponse:
    """Rehearse the policy on fictitious people."""
    people = str(request.POST.get("people", "20000"))
    asked = [part for part in re.split(r"[\s;]+", str(request.POST.get("epsilons", ""))) if part]
    numbers = [part.replace(",", ".") for part in asked]
    if not re.fullmatch(r"\d{3,6}", people) or len(numbers) > 6:
        raise Http404
    if not all(re.fullmatch(r"\d{1,2}(\.\d{1,3})?", part) and float(part) for part in numbers):
        raise Http404
    arguments = {"people": int(people), "epsilons": sorted({float(part) for part in numbers})}
    return begun(request, "rehearse", "files", thing, plan=thing.id.hex, **arguments)


def price_plan(request: Any, thing: ReleasePlan) -> HttpResponse:
    """Find what the release would cost; nothing is charged."""
    return begun(request, "price", "build", thing, plan=thing.id.hex, version=thing.version)


def spend_plan(request: Any, thing: ReleasePlan) -> HttpResponse:
    """The privacy officer's yes to the price that was shown, or its end."""
    if request.POST.get("answer") == "no":
        _set_spend(thing, None, None)
        return redirect("plan", id=thing.id)
    price = ask_hub(request.who, "price", version=thing.version)["given"]
    shown = str(request.POST.get("epsilon", ""))
    if not price["known"] or price["stale"] or shown != repr(price["epsilon"]):
        return redirect("plan", id=thing.id)
    _set_spend(thing, float(price["epsilon"]), request.user.id)
    return redirect("plan", id=thing.id)


def _set_spend(thing: ReleasePlan, epsilon: float | None, by: Any) -> None:
    thing.spend, thing.spend_by_id = epsilon, by
    thing.spend_at = None if epsilon is None else timezone.now()
    thing.save(update_fields=["spend", "spend_by", "spend_at", "changed"])


def build_plan(request: Any, thing: ReleasePlan) -> HttpResponse:
    """Build the candidate; the worker charges no more than the privacy officer said yes to."""
    return begun(request, "build", "build", thing, plan=thing.id.hex, version=thing.version)


def plan_changes(request: Any, thing: ReleasePlan) -> HttpResponse:
    """What the candidate changes, to be read before it is signed."""
    return hub_page(request, "changes", above=_ABOVE, version=thing.version)


def version_changes(request: Any, version: str) -> HttpResponse:
    """The same of a version that has no plan, such as one that the command line built."""
    if not VERSION.fullmatch(version):
        raise Http404
    return hub_page(request, "changes", above=_ABOVE, version=version)


def _form(
    request: Any, thing: ReleasePlan | None, shown: dict[str, str], problems: list[tuple[str, str]]
) -> HttpResponse:
    return show_page(
        request,
        "desk/hub/plan_form.html",
        Text("Change the plan") if thing else Text("Plan a release"),
        plan=thing,
        shown=shown,
        problems=problems,
        languages_of_note=[(code, NATIVE_NAMES[code]) for code in LANGUAGES],
        warned=any(tells_of_withdrawals(shown.get(f"note-{c}", "")) for c in LANGUAGES),
    )


def _posted(post: Any) -> tuple[dict[str, str], list[tuple[str, str]]]:
    names = ("version", "week", *(f"note-{code}" for code in LANGUAGES))
    fields = {name: str(post.get(name, "")).strip() for name in names}
    problems = []
    if _monday(fields["week"]) is None and fields["week"]:
        problems.append(("week", _("Write the day as 2027-01-31.")))
    for code in LANGUAGES:
        if len(fields[f"note-{code}"]) > NOTE_LONGEST:
            problems.append((f"note-{code}", _("The note is too long.")))
    return fields, problems


def _note(posted: dict[str, str]) -> dict[str, str]:
    return {code: posted[f"note-{code}"] for code in LANGUAGES if posted[f"note-{code}"]}


def _monday(text: str) -> date | None:
    """The Monday of the week of a day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day - timedelta(days=day.weekday())


def _next_monday() -> date:
    today: date = timezone.now().date()
    return today + timedelta(days=7 - today.weekday())


PAGES = [
    page("releases/", releases, "plan.read", menu=Text("Releases"), order=40),
    page("releases/new/", new_plan, "plan.write", BOTH),
    answer_page("releases/rehearsal/", "rehearsal", "desk/hub/page.html", _ABOVE),
    page("releases/<ReleasePlan>/", plan, "plan.read"),
    page("releases/<ReleasePlan>/change/", change_plan, "plan.change", BOTH),
    page("releases/<ReleasePlan>/rehearse/", rehearse_plan, "plan.rehearse", POST),
    page("releases/<ReleasePlan>/price/", price_plan, "plan.rehearse", POST),
    page("releases/<ReleasePlan>/spend/", spend_plan, "plan.spend", POST),
    page("releases/<ReleasePlan>/build/", build_plan, "plan.build", POST),
    page("releases/<ReleasePlan>/changes/", plan_changes, "plan.read"),
    page("releases/version/<str:version>/", version_changes, "plan.read"),
]
