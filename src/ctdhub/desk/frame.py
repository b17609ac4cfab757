"""What every page of the desk has around its own content: who reads, the menu, the language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.middleware.csrf import get_token
from django.urls import reverse

from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, RIGHT_TO_LEFT, _, current, said
from ctdhub.desk.allowed import VISITOR, Who, allowed
from ctdhub.desk.config import current as desk
from ctdhub.desk.registry import pages

# --------------------------------------------------------------------------------------------------
# The menu: the pages of the register that somebody may open.


@dataclass(frozen=True)
class DeskMenuEntry:
    """One entry: its words, where it leads, whether it is the page that is open."""

    label: str
    href: str
    here: bool


def entries(who: Who, path: str) -> list[DeskMenuEntry]:
    """Entries in their order; the longest address that the open page begins with is marked."""
    shown = _shown(Who(who.account and "any", who.roles, who.organisation and "any"), current())
    fit = [
        href
        for _order, _label, href in shown
        if path == href or (href != "/" and path.startswith(href))
    ]
    best = max(fit, key=len, default="")
    return [DeskMenuEntry(label, href, href == best) for _order, label, href in shown]


@lru_cache(maxsize=256)
def _shown(who: Who, _language: str) -> list[tuple[int, str, str]]:
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
        "direction": "rtl" if current() in RIGHT_TO_LEFT else "ltr",
        "languages": [(code, NATIVE_NAMES[code]) for code in LANGUAGES],
        "hub_name": desk().hub_name,
        "invented": desk().file.invented,
        "csrf": get_token(request),
        "further": [("delivery", _("Delivery"))],
        "here": request.get_full_path(),
    }
