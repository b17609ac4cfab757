"""Files of secrets: written once, for their owner alone.

Belongs here: how such a file comes to be.  Does not belong here: what is in it.
"""

from __future__ import annotations

import os
from pathlib import Path

from ctdhub.errors import FileError
from ctdhub.i18n import _


def write_new(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone can read, and sync it.

    Raises:
        FileError: the file exists; a key is never overwritten.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        what = _("This file exists; a key is never overwritten.")
        fix = _("Name a new file, or use the key that is there.")
        raise FileError(what, fix, file=path, rule="key-exists") from None
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
