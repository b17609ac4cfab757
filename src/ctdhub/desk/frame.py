"""What every page of the desk has around its own content: who reads, the menu, the language."""

from __future__ import annotations

from typing import Any

from django.middleware.csrf import get_token

from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, RIGHT_TO_LEFT, _, current
from ctdhub.desk.allowed import VISITOR, allowed
from ctdhub.desk.config import current as desk
from ctdhub.desk.menu import entries


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
