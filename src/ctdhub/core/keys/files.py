"""Files of secrets: written once, for their owner alone."""

from __future__ import annotations

from pathlib import Path

from ctdhub.core import atomic
from ctdhub.core.errors import FileError
from ctdhub.core.i18n import _


def write_new(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone can read, and sync it.

    Raises:
        FileError: the file exists; a key is never overwritten.
    """
    try:
        atomic.write_new(path, content)
    except FileExistsError:
        what = _("This file exists; a key is never overwritten.")
        fix = _("Name a new file, or use the key that is there.")
        raise FileError(what, fix, file=path, rule="key-exists") from None
