"""What the ledger says, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from ctdhub.cli.output import console
from ctdhub.core.errors import printable
from ctdhub.core.format import decimal, exact, stamped, tiny
from ctdhub.core.i18n import _, said

if TYPE_CHECKING:
    from ctdhub.build.account import Account
    from ctdhub.dp.ledger.report import Spending


def show_account(account: Account) -> None:
    """Every charge, then sums by kind and by contributor, then the total and what is left."""
    from ctdhub.dp.ledger.purposes import told

    charges = _table(_("Privacy ledger"), "", _("time (UTC)"), _("kind"), _("what"))
    for heading in ("epsilon", "delta", "rho (zCDP)"):
        charges.add_column(heading, justify="right")
    for e in account.entries:
        charges.add_row(
            str(e.number),
            stamped(e.time),
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
    }
    return words.get(kind, escape(printable(kind)))
