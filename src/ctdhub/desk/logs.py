"""Lines of the log of desk and kit: JSON with time, level and event; no value, name or query."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

LOGGED = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "ctdhub.desk.logs.JsonLines"}},
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
