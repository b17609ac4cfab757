"""A contributor's first page: its last file, its own counts, its agreement, the next release.

All of it is a function of its own deliveries and agreement, of published releases and of the week
that every contributor may know.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from ctdhub.core.errors import HubError
from ctdhub.core.format import number
from ctdhub.core.i18n import Text, _, ngettext, said
from ctdhub.desk.allowed import Who, scope
from ctdhub.desk.asking import ask_hub
from ctdhub.desk.kept_until import day_of, erased_on
from ctdhub.desk.models.deliveries import Delivery
from ctdhub.desk.models.people import Organisation
from ctdhub.desk.registry import pages
from ctdhub.desk.rendering import day
from ctdhub.desk.views import delivery_words as words
from ctdhub.desk.views.waiting import SOON

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
