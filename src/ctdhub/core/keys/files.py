"""Files of secrets: written once, for their owner alone."""

from __future__ import annotations

from pathlib import Path

from ctdhub.core import atomic
from ctdhub.core.error_catalogue import error


def write_new(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone can read, and sync it.

    Raises:
        FileError: the file exists; a key is never overwritten.
    """
    try:
        atomic.write_new(path, content)
    except FileExistsError:
        raise error("key-exists", file=path) from None
