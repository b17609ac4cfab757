"""The ledger: what may still be spent, and the charge that is written before noise is drawn.

The hash of a question is keyed with a secret of the folder, and the ``id`` of a charge, which a
release carries, is random: neither tells anything about the data.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from ctdhub.core.atomic import sweep, sync
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError, printable
from ctdhub.core.lock import locked
from ctdhub.dp.accounting import epsilon_of, rho_of
from ctdhub.dp.ledger.charge import FIRST, KINDS, Charge, Kind
from ctdhub.dp.ledger.custody import Custody
from ctdhub.dp.ledger.disk import guarded, write_synced
from ctdhub.dp.ledger.file import LedgerFile
from ctdhub.dp.ledger.population import POPULATION

LOCK, _SECRET = "lock", "secret"


class Ledger:
    """The ledger in a folder, which is made at the first charge.

    Whoever opens one gives its custody: ``build.paid.ledger`` for a hub, ``dp.standalone.ledger``
    for a lone table.  Without, lines are read as they stand and nothing can be charged to a ledger
    that has a population.

    Args:
        folder: where it lies.
        custody: what vouches for it.
        limits: by id of a contributor, the total epsilon that its agreement allows for everything
            that its records go into; None where the agreement sets no limit.  Public bounds.
        pending: folder outside of the ledger's for what a charge needs until its answer is stored,
            see ``dp.pending``; beside the ledger's, if None.

    >>> import tempfile
    >>> ledger = Ledger(Path(tempfile.mkdtemp()) / "ledger", limits={"our-ngo": 3.0})
    >>> with ledger.exclusive():
    ...     entry = ledger.charge("q", 0.1, 2.6, 1e-8, "a chart", budget=12.0, kind="chart",
    ...                           contributors=["our-ngo"])
    >>> entry.number, ledger.spent(), 2.5 < ledger.guarantee(1e-8) < 2.7
    (1, 0.1, True)
    >>> ledger.left_of("our-ngo", 1e-8) < ledger.left(3.0, 1e-8) + 1e-9
    True
    """

    def __init__(
        self,
        folder: Path,
        limits: Mapping[str, float | None] | None = None,
        custody: Custody | None = None,
        pending: Path | None = None,
    ) -> None:
        self.folder = folder
        self.custody = custody
        self.pending = pending or folder.with_name(f".{folder.name}-pending")
        self.limits = dict(limits or {})
        self._file = LedgerFile(folder)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the ledger, and every copy of it on this machine; not reentrant.

        Raises:
            LedgerError: the system refuses to make or open the folder.
            LedgerTampered: it is a copy, or was put back to an older state.
            HubError: the system has no locks.
        """
        with ExitStack() as held:
            with guarded(self.folder):
                if not self.folder.is_dir():
                    self.folder.mkdir(parents=True, exist_ok=True)
                    sync(self.folder.parent)
            with guarded(self.folder / LOCK):
                held.enter_context(locked(self.folder / LOCK))
            if self.custody:
                held.enter_context(self.custody.exclusive())
                self.check()
            with guarded(self.folder):
                sweep(self.folder)  # nobody else is here
            yield

    def check(self) -> None:
        """Refuse a copy of the ledger, and one that lacks what its witness knows.

        Raises:
            LedgerTampered: it is one.
        """
        entries = self.entries()
        if self.custody:
            self.custody.check(entries)

    def entries(self) -> tuple[Charge, ...]:
        """All charges; a torn last line is passed over.

        Raises:
            LedgerTampered: a line was edited, taken out, put in or moved; it is named.
            LedgerError: the system refuses to read.
        """
        entries = self._file.entries()
        for entry in entries:
            if self.custody and not self.custody.vouches(entry):
                raise self._file.tampered(entry.number)
        return entries

    def spent(self) -> float:
        """Total cost of all charges, in rho."""
        return math.fsum(e.rho for e in self.entries())

    def guarantee(self, delta: float) -> float:
        """Epsilon, at ``delta``, of everything that was released to date taken together."""
        return epsilon_of(self.spent(), delta)

    def left(self, budget: float, delta: float) -> float:
        """The most epsilon that one more charge may have, within a total ``budget``."""
        return _left(self.entries(), budget, delta)

    def left_of(self, contributor: str, delta: float) -> float:
        """The most epsilon that one more charge with this contributor's records may have.

        Infinite where its agreement sets no limit.
        """
        limit, entries = self.limits.get(contributor), self.entries()
        if limit is None:
            return math.inf
        concerned = [e for e in entries if e.concerns(contributor)]
        return _left(concerned, limit, _strictest(entries, delta))

    def strictest(self, delta: float) -> float:
        """The smallest delta of all charges and of the policy: the one that budgets hold at."""
        return _strictest(self.entries(), delta)

    def question(self, content: bytes) -> str:
        """The keyed hash of a question; the key is made at first need."""
        path = self.folder / _SECRET
        with guarded(path):
            if not path.exists():
                write_synced(path, secrets.token_bytes(32))
            return hmac.new(path.read_bytes(), content, hashlib.sha256).hexdigest()

    def sensitive(self, content: bytes) -> str:
        """The keyed hash of what covers case data; see :meth:`question`.

        The key of the custody goes into it, which lies outside of the folder: whoever was given a
        copy of the folder, secret and all, cannot try out what the data may be.
        """
        found = self.question(content)
        if self.custody is None:
            return found
        return hmac.new(self.custody.key, found.encode(), hashlib.sha256).hexdigest()

    def charge(
        self,
        question: str,
        rho: float,
        epsilon: float,
        delta: float,
        what: str,
        *,
        budget: float,
        kind: Kind = "release",
        contributors: Iterable[str] | None = None,
        id: str = "",
    ) -> Charge:
        """Write a charge down and sync it; only then may noise be drawn.

        To be called inside :meth:`exclusive`.  Sums are exact, so that nothing slips by, and hold
        at the smallest delta of this charge and of those before.

        Args:
            question: see :meth:`question`.
            rho: cost; ``epsilon`` and ``delta`` are what it amounts to alone.
            what: in words, for the steward.
            budget: total epsilon that all charges together may reach.
            kind: what is asked for.
            contributors: ids of those whose records take part; None counts against all.
            id: of the charge, see :func:`new_id`; a new one, if none is given.

        Raises:
            Overspend: the total would exceed the budget or a contributor's limit; nothing is
                written.
            LedgerTampered: see :meth:`entries`.
            LedgerError: the system refuses to write.
        """
        entries = self.entries()
        entry = _charged(entries, question, rho, epsilon, delta, what, kind, contributors, id)
        self._check(entries, entry, budget)
        return self._written(entries, entry)

    def _written(self, entries: tuple[Charge, ...], entry: Charge) -> Charge:
        """Write a line to the ledger, then to its witness."""
        if self.custody:
            entry = self.custody.sealed(entry)
        elif (self.folder / POPULATION).exists():
            raise ValueError("a ledger that has a population is charged with its custody")
        self._file.append(entry)
        if self.custody:
            self.custody.keep([*entries, entry])
        return entry

    def check_reach(
        self,
        rho: float,
        epsilon: float,
        delta: float,
        *,
        budget: float,
        contributors: Iterable[str] | None = None,
    ) -> None:
        """Refuse as :meth:`charge` would; nothing is written.

        Raises:
            Overspend, LedgerTampered, LedgerError: see :meth:`charge`.
        """
        entries = self.entries()
        new = _charged(entries, "", rho, epsilon, delta, "", "release", contributors)
        self._check(entries, new, budget)

    def _check(self, entries: tuple[Charge, ...], new: Charge, budget: float) -> None:
        """Refuse a charge that would take the hub's total or a contributor's too far."""
        delta = _strictest(entries, new.delta)
        if _exceeds([*entries, new], budget, delta):
            raise self._overspend(new.epsilon, _left(entries, budget, delta), budget)
        for name, limit in sorted(self.limits.items()):
            concerned = [e for e in (*entries, new) if e.concerns(name)]
            if limit is not None and new.concerns(name) and _exceeds(concerned, limit, delta):
                raise _over_limit(name, new.epsilon, _left(concerned[:-1], limit, delta), limit)

    def _overspend(self, cost: float, left: float, budget: float) -> HubError:
        return error("budget", file=self._file.path, cost=cost, left=left, budget=budget)


def new_id() -> str:
    """A random name for a charge: it tells nothing about the data, so that releases carry it."""
    return secrets.token_hex(16)


def _charged(
    entries: tuple[Charge, ...],
    question: str,
    rho: float,
    epsilon: float,
    delta: float,
    what: str,
    kind: Kind,
    contributors: Iterable[str] | None,
    id: str = "",
) -> Charge:
    """The next entry."""
    if not 0 < rho < math.inf or kind not in KINDS:
        raise ValueError("a charge costs something and is of a known kind")
    return Charge(
        number=len(entries) + 1,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        kind=kind,
        id=id or new_id(),
        question=question,
        rho=rho,
        epsilon=epsilon,
        delta=delta,
        what=what,
        previous=entries[-1].hash if entries else FIRST,
        contributors=None if contributors is None else tuple(sorted(set(contributors))),
    ).sealed()


def _over_limit(contributor: str, cost: float, left: float, limit: float) -> HubError:
    name = printable(contributor)
    return error("budget-limit", file=f"{name}.yaml", id=name, cost=cost, left=left, limit=limit)


def _strictest(entries: Iterable[Charge], delta: float) -> float:
    return min([delta, *(e.delta for e in entries)])


def _exceeds(entries: Iterable[Charge], epsilon: float, delta: float) -> bool:
    return sum((Fraction(e.rho) for e in entries), Fraction()) > Fraction(rho_of(epsilon, delta))


def _left(entries: Iterable[Charge], epsilon: float, delta: float) -> float:
    """Epsilon left of ``epsilon`` at the smallest delta ever promised.

    A later policy with a greater delta would else make the same budget reach further.
    """
    given = list(entries)
    limit = rho_of(epsilon, _strictest(given, delta))
    return epsilon_of(max(0.0, limit - math.fsum(e.rho for e in given)), delta)
