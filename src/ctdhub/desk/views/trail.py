"""The trail, for the auditor and the administrator: who did what when; nothing of case data."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ctdhub.core.i18n import Text
from ctdhub.desk.models.people import DeskAccount
from ctdhub.desk.models.trail import TrailEvent
from ctdhub.desk.registry import page

_ON_A_PAGE = 100


def trail(request: HttpRequest) -> HttpResponse:
    """Events, newest first."""
    shown = Paginator(TrailEvent.objects.all(), _ON_A_PAGE).get_page(request.GET.get("page"))
    keys = {event.account for event in shown if event.account}
    names = {a.id.hex: a.name for a in DeskAccount.objects.filter(id__in=keys)}
    values = {"title": Text("Trail"), "events": shown, "names": names}
    return render(request, "desk/trail.html", values)


PAGES = [page("trail/", trail, action="trail.read", menu=Text("Trail"), order=90)]
