"""The page of every rule of the catalogue; run as a program, the kit's pages and its log."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ctdhub.core.errors import catalogue, error
from ctdhub.core.format import number
from ctdhub.core.i18n import language

ROW, COLUMN = 1234, "Genre"
VALUE = "Secret Name"


def wrong_pages(request: Any) -> list[str]:
    """Rules whose page is none, or does not say row, column, rule and what to do."""
    from ctdhub.desk.errors import error_page

    wrong = []
    for code in ("en", "ar"):
        with language(code):
            for entry in catalogue().values():
                fields: dict[str, Any] = dict.fromkeys(entry.placeholders, 7)
                places = {"file": "in/a.csv", "row": ROW, "line": 3, "column": COLUMN}
                met = error(entry.name, **fields | places)
                try:
                    page = error_page(request, 409, met).content.decode()
                except TypeError as failed:
                    wrong.append(f"{code} {entry.name}: {failed}")
                    continue
                said = (number(ROW), COLUMN, f'<code dir="ltr">{met.rule}</code>')
                wrong += [f"{code} {entry.name}: {text}" for text in said if text not in page]
    return wrong


def fails(*_: object) -> None:
    """A fault of the program whose words quote a value."""
    raise ValueError(VALUE)


def in_the_kit(folder: Path) -> None:
    """Print which pages are wrong in the kit; then meet a fault, which goes to the log."""
    import threading

    from ctdhub.kit.server import application

    application(folder, threading.Event())
    from django.conf import settings
    from django.test import Client, RequestFactory

    from ctdhub.kit.state import Kit

    request: Any = RequestFactory().get("/")
    request.kit = Kit(folder)
    sys.stdout.write("\n".join(wrong_pages(request)))
    settings.KIT_OVER = SimpleNamespace(set=fails)
    client = Client(SERVER_NAME="127.0.0.1", raise_request_exception=False)
    assert client.post("/end/").status_code == 500


if __name__ == "__main__":
    in_the_kit(Path(sys.argv[1]))
