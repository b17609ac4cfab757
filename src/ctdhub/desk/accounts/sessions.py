"""Sessions in the database, as Django keeps them, read by one short statement."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.utils import timezone

from ctdhub.desk.walls import rows

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
