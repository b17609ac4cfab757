"""The lines of a ledger on disk, each a charge: appending, reading, repairing, finding what was
changed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ctdhub.core.errors import HubError, error
from ctdhub.core.files import sync, write_whole
from ctdhub.core.i18n import Field, Text, joined

# --------------------------------------------------------------------------------------------------
# Writing that survives a crash, and what the disk refuses in words.

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


# --------------------------------------------------------------------------------------------------
# One charge, as it lies in the ledger.

RELEASE = "release"
"""What privacy is spent on."""

FIRST = "0" * 64
"""What the first entry names as the hash of the one before it."""


@dataclass(frozen=True)
class Charge:
    """One charge.

    Attributes:
        number: 1, 2, 3, …
        time: UTC, ISO 8601.
        kind: what was asked for: :data:`RELEASE`.
        id: random name of the charge, safe to publish.
        question: keyed hash of the question; for the steward alone.
        rho, epsilon, delta: what it costs, and the guarantee it was bought for.
        what: in words.
        previous, hash: of the entry before (zeros for the first), and of this one.
        contributors: ids of those whose records took part; None where it was not written down,
            which counts against every contributor.
        mac: of the hash and the population, see ``population``; empty where nothing vouches.
    """

    number: int
    time: str
    kind: str
    id: str
    question: str
    rho: float
    epsilon: float
    delta: float
    what: str
    previous: str
    hash: str = ""
    contributors: tuple[str, ...] | None = None
    mac: str = ""

    def sealed(self) -> Charge:
        """The entry with the hash of its other fields, but for the MAC, which covers it."""
        content = {k: v for k, v in self._fields().items() if k not in ("hash", "mac")}
        return replace(self, hash=hashlib.sha256(_canonical(content)).hexdigest())

    def line(self) -> bytes:
        """The entry as it lies in the ledger, without the end of the line."""
        return _canonical(self._fields())

    def concerns(self, contributor: str) -> bool:
        """Whether the charge counts against this contributor."""
        return self.contributors is None or contributor in self.contributors

    def _possible(self) -> bool:
        """Whether a charge may be so; a TypeError where figures are none."""
        figures = 0 < self.rho < math.inf and 0 <= self.epsilon < math.inf and 0 < self.delta < 1
        return figures and self.kind == RELEASE

    def _fields(self) -> dict[str, Any]:
        """All fields; contributors and MAC only where known."""
        fields = asdict(self)
        if self.contributors is None:
            del fields["contributors"]
        if not self.mac:
            del fields["mac"]
        return fields


def read(line: bytes, before: Charge | None, *, chained: bool = True) -> Charge | None:
    """The entry of a line that follows ``before``, or None where it is none."""
    try:
        fields = json.loads(line)
        if "contributors" in fields:
            fields["contributors"] = tuple(fields["contributors"])
        entry = Charge(**fields)
        whole = entry.sealed() == entry and entry.line() == line and entry._possible()
    except (ValueError, TypeError, AttributeError):
        return None
    follows = (before.number + 1, before.hash) if before else (1, FIRST)
    if not whole or (chained and (entry.number, entry.previous) != follows):
        return None
    return entry


def taking_part(facts: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Ids of the contributors in public facts, sorted; None where the facts do not say.

    >>> taking_part({"contributors": [{"id": "two", "name": "B"}, {"id": "one", "name": "A"}]})
    ('one', 'two')
    >>> taking_part({"contributors": ["A name without an id"]}) is taking_part({}) is None
    True
    """
    contributors: Iterable[Any] = facts.get("contributors") or ()
    ids = [c.get("id") if isinstance(c, Mapping) else None for c in contributors]
    known = sorted({i for i in ids if isinstance(i, str)})
    return tuple(known) if ids and all(isinstance(i, str) for i in ids) else None


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=True).encode()


# --------------------------------------------------------------------------------------------------
# The lines of the ledger on disk: appending, reading, repairing, finding what was changed.
#
# ``ledger.jsonl`` holds one entry a line; each names the hash of the one before it, and ``head``
# names the last.  The line is synced before ``head``, and ``head`` before noise is drawn, so that a
# line behind ``head`` is at worst a charge whose answer was never made; ``head`` catches up before
# the next line is written, so that there is never more than one.  A torn last line was never
# synced, hence nothing was drawn for it: it is kept beside the ledger and leaves no entry.

LEDGER, HEAD, LOCK = "ledger.jsonl", "head", "lock"


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
        charges: list[Charge] = []
        for number, line in enumerate(lines, 1):
            entry = read(line, charges[-1] if charges else None)
            if entry is None:
                raise self.tampered(number)
            charges.append(entry)
        last = read(torn, charges[-1] if charges else None) if torn else None
        if last is not None:
            charges.append(last)  # whole but for its end: it counts as spent
        self._check_head(head, charges)
        return tuple(charges)

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

    def _check_head(self, head: bytes | None, charges: list[Charge]) -> None:
        """The last entry, or the one before it, is the one that ``head`` names."""
        if head is None and len(charges) <= 1:
            return  # cut off before the first head was written, or nothing was ever charged
        words = (head or b"").split()
        number, known = words if len(words) == 2 else (b"", b"")
        place = int(number) if number.isdigit() else 0
        if (
            not 0 < place <= len(charges)
            or charges[place - 1].hash.encode() != known
            or len(charges) > place + 1
        ):
            raise self.tampered(min(max(place, 1), len(charges) + 1))

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


# --------------------------------------------------------------------------------------------------
# What a charge is for, in words: English in the ledger, the reader's language where it is shown.
#
# The ledger outlives the language of whoever charged, so that its words are always English.

Purpose = Literal["again", "adopted", "all", "columns"]


_TEXTS: dict[Purpose, Text] = {
    "again": Text("{purpose}; charged again, because charge {n} was cut off without an answer"),
    "adopted": Text(
        "{purpose}; made in another copy of the ledger, counted when this one was adopted"
    ),
    "all": Text("release of all public columns at epsilon {epsilon}, budget {budget}"),
    "columns": Text("release of {n} columns at epsilon {epsilon}, budget {budget}"),
}


def written(purpose: Purpose, /, **fields: object) -> str:
    """The English words for the ledger.

    >>> written("columns", n=3, epsilon="4", budget="12")
    'release of 3 columns at epsilon 4, budget 12'
    """
    return _TEXTS[purpose].message.format(**fields)


def purpose_text(what: str) -> Text:
    """What a ledger says a charge is for, to be said in any language; other words stay as they are.

    >>> purpose_text("release of 3 columns at epsilon 4, budget 12").fields
    {'budget': '12', 'epsilon': '4', 'n': '3'}
    """
    for text in _TEXTS.values():
        if match := re.fullmatch(_pattern(text.message), what):
            fields: dict[str, Field] = dict(match.groupdict())
            if "purpose" in fields:
                fields["purpose"] = purpose_text(match["purpose"])
            return text.holding(**fields)
    return joined([what], "")


def _pattern(text: str) -> str:
    """A text whose fields are groups; only a purpose inside another holds a semicolon."""
    return re.sub(
        r"\\{(\w+)\\}",
        lambda field: f"(?P<{field[1]}>{'.+' if field[1] == 'purpose' else '[^;]+'})",
        re.escape(text),
    )
