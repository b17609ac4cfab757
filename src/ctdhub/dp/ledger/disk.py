"""Writing that survives a crash, and what the disk refuses in words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctdhub.core.atomic import write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_RIGHTS = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def guarded(file: Path) -> Iterator[None]:
    """Turn what the system refuses inside the block into an error about ``file``.

    Raises:
        LedgerError: the disk is full, there is no right to write, or the system refuses otherwise.
    """
    try:
        yield
    except OSError as cause:
        raise _refused(cause, file) from None


def _refused(cause: OSError, file: Path) -> HubError:
    code = cause.errno or 0
    rule = errno.errorcode.get(code, "system").lower()
    if code in _FULL:
        return error("system/ledger-full", file=file, rule=rule)
    if code in _RIGHTS:
        return error("system/ledger-rights", file=file, rule=rule)
    return error("system/ledger", file=file, rule=rule)


def write_synced(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, whatever happens.

    Raises:
        LedgerError: the system refuses.
    """
    with guarded(path):
        write_whole(path, content)


def damaged(folder: Path) -> HubError:
    """The error of a stored answer that cannot be read."""
    return error("ledger-answer", file=folder)
