"""Who holds which role of the hub, who asked for it and who confirmed it: for all of the hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ctdhub.core.i18n import Text, _
from ctdhub.desk.allowed import ADMINISTRATOR, HUB_ROLES, PRIVACY_OFFICER, STEWARD
from ctdhub.desk.models.people import Invitation, RoleHeld
from ctdhub.desk.registry import page


@dataclass(frozen=True)
class HeldLine:
    """A role that somebody holds, and the invitation that gave it, if there was one."""

    held: Any
    invitation: Any


def people(request: HttpRequest) -> HttpResponse:
    """The list, and what the hub lacks."""
    held = RoleHeld.objects.filter(role__in=sorted(HUB_ROLES)).select_related("account")
    given = Invitation.objects.filter(used__isnull=False, account=None)
    by_role = {
        (one.email, one.role): one for one in given.select_related("by", "second").order_by("used")
    }
    lines = [
        HeldLine(one, by_role.get((one.account.email, one.role)))
        for one in held.order_by("role", "account__name")
    ]
    values = {"title": Text("People"), "lines": lines, "lacks": lacks(lines)}
    return render(request, "desk/people.html", values)


def lacks(lines: list[HeldLine]) -> list[str]:
    """What too few people leave open, in plain words."""
    active = [line for line in lines if line.held.account.is_active]
    roles = {line.held.role for line in active}
    others = {line.held.account_id for line in active if line.held.role != ADMINISTRATOR}
    found = []
    if not others:
        found.append(
            _(
                "Nobody but administrators holds a role: nobody can confirm an invitation. The "
                "first person who takes up another role does so without a second person."
            )
        )
    elif len(others) == 1:
        found.append(
            _(
                "One person alone can confirm invitations. If that person loses the way in, only "
                "whoever runs the server can help."
            )
        )
    if not {STEWARD, PRIVACY_OFFICER} <= roles:
        found.append(
            _(
                "A release needs a steward and a privacy officer, two people with a key each. As "
                "long as one of them is missing, nothing can be approved."
            )
        )
    return found


PAGES = [page("people/", people, action="people.read", menu=Text("People"), order=94)]
