"""The look, rejected rows, drift and coverage: what contributors sent, before any is spent."""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpResponse

from ctdhub.core.i18n import Text
from ctdhub.desk.registry import page
from ctdhub.desk.views.hub_page import begun, hub_page, organisation_of
from ctdhub.desk.views.waiting import hub_waiting

_ABOVE = ((Text("Look"), "looks"),)
waiting = hub_waiting
"""What waits for the hub's roles; the first page asks each module of pages."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def looks(request: Any) -> HttpResponse:
    """Newest deliveries and their alarms."""
    return hub_page(request, "looks", "desk/hub/looks.html")


def read_files(request: Any) -> HttpResponse:
    """Read what changed, as far as people are linked; it costs nothing."""
    return begun(request, "read", "build")


def look(request: Any, key: str) -> HttpResponse:
    """One delivery beside the one before."""
    organisation_of(request, key, "look.counts")
    day = str(request.GET.get("date", ""))
    if day and not _DAY.fullmatch(day):
        raise Http404
    return hub_page(request, "look", "desk/hub/look.html", _ABOVE, id=key, date=day)


def rejects(request: Any, key: str, day: str) -> HttpResponse:
    """Rejected rows of a delivery."""
    organisation_of(request, key, "look.read")
    if not _DAY.fullmatch(day):
        raise Http404
    return hub_page(request, "rejects", above=_ABOVE, id=key, date=day)


def accept_alarm(request: Any, key: str) -> HttpResponse:
    """Accept an alarm by name, for one delivery, with a reason that approvers will read."""
    organisation_of(request, key, "alarm.accept")
    post = request.POST
    day, entry = str(post.get("date", "")), str(post.get("entry", ""))[:300]
    if not _DAY.fullmatch(day) or not entry:
        raise Http404
    given = {"entry": entry, "date": day, "reason": str(post.get("reason", ""))[:300].strip()}
    base = str(post.get("base", ""))[:64]
    return begun(request, "accept_alarm", "build", key, contributor=key, base=base, **given)


def drift(request: Any) -> HttpResponse:
    """How deliveries and people changed."""
    return hub_page(request, "drift", "desk/hub/stale.html", _ABOVE)


def coverage(request: Any) -> HttpResponse:
    """People by contributor and year."""
    return hub_page(request, "coverage", "desk/hub/stale.html")


PAGES = [
    page("look/", looks, action="look.counts", menu=Text("Look"), order=30),
    page("look/read/", read_files, action="look.refresh", methods=("POST",)),
    page("look/<slug:key>/", look, action="look.counts"),
    page("look/<slug:key>/rejects/<slug:day>/", rejects, action="look.read"),
    page("look/<slug:key>/accept/", accept_alarm, action="alarm.accept", methods=("POST",)),
    page("drift/", drift, action="drift.read", menu=Text("Drift"), order=32),
    page("coverage/", coverage, action="coverage.read", menu=Text("Coverage"), order=36),
]
