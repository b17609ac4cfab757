"""The hub at a glance, for its roles: a card for each thing that a role may see, with its page.

For the administrator and the auditor states, sizes and times alone: nothing counted in case data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from ctdhub.core.errors import HubError
from ctdhub.core.format import decimal, exact, isolated, number
from ctdhub.core.i18n import _, ngettext, said
from ctdhub.desk.allowed import Who, allowed
from ctdhub.desk.asking import ask_hub
from ctdhub.desk.config import current
from ctdhub.desk.health import checks
from ctdhub.desk.models.deliveries import Delivery
from ctdhub.desk.models.hub import ReleasePlan
from ctdhub.desk.models.people import DeskAccount, Invitation
from ctdhub.desk.models.trail import TrailEvent
from ctdhub.desk.rendering import day, moment
from ctdhub.desk.views import delivery_words as words

_OPEN = ("checked", "received", "returned")
_MOST_VERSIONS = 4
_EPSILON = "#,##0.###"

Line = tuple[str, str, str]
"""Words; a state of a release; the tone of a tag. One of the last two may be given."""


@dataclass(frozen=True)
class HomeCard:
    """A part of the overview: title, address of its page, lines."""

    title: str
    href: str
    lines: list[Line]


def cards(who: Who) -> list[HomeCard]:
    """The cards of somebody of the hub, in the order of the page."""
    if who.is_contributor or not who.roles:
        return []
    try:
        found = ask_hub(who, "overview")["given"]
    except HubError:
        found = {}  # nobody answers: the cards of rows are shown
    made = (_deliveries(who), _alarms(who, found), _releases(who, found), _budget(found))
    more = (_built(who, found), _operation(who), _accounts(who), _trail(who))
    return [card for cards_ in (*made, *more) for card in cards_]


def _deliveries(who: Who) -> Iterator[HomeCard]:
    if not allowed(who, "delivery.list"):
        return
    known = Delivery.objects.filter(state__in=_OPEN).order_by().values_list("state")
    counted = dict(known.annotate(n=Count("id")))
    lines = [
        (f"{said(words.state_name(state))}: {number(counted.get(state, 0))}", "", "")
        for state in _OPEN
    ]
    yield HomeCard(_("Deliveries"), reverse("deliveries"), lines)


def _alarms(who: Who, found: dict[str, Any]) -> Iterator[HomeCard]:
    if "alarms" not in found:
        return
    one = found["alarms"]
    lines: list[Line] = [_known(one, "")]
    if one is not None:
        n, unread = one["open"], one["unread"]
        text = ngettext("{n} alarm is open.", "{n} alarms are open.", n).format(n=number(n))
        late = _("Files that were not read yet")
        lines = [(text, "", "")] if n else []
        if unread:
            lines.append((f"{late}: {number(unread)}", "", ""))
            if not allowed(who, "look.refresh"):
                theirs = _(
                    "A data officer or the steward reads them; you do not need to do anything."
                )
                lines.append((theirs, "", ""))
        lines = lines or [(_("No alarm is open."), "", "")]
    yield HomeCard(_("Alarms"), reverse("looks"), lines)


def _releases(who: Who, found: dict[str, Any]) -> Iterator[HomeCard]:
    if not allowed(who, "plan.read"):
        return
    versions = found.get("versions") or []
    known = {one["version"] for one in versions}
    lines: list[Line] = []
    for plan in ReleasePlan.objects.filter(state__in=("drafted", "simulated"))[:_MOST_VERSIONS]:
        if plan.version not in known:
            week = _("week of {day}").format(day=day(plan.week)) if plan.week else ""
            lines.append((f"{isolated(plan.version)} {week}".strip(), plan.state, ""))
    lines += [(isolated(one["version"]), one["state"], "") for one in versions]
    empty: Line = (_("No release is planned."), "", "")
    yield HomeCard(_("Releases"), reverse("releases"), lines[:_MOST_VERSIONS] or [empty])


def _budget(found: dict[str, Any]) -> Iterator[HomeCard]:
    if "budget" not in found:
        return
    one = found["budget"]
    lines: list[Line] = [_known(one, "")]
    if one is not None:
        spent, left = decimal(one["spent"], _EPSILON), decimal(one["left"], _EPSILON)
        whole = exact(one["budget"])
        text = _("Spent: epsilon {spent} of {budget}.").format(spent=spent, budget=whole)
        more = _("Available for one more version: {left}.").format(left=left)
        lines = [(text, "", ""), (more, "", "")]
    yield HomeCard(_("Privacy budget"), reverse("ledger"), lines)


def _built(who: Who, found: dict[str, Any]) -> Iterator[HomeCard]:
    if "built" not in found:
        return
    one = found["built"]
    way = reverse("releases" if allowed(who, "plan.read") else "operation")
    line: Line = _known(one, _("Nothing was built yet."))
    if one and one["time"]:
        when = moment(datetime.fromisoformat(one["time"]))
        line = (
            (when, "", "") if one["done"] else (_("{time}: stopped").format(time=when), "", "bad")
        )
    yield HomeCard(_("Last build"), way, [line])


def _operation(who: Who) -> Iterator[HomeCard]:
    if not allowed(who, "operation.read"):
        return
    wrong = [check for check in checks(current()) if check.tone != "good"]
    lines: list[Line] = [
        (f"{said(check.label)}: {said(check.words)}", "", check.tone) for check in wrong
    ]
    yield HomeCard(_("Operation"), reverse("operation"), lines or [(_("All is in order."), "", "")])


def _accounts(who: Who) -> Iterator[HomeCard]:
    if not allowed(who, "account.read"):
        return
    people = DeskAccount.objects.filter(is_active=True).count()
    asked = Invitation.objects.filter(used=None, cancelled=None, until__gt=timezone.now()).count()
    lines: list[Line] = [
        (ngettext("{n} account", "{n} accounts", people).format(n=number(people)), "", ""),
        (
            ngettext("{n} open invitation", "{n} open invitations", asked).format(n=number(asked)),
            "",
            "",
        ),
    ]
    yield HomeCard(_("Accounts"), reverse("accounts"), lines)


def _trail(who: Who) -> Iterator[HomeCard]:
    if not allowed(who, "trail.read"):
        return
    head = TrailEvent.objects.order_by("-number").first()
    line: Line = (_("Nothing was recorded yet."), "", "")
    if head:
        when = moment(datetime.fromisoformat(head.time))
        text = _("Line {n}, {time}, hash {hash}")
        said_ = text.format(n=number(head.number), time=when, hash=isolated(head.hash[:16]))
        line = (said_, "", "")
    yield HomeCard(_("Trail"), reverse("trail"), [line])


def _known(value: Any, text: str) -> Line:
    """A line, or that the part cannot be read."""
    if value is None:
        return _("Cannot be read now. The page says why."), "", "bad"
    return text, "", ""
