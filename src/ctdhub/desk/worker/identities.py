"""Age identities of the worker: one for the inbox each month, and those that bundles are made to.

They are files in ``keys/inbox/``, or in the folder that ``CTDHUB_INBOX_KEYS`` names, which the web
process cannot read.  What came in a month can be opened by nobody any more once the identity of
that month is destroyed, whatever copies of the inbox there are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

from ctdhub.core import atomic
from ctdhub.core.keys import age
from ctdhub.desk.uploads.drawer import PaperDrawer
from ctdhub.desk.uploads.inbox import Inbox

_MONTH = re.compile(r"inbox-(\d{4}-\d{2})\.key")
PAPERS = "papers.key"
_MARGIN = 3600.0
"""Seconds that a request may have read the recipients before they were replaced."""


def identity_folder(hub: Path) -> Path:
    """Where the identities are."""
    named = os.environ.get("CTDHUB_INBOX_KEYS")
    return Path(named) if named else hub / "keys" / "inbox"


def identities(hub: Path) -> list[Path]:
    """Identities of what is sent in, the newest month first, those of bundles last."""
    found = sorted(identity_folder(hub).glob("*.key"), reverse=True)
    found = [path for path in found if path.name != PAPERS]
    return sorted(found, key=lambda path: _MONTH.fullmatch(path.name) is None)


def renew(hub: Path, inbox: Inbox, today: date, recovery: tuple[str, ...] = ()) -> None:
    """Have an identity for this month, and let the inbox encrypt to it from now on.

    Args:
        recovery: recipients whose identities are kept elsewhere, for when this machine is lost.
    """
    folder = identity_folder(hub)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = folder / f"inbox-{today:%Y-%m}.key"
    if not own.exists():
        age.make_identity(own)
        atomic.sync(folder)
    wanted = (*age.recipients_of(own), *recovery)
    file = inbox.recipients_file
    if not file.is_file() or age.read_recipients(file) != wanted:
        age.write_recipients(file, wanted)


def renew_drawer(hub: Path, drawer: PaperDrawer, recovery: tuple[str, ...] = ()) -> None:
    """Have an identity of the drawer of papers, which is never destroyed, and encrypt to it.

    Args:
        recovery: as of :func:`renew`.
    """
    own = identity_folder(hub) / PAPERS
    if not own.exists():
        age.make_identity(own)
        atomic.sync(own.parent)
    wanted = (*age.recipients_of(own), *recovery)
    file = drawer.recipients_file
    if not file.is_file() or age.read_recipients(file) != wanted:
        age.write_recipients(file, wanted)


def destroy_months(hub: Path, waiting: Iterable[datetime]) -> list[str]:
    """Destroy the identities that nothing in the inbox can be encrypted to any more.

    Parts are encrypted to the newest identity that there was when they came, which is not that of
    their month where the worker was away.  So one is destroyed only if the next one was made an
    hour before everything that waits was begun.

    Args:
        waiting: when each delivery was begun that has parts in the inbox.

    Returns:
        The months whose identity was destroyed.
    """
    own = sorted(p for p in identity_folder(hub).glob("inbox-*.key") if _MONTH.fullmatch(p.name))
    first = min((begun.timestamp() for begun in waiting), default=datetime.now(UTC).timestamp())
    gone = []
    for path, following in pairwise(own):
        if following.stat().st_mtime + _MARGIN < first:
            gone.append(path.stem.removeprefix("inbox-"))
            path.unlink()
    return gone
