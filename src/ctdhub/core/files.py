"""Files: writing that survives a crash and a loss of power, logs of JSON lines, locks, this
machine's state folder.
"""

import errno
import gc
import glob
import hashlib
import importlib
import json
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

from ctdhub.core.errors import error
from ctdhub.core.tables import canonical

# --------------------------------------------------------------------------------------------------
# Writing that survives a crash and a loss of power.

WRITING, OLD = ".new-", ".old-"
"""Beginnings of names: what is not whole yet, and what it takes the place of.  Only a killed run
leaves one behind."""


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


def rewrite(path: Path, content: bytes, mode: int = 0o600, beside: Path | None = None) -> None:
    """As :func:`write_whole`, for a file with one writer: what a killed one left goes first."""
    sweep(beside or path.parent, path.name)
    write_whole(path, content, mode, beside)


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


def fresh_folder(out: Path) -> Path:
    """A new folder beside ``out``, to fill and rename; what killed runs left of one is deleted."""
    beginning = f".writing-{out.name}-"
    for leftover in out.parent.glob(f"{glob.escape(beginning)}????????"):  # not of a longer name
        with suppress(OSError):
            remove(leftover)
    return Path(tempfile.mkdtemp(prefix=beginning, dir=out.parent))


def swap(fresh: Path, out: Path) -> None:
    """Put a finished folder in the place of another: set aside, then deleted."""
    if out.exists():
        out.rename(out.with_name(f"{OLD}{out.name}-{secrets.token_hex(4)}"))
    try:
        fresh.rename(out)
        sync(out.parent)
    finally:
        put_back(out)


def put_back(out: Path) -> None:
    """End a swap: what was set aside returns where nothing took its place, else it is deleted."""
    for old in out.parent.glob(f"{glob.escape(OLD + out.name)}-????????"):
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(out)


def sweep(folder: Path, name: str = "*") -> None:
    """Delete what killed runs left of a file in a folder, or of all its files.

    Whoever calls knows that nobody else is writing there.
    """
    for left in folder.glob(f"{WRITING}{name}-*"):
        left.unlink(missing_ok=True)


# --------------------------------------------------------------------------------------------------
# A log of JSON lines, each of which names the hash of the one before it.
#
# Lines are only ever added.  A line that was changed, taken out or moved is found; that the last
# ones are missing is not, which is why whoever needs that keeps the last hash elsewhere.

FIRST = "0" * 64
"""What the first line names as the hash before it."""


def read_chain(path: Path) -> Iterator[dict[str, Any]]:
    """All lines, each with ``number``, ``previous`` and ``hash``; none where there is no file.

    A torn last line, left by a kill, was never told to anybody and is passed over.

    Raises:
        HubError: a line does not follow from the one before it (rule "chain").
    """
    before = FIRST
    for number, line in enumerate(_lines(path), 1):
        entry = _entry(path, line, number, before)
        before = entry["hash"]
        yield entry


def last_of_chain(path: Path) -> dict[str, Any] | None:
    """The last whole line, checked by itself alone; for whoever writes on and keeps its hash.

    Raises:
        HubError: it was changed (rule "chain").
    """
    for number, line in deque(enumerate(_lines(path), 1), maxlen=1):
        return _entry(path, line, number)
    return None


def _entry(path: Path, line: bytes, number: int, before: str = "") -> dict[str, Any]:
    """A line that follows the one with a hash, or whichever it names itself."""
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        entry: dict[str, Any] = json.loads(line)
        if line == canonical(chained(entry, number, before or entry["previous"])):
            return entry
    raise error("chain", file=path, line=number)


def append_chain(path: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Write a line behind the last one and force it to disk; the caller holds a lock.

    Args:
        path: the log; made where there is none, in a folder that is there, for its owner alone.
        entry: what JSON knows; ``number``, ``previous`` and ``hash`` are filled in.

    Returns:
        The whole line.

    Raises:
        HubError: see :func:`read_chain`.
    """
    before = tuple(read_chain(path))
    whole = chained(entry, len(before) + 1, before[-1]["hash"] if before else FIRST)
    append_lines(path, [whole])
    return whole


def chained(entry: Mapping[str, Any], number: int, previous: str) -> dict[str, Any]:
    """An entry as the whole line that follows the line with this hash."""
    whole = {**entry, "number": number, "previous": previous}
    whole.pop("hash", None)
    return {**whole, "hash": hashlib.sha256(canonical(whole)).hexdigest()}


def append_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write lines behind the last whole one and force them to disk; the caller holds a lock.

    Args:
        path: as of :func:`append_chain`.
        lines: each follows the one before it, the first one the last of the file.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "r+b") as out:
        out.seek(sum(len(line) + 1 for line in _lines(path)))
        out.truncate()
        out.write(b"".join(canonical(line) + b"\n" for line in lines))
        out.flush()
        os.fsync(out.fileno())
    sync(path.parent)


def is_torn(path: Path) -> bool:
    """Whether a log ends within a line."""
    with suppress(OSError), path.open("rb") as file:  # a file without a byte has no end to look at
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
    return False


def _lines(path: Path) -> Iterator[bytes]:
    """Whole lines; what stands behind the last line end is torn."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        yield from (line[:-1] for line in file if line.endswith(b"\n"))


# --------------------------------------------------------------------------------------------------
# One process at a time: a lock on a file that dies with the process that holds it.
#
# Unix locks the whole file (``fcntl.flock``), Windows its first byte (``msvcrt.locking``, which is
# asked again until the byte is free, since its own waiting gives up after ten seconds).  Neither is
# needed to import this module.

_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
"""What a system says of a file that another process holds."""

_AGAIN = 0.05
"""Seconds between two tries where a system cannot wait by itself."""


@contextmanager
def locked(file: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a file against every other process inside the block; not reentrant.

    Args:
        file: made where there is none, for its owner alone, and never deleted; only ever a lock.
        wait: until it is free; else a file that is held is an error at once.

    Raises:
        BlockingIOError: another process holds it, and ``wait`` is false.
        HubError: this system has no locks (rule "no-lock").
        OSError: the file cannot be made or opened.
    """
    unix, windows = _module("fcntl"), _module("msvcrt")
    if unix is None and windows is None:
        raise error("no-lock", file=file)
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if unix is not None:
            unix.flock(handle, unix.LOCK_EX | (0 if wait else unix.LOCK_NB))
            yield
        else:
            _take(windows, handle, wait)
            try:
                yield
            finally:
                windows.locking(handle, windows.LK_UNLCK, 1)
    finally:
        os.close(handle)  # on Unix this lets the lock go


def _take(windows: Any, handle: int, wait: bool) -> None:
    while True:
        try:
            windows.locking(handle, windows.LK_NBLCK, 1)
        except OSError as cause:
            if cause.errno not in _TAKEN:
                raise
            if not wait:
                raise BlockingIOError(cause.errno, os.strerror(cause.errno)) from None
            time.sleep(_AGAIN)
        else:
            return


def _module(name: str) -> Any:
    """A module of the standard library that not every system has; None where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


# --------------------------------------------------------------------------------------------------
# What Python does with memory while much is made that stays.


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage in cycles inside the block: what is made there is kept until its end.

    Each search visits all that is kept, and finds next to nothing; so would the one that is due at
    the end: what is kept then counts as old instead, and waits for a search of everything.  What is
    in no cycle is freed as ever.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.freeze()
            gc.unfreeze()
            gc.enable()


# --------------------------------------------------------------------------------------------------
# The state folder: what this user's ctdhub remembers on this machine, outside of every hub.

VARIABLE = "CTDHUB_STATE"
"""Name of the environment variable that says where the state folder is."""


def state_folder() -> Path:
    """The absolute path of the state folder, which need not exist yet.

    ``CTDHUB_STATE`` where it is set, else ``ctdhub`` in the state home of the XDG Base Directory
    Specification 0.8 (``XDG_STATE_HOME``, else ``~/.local/state``).

    Raises:
        LedgerError: nothing is set and the user has no home (``state-folder``).
    """
    if folder := os.environ.get(VARIABLE):
        return Path(folder).absolute()
    home = Path(os.environ.get("XDG_STATE_HOME", ""))
    if home.is_absolute():  # the specification: a relative path is to be ignored
        return home / "ctdhub"
    try:
        return Path.home() / ".local" / "state" / "ctdhub"
    except RuntimeError:
        raise error("state-folder") from None


# --------------------------------------------------------------------------------------------------
# Days as texts.


def is_day(text: str) -> bool:
    """Whether a text is a day as ISO 8601 writes it, with hyphens.

    >>> is_day("2026-02-28"), is_day("2026-02-30"), is_day("20260228"), is_day("juin")
    (True, False, False, False)
    """
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
