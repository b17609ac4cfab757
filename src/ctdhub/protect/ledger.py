"""The privacy ledger: append-only, hash-chained, written and synced before noise is drawn.

Belongs here: charging, refusing, proving that no line was changed.  Does not belong here: the
answers that were paid for (``answers``), the arithmetic of costs (``accounting``).

``ledger.jsonl`` holds one entry a line; each names the hash of the one before it, and ``head``
names the last.  The line is synced before ``head``, and ``head`` before noise is drawn, so that a
line behind ``head`` is at worst a charge whose answer was never made.  A torn last line was never
synced, hence nothing was drawn for it: it is kept beside the ledger and leaves no entry.

The hash of a question covers case data, so it is keyed with a secret of the folder, and the
``id`` of a charge, which a release carries, is random: neither tells anything about the data.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import math
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from ctdhub.errors import LedgerError, LedgerTampered, Overspend
from ctdhub.i18n import _
from ctdhub.protect.accounting import epsilon_of, rho_of

_FIRST = "0" * 64
_LEDGER, _HEAD, _LOCK, _SECRET = "ledger.jsonl", "head", "lock", "secret"


@dataclass(frozen=True)
class Entry:
    """One charge.

    Attributes:
        number: 1, 2, 3, …
        time: UTC, ISO 8601.
        kind: what was asked for, for example "release".
        id: random name of the charge, safe to publish.
        question: keyed hash of the question; for the steward alone.
        rho, epsilon, delta: what it costs, and the guarantee it was bought for.
        what: in words.
        previous, hash: of the entry before (zeros for the first), and of this one.
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

    def sealed(self) -> Entry:
        """The entry with the hash of its other fields."""
        content = {k: v for k, v in asdict(self).items() if k != "hash"}
        text = json.dumps(content, sort_keys=True, ensure_ascii=True)
        return replace(self, hash=hashlib.sha256(text.encode()).hexdigest())

    def line(self) -> bytes:
        """The entry as it lies in the ledger, without the end of the line."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=True).encode()


class Ledger:
    """The ledger in a folder, which is made at the first charge.

    >>> import tempfile
    >>> ledger = Ledger(Path(tempfile.mkdtemp()) / "ledger")
    >>> with ledger.exclusive():
    ...     entry = ledger.charge("q", 0.1, 2.6, 1e-8, "a release", budget=12.0)
    >>> entry.number, ledger.spent(), 2.5 < ledger.guarantee(1e-8) < 2.7
    (1, 0.1, True)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the ledger against every other process; not reentrant."""
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            _sync(self.folder.parent)
        handle = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)  # also lets the lock go

    def entries(self) -> tuple[Entry, ...]:
        """All charges; a torn last line is passed over.

        Raises:
            LedgerTampered: a line was edited, taken out, put in or moved; it is named.
        """
        head = self._head()  # first, so that a charge made meanwhile is at worst a line behind it
        lines, torn = self._lines()
        found: list[Entry] = []
        for number, line in enumerate(lines, 1):
            entry = _entry(line, found[-1] if found else None)
            if entry is None:
                raise _tampered(self.folder, number)
            found.append(entry)
        last = _entry(torn, found[-1] if found else None) if torn else None
        if last is not None:
            found.append(last)  # whole but for its end: it counts as spent
        self._check_head(head, found)
        return tuple(found)

    def spent(self) -> float:
        """Total cost of all charges, in rho."""
        return math.fsum(e.rho for e in self.entries())

    def guarantee(self, delta: float) -> float:
        """Epsilon, at ``delta``, of everything that was released to date taken together."""
        return epsilon_of(self.spent(), delta)

    def left(self, budget: float, delta: float) -> float:
        """The most epsilon that one more release may have, within a total ``budget``."""
        return epsilon_of(max(0.0, self._limit(budget, delta) - self.spent()), delta)

    def _limit(self, budget: float, delta: float) -> float:
        """The most rho of all charges: the budget at the smallest delta ever promised.

        A later policy with a greater delta would else make the same budget reach further.
        """
        return rho_of(budget, self.strictest(delta))

    def strictest(self, delta: float) -> float:
        """The smallest delta of all charges and of the policy: the one that budgets hold at."""
        return min([delta, *(e.delta for e in self.entries())])

    def question(self, content: bytes) -> str:
        """The keyed hash of a question; the key is made at first need."""
        path = self.folder / _SECRET
        if not path.exists():
            write_synced(path, secrets.token_bytes(32))
        return hmac.new(path.read_bytes(), content, hashlib.sha256).hexdigest()

    def charge(
        self, question: str, rho: float, epsilon: float, delta: float, what: str, *, budget: float
    ) -> Entry:
        """Write a charge down and sync it; only then may noise be drawn.

        To be called inside :meth:`exclusive`.

        Args:
            question: see :meth:`question`.
            rho: cost; ``epsilon`` and ``delta`` are what it amounts to alone.
            budget: total epsilon that all charges together may reach, at the smallest delta of
                this charge and those before.

        Raises:
            Overspend: the total would exceed the budget; nothing is written.
            LedgerTampered: see :meth:`entries`.
        """
        if rho <= 0:
            raise ValueError("a charge costs something")
        entries = self.entries()
        total = sum((Fraction(e.rho) for e in entries), Fraction(rho))  # exact: nothing slips by
        if total > Fraction(self._limit(budget, delta)):
            raise self._overspend(epsilon, delta, budget)
        self._mend()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        previous = entries[-1].hash if entries else _FIRST
        entry = Entry(
            len(entries) + 1, now, "release", secrets.token_hex(16), question,
            rho, epsilon, delta, what, previous,
        ).sealed()  # fmt: skip
        with (self.folder / _LEDGER).open("ab") as out:
            out.write(entry.line() + b"\n")
            out.flush()
            os.fsync(out.fileno())
        _sync(self.folder)
        write_synced(self.folder / _HEAD, f"{entry.number} {entry.hash}\n".encode())
        return entry

    def _overspend(self, epsilon: float, delta: float, budget: float) -> Overspend:
        left = self.left(budget, delta)
        what = _(
            "The privacy budget does not reach: this release costs epsilon {cost:.2f}, and at most "
            "{left:.2f} is left of {budget:g}."
        ).format(cost=epsilon, left=left, budget=budget)
        fix = _(
            "Set epsilon in policy.yaml to at most what is left, or let those who answer for the "
            "hub raise the budget."
        )
        return Overspend(what, fix, file=self.folder / _LEDGER, rule="budget")

    def _lines(self) -> tuple[list[bytes], bytes]:
        """Whole lines, and what follows the last line end."""
        path = self.folder / _LEDGER
        whole, end, torn = path.read_bytes().rpartition(b"\n") if path.exists() else (b"", b"", b"")
        return (whole.split(b"\n") if end else []), torn

    def _head(self) -> bytes | None:
        """What ``head`` says, None where there is none."""
        path = self.folder / _HEAD
        return path.read_bytes() if path.exists() else None

    def _check_head(self, head: bytes | None, found: list[Entry]) -> None:
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
            raise _tampered(self.folder, min(max(place, 1), len(found) + 1))

    def _mend(self) -> None:
        """Give a torn last line its end if it is a whole entry, else set it aside."""
        lines, torn = self._lines()
        if not torn:
            return
        path = self.folder / _LEDGER
        before = _entry(lines[-1], None, chained=False) if lines else None
        if _entry(torn, before) is not None:
            with path.open("ab") as out:
                out.write(b"\n")
                os.fsync(out.fileno())
            return
        write_synced(self.folder / f"torn-{secrets.token_hex(4)}.txt", torn)
        with path.open("r+b") as out:
            out.truncate(path.stat().st_size - len(torn))
            os.fsync(out.fileno())


def write_synced(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, whatever happens."""
    fresh = path.with_name(f".new-{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _entry(line: bytes, before: Entry | None, *, chained: bool = True) -> Entry | None:
    """The entry of a line that follows ``before``, or None where it is none."""
    try:
        entry = Entry(**json.loads(line))
        whole = entry.sealed() == entry and entry.line() == line and entry.rho > 0
    except (ValueError, TypeError, AttributeError):
        return None
    follows = (before.number + 1, before.hash) if before else (1, _FIRST)
    if not whole or (chained and (entry.number, entry.previous) != follows):
        return None
    return entry


def _tampered(folder: Path, number: int) -> LedgerTampered:
    return LedgerTampered(
        _("The privacy ledger was changed: this line does not follow from the one before it."),
        _("Bring the ledger folder back from a copy; nothing can be charged to a changed ledger."),
        file=folder / _LEDGER,
        row=number,
        rule="ledger-chain",
    )


def damaged(folder: Path) -> LedgerError:
    """The error of a stored answer that cannot be read."""
    return LedgerError(
        _("A stored answer of the ledger is damaged."),
        _("Bring it back from a copy, or delete its folder: asking again is then charged again."),
        file=folder,
        rule="ledger-answer",
    )
