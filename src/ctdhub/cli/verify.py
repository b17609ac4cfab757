"""The verb ``verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli.output import console
from ctdhub.cli.verbs import about
from ctdhub.core.i18n import _, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctdhub.release.approvals import Approval
    from ctdhub.release.approvers import Approvers


def register(app: typer.Typer) -> None:
    """Add the verb of this module to the command."""

    @app.command(
        name="verify",
        help=about("verify"),
    )
    def verify_release(
        releases: Annotated[
            list[Path],
            typer.Argument(metavar="release", help=_("The folder of a release, or of several.")),
        ],
    ) -> None:
        whole = [show_verified(release) for release in releases]
        if not all(whole):
            raise typer.Exit(2)


def show_verified(release: Path) -> bool:
    """Check a release and show what was found; gives whether it is whole."""
    from ctdhub.cli.correct import show_errata
    from ctdhub.release.errata import errata_of
    from ctdhub.release.verify import digest, verify

    approvers = approvers_near(release)
    check_withdrawals_near(release)
    name = escape(release.resolve().name)
    if not (problems := verify(release, approvers, lines_near(release, approvers))):
        console.print(_("The release {version} is whole.").format(version=name))
        console.print(
            _("Its digest, to compare with the published one: {digest}").format(
                digest=digest(release)
            )
        )
        show_approvals(release, approvers)
        known = errata_of(release, digest(release), approvers)
        show_errata(release, known.given, known.waiting)
        return True
    table = Table(title=_("Errors of release {version}").format(version=name))
    for heading in (_("kind"), _("file"), _("what is wrong")):
        table.add_column(heading, overflow="fold")
    for problem in problems:
        table.add_row(problem.kind, escape(problem.file), escape(said(problem.text)))
    console.print(table)
    return False


def approvers_near(release: Path) -> Approvers | None:
    """The keys of the hub that a release or candidate lies in, None outside a hub."""
    from ctdhub.build.hub import Hub

    root = release.resolve().parent.parent
    return Hub(root).settings.approvers if (root / "hub.yaml").is_file() else None


def lines_near(release: Path, approvers: Approvers | None) -> Mapping[str, int] | None:
    """Number of each line of the hub's ledger by its hash, where a former key needs it."""
    from ctdhub.build.approvers import ledger_lines
    from ctdhub.build.hub import Hub

    if approvers is None or not any(old.until for old in approvers.gone):
        return None
    return ledger_lines(Hub(release.resolve().parent.parent))


def check_withdrawals_near(release: Path) -> None:
    """The register of withdrawals of the hub that a release lies in is whole.

    Raises:
        WithdrawalError: it was changed.
    """
    from ctdhub.build.hub import Hub

    root = release.resolve().parent.parent
    if (root / "hub.yaml").is_file():
        Hub(root).withdrawal_lines()


def show_approvals(release: Path, approvers: Approvers | None) -> None:
    """Who approved with what, and what that was compared with."""
    from ctdhub.release.approvals import Approvals, who
    from ctdhub.release.approvers import ROLE_NAMES

    given = Approvals.read(release)
    if not given.approvals:
        console.print(_("Nobody has approved it."))
        return
    console.print(_("Approved by: {who}.").format(who=said(who(given))))
    if any(a.statement.practice for a in given.approvals):
        console.print(_("The approvals are for practice: the data are fictitious."))
    for approval in given.approvals:
        if approval.authenticator_data is not None:
            console.print(_passkey_of(approval))
    if given.opens is not None:
        console.print(
            _("Not to be published before {day} (UTC).").format(day=given.opens.date().isoformat())
        )
    if approvers is None:
        console.print(
            _(
                "There is no hub here: the signatures match the keys in the folder of the "
                "release. Compare these keys with those that the hub publishes."
            )
        )
        for approval in given.approvals:
            console.print(
                f"{said(ROLE_NAMES[approval.statement.role])}: {escape(approval.key)}",
                soft_wrap=True,
            )
    else:
        console.print(_("The signatures fit the keys in hub.yaml."))


def _passkey_of(approval: Approval) -> str:
    """What the device of one approver said of itself."""
    from ctdhub.release.approvers import ROLE_NAMES
    from ctdhub.release.passkey import Passkey

    passkey, role = Passkey.read(approval.key), said(ROLE_NAMES[approval.statement.role])
    text = _(
        "The {role} signed with a passkey on {host}; its device says that it cannot be copied."
    )
    if approval.synced:
        text = _("The {role} signed with a passkey on {host}; it can be copied to other devices.")
    return escape(text.format(role=role, host=passkey.host if passkey else "-"))
