"""What the ledger says, as tables and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from ctdhub.cli.output import console
from ctdhub.core.errors import printable
from ctdhub.core.format import decimal, exact, tiny
from ctdhub.core.i18n import _, said

if TYPE_CHECKING:
    from ctdhub.dp.ledger.book import Ledger
    from ctdhub.dp.ledger.charge import Charge
    from ctdhub.dp.ledger.report import Spending
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
        from ctdhub.dp.ledger.report import by_contributor, by_kind

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


def show_account(account: Account) -> None:
    """Every charge, then sums by kind and by contributor, then the total and what is left."""
    from ctdhub.dp.ledger.purposes import told

    charges = _table(_("Privacy ledger"), "", _("time (UTC)"), _("kind"), _("what"))
    for heading in ("epsilon", "delta", "rho (zCDP)"):
        charges.add_column(heading, justify="right")
    for e in account.entries:
        charges.add_row(
            str(e.number),
            e.time[:16].replace("T", " "),
            _kind(e.kind),
            escape(printable(said(told(e.what)), 200)),
            decimal(e.epsilon, "#,##0.000"),
            tiny(e.delta),
            decimal(e.rho, "#,##0.00000"),
        )
    console.print(charges)
    _show_sums(_("Spent by kind"), account.kinds, limits=False)
    _show_sums(_("Spent on answers with the records of"), account.contributors, limits=True)
    console.print(
        _("All releases together: epsilon {spent} of {budget} at delta {delta}.").format(
            spent=decimal(account.spent, "#,##0.000"),
            budget=exact(account.budget),
            delta=tiny(account.delta),
        )
    )
    console.print(
        _("Available for the next release: epsilon {left}.").format(
            left=decimal(account.left, "#,##0.000")
        )
    )


def _show_sums(title: str, sums: tuple[Spending, ...], *, limits: bool) -> None:
    if not sums:
        return
    table = _table(title, _("contributor") if limits else _("kind"))
    more = (_("agreed limit"), _("left")) if limits else ()
    for heading in (_("charges"), "epsilon", *more):
        table.add_column(heading, justify="right")
    for s in sums:
        bounds = (
            (
                "–" if s.limit is None else exact(s.limit),
                "–" if s.left is None else decimal(s.left, "#,##0.000"),
            )
            if limits
            else ()
        )
        name = escape(printable(s.name)) if limits else _kind(s.name)
        table.add_row(name, str(s.charges), decimal(s.epsilon, "#,##0.000"), *bounds)
    console.print(table)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _kind(kind: str) -> str:
    words = {
        "release": _("release"),
        "chart": _("chart"),
        "file": _("file"),
        "brief": _("brief"),
        "evaluation": _("evaluation"),
    }
    return words.get(kind, escape(printable(kind)))
