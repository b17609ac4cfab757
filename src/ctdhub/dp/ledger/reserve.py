"""How a budget is divided between versions that are published and drafts that never are.

Belongs here: the division, and the refusal of what does not fit.  Does not belong here: which
answers were published (``build.paid``).

A draft that is thrown away was paid for all the same, and often its reason is that the data
changed.  If published spending showed it, every reader would learn how often that happened.  So the
policy sets a share of the budget aside before anything is drawn; what readers are shown is each
published version and that reserve as a whole, however much of it was used.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from ctdhub.core.error_catalogue import error
from ctdhub.dp.accounting import epsilon_of, rho_of
from ctdhub.dp.ledger.book import Ledger

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
    def shown(self) -> float:
        """Epsilon of everything together, as readers are told it: with the whole reserve.

        What waits to be published is not in it, else the figure would tell of the drafts before.
        Where these took more than the reserve, which only a policy that was changed since allows,
        it is the whole budget.
        """
        within = self.drafts - self.waiting <= self.reserve * (1 + _ROUNDING)
        held = self.versions + self.reserve if within else self.budget
        return epsilon_of(min(held, self.budget), self.delta)

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
    shown = [e for e in entries if e.kind != "release" or e.id in published]
    least = min([delta, *(e.delta for e in shown)])
    whole, taken = rho_of(budget, least), math.fsum(e.rho for e in shown)
    others = math.fsum(e.rho for e in entries if e not in shown)
    newest = [e for e in entries if e.kind == "release"][-1:]
    waiting = math.fsum(e.rho for e in newest if e not in shown)
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
