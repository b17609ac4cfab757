"""The account of a hub's ledger: charges, sums by kind and by contributor, what is left."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.charge import Charge
from ctdhub.dp.ledger.report import Spending, by_contributor, by_kind
from ctdhub.dp.policy import Policy


@dataclass(frozen=True)
class Account:
    """The ledger in figures; every epsilon holds at ``delta``, the smallest ever promised.

    Attributes:
        budget, spent, left: epsilon of everything together, and of one more version; ``rho``
            is what was spent, in zCDP.
        kinds, contributors: see :class:`ctdhub.dp.ledger.report.Spending`.
    """

    delta: float
    budget: float
    spent: float
    left: float
    rho: float
    kinds: tuple[Spending, ...]
    contributors: tuple[Spending, ...]
    entries: tuple[Charge, ...]

    @classmethod
    def of(cls, ledger: Ledger, policy: Policy, left: float | None = None) -> Account:
        """The account of a ledger under a policy.

        Args:
            left: the most epsilon that one more version may have, where part of the budget is kept
                for drafts; None asks the whole budget.
        """
        delta = ledger.strictest(policy.delta)
        return cls(
            delta=delta,
            budget=policy.budget.epsilon,
            spent=ledger.guarantee(delta),
            left=ledger.left(policy.budget.epsilon, delta) if left is None else left,
            rho=ledger.spent(),
            kinds=by_kind(ledger.entries(), delta),
            contributors=by_contributor(ledger, delta),
            entries=ledger.entries(),
        )

    def json(self) -> str:
        """All of it as JSON; hashes of questions, which are for the hub alone, are left out."""
        content = asdict(self)
        for entry in content["entries"]:
            del entry["question"], entry["mac"]
        return json.dumps(content, ensure_ascii=False, indent=1)
