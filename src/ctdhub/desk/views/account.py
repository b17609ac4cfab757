"""One's own account: who one is, how one signs in, in which language."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from ctdhub.core.i18n import LANGUAGES, Text
from ctdhub.desk.middleware import LANGUAGE_COOKIE
from ctdhub.desk.registry import page

_YEAR = 365 * 24 * 3600


def own_account(request: HttpRequest) -> HttpResponse:
    """Name, roles, factors and sign-ins of whoever is signed in."""
    factors = Authenticator.objects.filter(user=request.user)
    values = {
        "title": Text("Your account"),
        "roles_held": request.user.roles.select_related("organisation"),
        "passkeys": [f for f in factors if f.type == Authenticator.Type.WEBAUTHN],
        "app": any(f.type == Authenticator.Type.TOTP for f in factors),
        "codes": any(f.type == Authenticator.Type.RECOVERY_CODES for f in factors),
        "visits": UserSession.objects.filter(user=request.user).count(),
    }
    return render(request, "desk/own_account.html", values)


def language(request: HttpRequest) -> HttpResponse:
    """Read on in another language; of an account it is kept."""
    code, way = request.POST.get("language", ""), request.POST.get("next", "/")
    if not way.startswith("/") or not url_has_allowed_host_and_scheme(way, allowed_hosts=None):
        way = reverse("home")
    response = HttpResponseRedirect(way)
    if code in LANGUAGES:
        if request.user.is_authenticated and request.user.language != code:
            request.user.language = code
            request.user.save(update_fields=["language"])
        response.set_cookie(
            LANGUAGE_COOKIE, code, max_age=_YEAR, secure=True, httponly=True, samesite="Lax"
        )
    return response


PAGES = [
    page("account/", own_account, action="account.self"),
    page("language/", language, action="door.open", methods=("POST",), recorded=False),
]
