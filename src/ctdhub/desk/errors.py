"""Pages and lines of the log that say that something is wrong; apart, for settings name them."""

import json
import logging
import secrets
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text

log = logging.getLogger("ctdhub.desk")

_TITLES = {
    400: Text("The request cannot be read"),
    403: Text("This page is not for your role"),
    404: Text("Page not found"),
    409: Text("This is not possible now"),
}


def error_page(request: HttpRequest, status: int, met: HubError | None = None) -> HttpResponse:
    """A page that says what is wrong.

    Args:
        met: the error of the product that was met; it is shown with its rule and its remedy.
    """
    quoted = secrets.token_hex(4) if status >= 500 else ""
    if quoted:
        log.error("error %s", quoted, exc_info=True)
    title = _TITLES.get(status, Text("Something went wrong"))
    values = {"status": status, "title": title, "met": met, "quoted": quoted}
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


# --------------------------------------------------------------------------------------------------
# Lines of the log of desk and kit: JSON with time, level and event; no value, name or query.

LOGGED = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "ctdhub.desk.errors.JsonLines"}},
    "handlers": {"err": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["err"], "level": "WARNING"},
    "loggers": {
        "django.request": {"handlers": [], "level": "CRITICAL", "propagate": False},
        "ctdhub": {"level": "INFO"},
        "waitress.queue": {"level": "ERROR"},
    },
}
"""Django's setting: messages of a request carry no value, no name and no query string."""


class JsonLines(logging.Formatter):
    """One line of JSON for each message; of an error only its type and place are written."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; the words of an exception are left out, since they may quote a value."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage() if record.name.startswith("ctdhub") else record.msg,
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["at"] = _places(record)
        return json.dumps(line, ensure_ascii=True)


def _places(record: logging.LogRecord) -> str:
    """Modules and lines on the way to an error, innermost last."""
    import traceback

    trace = record.exc_info[2] if record.exc_info else None
    steps = list(traceback.walk_tb(trace))[-6:]
    return " > ".join(f"{step.f_globals.get('__name__')}:{line}" for step, line in steps)
