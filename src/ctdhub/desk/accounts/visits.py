"""Visits (sessions) of an account, and what ends them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils import timezone

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
