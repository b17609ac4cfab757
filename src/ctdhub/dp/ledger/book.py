"""The ledger: what may still be spent, on what it was, and the charge that is written before
noise is drawn.
"""

import hashlib
import hmac
import math
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from ctdhub.core.errors import error, printable
from ctdhub.core.files import locked, sweep, sync
from ctdhub.dp.accounting import epsilon_of, rho_of
from ctdhub.dp.ledger.custody import POPULATION, Custody
from ctdhub.dp.ledger.file import FIRST, LOCK, RELEASE, Charge, LedgerFile, guarded, write_synced

# --------------------------------------------------------------------------------------------------
# The ledger: what may still be spent, and the charge that is written before noise is drawn.
#
# The hash of a question is keyed with a secret of the folder, and the ``id`` of a charge, which a
# release carries, is random: neither tells anything about the data.

_SECRET = "secret"  # noqa: S105 (the name of a file)


class Ledger:
    """The ledger in a folder, which is made at the first charge.

    Whoever opens one gives its custody: ``hub.paid.ledger`` for a hub, ``dp.standalone.table``
    for a lone table.  Without, lines are read as they stand and nothing can be charged to a ledger
    that has a population.

    Args:
        folder: where it lies.
        custody: what vouches for it.
        limits: by id of a contributor, the total epsilon that its agreement allows for everything
            that its records go into; None where the agreement sets no limit.  Public bounds.
        pending: folder outside of the ledger's for what a charge needs until its answer is stored,
            see ``dp.answer_store``; beside the ledger's, if None.

    >>> import tempfile
    >>> ledger = Ledger(Path(tempfile.mkdtemp()) / "ledger", limits={"our-ngo": 3.0})
    >>> with ledger.exclusive():
    ...     entry = ledger.charge("q", 0.1, 2.6, 1e-8, "a release", budget=12.0,
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
        with ExitStack() as locks:
            with guarded(self.folder):
                if not self.folder.is_dir():
                    self.folder.mkdir(parents=True, exist_ok=True)
                    sync(self.folder.parent)
            with guarded(self.folder / LOCK):
                locks.enter_context(locked(self.folder / LOCK))
            if self.custody:
                locks.enter_context(self.custody.exclusive())
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
        digest = self.question(content)
        if self.custody is None:
            return digest
        return hmac.new(self.custody.key, digest.encode(), hashlib.sha256).hexdigest()

    def charge(
        self,
        question: str,
        rho: float,
        epsilon: float,
        delta: float,
        what: str,
        *,
        budget: float,
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
            contributors: ids of those whose records take part; None counts against all.
            id: of the charge, see :func:`new_id`; a new one, if none is given.

        Raises:
            Overspend: the total would exceed the budget or a contributor's limit; nothing is
                written.
            LedgerTampered: see :meth:`entries`.
            LedgerError: the system refuses to write.
        """
        entries = self.entries()
        entry = _charged(entries, question, rho, epsilon, delta, what, contributors, id)
        self._check(entries, entry, budget)
        if self.custody:
            entry = self.custody.sealed(entry)
        elif (self.folder / POPULATION).exists():
            raise ValueError("a ledger that has a population is charged with its custody")
        self._file.append(entry)
        if self.custody:
            self.custody.witness.keep([*entries, entry])
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
        new = _charged(entries, "", rho, epsilon, delta, "", contributors)
        self._check(entries, new, budget)

    def _check(self, entries: tuple[Charge, ...], new: Charge, budget: float) -> None:
        """Refuse a charge that would take the hub's total or a contributor's too far."""
        delta = _strictest(entries, new.delta)
        if _exceeds([*entries, new], budget, delta):
            left = _left(entries, budget, delta)
            file = self._file.path
            raise error("budget", file=file, cost=new.epsilon, left=left, budget=budget)
        for name, limit in sorted(self.limits.items()):
            concerned = [e for e in (*entries, new) if e.concerns(name)]
            if limit is not None and new.concerns(name) and _exceeds(concerned, limit, delta):
                left, id, cost = _left(concerned[:-1], limit, delta), printable(name), new.epsilon
                place = f"{id}.yaml"
                raise error("budget-limit", file=place, id=id, cost=cost, left=left, limit=limit)


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
    contributors: Iterable[str] | None,
    id: str = "",
) -> Charge:
    """The next entry."""
    if not 0 < rho < math.inf:
        raise ValueError("a charge costs something")
    return Charge(
        number=len(entries) + 1,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        kind=RELEASE,
        id=id or new_id(),
        question=question,
        rho=rho,
        epsilon=epsilon,
        delta=delta,
        what=what,
        previous=entries[-1].hash if entries else FIRST,
        contributors=None if contributors is None else tuple(sorted(set(contributors))),
    ).sealed()


def _strictest(entries: Iterable[Charge], delta: float) -> float:
    return min([delta, *(e.delta for e in entries)])


def _exceeds(entries: Iterable[Charge], epsilon: float, delta: float) -> bool:
    return sum((Fraction(e.rho) for e in entries), Fraction()) > Fraction(rho_of(epsilon, delta))


def _left(entries: Iterable[Charge], epsilon: float, delta: float) -> float:
    """Epsilon left of ``epsilon`` at the smallest delta ever promised.

    A later policy with a greater delta would else make the same budget reach further.
    """
    charges = list(entries)
    limit = rho_of(epsilon, _strictest(charges, delta))
    return epsilon_of(max(0.0, limit - math.fsum(e.rho for e in charges)), delta)


# --------------------------------------------------------------------------------------------------
# What was spent: on all releases, and by contributor.


@dataclass(frozen=True)
class Spending:
    """A sum of charges, all composed in zCDP.

    Attributes:
        name: :data:`RELEASE`, or the id of a contributor.
        charges: how many.
        rho: their cost together.
        epsilon: what that amounts to at the ledger's smallest delta.
        limit, left: epsilon allowed in all and left; None where there is no limit.
    """

    name: str
    charges: int
    rho: float
    epsilon: float
    limit: float | None = None
    left: float | None = None


def on_releases(entries: Sequence[Charge], delta: float) -> tuple[Spending, ...]:
    """Spending on releases; () where nothing was ever charged.

    Args:
        entries: charges that are summed.
        delta: at which epsilons are told.
    """
    return (_sum(RELEASE, entries, delta),) if entries else ()


def by_contributor(ledger: Ledger, delta: float) -> tuple[Spending, ...]:
    """Spending on answers that each contributor's records went into, by id.

    Charges that do not say whose records took part count against every contributor.
    """
    entries, strictest = ledger.entries(), ledger.strictest(delta)
    ids = {*ledger.limits, *(c for e in entries for c in e.contributors or ())}
    spending = []
    for name in sorted(ids):
        limit = ledger.limits.get(name)
        left = None if limit is None else ledger.left_of(name, strictest)
        concerned = [e for e in entries if e.concerns(name)]
        spending.append(_sum(name, concerned, strictest, limit, left))
    return tuple(spending)


def _sum(
    name: str,
    entries: Iterable[Charge],
    delta: float,
    limit: float | None = None,
    left: float | None = None,
) -> Spending:
    costs = [e.rho for e in entries]
    rho = math.fsum(costs)
    return Spending(name, len(costs), rho, epsilon_of(rho, delta), limit, left)


# --------------------------------------------------------------------------------------------------
# How a budget is divided between versions that are published and drafts that never are.
#
# A draft that is thrown away was paid for all the same, and often its reason is that the data
# changed.  If published spending showed it, every reader would learn how often that happened.  So
# the policy sets a share of the budget aside before anything is drawn; what readers are shown is
# each published version and that reserve as a whole, however much of it was used.

_ROUNDING = 1e-12


@dataclass(frozen=True)
class BudgetSplit:
    """A budget and what was taken from it, in rho.

    Attributes:
        budget: all of it.
        reserve: its part for drafts.
        versions: spent on what was published.
        drafts: spent on releases that were not published so far.
        delta: at which epsilons are told.
        waiting: the part of ``drafts`` that the newest release took: it may yet be published.
    """

    budget: float
    reserve: float
    versions: float
    drafts: float
    delta: float
    waiting: float = 0.0

    @property
    def left(self) -> float:
        """The most epsilon that one more version may have."""
        return epsilon_of(max(0.0, self.budget - self.reserve - self.versions), self.delta)

    @property
    def public_epsilon(self) -> float:
        """Epsilon of everything together, as readers are told it: with the whole reserve.

        What waits to be published is not in it, else the figure would tell of the drafts before.
        Where these took more than the reserve, which only a policy that was changed since allows,
        it is the whole budget.
        """
        within = self.drafts - self.waiting <= self.reserve * (1 + _ROUNDING)
        total = self.versions + self.reserve if within else self.budget
        return epsilon_of(min(total, self.budget), self.delta)

    def more(self, rho: float) -> int:
        """How many versions of that cost fit, beside those that were published."""
        return max(0, _times(self.budget - self.reserve - self.versions, rho))

    def check(self, rho: float, epsilon: float) -> None:
        """Refuse a version for which there is no room; what is unpublished now counts as a draft.

        Args:
            rho, epsilon: cost of the new version.

        Raises:
            Overspend: the reserve, or what is left beside it, does not reach.
        """
        if self.drafts > self.reserve * (1 + _ROUNDING):
            used, kept = (epsilon_of(r, self.delta) for r in (self.drafts, self.reserve))
            raise error("budget/drafts", file="policy.yaml", used=used, kept=kept)
        if self.versions + rho > (self.budget - self.reserve) * (1 + _ROUNDING):
            raise error(
                "budget/versions",
                file="policy.yaml",
                cost=epsilon,
                left=self.left,
                kept=epsilon_of(self.reserve, self.delta),
            )


def split_of(
    ledger: Ledger, published: Collection[str], budget: float, drafts: float, delta: float
) -> BudgetSplit:
    """How a ledger's charges lie in a budget.

    Args:
        published: ids of the charges whose answers were published.
        budget: epsilon in all.
        drafts: share of it, in rho, for drafts.
        delta: of the policy; a smaller one of a published version is used instead.
    """
    entries = ledger.entries()
    shown = [e for e in entries if e.id in published]
    least = min([delta, *(e.delta for e in shown)])
    whole, taken = rho_of(budget, least), math.fsum(e.rho for e in shown)
    others = math.fsum(e.rho for e in entries if e not in shown)
    waiting = math.fsum(e.rho for e in entries[-1:] if e not in shown)
    return BudgetSplit(whole, drafts * whole, taken, others, least, waiting)


def versions_bought(epsilon: float, budget: float, drafts: float, delta: float) -> int:
    """How many versions of that epsilon a budget buys, the reserve for drafts left aside.

    Args:
        epsilon: of one version, above 0.
        budget: epsilon in all.
        drafts: share of it, in rho, for drafts.

    >>> [versions_bought(e, b, 0, 1e-8) for e, b in ((1, 2), (1, 3), (0.5, 2))]
    [3, 7, 13]
    """
    return _times((1 - drafts) * rho_of(budget, delta), rho_of(epsilon, delta))


def drafts_bought(epsilon: float, budget: float, drafts: float, delta: float) -> int:
    """How many answers of that epsilon the reserve holds; see :func:`versions_bought`."""
    return _times(drafts * rho_of(budget, delta), rho_of(epsilon, delta))


def _times(whole: float, each: float) -> int:
    """How often a cost fits into a whole."""
    return math.floor(whole / each * (1 + _ROUNDING))
