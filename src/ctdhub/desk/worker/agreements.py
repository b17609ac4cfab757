"""The agreement of an organisation, as the folder has it now."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime

from ctdhub.build.hub import Hub
from ctdhub.build.settings import Agreement, read_settings
from ctdhub.core.error_catalogue import error


def agreement_of(hub: Hub, organisation: str, today: date | None = None) -> tuple[Agreement, str]:
    """The agreement in force, and the SHA-256 of its file.

    Args:
        today: the day of asking, in UTC.

    Raises:
        PolicyError: there is none, it has faults, or it has ended (rule "agreement").
    """
    path = hub.root / "contributors" / f"{organisation}.yaml"
    agreement = read_settings(path, Agreement)
    if agreement.ends and agreement.ends < (today or datetime.now(UTC).date()):
        raise error("agreement/ended", file=path, id=organisation, day=agreement.ends.isoformat())
    return agreement, hashlib.sha256(path.read_bytes()).hexdigest()
