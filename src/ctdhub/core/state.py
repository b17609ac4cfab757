"""The state folder: what this user's ctdhub remembers on this machine, outside of every hub.

Belongs here: where it is.  Does not belong here: what lies in it (``dp.ledger.witness``).
"""

from __future__ import annotations

import os
from pathlib import Path

from ctdhub.core.error_catalogue import error

VARIABLE = "CTDHUB_STATE"
"""Name of the environment variable that says where the state folder is."""


def state_folder() -> Path:
    """The absolute path of the state folder, which need not exist yet.

    ``CTDHUB_STATE`` where it is set, else ``ctdhub`` in the state home of the XDG Base Directory
    Specification 0.8 (``XDG_STATE_HOME``, else ``~/.local/state``).

    Raises:
        LedgerError: nothing is set and the user has no home (``state-folder``).
    """
    if given := os.environ.get(VARIABLE):
        return Path(given).absolute()
    home = Path(os.environ.get("XDG_STATE_HOME", ""))
    if home.is_absolute():  # the specification: a relative path is to be ignored
        return home / "ctdhub"
    try:
        return Path.home() / ".local" / "state" / "ctdhub"
    except RuntimeError:
        raise error("state-folder") from None
