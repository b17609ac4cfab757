"""Addresses of signing in and of one's own account: the pages of django-allauth
that are in use; apart, as the pages of every part of the desk.

Signing up, resetting a password by e-mail and changing an e-mail address are not: a lost way in is
given anew by an invitation.
"""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.usersessions import views as sessions
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from ctdhub.desk.registry import BOTH, page

_DOOR, _SELF = "door.open", "account.self"


def by_invitation(request: HttpRequest) -> HttpResponse:
    """Nobody signs up: the page that says so is the one to sign in on."""
    return HttpResponseRedirect(reverse("account_login"))


def change_password(request: Any) -> HttpResponse:
    """A new password; an account that never had one is opened by passkey or a demo's link."""
    if not request.user.has_usable_password():
        return HttpResponseRedirect(reverse("own_account"))
    answer: HttpResponse = account.password_change(request)
    return answer


def _door(
    path: str, view: Any, name: str, action: str = _SELF, methods: tuple[str, ...] = BOTH
) -> Any:
    """A page of the door; what happens there is written to the trail by ``accounts.events``."""
    return page(f"accounts/{path}", view, action, methods, name=name, recorded=False)


PAGES = [
    _door("login/", account.login, "account_login", _DOOR),
    _door("logout/", account.logout, "account_logout", _DOOR, ("POST",)),
    _door("inactive/", account.account_inactive, "account_inactive", _DOOR),
    _door("signup/", by_invitation, "account_signup", _DOOR, ("GET",)),
    _door("reauthenticate/", account.reauthenticate, "account_reauthenticate"),
    _door("password/change/", change_password, "account_change_password"),
    _door("2fa/", factors.index, "mfa_index"),
    _door("2fa/authenticate/", factors.authenticate, "mfa_authenticate", _DOOR),
    _door("2fa/reauthenticate/", factors.reauthenticate, "mfa_reauthenticate"),
    _door("2fa/totp/activate/", totp.activate_totp, "mfa_activate_totp"),
    _door("2fa/totp/deactivate/", totp.deactivate_totp, "mfa_deactivate_totp"),
    _door("2fa/codes/", codes.view_recovery_codes, "mfa_view_recovery_codes"),
    _door("2fa/codes/generate/", codes.generate_recovery_codes, "mfa_generate_recovery_codes"),
    _door("2fa/passkeys/", passkeys.list_webauthn, "mfa_list_webauthn"),
    _door("2fa/passkeys/add/", passkeys.add_webauthn, "mfa_add_webauthn"),
    _door("2fa/passkeys/login/", passkeys.login_webauthn, "mfa_login_webauthn", _DOOR),
    _door(
        "2fa/passkeys/reauthenticate/",
        passkeys.reauthenticate_webauthn,
        "mfa_reauthenticate_webauthn",
    ),
    _door("2fa/passkeys/<int:pk>/remove/", passkeys.remove_webauthn, "mfa_remove_webauthn"),
    _door("2fa/passkeys/<int:pk>/edit/", passkeys.edit_webauthn, "mfa_edit_webauthn"),
    _door("sessions/", sessions.list_usersessions, "usersessions_list"),
]
