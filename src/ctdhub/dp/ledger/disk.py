"""Writing that survives a crash, and what the disk refuses in words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctdhub.core.atomic import write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError, LedgerError
from ctdhub.core.i18n import _

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


def _refused(cause: OSError, file: Path) -> LedgerError:
    code = cause.errno or 0
    if code in _FULL:
        what = _("The disk is full: the ledger could not be written.")
        fix = _(
            "Free room on the disk of the hub folder (work/ may be deleted: it is made again), "
            "then run the command again. Nothing is overspent; a charge whose answer was not "
            "stored is made again."
        )
    elif code in _RIGHTS:
        what = _("There is no right to read or write the ledger.")
        fix = _(
            "Give yourself the right to write the folder ledger, on a disk that is not read-only; "
            "then run the command again. Nothing is overspent."
        )
    else:
        what = _("The system refuses to read or write the ledger.")
        fix = _("Check the disk of the hub folder, then run the command again.")
    return LedgerError(what, fix, file=file, rule=errno.errorcode.get(code, "system").lower())


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
