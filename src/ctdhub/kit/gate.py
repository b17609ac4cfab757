"""The gate of the kit: the guard before it has let this browser in, and everything here is its own.

It gives each request the kit's folder, the language and the file that an address is about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import (
    LANGUAGES,
    NATIVE_NAMES,
    RIGHT_TO_LEFT,
    _,
    current,
    language,
    preferred,
)
from ctdhub.desk.allowed import Owner, allowed
from ctdhub.desk.errors import error_page
from ctdhub.desk.registry import DeskPage
from ctdhub.kit.state import Kit

Answer = Callable[[Any], HttpResponse]


def gate(page: DeskPage, request: Any, given: dict[str, Any]) -> HttpResponse:
    """Find the file that a page is about, and let the view answer."""
    if request.method not in page.methods:
        return HttpResponseNotAllowed(page.methods)
    if not allowed(request.who, page.action):
        raise Http404
    if not page.of:
        return page.view(request, **given)
    thing = request.kit.file(given.pop("id").hex)
    if thing is None:
        raise Http404
    return page.view(request, thing, **given)


class KitRequests:
    """The language that was chosen, else that of the system; and whose request it is."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: Any) -> HttpResponse:
        """Answer in a language."""
        request.kit = Kit(settings.KIT_FOLDER)
        request.who = Owner()
        chosen = request.kit.state().language
        with language(chosen if chosen in LANGUAGES else preferred()):
            response = self.answer(request)
            response["Content-Language"] = current()
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page of an error of the product."""
        return error_page(request, 409, exception) if isinstance(exception, HubError) else None


def everywhere(request: HttpRequest) -> dict[str, Any]:
    """What every template of the kit has."""
    card = request.kit.card()
    return {
        "base": "kit/base.html",
        "who": Owner(),
        "lang": current(),
        "direction": "rtl" if current() in RIGHT_TO_LEFT else "ltr",
        "languages": [(code, NATIVE_NAMES[code]) for code in LANGUAGES],
        "hub_name": card.card.hub if card else _("Kit"),
        "invented": bool(card and card.card.invented),
        "csrf": "",
        "further": [
            ("tokens", _("Tokens")),
            ("leaving", _("What is sent")),
            ("dashboard", _("Your numbers")),
            ("owed", _("Reports due")),
        ],
        "here": request.get_full_path(),
        "menu": [],
        "messages": [],
    }
