"""The first page: what waits for whoever signed in, and where things are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from ctdhub.core.errors import HubError
from ctdhub.core.format import decimal, exact, isolated, number
from ctdhub.core.i18n import Text, _, ngettext, said
from ctdhub.desk.allowed import Who, allowed, scope
from ctdhub.desk.channel import ask_hub
from ctdhub.desk.config import current
from ctdhub.desk.deliveries import day_of, erased_on
from ctdhub.desk.health import checks
from ctdhub.desk.models import (
    Delivery,
    DeskAccount,
    Invitation,
    Organisation,
    ReleasePlan,
    TrailEvent,
    withdrawals_asked,
)
from ctdhub.desk.registry import page, pages
from ctdhub.desk.rendering import day, moment
from ctdhub.desk.views.deliveries import WORDS as words

# --------------------------------------------------------------------------------------------------
# The hub at a glance, for its roles: a card for each thing that a role may see, with its page.
#
# For the administrator and the auditor states, sizes and times alone: nothing counted in case data.

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


def _waiting_releases(who: Who) -> Iterator[Task]:
    for plan in ReleasePlan.objects.filter(state__in=("drafted", "simulated")):
        way = reverse("plan", kwargs={"id": plan.id})
        version = plan.version
        if plan.state == "drafted" and allowed(who, "plan.write"):
            yield _("Rehearse release {version}").format(version=version), way, None
        elif plan.state == "simulated" and plan.spend is None and "privacy_officer" in who.roles:
            yield _("Decide on the price of release {version}").format(version=version), way, None
        elif plan.state == "simulated" and plan.spend is not None and "steward" in who.roles:
            yield _("Build release {version}").format(version=version), way, None


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
    sent = Delivery.objects.filter(scope(who, "delivery.list"))
    last = sent.exclude(state__in=_PAST).order_by("-created", "id").first()
    one = Organisation.objects.filter(id=who.organisation, lost=False).first()
    counts = dict(sent.order_by().values_list("state").annotate(n=Count("id")))
    facts = [
        (_("Files sent"), number(sum(counts.values()) - counts.get("receiving", 0))),
        (_("Files accepted"), number(counts.get("accepted", 0))),
        (_("Next release"), _week(who)),
    ]
    if one and one.keep_months is not None and (end := _next_erasure(sent)):
        facts.append((_("Next file that is erased"), day(end)))
    if one:
        facts.append((_("Last day of the agreement"), day(one.ends) if one.ends else _("none")))
    return {
        "name": one.name if one else "",
        "last": last,
        "day_of": day_of,
        "state": said(words.state_name(last.state)) if last else "",
        "tone": words.state_tone(last.state) if last else "",
        "sentence": said(words.state_sentence(last.state)) if last else "",
        "returned": _returned(last) if last else "",
        "correct": bool(last and last.state in CORRECTED),
        "facts_shown": facts,
        "reminder": _reminder(one.ends) if one else None,
        "links": _links(who),
    }


def _next_erasure(sent: Any) -> date | None:
    """The first day on which a file of its own is erased by the agreement."""
    kept = sent.filter(state="accepted").select_related("organisation")
    return min((end for one in kept[:1000] if (end := erased_on(one))), default=None)


def _returned(last: Delivery) -> str:
    """How many reasons, and cells of the file, a returned delivery has."""
    if last.state != "returned":
        return ""
    reasons = list(last.reasons.all())
    cells = len({cell for reason in reasons for cell in reason.cells})
    found = [ngettext("{n} reason", "{n} reasons", len(reasons)).format(n=number(len(reasons)))]
    if cells:
        found.append(ngettext("{n} cell", "{n} cells", cells).format(n=number(cells)))
    return " · ".join(found)


def _week(who: Who) -> str:
    """The week of the next release, as far as it is planned."""
    try:
        week = ask_hub(who, "next_week")["given"]["week"]
    except HubError:
        return "–"  # nobody answers now
    if not week:
        return _("not planned yet")
    return _("week of {day}").format(day=day(date.fromisoformat(week)))


def _reminder(ends: date | None) -> Text | None:
    """What to do about an agreement that has ended or ends soon."""
    if ends is None:
        return None
    today = timezone.now().date()
    if ends < today:
        return Text("Your agreement ended on {day}. Renew it with the hub.", day=day(ends))
    if ends <= today + SOON:
        return Text(
            "Your agreement ends on {day}. Renew it with the hub before that day: afterwards the "
            "hub does not read your files.",
            day=day(ends),
        )
    return None


def _links(who: Who) -> list[tuple[str, str]]:
    telling = [
        reverse(page.name)
        for page in pages()
        if page.action == "withdrawal.tell" and "GET" in page.methods and "<" not in page.path
    ]
    return [
        (_("Your agreement"), reverse("agreement", kwargs={"key": who.organisation})),
        (_("Your private report"), reverse("report")),
        (_("Report a withdrawal"), telling[0])
        if telling
        else (_("Register of withdrawals"), reverse("withdrawals")),
    ]


def home(request: Any) -> HttpResponse:
    """For a contributor its last file, agreement and reports; for the hub's roles an overview."""
    from ctdhub.desk import urls  # it reads this module first

    asked = [module.waiting for module in urls.MODULES if hasattr(module, "waiting")]
    waiting = [entry for ask in asked for entry in ask(request.who)]
    values: dict[str, Any] = {"title": Text("Home"), "waiting": waiting}
    if request.who.is_contributor:
        return render(request, "desk/home_of_contributor.html", values | own_home(request.who))
    return render(request, "desk/home.html", values | {"cards": cards(request.who)})


PAGES = [page("", home, "home.read", menu=Text("Home"), order=0)]
