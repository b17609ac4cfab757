"""Lineage: from a column of a file to a published number."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from ctdhub.core.i18n import Text
from ctdhub.desk.registry import page
from ctdhub.desk.views.hub_page import hub_page


def lineages(request: Any) -> HttpResponse:
    """Choose a variable; a contributor sees its own files alone."""
    return hub_page(request, "lineages", "desk/hub/lineages.html", **_of(request))


def lineage(request: Any, variable: str) -> HttpResponse:
    """The way of one variable."""
    above = ((Text("Lineage"), "lineages"),)
    return hub_page(request, "lineage", above=above, id=variable, **_of(request))


def _of(request: Any) -> dict[str, Any]:
    who = request.who
    return {"contributor": who.organisation} if who.is_contributor else {}


PAGES = [
    page("lineage/", lineages, action="lineage.read", menu=Text("Lineage"), order=38),
    page("lineage/<slug:variable>/", lineage, action="lineage.read"),
]
