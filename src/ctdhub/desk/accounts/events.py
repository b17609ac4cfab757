"""What signing in writes into the trail, and what a changed factor ends."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from ctdhub.desk.accounts.visits import end_visits
from ctdhub.desk.allowed import VISITOR
from ctdhub.desk.trail import record
from ctdhub.desk.walls import scoped


def connect() -> None:
    """Listen to the signals of Django and django-allauth."""
    user_logged_in.connect(_came, dispatch_uid="desk.came")
    user_logged_out.connect(_left, dispatch_uid="desk.left")
    user_login_failed.connect(_failed, dispatch_uid="desk.failed")
    authentication_failed.connect(_factor_failed, dispatch_uid="desk.factor_failed")
    for signal in (authenticator_added, authenticator_removed, authenticator_reset):
        signal.connect(_changed, dispatch_uid=f"desk.changed.{id(signal)}")
    password_changed.connect(_changed, dispatch_uid="desk.changed.password")


def _write(user: Any, action: str, outcome: str = "done") -> None:
    with scoped(user.as_visitor()):
        record(user.who(), action, user.id, outcome)


def _came(request: Any, user: Any, **_given: Any) -> None:
    """A contributor's first visit is its first; from the second on the factor is a must."""
    if user.first_visit and not getattr(request, "first_visit", False):
        user.first_visit = False
        user.save(update_fields=["first_visit"])
    _write(user, "account.sign_in")


def _left(user: Any, **_given: Any) -> None:
    if user is not None and user.is_authenticated:
        _write(user, "account.sign_out")


def _failed(**_given: Any) -> None:
    """Without the address that was typed: it may be a password in the wrong field."""
    record(VISITOR, "account.sign_in", "", "denied")


def _factor_failed(user: Any, **_given: Any) -> None:
    _write(user, "account.factor", "denied")


def _changed(request: Any, user: Any, **_given: Any) -> None:
    """Whoever took over another visit is out."""
    end_visits(user, but=request.session.session_key or "")
    _write(user, "account.factor")
