"""The verb ``verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.build.hub import Hub
from ctdhub.cli.main import console
from ctdhub.core.i18n import _
from ctdhub.release.approvals import Approvals, Approvers, role_name, who
from ctdhub.release.verify import digest, verify


def register(app: typer.Typer) -> None:
    """Add the verb of this module to the command."""

    @app.command(
        name="verify",
        help=_(
            "Check a release: recompute the hash of every file, find missing, extra and changed "
            "ones, and check who approved it.\n\nInside a hub the approvals must be signed with "
            "the keys in hub.yaml, and the register of withdrawals must be whole."
            "\n\nExit code 0: whole; 2: faults.\n\n"
            "Example: ctdhub verify my-hub/releases/2026.1"
        ),
    )
    def verify_release(
        release: Annotated[Path, typer.Argument(help=_("The folder of one release."))],
    ) -> None:
        approvers = approvers_near(release)
        check_withdrawals_near(release)
        problems = verify(release, approvers)
        if not problems:
            console.print(
                _("The release {version} is whole.").format(version=escape(release.resolve().name))
            )
            console.print(
                _("Its digest, to compare with the published one: {digest}").format(
                    digest=digest(release)
                )
            )
            show_approvals(release, approvers)
            return
        table = Table(title=_("Faults of the release"))
        for heading in (_("kind"), _("file"), _("what is wrong")):
            table.add_column(heading, overflow="fold")
        for problem in problems:
            table.add_row(problem.kind, escape(problem.file), escape(problem.what))
        console.print(table)
        raise typer.Exit(2)


def approvers_near(release: Path) -> Approvers | None:
    """The keys of the hub that a release or candidate lies in, None outside a hub."""
    root = release.resolve().parent.parent
    return Hub(root).settings.approvers if (root / "hub.yaml").is_file() else None


def check_withdrawals_near(release: Path) -> None:
    """The register of withdrawals of the hub that a release lies in is whole.

    Raises:
        WithdrawalError: it was changed.
    """
    root = release.resolve().parent.parent
    if (root / "hub.yaml").is_file():
        Hub(root).withdrawal_lines()


def show_approvals(release: Path, approvers: Approvers | None) -> None:
    """Who approved, and what that was compared with."""
    given = Approvals.read(release)
    if not given.approvals:
        console.print(_("Nobody has approved it."))
        return
    console.print(_("Approved by: {who}.").format(who=who(given)))
    if any(a.statement.practice for a in given.approvals):
        console.print(_("The approvals are for practice: the data are invented."))
    if approvers is None:
        console.print(
            _(
                "There is no hub here: the signatures fit the keys that lie with the release. "
                "Compare these keys with those that the hub publishes."
            )
        )
        for approval in given.approvals:
            console.print(
                f"{role_name(approval.statement.role)}: {escape(approval.key)}", soft_wrap=True
            )
    else:
        console.print(_("The signatures fit the keys in hub.yaml."))
