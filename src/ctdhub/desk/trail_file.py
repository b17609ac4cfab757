"""The trail as a file: one line of JSON for each event, each with the hash of the one before.

Only the file is needed to verify it, neither the database nor Django.  A line that is changed,
left out or put in breaks the chain; a file that was written anew from some line on contradicts
the heads that approvals and messages to the auditor carry.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ctdhub.core.errors import error

START = "0" * 64
"""What the first line names as the hash before it."""

OUTCOMES = ("done", "denied", "failed")
_LONGEST = 2000


@dataclass(frozen=True)
class TrailLine:
    """One event; see ``desk.models.TrailEvent``."""

    number: int
    time: str
    account: str
    role: str
    action: str
    thing: str
    outcome: str
    previous: str

    @property
    def hash(self) -> str:
        """SHA-256 of the line without its own hash."""
        return hashlib.sha256(_canonical(asdict(self)).encode("ascii")).hexdigest()

    def written(self) -> str:
        """The line of the file, without its end."""
        return _canonical({**asdict(self), "hash": self.hash})


def _canonical(values: dict[str, object]) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def read_trail(file: Path) -> Iterator[TrailLine]:
    """The lines of a trail, each checked against the one before; none where there is no file.

    Raises:
        LedgerTampered: a line is damaged, or the chain is broken at it (rule "trail").
        OSError: it cannot be read.
    """
    if not file.exists():
        return
    previous, number = START, 0
    with file.open("rb") as lines:
        for at, raw in enumerate(lines, start=1):
            line = _line(raw) if raw.endswith(b"\n") and len(raw) <= _LONGEST else None
            if line is None or line.previous != previous or line.number != number + 1:
                raise error("trail", file=file, line=at)
            previous, number = line.hash, line.number
            yield line


def _line(raw: bytes) -> TrailLine | None:
    """A line, if it is whole and hashes to what it says."""
    try:
        values = json.loads(raw)
        said = values.pop("hash")
        line = TrailLine(**values)
        texts = [v for k, v in values.items() if k != "number"]
        fit = type(line.number) is int and all(isinstance(text, str) for text in texts)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    whole = fit and line.written().encode("ascii") + b"\n" == raw
    return line if whole and line.hash == said else None


def last_line(file: Path) -> TrailLine | None:
    """The last line of a trail that is whole.

    Raises:
        LedgerTampered: as :func:`read_trail`.
    """
    last = None
    for line in read_trail(file):
        last = line
    return last


def last_written(file: Path) -> TrailLine | None:
    """The last line alone, after what a crash left of a further one is cut off; for the writer.

    Raises:
        LedgerTampered: it does not hash to what it says (rule "trail").
    """
    if not file.exists():
        return None
    handle = os.open(file, os.O_RDWR)
    try:
        _cut_half_line(handle)
        size = os.fstat(handle).st_size
        tail = os.pread(handle, min(size, _LONGEST), max(0, size - _LONGEST))
    finally:
        os.close(handle)
    rows = tail.splitlines(keepends=True)
    line = _line(rows[-1]) if rows else None
    if rows and line is None:
        raise error("trail", file=file)
    return line


def append_lines(file: Path, lines: Iterable[TrailLine]) -> int:
    """Append events to a trail and force them to disk; gives how many there were.

    The caller holds the lock of the trail and has asked for :func:`last_written`.
    """
    text = "".join(line.written() + "\n" for line in lines)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "ab") as out:
        out.write(text.encode("ascii"))
        out.flush()
        os.fsync(out.fileno())
    return text.count("\n")


def _cut_half_line(handle: int) -> None:
    size = os.fstat(handle).st_size
    tail = os.pread(handle, min(size, _LONGEST), max(0, size - _LONGEST))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(handle, size - len(tail) + tail.rfind(b"\n") + 1)
