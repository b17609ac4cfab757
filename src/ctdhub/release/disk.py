"""Force what was written to disk before somebody relies on it.

Belongs here: syncing files and the names in folders.  Does not belong here: what is written.
"""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_synced(path: Path, text: str, fresh: Path) -> None:
    """Write a read-only file by way of ``fresh``: it is there whole or not at all.

    Args:
        path: where it goes.
        text: what it holds.
        fresh: a path on the same disk, for as long as the file is not whole.
    """
    fresh.unlink(missing_ok=True)
    fresh.write_text(text, "utf-8")
    fresh.chmod(0o444)
    sync(fresh)
    fresh.replace(path)
    sync(path.parent)
