"""The verb group ``desk``: serve the hub's desk, make it ready, verify its trail."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ctdhub.cli.desk_operation import add
from ctdhub.cli.output import console
from ctdhub.cli.verbs import about
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Numeral, Text, _, said

Folder = Annotated[Path, typer.Argument(help=_("The hub folder."))]


class ServingGroup(TyperGroup):
    """``ctdhub desk HUB`` is short for ``ctdhub desk serve HUB``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in front that is meant where a folder comes first."""
        if args and args[0] == "--demo":
            args = ["demo", *args[1:]]
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["serve", *args]
        return list(super().parse_args(ctx, args))


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    desk = typer.Typer(no_args_is_help=True, cls=ServingGroup)
    app.add_typer(desk, name="desk", help=about("desk"))

    @desk.command(help=_("Serve the desk of a hub until it is stopped; tables are made first."))
    def serve(
        folder: Folder,
        only: Annotated[str, typer.Option(help=_("One process alone, for example web."))] = "",
    ) -> None:
        opened(folder)
        from ctdhub.desk.accounts.invitations import first_administrator
        from ctdhub.desk.config import current
        from ctdhub.desk.database import (
            OWNER,
            as_user,
            owns_tables,
            prepare,
            refuse_older_tables,
        )
        from ctdhub.desk.processes import PROCESSES, run_all

        if only and only not in PROCESSES:
            raise error("desk-process", names=", ".join(PROCESSES))
        origin = current().origin
        if only in ("", "web") and not owns_tables():
            refuse_older_tables()
        elif only in ("", "web"):
            with as_user(OWNER):
                prepare()
                token = first_administrator()
            if token:
                link = f"{origin}/accounts/invitation/{token}/"
                console.print(_("The first administrator signs up here, within 72 hours, once:"))
                console.print(link, soft_wrap=True, highlight=False, markup=False)
        console.print(said(Text("The desk is at {address}", address=origin)))
        raise typer.Exit(run_all(current(), (only,) if only else tuple(PROCESSES)))

    @desk.command(
        help=_(
            "Confirm invitations that nobody at the desk can confirm, since all who could have "
            "left or cannot sign in. Without `--yes`, the list."
        )
    )
    def confirm(
        folder: Folder,
        yes: Annotated[bool, typer.Option("--yes", help=_("Confirm all of the list."))] = False,
    ) -> None:
        opened(folder)
        from ctdhub.desk.accounts import invitations
        from ctdhub.desk.allowed import VISITOR
        from ctdhub.desk.database import WORK, as_user
        from ctdhub.desk.roles import role_name
        from ctdhub.desk.trail import record

        with as_user(WORK):
            stuck = [one for one in invitations.waiting_ones() if not invitations.seconds(one)]
            if not stuck:
                raise error("desk-confirm")
            for one in stuck:
                line = f"{one.name} <{one.email}>: {role_name(one.role)}"
                console.print(line, soft_wrap=True, highlight=False, markup=False)
                if yes:
                    code = invitations.confirm(one, None)
                    record(VISITOR, "invitation.confirm", one)
                    text = _("The code, shown once and valid for 72 hours: {code}")
                    console.print(text.format(code=code), highlight=False, markup=False)

    @desk.command(help=_("Check the settings of a desk as for a server that is reached from afar."))
    def check(folder: Folder) -> None:
        opened(folder)
        from django.core.management import call_command

        from ctdhub.desk.registry import pages
        from ctdhub.desk.walls import refuse_strong_user

        list(pages())
        refuse_strong_user()
        call_command("check", deploy=True)

    add(desk)

    @desk.command(help=_("Verify the trail of a desk: every line follows from the one before."))
    def verify(folder: Folder) -> None:
        from ctdhub.build.hub import Hub
        from ctdhub.desk.trail_file import last_line

        last = last_line(Hub(folder).root / "desk" / "trail.jsonl")
        if last is None:
            console.print(_("The trail has no line yet."))
            return
        text = Text(
            "The trail is whole: {n} lines, the last one {hash}.",
            n=Numeral(last.number),
            hash=last.hash,
        )
        console.print(said(text), soft_wrap=True, highlight=False)


def opened(folder: Path) -> None:
    """Let this process work with the desk of a folder.

    Raises:
        HubError: Django is not installed (rule "needs-desk"), or the folder is no hub.
    """
    try:
        import django
    except ImportError:
        raise error("needs-desk") from None
    from ctdhub.desk.config import FOLDER_VARIABLE, DeskConfig, use

    os.environ[FOLDER_VARIABLE] = str(folder.resolve())
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    use(DeskConfig(folder))
    django.setup()
