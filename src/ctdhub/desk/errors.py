"""Pages that say that something is wrong: what, what to do, and a number to quote."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text

log = logging.getLogger("ctdhub.desk")


def _words(status: int) -> tuple[Text, Text]:
    return {
        400: (Text("The request cannot be read"), Text("Go back and try again.")),
        403: (
            Text("This page is not for your role"),
            Text("If you need it, ask the administrator of the hub."),
        ),
        404: (
            Text("Page not found"),
            Text("Check the address, or start from the home page."),
        ),
        409: (
            Text("This is not possible now"),
            Text("The state has changed since the page was opened. Reload it to see what is next."),
        ),
    }.get(
        status,
        (
            Text("Something went wrong"),
            Text("Nothing was changed. Try again; if it happens again, quote the number below."),
        ),
    )


def error_page(request: HttpRequest, status: int, met: HubError | None = None) -> HttpResponse:
    """A page that says what is wrong.

    Args:
        met: the error of the product that was met; it is shown with its rule and its remedy.
    """
    quoted = secrets.token_hex(4) if status >= 500 else ""
    if quoted:
        log.error("error %s", quoted, exc_info=True)
    title, advice = _words(status)
    if met is not None:
        advice = met.remedy
    values = {"status": status, "title": title, "advice": advice, "met": met, "quoted": quoted}
    return render(request, "desk/error.html", values, status=status)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """Django's handler of status 400."""
    return error_page(request, 400)


def forbidden(request: HttpRequest, exception: Any = None, reason: str = "") -> HttpResponse:
    """Django's handler of status 403, also of a form without its token."""
    return error_page(request, 403)


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """Django's handler of status 404."""
    return error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler of status 500."""
    return error_page(request, 500)
