"""The register of withdrawals on disk: appending, reading, finding what was changed.

Lines are only ever added, each names the hash of the one before it.  What is told together is
written at once: the new file is synced, then renamed over the old one, so that after a kill all of
it is there or nothing.  ``head`` names the last line and lies elsewhere, with the privacy ledger,
so that a register that was deleted or put back to an older copy is found out.  It is written after
the register: what was written last and together may stand behind it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ctdhub.core.atomic import sweep, sync, write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.sensitive.consent.entry import FIRST, Withdrawal, read

REGISTER = "register.jsonl"


class WitnessedHead(NamedTuple):
    """Number and hash of the last line of the privacy ledger."""

    number: int = 0
    hash: str = FIRST


@dataclass(frozen=True)
class Register:
    """The register in a folder, which is made with the first line.

    Attributes:
        folder: where it lies.
        head: the file that names its last line.
        secret: the hub's person key, with which marks are made.
    """

    folder: Path
    head: Path
    secret: bytes = field(repr=False)

    @property
    def path(self) -> Path:
        """Where the lines lie."""
        return self.folder / REGISTER

    def entries(self) -> tuple[Withdrawal, ...]:
        """All lines.

        Raises:
            WithdrawalError: a line was changed, taken out or put in, lines are missing, or the
                person key is not the one that the marks were made with.
        """
        content = self.path.read_bytes() if self.path.exists() else b""
        found: list[Withdrawal] = []
        *lines, rest = content.split(b"\n")
        for number, line in enumerate(lines, 1):
            entry = read(line, found[-1] if found else None)
            if entry is None:
                raise self._tampered(number)
            if entry.key != _check(self.secret):
                raise other_key(self.path)
            found.append(entry)
        if rest:
            raise self._tampered(len(lines) + 1)
        self._check_head(found)
        return tuple(found)

    def append(self, new: Sequence[Withdrawal], ledger: WitnessedHead) -> tuple[Withdrawal, ...]:
        """Write lines behind the last one, all or none; the caller holds the hub's lock.

        Args:
            new: what to write; numbers, times, keys and hashes are filled in.
            ledger: its last line now.

        Raises:
            WithdrawalError: see :meth:`entries`.
        """
        before = list(self.entries())
        if not new:
            return ()
        if before:
            self._set_head(before[-1])
        written: list[Withdrawal] = []
        time = _later(before[-1].time if before else "")
        for entry in new:
            last = (before + written)[-1:]
            known = replace(
                entry,
                number=len(before) + len(written) + 1,
                time=time,
                key=_check(self.secret),
                charges=ledger.number,
                ledger=ledger.hash,
                previous=last[0].hash if last else FIRST,
            )
            written.append(known.sealed())
        lines = b"".join(e.line() + b"\n" for e in [*before, *written])
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync(self.folder.parent)
        _write(self.path, lines)
        self._set_head(written[-1])
        return tuple(written)

    def _set_head(self, entry: Withdrawal) -> None:
        content = f"{entry.number} {entry.hash}\n".encode()
        if not self.head.exists() or self.head.read_bytes() != content:
            self.head.parent.mkdir(parents=True, exist_ok=True)
            _write(self.head, content)

    def _check_head(self, found: list[Withdrawal]) -> None:
        """The last line that ``head`` knows is here; what stands behind it was written at once."""
        place = 0
        if self.head.exists():
            words = self.head.read_bytes().split()
            number, known = words if len(words) == 2 else (b"", b"")
            place = int(number) if number.isdigit() else 0
            if not 0 < place <= len(found) or found[place - 1].hash.encode() != known:
                raise self._tampered(min(max(place, 1), len(found) + 1))
        if len({entry.time for entry in found[place:]}) > 1:
            raise self._tampered(place + 1)

    def _tampered(self, number: int) -> HubError:
        return error("register-chain", file=self.path, row=number)


def other_key(register: Path) -> HubError:
    """The error of a person key that is lost, or is not the one that marks were made with."""
    return error("register-key", file=register)


def _check(secret: bytes) -> str:
    """Tells one key from another and nothing else about it."""
    return hmac.digest(secret, b"\0withdrawals: which key", hashlib.sha256).hex()[:16]


def _later(than: str) -> str:
    """Now, in microseconds, and always later than the last line, whatever the clock says."""
    now = datetime.now(UTC)
    if than:
        now = max(now, datetime.fromisoformat(than) + timedelta(microseconds=1))
    return now.isoformat(timespec="microseconds")


def _write(path: Path, content: bytes) -> None:
    """Replace a file; what a killed run left of it goes first."""
    sweep(path.parent, path.name)
    write_whole(path, content)
