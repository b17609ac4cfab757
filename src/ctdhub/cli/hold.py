"""The verbs that go with approval: hold, approvers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli.approve import As, open_key, show_waiting
from ctdhub.cli.output import console
from ctdhub.cli.verbs import about
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.i18n import _, said

if TYPE_CHECKING:
    from ctdhub.release.approver_changes import KeyChange
    from ctdhub.release.approvers import Approvers


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""

    @app.command(help=about("hold"))
    def hold(
        role: Annotated[As, typer.Option(help=_("The role in which you hold it back."))],
        folder: Annotated[Path, typer.Argument(help=_("The hub folder."))] = Path(),
        version: Annotated[
            str, typer.Argument(help=_("The candidate; default: the newest one."))
        ] = "",
        reason: Annotated[
            str, typer.Option(help=_("Why, for the people of the hub; no reader sees it."))
        ] = "",
        refuse: Annotated[
            bool,
            typer.Option(
                "--refuse", help=_("Refuse these files for good; a new build makes others.")
            ),
        ] = False,
        lift: Annotated[
            bool, typer.Option("--lift", help=_("Take your own hold back, signed with your key."))
        ] = False,
        key: Annotated[
            Path | None, typer.Option(help=_("The file of your private key, with --lift."))
        ] = None,
    ) -> None:
        from ctdhub.build import may_publish
        from ctdhub.build.hub import Hub
        from ctdhub.build.stages.approve import waiting

        hub = Hub(folder)
        candidate = waiting(hub, version)
        if lift:
            from ctdhub.release.approvers import Mark
            from ctdhub.release.holds import SignedLift

            told = may_publish.to_lift(hub, candidate, role.value)
            if key is None:
                raise error("hold/key")
            mark = Mark.of(told.message(), open_key(key))
            may_publish.lift(hub, candidate, SignedLift(lift=told, **mark.model_dump()))
        else:
            may_publish.hold(hub, candidate, role.value, reason, refuse=refuse)
        show_waiting(hub, candidate.name)

    @app.command(help=about("approvers"))
    def approvers(
        folder: Annotated[Path, typer.Argument(help=_("The hub folder."))] = Path(),
        role: Annotated[
            As | None, typer.Option(help=_("Sign the change in this role, whose keys stay."))
        ] = None,
        key: Annotated[Path | None, typer.Option(help=_("The file of your private key."))] = None,
        reason: Annotated[
            str, typer.Option(help=_("Why the keys change; it is kept with the change."))
        ] = "",
        signed_by: Annotated[
            str,
            typer.Option(
                metavar="key", help=_("List what this public key has signed, after a theft.")
            ),
        ] = "",
        yes: Annotated[bool, typer.Option("--yes", help=_("Sign without asking."))] = False,
    ) -> None:
        from ctdhub.build import approvers as keys
        from ctdhub.build.hub import Hub

        hub = Hub(folder)
        if signed_by:
            for version, digest in keys.statements_of(hub, signed_by):
                console.print(f"{digest}  {version}", soft_wrap=True)
            return
        show_keys(keys.approvers(hub))
        waits = keys.pending(hub)
        if role is None or key is None:
            if waits is not None:
                keys.refuse_unsigned(hub)
            return
        told = keys.change_to_sign(hub, role.value, reason)
        show_change(told)
        if not yes and not typer.confirm(_("Sign this?")):
            console.print(_("Nothing was signed."))
            raise typer.Exit(1)
        keys.sign_change(hub, told, open_key(key))
        console.print(_("The change of approvers is signed: line {n}.").format(n=told.number))


def show_keys(found: Approvers) -> None:
    """The keys of both people, each with the digits to compare."""
    from ctdhub.release.approvers import ROLE_NAMES, ROLES, fingerprint

    table = Table(title=_("Keys of the approvers"))
    for heading in (_("role"), _("read aloud"), _("key")):
        table.add_column(heading, overflow="fold")
    for role in ROLES:
        for key in found.keys(role):
            table.add_row(said(ROLE_NAMES[role]), fingerprint(key), escape(key))
    console.print(table)


def show_change(told: KeyChange) -> None:
    """What an approver signs about the other's keys."""
    from ctdhub.release.approvers import ROLE_NAMES, ROLES, fingerprint

    table = Table(title=_("Change of approvers, to be signed"))
    for heading in (_("role"), _("what happens"), _("read aloud"), _("key")):
        table.add_column(heading, overflow="fold")
    for role in ROLES:
        was, now = told.was.keys(role), told.now.keys(role)
        for key in dict.fromkeys((*was, *now)):
            what = _("stays") if key in was and key in now else _("new")
            what = what if key in now else _("no longer signs")
            table.add_row(said(ROLE_NAMES[role]), what, fingerprint(key), escape(key))
    for old in told.now.gone:
        if old in told.was.gone:
            continue
        what = _("earlier signatures stay valid")
        if old.statements is not None:
            what = _("{n} earlier signatures stay valid").format(n=len(old.statements))
        table.add_row(_("former"), what, fingerprint(old.key), escape(printable(old.key, 500)))
    console.print(table)
    for name, was_, now_ in (
        (_("devices"), told.was.devices, told.now.devices),
        (_("RSA passkeys"), str(told.was.rs256), str(told.now.rs256)),
    ):
        if was_ != now_:
            console.print(_("{what}: {was} becomes {now}").format(what=name, was=was_, now=now_))
    console.print(_("Reason: {reason}").format(reason=escape(printable(told.reason, 300))))
