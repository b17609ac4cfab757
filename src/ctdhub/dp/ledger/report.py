"""What was spent on what: by kind, and by contributor."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ctdhub.dp.accounting import epsilon_of
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.charge import KINDS, Charge


@dataclass(frozen=True)
class Spending:
    """A sum of charges, all composed in zCDP.

    Attributes:
        name: a kind, or the id of a contributor.
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


def by_kind(entries: Sequence[Charge], delta: float) -> tuple[Spending, ...]:
    """Spending on each kind that was ever charged, in the order of :data:`KINDS`.

    Args:
        entries: charges that are summed.
        delta: at which epsilons are told.
    """
    kinds = sorted({e.kind for e in entries}, key=lambda k: (k not in KINDS, [*KINDS, k].index(k)))
    return tuple(_sum(k, [e for e in entries if e.kind == k], delta) for k in kinds)


def by_contributor(ledger: Ledger, delta: float) -> tuple[Spending, ...]:
    """Spending on answers that each contributor's records went into, by id.

    Charges that do not say whose records took part count against every contributor.
    """
    entries, strictest = ledger.entries(), ledger.strictest(delta)
    ids = {*ledger.limits, *(c for e in entries for c in e.contributors or ())}
    found = []
    for name in sorted(ids):
        limit = ledger.limits.get(name)
        left = None if limit is None else ledger.left_of(name, strictest)
        concerned = [e for e in entries if e.concerns(name)]
        found.append(_sum(name, concerned, strictest, limit, left))
    return tuple(found)


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
