"""A contributor's private report: exact counts of its own records, for its own accounts alone.

The report is made when it is asked for and kept nowhere; the trail says that it was read.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text, current
from ctdhub.desk.asking import ask_hub
from ctdhub.desk.registry import page
from ctdhub.desk.views.hub_page import hub_page, wrong
from ctdhub.document.as_json import from_json
from ctdhub.document.html import write


def report(request: Any) -> HttpResponse:
    """The report as a page that says that it is private."""
    title = {"title": Text("Your private report")}
    return hub_page(
        request, "report", "desk/report.html", values=title, id=request.who.organisation
    )


def report_file(request: Any) -> HttpResponse:
    """The same as one HTML file to keep."""
    try:
        found = ask_hub(request.who, "report", id=request.who.organisation)
    except HubError as met:
        return wrong(request, met)
    if not found["given"]["made"]:
        raise Http404
    answer = HttpResponse(write(from_json(found["document"])))
    name = f"private-report-{found['given']['version']}.{current()}.html"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


PAGES = [
    page("report/", report, action="report.read", menu=Text("Private report"), order=45),
    page("report/file/", report_file, action="report.read"),
]
