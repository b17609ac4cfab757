"""Commands of ``ctdhub desk`` for whoever operates it: demo, backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ctdhub.cli import options
from ctdhub.cli.output import bar, console
from ctdhub.core.error_catalogue import error
from ctdhub.core.format import number
from ctdhub.core.i18n import _

Folder = Annotated[Path, typer.Argument(help=_("The hub folder."))]


def add(desk: typer.Typer) -> None:
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
        from ctdhub.build.hub import Hub
        from ctdhub.desk.demo import accounts, settings_of

        if not (folder / "hub.yaml").exists():
            from ctdhub.build import init, pipeline

            with bar() as progress:
                hub = init.practice_hub(folder, people=people, progress=progress)
                pipeline.build(hub, progress=progress)
        settings_of(folder)
        _opened(folder)
        from ctdhub.desk.config import current
        from ctdhub.desk.database import OWNER, WORK, as_user, prepare
        from ctdhub.desk.worker.adoption import organisations

        with as_user(OWNER):
            prepare()
        with as_user(WORK):
            organisations(Hub(folder))
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
        unsigned: Annotated[
            bool, typer.Option("--unsigned", help=_("Restore a backup that nobody signed."))
        ] = False,
    ) -> None:
        from ctdhub.core.keys.signing import is_public_key
        from ctdhub.desk.worker.restore import put_back

        if unsigned == bool(signer) or (signer and not is_public_key(signer)):
            raise error("restore-signer")
        if unsigned:
            console.print(
                _(
                    "Warning: nothing proves who made this backup. Look at accounts, approvers' "
                    "keys and the trail before the desk is reached by others."
                )
            )
        with bar() as progress:
            progress(_("Reading the backup"), 0.1)
            _desk, said = put_back(archive, keys, identity, to, signer or None)
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
    from ctdhub.cli.adopt import show_adopted
    from ctdhub.desk.config import current
    from ctdhub.desk.worker.restore import resume

    show_adopted(resume(current(), database), folder)
    console.print(_("All sign-ins are ended. Compare the head of the trail with the auditor's."))


def _opened(folder: Path) -> None:
    from ctdhub.cli.desk import opened

    if not (folder / "hub.yaml").is_file():
        raise error("hub-folder", file=folder)
    opened(folder)
