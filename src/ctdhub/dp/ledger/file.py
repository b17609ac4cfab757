"""The lines of the ledger on disk: appending, reading, repairing, finding what was changed.

``ledger.jsonl`` holds one entry a line; each names the hash of the one before it, and ``head``
names the last.  The line is synced before ``head``, and ``head`` before noise is drawn, so that a
line behind ``head`` is at worst a charge whose answer was never made; ``head`` catches up before
the next line is written, so that there is never more than one.  A torn last line was never synced,
hence nothing was drawn for it: it is kept beside the ledger and leaves no entry.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctdhub.core.atomic import sync
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.dp.ledger.charge import Charge, read
from ctdhub.dp.ledger.disk import guarded, write_synced

LEDGER, HEAD = "ledger.jsonl", "head"


@dataclass(frozen=True)
class LedgerFile:
    """The file of a ledger in its folder; neither need exist yet."""

    folder: Path

    @property
    def path(self) -> Path:
        """Where the lines lie."""
        return self.folder / LEDGER

    def entries(self) -> tuple[Charge, ...]:
        """All charges; a torn last line is passed over.

        Raises:
            LedgerTampered: a line was edited, taken out, put in or moved; it is named.
            LedgerError: the system refuses to read.
        """
        with guarded(self.path):
            head = self._head()  # first, so that a charge made meanwhile is a line behind it
            lines, torn = self._lines()
        found: list[Charge] = []
        for number, line in enumerate(lines, 1):
            entry = read(line, found[-1] if found else None)
            if entry is None:
                raise self.tampered(number)
            found.append(entry)
        last = read(torn, found[-1] if found else None) if torn else None
        if last is not None:
            found.append(last)  # whole but for its end: it counts as spent
        self._check_head(head, found)
        return tuple(found)

    def lost(self, known: Collection[str]) -> bool:
        """Whether the lines are gone, and ``head`` names one of these hashes as the last."""
        words = (self._head() or b"").split()
        return (
            not self.path.exists()
            and len(words) == 2
            and words[1].decode("ascii", "replace") in known
        )

    def append(self, entry: Charge) -> None:
        """Write an entry behind the last one and sync it, then ``head``.

        Raises:
            LedgerError: the system refuses; what was written is at worst a charge without answer.
        """
        with guarded(self.path):
            self._mend()
            if entry.number > 1:
                self._set_head(entry.number - 1, entry.previous)
            with self.path.open("ab") as out:
                out.write(entry.line() + b"\n")
                out.flush()
                os.fsync(out.fileno())
            sync(self.folder)
            self._set_head(entry.number, entry.hash)

    def replace(self, entries: Sequence[Charge]) -> None:
        """Write a ledger anew: its lines, all or none, then ``head``.

        To be used where lines are given a MAC or lose it; their hashes stay.

        Raises:
            LedgerError: the system refuses.
        """
        if entries or self.path.exists():
            write_synced(self.path, b"".join(entry.line() + b"\n" for entry in entries))
        if entries:
            self._set_head(entries[-1].number, entries[-1].hash)

    def _set_head(self, number: int, digest: str) -> None:
        head = f"{number} {digest}\n".encode()
        if self._head() != head:
            write_synced(self.folder / HEAD, head)

    def _lines(self) -> tuple[list[bytes], bytes]:
        """Whole lines, and what follows the last line end."""
        content = self.path.read_bytes() if self.path.exists() else b""
        whole, end, torn = content.rpartition(b"\n")
        return (whole.split(b"\n") if end else []), torn

    def _head(self) -> bytes | None:
        """What ``head`` says, None where there is none."""
        path = self.folder / HEAD
        return path.read_bytes() if path.exists() else None

    def _check_head(self, head: bytes | None, found: list[Charge]) -> None:
        """The last entry, or the one before it, is the one that ``head`` names."""
        if head is None and len(found) <= 1:
            return  # cut off before the first head was written, or nothing was ever charged
        words = (head or b"").split()
        number, known = words if len(words) == 2 else (b"", b"")
        place = int(number) if number.isdigit() else 0
        if (
            not 0 < place <= len(found)
            or found[place - 1].hash.encode() != known
            or len(found) > place + 1
        ):
            raise self.tampered(min(max(place, 1), len(found) + 1))

    def _mend(self) -> None:
        """Give a torn last line its end if it is a whole entry, else set it aside."""
        lines, torn = self._lines()
        if not torn:
            return
        before = read(lines[-1], None, chained=False) if lines else None
        if read(torn, before) is not None:
            with self.path.open("ab") as out:
                out.write(b"\n")
                out.flush()
                os.fsync(out.fileno())
            return
        write_synced(self.folder / f"torn-{secrets.token_hex(4)}.txt", torn)
        with self.path.open("r+b") as out:
            out.truncate(self.path.stat().st_size - len(torn))
            os.fsync(out.fileno())

    def tampered(self, number: int) -> HubError:
        """The error of a line that was changed, or is not where it belongs."""
        return error("ledger-chain", file=self.path, row=number)
