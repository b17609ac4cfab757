"""The first page: what waits for whoever signed in, and where things are."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from ctdhub.core.errors import HubError
from ctdhub.core.format import day
from ctdhub.core.i18n import Text, _
from ctdhub.desk import models
from ctdhub.desk.allowed import DATA_OFFICER, PRIVACY_OFFICER, STEWARD, Who, allowed, scope
from ctdhub.desk.channel import ask_hub
from ctdhub.desk.deliveries import day_of, erased_on
from ctdhub.desk.registry import page
from ctdhub.desk.rendering import show_page

# --------------------------------------------------------------------------------------------------
# A new hub: what is next on the way to a first release, until there is one.


def first_steps(who: Who) -> dict[str, bool] | None:
    """Which of the five steps are done; None for whom, or where, none is to be shown."""
    if who.is_contributor or not who.roles:
        return None
    try:
        begun: dict[str, bool] = ask_hub(who, "begun")["given"]
    except HubError:
        return None
    roles = set(models.RoleHeld.objects.values_list("role", flat=True))
    begun["people"] = roles >= {DATA_OFFICER, STEWARD, PRIVACY_OFFICER}
    return None if begun["release"] else begun


# --------------------------------------------------------------------------------------------------
# What waits for somebody in the hub: alarms, pairs, agreements, the next step of each release.

SOON = timedelta(days=60)

Task = tuple[str, str, int | None]
"""Words, address, and how many where that is counted."""


def hub_waiting(who: Who) -> list[Task]:
    """Tasks of the hub's roles; none for a contributor, whom nothing here may tell of others."""
    if who.is_contributor or not who.roles:
        return []
    return [*_counted(who), *_withdrawals(who), *_agreements(who), *_waiting_releases(who)]


def _counted(who: Who) -> Iterator[Task]:
    if not allowed(who, "look.read"):
        return
    try:
        counts = ask_hub(who, "waiting")["given"]
    except HubError:
        return  # the page of the look says what is wrong
    if counts.get("unread"):
        yield _("Files that were not read yet"), reverse("looks"), counts["unread"]
    if counts.get("alarms"):
        yield _("Open alarms"), reverse("looks"), counts["alarms"]
    if counts.get("told"):
        yield _("Reported withdrawals to carry out"), reverse("withdrawals"), counts["told"]
    if counts.get("pairs"):
        yield _("Pairs to decide"), reverse("doubles"), counts["pairs"]


def _withdrawals(who: Who) -> Iterator[Task]:
    """Deliveries that their organisations want to be used no more."""
    if not allowed(who, "withdrawal.carry_out"):
        return
    if asked := models.withdrawals_asked().count():
        yield _("Withdrawals that were asked for"), reverse("withdrawals"), asked


def _agreements(who: Who) -> Iterator[Task]:
    if not allowed(who, "agreement.write"):
        return
    last = timezone.now().date() + SOON
    ending = models.Organisation.objects.filter(ends__lte=last, lost=False).count()
    if ending:
        yield _("Agreements that have ended or end soon"), reverse("agreements"), ending


def _waiting_releases(who: Who) -> Iterator[Task]:
    """What is next for each plan, for whoever it is next for."""
    if not allowed(who, "plan.price"):
        return
    for plan in models.ReleasePlan.objects.filter(state="drafted"):
        try:
            price = ask_hub(who, "price", version=plan.version)["given"]
        except HubError:
            return  # the page of the plan says what is wrong
        if plan.spend is not None:
            action, words = "plan.build", _("Build release {version}")
        elif price["known"] and not price["stale"]:
            action, words = "plan.spend", _("Decide on the price of release {version}")
        else:
            action, words = "plan.write", _("Find the price of release {version}")
        if allowed(who, action):
            way = reverse("plan", kwargs={"id": plan.id})
            yield words.format(version=plan.version), way, None


# --------------------------------------------------------------------------------------------------
# A contributor's first page: its last file, its own counts, its agreement, the next release.
#
# All of it is a function of its own deliveries and agreement, of published releases and of the week
# that every contributor may know.

_PAST = ("replaced", "withdrawn")
"""States of a file that is not the last one any more."""

CORRECTED = ("returned", "refused")
"""States after which the contributor sends a correction."""


def own_home(who: Who) -> dict[str, Any]:
    """What the template shows of the contributor's own."""
    sent = models.Delivery.objects.filter(scope(who, "delivery.list"))
    last = sent.exclude(state__in=_PAST).order_by("-created", "id").first()
    one = models.Organisation.objects.filter(id=who.organisation, lost=False).first()
    reasons = list(last.reasons.all()) if last and last.state == "returned" else []
    today = timezone.now().date()
    return {
        "one": one,
        "last": last,
        "day_of": day_of,
        "reasons": len(reasons),
        "cells": len({cell for reason in reasons for cell in reason.cells}),
        "correct": bool(last and last.state in CORRECTED),
        "counted": dict(sent.order_by().values_list("state").annotate(n=Count("id"))),
        "week": _week(who),
        "erasure": _next_erasure(sent) if one and one.keep_months is not None else None,
        "ended": bool(one and one.ends and one.ends < today),
        "ending": bool(one and one.ends and today <= one.ends <= today + SOON),
    }


def _next_erasure(sent: Any) -> date | None:
    """The first day on which a file of its own is erased by the agreement."""
    kept = sent.filter(state="accepted").select_related("organisation")
    return min((end for one in kept[:1000] if (end := erased_on(one))), default=None)


def _week(who: Who) -> str:
    """The week of the next release, as far as it is planned."""
    try:
        week = ask_hub(who, "next_week")["given"]["week"]
    except HubError:
        return "–"  # nobody answers now
    if not week:
        return _("not planned yet")
    return _("week of {day}").format(day=day(date.fromisoformat(week)))


def home(request: Any) -> HttpResponse:
    """What waits; for a contributor its last file, agreement and reports, for a new hub its way."""
    from ctdhub.desk import urls  # it reads this module first

    asked = [module.waiting for module in urls.MODULES if hasattr(module, "waiting")]
    waiting = [entry for ask in asked for entry in ask(request.who)]
    if request.who.is_contributor:
        own, template = own_home(request.who), "desk/home_of_contributor.html"
        return show_page(request, template, Text("Home"), waiting=waiting, **own)
    steps = first_steps(request.who)
    return show_page(request, "desk/home.html", Text("Home"), waiting=waiting, steps=steps)


PAGES = [page("", home, "home.read")]
