"""Visits (sessions) of an account, what ends them, and what signing in writes into the trail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.signals import password_changed
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from ctdhub.desk.allowed import VISITOR
from ctdhub.desk.trail import record
from ctdhub.desk.walls import rows, scoped

# --------------------------------------------------------------------------------------------------
# Visits (sessions) of an account, and what ends them.

IDLE, LONGEST = 30 * 60, 12 * 3600
"""Seconds of rest after which a visit ends, and seconds after which it ends in any case."""

_MARGIN = 120
"""Seconds by which the list of visits may be late: it is brought up to date once a minute."""


def is_open(account: Any, visit: str) -> bool:
    """Whether an account is signed in under this key of a session.

    What the session holds is signed with a key that only the web process has; the list says whose
    it is.
    """
    now = timezone.now()
    listed = UserSession.objects.filter(
        user=account,
        session_key=visit,
        last_seen_at__gt=now - timedelta(seconds=IDLE + _MARGIN),
        last_seen_at__lt=now + timedelta(seconds=IDLE),  # else the clock was set back
        created_at__gt=now - timedelta(seconds=LONGEST + _MARGIN),
    )
    return (
        bool(visit)
        and listed.exists()
        and Session.objects.filter(session_key=visit, expire_date__gt=now).exists()
    )


def end_visits(account: Any, but: str = "") -> int:
    """End all visits of an account; gives how many there were.

    Args:
        but: key of the session that goes on.
    """
    others = list(UserSession.objects.filter(user=account).exclude(session_key=but))
    for visit in others:
        visit.end()
    return len(others)


# --------------------------------------------------------------------------------------------------
# What signing in writes into the trail, and what a changed factor ends.


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


# --------------------------------------------------------------------------------------------------
# Sessions in the database, as Django keeps them, read by one short statement.

_OPEN = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    """The name is Django's: it is part of what signs the data."""

    def load(self) -> dict[str, Any]:
        """What the session holds; one that is not there, or is over, loses its key.

        A key is what a cookie says: one with a character that PostgreSQL cannot keep is not there.
        """
        key = str(self.session_key)
        found = [] if "\0" in key else rows(_OPEN, key, timezone.now())
        if not found:
            self._session_key = None
            return {}
        held: dict[str, Any] = self.decode(found[0][0])
        return held
