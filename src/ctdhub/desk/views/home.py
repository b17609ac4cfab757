"""The first page: what waits for whoever signed in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ctdhub.core.i18n import Text
from ctdhub.desk.registry import page


def home(request: HttpRequest) -> HttpResponse:
    """What waits for this account, and where to begin."""
    return render(request, "desk/home.html", {"title": Text("Home"), "waiting": []})


PAGES = [page("", home, action="home.read", menu=Text("Home"), order=0)]
