"""What waits for somebody in the hub: alarms, pairs, agreements, the next step of each release."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import _
from ctdhub.desk.allowed import Who, allowed
from ctdhub.desk.asking import ask_hub
from ctdhub.desk.models.deliveries import withdrawals_asked
from ctdhub.desk.models.hub import ReleasePlan
from ctdhub.desk.models.people import Organisation

SOON = timedelta(days=60)

Task = tuple[str, str, int | None]
"""Words, address, and how many where that is counted."""


def hub_waiting(who: Who) -> list[Task]:
    """Tasks of the hub's roles; none for a contributor, whom nothing here may tell of others."""
    if who.is_contributor or not who.roles:
        return []
    return [*_counted(who), *_withdrawals(who), *_agreements(who), *_releases(who)]


def _counted(who: Who) -> Iterator[Task]:
    if not allowed(who, "look.read"):
        return
    try:
        found = ask_hub(who, "waiting")["given"]
    except HubError:
        return  # the page of the look says what is wrong
    if found.get("unread"):
        yield _("Files that were not read yet"), reverse("looks"), found["unread"]
    if found.get("alarms"):
        yield _("Open alarms"), reverse("looks"), found["alarms"]
    if found.get("told"):
        yield _("Reported withdrawals to carry out"), reverse("withdrawals"), found["told"]
    if found.get("pairs"):
        yield _("Pairs to decide"), reverse("doubles"), found["pairs"]


def _withdrawals(who: Who) -> Iterator[Task]:
    """Deliveries that their organisations want to be used no more."""
    if not allowed(who, "withdrawal.carry_out"):
        return
    if asked := withdrawals_asked().count():
        yield _("Withdrawals that were asked for"), reverse("withdrawals"), asked


def _agreements(who: Who) -> Iterator[Task]:
    if not allowed(who, "agreement.write"):
        return
    last = timezone.now().date() + SOON
    ending = Organisation.objects.filter(ends__lte=last, lost=False).count()
    if ending:
        yield _("Agreements that have ended or end soon"), reverse("agreements"), ending


def _releases(who: Who) -> Iterator[Task]:
    for plan in ReleasePlan.objects.filter(state__in=("drafted", "simulated")):
        way = reverse("plan", kwargs={"id": plan.id})
        version = plan.version
        if plan.state == "drafted" and allowed(who, "plan.write"):
            yield _("Rehearse release {version}").format(version=version), way, None
        elif plan.state == "simulated" and plan.spend is None and "privacy_officer" in who.roles:
            yield _("Decide on the price of release {version}").format(version=version), way, None
        elif plan.state == "simulated" and plan.spend is not None and "steward" in who.roles:
            yield _("Build release {version}").format(version=version), way, None
