"""Writing that survives a crash and a loss of power."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WRITING = ".new-"
"""Beginning of the name of a file that is not whole yet; only a killed run leaves one behind."""


_CHUNK = 2**20

_OPENS_FOLDERS = hasattr(os, "O_DIRECTORY")
"""Unix opens a folder as it opens a file; Windows does not, and syncs only what it may write."""


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to disk; where a system cannot, nothing happens."""
    if not _OPENS_FOLDERS and (path.is_dir() or not os.access(path, os.W_OK)):
        return
    handle = os.open(path, os.O_RDONLY if _OPENS_FOLDERS else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_new(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a new file and force it to disk; a crash may leave a part of it.

    Args:
        mode: who may read and write it, whatever the umask; its owner alone, unless told otherwise.

    Raises:
        FileExistsError: there is one already.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as out:
        if hasattr(os, "fchmod"):
            os.fchmod(handle, mode)  # whatever the umask
        else:
            path.chmod(mode)
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def take(path: Path, size: int) -> None:
    """Make a file of ``size`` zeros that has its room on the disk, also where holes are free.

    Raises:
        OSError: there is not so much room; a part of the file may be there.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle, 0, size)
        else:
            for start in range(0, size, _CHUNK):
                out.write(bytes(min(_CHUNK, size - start)))


@contextmanager
def made_whole(path: Path) -> Iterator[Path]:
    """A name beside a file, or a folder, to write under; what is there then takes its place.

    A crash of the machine may lose it: it is not forced to disk.

    Where the system refuses, the error names what was asked for, not the name beside it.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with _put_in_place(fresh, path):
        yield fresh


def write_whole(path: Path, content: bytes, mode: int = 0o600, beside: Path | None = None) -> None:
    """Write or replace a file so that it is the old one or the new one, whatever happens.

    Args:
        mode: as in :func:`write_new`.
        beside: a folder on the same disk where it lies until it is whole; its own, if None.
    """
    fresh = (beside or path.parent) / f"{WRITING}{path.name}-{secrets.token_hex(4)}"
    with _put_in_place(fresh, path):
        write_new(fresh, content, mode)
    sync(path.parent)


@contextmanager
def _put_in_place(fresh: Path, path: Path) -> Iterator[None]:
    try:
        yield
        fresh.replace(path)
    except OSError as error:
        if error.filename is None or str(error.filename) == str(fresh):
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):
            remove(fresh) if fresh.is_dir() else fresh.unlink()


def remove(folder: Path) -> None:
    """Delete a folder with all that lies in it, read-only files too, which Windows keeps.

    Raises:
        OSError: there is no such folder, or the system refuses.
    """
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) and not mode & stat.S_IWUSR:
            path.chmod(mode | stat.S_IWUSR)
    shutil.rmtree(folder)


def sweep(folder: Path, name: str = "*") -> None:
    """Delete what killed runs left of a file in a folder, or of all its files.

    Whoever calls knows that nobody else is writing there.
    """
    for left in folder.glob(f"{WRITING}{name}-*"):
        left.unlink(missing_ok=True)
