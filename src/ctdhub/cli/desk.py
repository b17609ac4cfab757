"""Verbs of desk and kit, and ``adopt`` for a ledger that was moved."""

from __future__ import annotations

import os
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from ctdhub.cli import options
from ctdhub.cli.output import bar, console
from ctdhub.cli.verbs import about
from ctdhub.core.errors import error
from ctdhub.core.format import exact, number, stamped
from ctdhub.core.i18n import Numeral, Text, _, said

if TYPE_CHECKING:
    from ctdhub.dp.ledger.adopt import Adopted


# --------------------------------------------------------------------------------------------------
# Commands of ``ctdhub desk`` for whoever operates it: demo, backup, restore.

Folder = Annotated[Path, typer.Argument(help=_("The hub folder."))]


def add(desk: typer.Typer) -> None:  # noqa: C901
    """Add these commands to ``ctdhub desk``."""

    @desk.command(
        help=_(
            "Open a demo: a practice hub, an account of each role, and a link for each that works "
            "once.\n\nExample: ctdhub desk --demo demo-desk"
        )
    )
    def demo(
        folder: Annotated[
            Path, typer.Argument(help=_("Folder of the practice hub; made where there is none."))
        ] = Path("demo-desk"),
        people: Annotated[
            int, typer.Option(min=200, help=_("Number of fictitious people at the start."))
        ] = 3_000,
        serve: Annotated[
            bool, typer.Option("--serve/--no-serve", help=_("Serve it after the links are shown."))
        ] = True,
    ) -> None:
        from ctdhub.desk.demo import accounts, settings_of

        if not (folder / "hub.yaml").exists():
            from ctdhub.build import init, pipeline

            with bar() as progress:
                hub = init.practice_hub(folder, people=people, progress=progress)
                pipeline.build(hub, progress=progress)
        settings_of(folder)
        _opened(folder)
        from ctdhub.desk.config import current
        from ctdhub.desk.walls import DATABASE_WORK, OWNER, as_user, prepare
        from ctdhub.desk.worker.accept import organisations

        with as_user(OWNER):
            prepare()
        with as_user(DATABASE_WORK):
            organisations(options.hub(folder))
            opening = accounts(current())
        console.print(_("Links, one for each account; each works once:"))
        for made in opening:
            console.print(f"{made.name}:", highlight=False, markup=False)
            console.print(f"  {made.link}", highlight=False, markup=False, soft_wrap=True)
        console.print(_("All data are fictitious. Use a private window for each further account."))
        if serve:
            from ctdhub.desk.processes import PROCESSES, run_all

            raise typer.Exit(run_all(current(), tuple(PROCESSES)))

    @desk.command(
        help=_(
            "Write a backup: database and hub folder at one moment, encrypted with age.\n\nThe "
            "desk may go on working meanwhile. Keys are a second file; keep the two in different "
            "places.\n\nExample: ctdhub desk backup my-hub my-hub.age --keys my-keys.age "
            "--recipient age1..."
        )
    )
    def backup(
        folder: Folder,
        out: Annotated[Path, typer.Argument(help=_("File to write, which must not exist yet."))],
        recipient: Annotated[
            list[str],
            typer.Option(help=_("Recipient who can open it (age1...); may be repeated.")),
        ],
        keys: Annotated[
            Path | None, typer.Option(help=_("Write the keys to this file, which is new too."))
        ] = None,
        wait: Annotated[
            float, typer.Option(min=0, help=_("Seconds to wait for a build to end."))
        ] = 600.0,
    ) -> None:
        for target in (out, keys):
            options.require_new(target)
        _opened(folder)
        from ctdhub.desk.config import current
        from ctdhub.desk.worker.backup import back_up, back_up_keys, note, signer

        with bar() as progress:
            progress(_("Writing the backup"), 0.1)
            made = back_up(current(), out, tuple(recipient), wait=wait)
            note(current(), made)
            if keys is not None:
                progress(_("Writing the keys"), 0.9)
                back_up_keys(current(), keys, tuple(recipient))
        options.tell_written(out)
        console.print(
            _("Files: {n}. Last line of the ledger: {hash}.").format(
                n=number(len(made.files)), hash=made.heads["ledger"][:16] or "-"
            )
        )
        console.print(_("Signed with the key below. Keep it on paper: a restore asks for it."))
        console.print(signer(current()).public, highlight=False, markup=False, soft_wrap=True)
        if keys is not None:
            options.tell_written(keys)
        else:
            console.print(_("The keys of the hub are not in it: write them with --keys FILE."))

    @desk.command(
        help=_(
            "Put a backup back into a new folder, end all sign-ins, and adopt the ledger.\n\n"
            "Example: ctdhub desk restore my-hub.age --keys my-keys.age --identity recovery.key "
            "--signer ed25519:... --to my-hub"
        )
    )
    def restore(
        archive: Annotated[Path, typer.Argument(help=_("The file of the backup."))],
        to: Annotated[Path, typer.Option(help=_("Hub folder to make."))],
        identity: Annotated[
            list[Path], typer.Option(help=_("File with an age identity that opens the backup."))
        ],
        keys: Annotated[Path | None, typer.Option(help=_("The file of the keys."))] = None,
        signer: Annotated[
            str, typer.Option(help=_("Public key that signed the backup, from your paper."))
        ] = "",
    ) -> None:
        from ctdhub.core.keys.signing import is_public_key
        from ctdhub.desk.worker.backup import put_back

        if not is_public_key(signer):
            raise error("restore-signer")
        with bar() as progress:
            progress(_("Reading the backup"), 0.1)
            _desk, said = put_back(archive, keys, identity, to, signer)
        console.print(
            _("Every file is as the backup of {time} says; files: {n}.").format(
                time=escape(str(said["made"])), n=number(len(said["files"]))
            )
        )
        _resume(to, said["database"])

    @desk.command(
        help=_("Go on after a restore that stopped at the database: tables, sign-ins, ledger.")
    )
    def resume(folder: Folder) -> None:
        from ctdhub.desk.config import DeskConfig
        from ctdhub.desk.worker.backup import DUMP

        desk = DeskConfig(folder)
        if desk.restoring.exists():
            _resume(folder, desk.restoring.read_text("ascii"))
        else:
            there = (desk.folder / DUMP).exists()
            _resume(folder, "postgresql" if there else "sqlite")


def _resume(folder: Path, database: str) -> None:
    _opened(folder)
    from ctdhub.desk.config import current
    from ctdhub.desk.worker.backup import resume

    show_adopted(resume(current(), database), folder)
    console.print(_("All sign-ins are ended. Compare the head of the trail with the auditor's."))


def _opened(folder: Path) -> None:

    if not (folder / "hub.yaml").is_file():
        raise error("hub-folder", file=folder)
    opened(folder)


# --------------------------------------------------------------------------------------------------
# The verb group ``desk``: serve the hub's desk, make it ready, verify its trail.


class ServingGroup(TyperGroup):
    """``ctdhub desk HUB`` is short for ``ctdhub desk serve HUB``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in front that is meant where a folder comes first."""
        if args and args[0] == "--demo":
            args = ["demo", *args[1:]]
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["serve", *args]
        return list(super().parse_args(ctx, args))


def register_desk(app: typer.Typer) -> None:  # noqa: C901
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
        from ctdhub.desk.processes import PROCESSES, run_all
        from ctdhub.desk.walls import OWNER, as_user, owns_tables, prepare, refuse_older_tables

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
        from ctdhub.desk.rendering import role_name
        from ctdhub.desk.trail import record
        from ctdhub.desk.walls import DATABASE_WORK, as_user

        with as_user(DATABASE_WORK):
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
        from ctdhub.desk.trail_file import last_line

        last = last_line(options.hub(folder).root / "desk" / "trail.jsonl")
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


# --------------------------------------------------------------------------------------------------
# The verb ``kit``: a contributor's own pages, on the contributor's own computer.


def register_kit(app: typer.Typer) -> None:
    """Add the verb ``kit``."""

    @app.command()
    def kit(
        folder: Annotated[
            Path | None,
            typer.Option(help=_("The kit's own folder; by default where the system keeps such.")),
        ] = None,
        browser: Annotated[
            bool, typer.Option("--browser/--no-browser", help=_("Open the browser."))
        ] = True,
    ) -> None:
        from ctdhub.kit.server import serve
        from ctdhub.kit.state import default_folder

        def tell(address: str) -> None:
            console.print(
                _("The kit is open on this computer only. Press Ctrl-C to end it."), highlight=False
            )
            opened = browser and _open(address)
            if not opened:
                console.print(_("Open this address within a minute; it works once:"))
                console.print(address, soft_wrap=True, markup=False, highlight=False)

        with suppress(KeyboardInterrupt):
            serve(folder or default_folder(), tell)
        console.print(_("The kit has ended. Everything you did is saved."))


def _open(address: str) -> bool:
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False


# --------------------------------------------------------------------------------------------------
# The verb ``adopt``: a ledger that was copied, moved or put back goes on in this place.


def register_adopt(app: typer.Typer) -> None:
    """Add the verb of this module to the command."""

    @app.command()
    def adopt(
        folder: Annotated[
            Path, typer.Argument(help=_("The hub folder, or the ledger folder of a single table."))
        ] = Path(),
    ) -> None:
        from ctdhub.build import init as hubs
        from ctdhub.dp.ledger import adopt as ledgers

        if (folder / "hub.yaml").is_file():
            show_adopted(hubs.adopt(options.hub(folder)), folder)
        else:
            show_adopted(ledgers.adopt(folder, folder), folder)


def show_adopted(found: Adopted, folder: Path) -> None:
    """Print what counts as spent now, and where the ledger is charged."""
    for entry in found.counted:
        console.print(
            _("Counts as spent: epsilon {epsilon}, {time}.").format(
                epsilon=exact(entry.epsilon), time=stamped(entry.time)
            )
        )
    if not found.known:
        console.print(
            _("This machine did not know the ledger: what was charged elsewhere is not added.")
        )
    if not found.vouched:
        console.print(_("There is no key: lines are taken as they are, and nothing proves them."))
    console.print(
        _("From now on this ledger is charged in {folder} and nowhere else; charges: {n}.").format(
            folder=escape(str(folder.resolve())), n=number(found.charges)
        )
    )
