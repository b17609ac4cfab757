"""What the hub shows of itself: deliveries, drift, coverage, pairs, lineage, reports, ledger."""

import re
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from ctdhub.core.i18n import Text, current
from ctdhub.desk.channel import ask_hub
from ctdhub.desk.models import DeskAccount
from ctdhub.desk.registry import POST, page
from ctdhub.desk.views.home import hub_waiting
from ctdhub.desk.views.hub_page import answer_page, begun, hub_page, organisation_of
from ctdhub.document.document import from_json
from ctdhub.document.html import write

# --------------------------------------------------------------------------------------------------
# The look, rejected rows, drift and coverage: what contributors sent, before any is spent.

_ABOVE, _STALE = ((Text("Look"), "looks"),), "desk/hub/stale.html"
waiting = hub_waiting
"""What waits for the hub's roles; the first page asks each module of pages."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


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
    fields = {"entry": entry, "date": day, "reason": str(post.get("reason", ""))[:300].strip()}
    base = str(post.get("base", ""))[:64]
    return begun(request, "accept_alarm", "build", key, contributor=key, base=base, **fields)


# --------------------------------------------------------------------------------------------------
# Lineage: from a column of a file to a published number.


def lineage(request: Any, variable: str) -> HttpResponse:
    """The way of one variable."""
    return hub_page(request, "lineage", above=((Text("Lineage"), "lineages"),), id=variable)


# --------------------------------------------------------------------------------------------------
# A contributor's private report: exact counts of its own records, for its own accounts alone.
#
# The report is made when it is asked for and kept nowhere; the trail says that it was read.


def report(request: Any) -> HttpResponse:
    """The report as a page that says that it is private."""
    title = {"title": Text("Your private report")}
    return hub_page(
        request, "report", "desk/report.html", values=title, id=request.who.organisation
    )


def report_file(request: Any) -> HttpResponse:
    """The same as one HTML file to keep."""
    reply = ask_hub(request.who, "report", id=request.who.organisation)
    if not reply["given"]["made"]:
        raise Http404
    answer = HttpResponse(write(from_json(reply["document"])))
    name = f"private-report-{reply['given']['version']}.{current()}.html"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


# --------------------------------------------------------------------------------------------------
# Pairs that may be one person: what agrees, and a decision, without names.

_PAIR = re.compile("[0-9a-f]{32}")


def doubles(request: Any) -> HttpResponse:
    """Pairs to decide, undecided ones first."""
    names = {a.id.hex: a.name for a in DeskAccount.objects.all()}
    values = {"names": names, "me": request.who.account}
    return hub_page(request, "doubles", "desk/hub/doubles.html", _ABOVE, values=values)


def decide_pair(request: Any) -> HttpResponse:
    """Write a decision; one that somebody made meanwhile is shown first."""
    pair, seen = str(request.POST.get("pair", "")), str(request.POST.get("seen", ""))
    same = str(request.POST.get("same", ""))
    if not _PAIR.fullmatch(pair) or not re.fullmatch(r"\d{1,3}", seen):
        raise Http404
    if same not in ("yes", "no", "unsure"):
        raise Http404
    ask_hub(request.who, "decide", pair=pair, same=same, seen=int(seen))
    return redirect("doubles")


PAGES = [
    answer_page("look/", "looks", "desk/hub/looks.html", menu=Text("Look"), order=30),
    page("look/read/", read_files, "look.refresh", POST),
    page("look/<slug:key>/", look, "look.counts"),
    page("look/<slug:key>/rejects/<slug:day>/", rejects, "look.read"),
    page("look/<slug:key>/accept/", accept_alarm, "alarm.accept", POST),
    answer_page("drift/", "drift", _STALE, _ABOVE, menu=Text("Drift"), order=32),
    answer_page("coverage/", "coverage", _STALE, menu=Text("Coverage"), order=36),
    page("doubles/", doubles, "doubles.read"),
    page("doubles/decide/", decide_pair, "doubles.decide", POST),
    answer_page("lineage/", "lineages", "desk/hub/lineages.html", menu=Text("Lineage"), order=38),
    page("lineage/<slug:variable>/", lineage, "lineage.read"),
    page("report/", report, "report.read", menu=Text("Private report"), order=15),
    page("report/file/", report_file, "report.read"),
    answer_page("ledger/", "ledger", menu=Text("Ledger"), order=96),
]
