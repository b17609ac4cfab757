"""Operation: a page for the administrator, two probes for whoever keeps the desk running.

``/health/live`` and ``/health/ready`` say a word each; ``/metrics`` is for this computer alone.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from ctdhub.core.i18n import Text
from ctdhub.desk.config import current
from ctdhub.desk.health import checks, metrics, ready
from ctdhub.desk.registry import page

_HERE = ("127.0.0.1", "::1")
_PLAIN = "text/plain; charset=utf-8"


def operation(request: HttpRequest) -> HttpResponse:
    """What works, what waits, what is wrong; nothing of case data."""
    desk = current()
    values = {"title": Text("Operation"), "checks": checks(desk), "limits": desk.file.limits}
    return render(request, "desk/operation.html", values)


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


PAGES = [
    page("operation/", operation, action="operation.read", menu=Text("Operation"), order=95),
    page("health/live", live, action="door.open", name="live"),
    page("health/ready", ready_now, action="door.open", name="ready"),
    page("metrics", numbers, action="door.open", name="metrics"),
]
