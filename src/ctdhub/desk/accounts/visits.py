"""Visits (sessions) of an account, and what ends them."""

from __future__ import annotations

from typing import Any

from allauth.usersessions.models import UserSession


def end_visits(account: Any, but: str = "") -> int:
    """End all visits of an account; gives how many there were.

    Args:
        but: key of the session that goes on.
    """
    others = list(UserSession.objects.filter(user=account).exclude(session_key=but))
    for visit in others:
        visit.end()
    return len(others)
