"""Operation: jobs, the trail, the state of the desk, and two probes."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from ctdhub.core.errors import HubError, from_json
from ctdhub.core.i18n import Text, _
from ctdhub.desk.allowed import Who, allowed
from ctdhub.desk.channel import ask_hub
from ctdhub.desk.config import current
from ctdhub.desk.health import checks, metrics, ready
from ctdhub.desk.jobs import ask_cancel, kind_of
from ctdhub.desk.models import DeskAccount, Job, TrailEvent
from ctdhub.desk.registry import POST, page
from ctdhub.desk.rendering import show_page

# --------------------------------------------------------------------------------------------------
# Operation: a page for the administrator, two probes for whoever keeps the desk running.
#
# ``/health/live`` and ``/health/ready`` say a word each; ``/metrics`` is for this computer alone.

_HERE = ("127.0.0.1", "::1")
_PLAIN = "text/plain; charset=utf-8"


def operation(request: HttpRequest) -> HttpResponse:
    """What works, what waits, what is wrong; nothing of case data."""
    desk = current()
    values = {"checks": checks(desk), "limits": desk.file.limits}
    return show_page(request, "desk/operation.html", Text("Operation"), **values)


def waiting(who: Who) -> list[tuple[str, str, int | None]]:
    """Checks of the desk that need somebody."""
    if not allowed(who, "operation.read"):
        return []
    wrong = sum(check.tone != "good" for check in checks(current()))
    return [(_("What the desk needs"), reverse("operation"), wrong)] if wrong else []


def live(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("live\n", content_type=_PLAIN)


def ready_now(request: HttpRequest) -> HttpResponse:
    """Database and disk are there; which of them is not is for the administrator alone."""
    fit = ready(checks(current()))
    return HttpResponse(
        "ready\n" if fit else "not ready\n", content_type=_PLAIN, status=200 if fit else 503
    )


def numbers(request: HttpRequest) -> HttpResponse:
    """Gauges for a monitoring program on this computer; others find no such page."""
    passed_on = request.headers.get("X-Forwarded-For") or request.headers.get("Forwarded")
    if request.META.get("REMOTE_ADDR") not in _HERE or passed_on:
        raise Http404
    return HttpResponse(metrics(checks(current())), content_type="text/plain; version=0.0.4")


# --------------------------------------------------------------------------------------------------
# The trail, for the auditor and the administrator: who did what when; nothing of case data.

_ON_A_PAGE = 100


def trail(request: HttpRequest) -> HttpResponse:
    """Events, newest first."""
    shown = Paginator(TrailEvent.objects.all(), _ON_A_PAGE).get_page(request.GET.get("page"))
    keys = {event.account for event in shown if event.account}
    names = {a.id.hex: a.name for a in DeskAccount.objects.filter(id__in=keys)}
    return show_page(request, "desk/trail.html", Text("Trail"), events=shown, names=names)


# --------------------------------------------------------------------------------------------------
# The page of a job: how far it is, what came of it, and how to end it.

OPEN = ("waiting", "running")


def job(request: Any, thing: Job) -> HttpResponse:
    """One job; while it runs the page asks again by itself."""
    return render(request, "desk/hub/job.html", _values(request, thing))


def job_state(request: Any, thing: Job) -> HttpResponse:
    """The part of the page that changes; the last one asks no more."""
    return render(request, "desk/hub/job_state.html", _values(request, thing))


def cancel_job(request: Any, thing: Job) -> HttpResponse:
    """Ask for the end of a job; what it did so far stays, and may be gone on with."""
    if thing.state in OPEN:
        ask_cancel(thing)
    return redirect("job", id=thing.id)


def _values(request: Any, thing: Job) -> dict[str, Any]:
    outcome = thing.outcome or {}
    return {
        "title": kind_of(thing).words,
        "job": thing,
        "open": thing.state in OPEN,
        "progress": thing.progress,
        "met": why_failed(request, thing),
        "result": outcome.get("text"),
        "page": kind_of(thing).page,
        "may_cancel": thing.state in OPEN and bool(allowed(request.who, "job.cancel", thing)),
    }


def why_failed(request: Any, thing: Job) -> HubError | None:
    """Why a job failed: in full from the hub where the account may know, else what the row says."""
    outcome = thing.outcome or {}
    if thing.state != "failed" or "error" not in outcome:
        return None
    stopped = outcome["error"].get("name") == "desk-stopped"
    if stopped and allowed(request.who, "plan.price"):
        try:
            ask_hub(request.who, "stopped", job=thing.id.hex)
        except HubError as met:
            if met.rule not in ("desk-ask", "desk-away"):
                return met
    return from_json(outcome["error"])


def jobs_of(request: Any, version: str, plan: str = "-") -> dict[str, Any]:
    """Jobs of a release: one that waits or runs, the last one, and why that stopped."""
    jobs = Job.objects.filter(Q(thing=version) | Q(given__version=version) | Q(given__plan=plan))
    last = jobs.exclude(state="cancelled").first()
    stopped = why_failed(request, last) if last else None
    return {"working": jobs.filter(state__in=OPEN).first(), "last": last, "stopped": stopped}


PAGES = [
    page("jobs/<Job>/", job, "job.read"),
    page("jobs/<Job>/state/", job_state, "job.read"),
    page("jobs/<Job>/cancel/", cancel_job, "job.cancel", POST),
    page("trail/", trail, "trail.read", menu=Text("Trail"), order=98),
    page("operation/", operation, "operation.read", menu=Text("Operation"), order=94),
    page("health/live", live, "door.open"),
    page("health/ready", ready_now, "door.open", name="ready"),
    page("metrics", numbers, "door.open", name="metrics"),
]
