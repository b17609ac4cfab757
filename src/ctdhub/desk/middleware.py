"""What surrounds every page: headers, language, length of a visit, errors, the menu."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

from allauth.usersessions.internal.usersessionkit import track_activity
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import UpdateError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils import translation

from ctdhub.core import i18n
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import LANGUAGES, Text, _, current, language, said
from ctdhub.desk.accounts.signing_in import IDLE, LONGEST
from ctdhub.desk.allowed import VISITOR, Who, allowed
from ctdhub.desk.config import current as desk
from ctdhub.desk.errors import error_page
from ctdhub.desk.registry import pages
from ctdhub.desk.walls import unhurried

Answer = Callable[[Any], HttpResponse]

LANGUAGE_COOKIE = "__Host-language"
_MARK_EVERY = 60

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Content-Security-Policy of every page.  ``require-trusted-types-for`` is not in it, because it
stops the swaps of htmx."""

PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
_NO_PASSKEY = "publickey-credentials-create=(), publickey-credentials-get=()"
DOORS = ("/accounts/login/", "/accounts/2fa/")
"""Where passkeys may be asked for; everywhere else the browser refuses."""


class Headers:
    """Security headers; nothing behind the sign-in is kept by a browser or a proxy."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the headers of this path."""
        response = self.answer(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        passkeys = request.path.startswith(DOORS)
        response["Permissions-Policy"] = PERMISSIONS + ("" if passkeys else f", {_NO_PASSKEY}")
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class Languages:
    """The language of the account, else that of the cookie, else that of the browser."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: Any) -> HttpResponse:
        """Answer in a language, ours and Django's alike."""
        request.who = VISITOR
        end_old_visit(request)
        code = chosen(request)
        with language(code, page=True), translation.override(code):
            response = self.answer(request)
        response["Content-Language"] = code
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page of an error of the product; ``server_error`` answers for all others."""
        return error_page(request, 409, exception) if isinstance(exception, HubError) else None


def chosen(request: Any) -> str:
    """The code of the language to answer in."""
    cookie = request.COOKIES.get(LANGUAGE_COOKIE, "")
    asked = [getattr(request.user, "language", ""), cookie]
    for code in [*asked, translation.get_language_from_request(request)[:2]]:
        if code in LANGUAGES:
            return str(code)
    return LANGUAGES[0]


def end_old_visit(request: Any) -> None:
    """Sign out whoever has rested too long or has been signed in too long."""
    if not request.user.is_authenticated:
        return
    now = int(time.time())
    began = request.session.setdefault("began", now)
    seen = request.session.get("seen", now)
    if now - began > LONGEST or abs(now - seen) > IDLE:  # also where the clock was set back
        logout(request)
    elif now - seen > _MARK_EVERY or "seen" not in request.session:
        request.session["seen"] = now
        request.marked = True


class Visits:
    """The list of visits, brought up to date as often as a visit is marked: a row that is written
    with each page would let every reader wait for all others who write."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: Any) -> HttpResponse:
        """Answer, and note the visit once a minute."""
        if getattr(request, "marked", False):
            with suppress(UpdateError), unhurried():  # ended meanwhile: said once all is answered
                track_activity(request, user=request.user, session=request.session)
                request.session.save()
                request.session.modified = False  # until something else changes
        return self.answer(request)


# --------------------------------------------------------------------------------------------------
# The menu: the pages of the register that somebody may open, under five entries.

MENU = {
    1: Text("Files"),
    3: Text("Checks"),
    4: Text("Releases"),
    6: Text("Rights"),
    9: Text("Administration"),
}
"""By the tens of the place that the register gives a page."""


def entries(who: Who, path: str) -> list[dict[str, Any]]:
    """The five entries of which somebody may open a page: words, the address of the first page,
    whether one of them is open, and the pages.

    The open one is that with the longest address that the open page begins with.
    """
    shown = _links(Who(who.account and "any", who.roles, who.organisation and "any"), current())
    fit = [
        href
        for _order, _label, href in shown
        if path == href or (href != "/" and path.startswith(href))
    ]
    best = max(fit, key=len, default="")
    groups: dict[int, list[dict[str, Any]]] = {}
    for order, label, href in shown:
        one = {"label": label, "href": href, "here": href == best}
        groups.setdefault(order // 10, []).append(one)
    return [
        {
            "label": said(MENU[number]),
            "href": theirs[0]["href"],
            "here": any(one["here"] for one in theirs),
            "pages": theirs,
        }
        for number, theirs in groups.items()
    ]


@lru_cache(maxsize=256)
def _links(who: Who, _language: str) -> list[tuple[int, str, str]]:
    """Order, label and address of what somebody in these roles may open; the same for all."""
    return sorted(
        (page.order, said(page.menu), reverse(page.name))
        for page in pages()
        if page.menu is not None and allowed(who, page.action)
    )


def everywhere(request: Any) -> dict[str, Any]:
    """What every template of the desk has: who reads, the menu, the language."""
    who = getattr(request, "who", VISITOR)
    return {
        "base": "desk/base.html",
        "who": who,
        "may": lambda action, thing=None: bool(allowed(who, action, thing)),
        "menu": entries(who, request.path) if who.account else [],
        "lang": current(),
        "direction": "rtl" if current() in i18n.RIGHT_TO_LEFT else "ltr",
        "languages": [(code, i18n.NATIVE_NAMES[code]) for code in LANGUAGES],
        "hub_name": desk().hub_name,
        "site": desk().site,
        "invented": desk().file.invented,
        "csrf": get_token(request),
        "further": [("delivery", _("Delivery"))],
        "here": request.get_full_path(),
    }
