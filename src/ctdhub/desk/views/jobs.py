"""The page of a job: how far it is, what came of it, and how to end it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from ctdhub.core.error_catalogue import from_json
from ctdhub.core.errors import HubError
from ctdhub.desk.allowed import allowed
from ctdhub.desk.asking import ask_hub
from ctdhub.desk.jobs.queue import ask_cancel
from ctdhub.desk.models.hub import Job
from ctdhub.desk.registry import page
from ctdhub.desk.views.job_words import back_of, job_words

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
    return HttpResponseRedirect(reverse("job", kwargs={"id": thing.id}))


def _values(request: Any, thing: Job) -> dict[str, Any]:
    outcome = thing.outcome or {}
    return {
        "title": job_words(thing.what),
        "job": thing,
        "open": thing.state in OPEN,
        "progress": thing.progress,
        "met": _met(request, thing, outcome),
        "result": outcome.get("text"),
        "back": back_of(thing),
        "may_cancel": thing.state in OPEN and bool(allowed(request.who, "job.cancel", thing)),
    }


def _met(request: Any, thing: Job, outcome: dict[str, Any]) -> HubError | None:
    """Why it failed: in full from the hub where the account may know, else what the row says."""
    if thing.state != "failed" or "error" not in outcome:
        return None
    stopped = outcome["error"].get("name") == "desk-stopped"
    if stopped and allowed(request.who, "plan.price"):
        try:
            ask_hub(request.who, "stopped", job=thing.id.hex)
        except HubError as met:
            if met.rule not in ("desk-ask", "desk-away"):
                return met
    found: HubError = from_json(outcome["error"])
    return found


PAGES = [
    page("jobs/<id>/", job, action="job.read", of="Job"),
    page("jobs/<id>/state/", job_state, action="job.read", of="Job"),
    page("jobs/<id>/cancel/", cancel_job, action="job.cancel", of="Job", methods=("POST",)),
]
