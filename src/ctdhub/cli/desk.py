"""Verbs of desk and kit, and ``adopt`` for a ledger that was moved."""

from __future__ import annotations

import os
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ctdhub.cli import options
from ctdhub.cli.output import bar, say, show_exactly
from ctdhub.core.errors import error
from ctdhub.core.format import exact, number, stamped
from ctdhub.core.i18n import Numeral, Text, _, said

if TYPE_CHECKING:
    from ctdhub.dp.ledger.custody import Adopted


# --------------------------------------------------------------------------------------------------
# Commands of ``ctdhub desk`` for whoever operates it: demo, backup, restore.


def desk_demo(
    folder: options.Folder = Path("demo-desk"),
    people: Annotated[int, typer.Option(min=200)] = 3_000,
    serve: bool = True,
) -> None:
    """The verb ``ctdhub desk demo``."""
    from ctdhub.desk.demo import accounts, settings_of

    if not (folder / "hub.yaml").exists():
        from ctdhub.hub import init, pipeline

        with bar() as progress:
            hub = init.practice_hub(folder, people=people, progress=progress)
            pipeline.build(hub, progress=progress)
    settings_of(folder)
    opened(folder)
    from ctdhub.desk.config import current
    from ctdhub.desk.walls import DATABASE_WORK, OWNER, as_user, prepare
    from ctdhub.desk.worker.deliveries import organisations

    with as_user(OWNER):
        prepare()
    with as_user(DATABASE_WORK):
        organisations(options.hub(folder))
        opening = accounts(current())
    say(_("Links, one for each account; each works once:"))
    for made in opening:
        say(f"{made.name}:")
        show_exactly(f"  {made.link}")
    say(_("All data are fictitious. Use a private window for each further account."))
    if serve:
        from ctdhub.desk.processes import PROCESSES, run_all

        raise typer.Exit(run_all(current(), tuple(PROCESSES)))


def desk_backup(
    folder: Path,
    out: Path,
    recipient: Annotated[list[str], typer.Option()],
    keys: Path | None = None,
    wait: Annotated[float, typer.Option(min=0)] = 600.0,
) -> None:
    """The verb ``ctdhub desk backup``."""
    for target in (out, keys):
        options.require_new(target)
    opened(folder)
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
    text = _("Files: {n}. Last line of the ledger: {hash}.")
    say(text, n=number(len(made.files)), hash=made.heads["ledger"][:16] or "-")
    say(_("Signed with the key below. Keep it on paper: a restore asks for it."))
    show_exactly(signer(current()).public)
    if keys is not None:
        options.tell_written(keys)
    else:
        say(_("The keys of the hub are not in it: write them with --keys FILE."))


def desk_restore(
    archive: Path,
    to: options.NeededPath,
    identity: Annotated[list[Path], typer.Option()],
    keys: Path | None = None,
    signer: str = "",
) -> None:
    """The verb ``ctdhub desk restore``."""
    from ctdhub.core.keys.signing import is_public_key
    from ctdhub.desk.worker.backup import put_back

    if not is_public_key(signer):
        raise error("restore-signer")
    with bar() as progress:
        progress(_("Reading the backup"), 0.1)
        _desk, said = put_back(archive, keys, identity, to, signer)
    text = _("Every file is as the backup of {time} says; files: {n}.")
    say(text, time=said["made"], n=number(len(said["files"])))
    _resume(to, said["database"])


def desk_resume(folder: Path) -> None:
    """The verb ``ctdhub desk resume``."""
    from ctdhub.desk.config import DeskConfig
    from ctdhub.desk.worker.backup import DUMP

    desk = DeskConfig(folder)
    if desk.restoring.exists():
        _resume(folder, desk.restoring.read_text("ascii"))
    else:
        there = (desk.folder / DUMP).exists()
        _resume(folder, "postgresql" if there else "sqlite")


def _resume(folder: Path, database: str) -> None:
    opened(folder)
    from ctdhub.desk.config import current
    from ctdhub.desk.worker.backup import resume

    show_adopted(resume(current(), database), folder)
    say(_("All sign-ins are ended. Compare the head of the trail with the auditor's."))


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


def desk_serve(folder: Path, only: str = "") -> None:
    """The verb ``ctdhub desk serve``."""
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
            say(_("The first administrator signs up here, within 72 hours, once:"))
            show_exactly(link)
    say(said(Text("The desk is at {address}", address=origin)))
    raise typer.Exit(run_all(current(), (only,) if only else tuple(PROCESSES)))


def desk_confirm(folder: Path, yes: options.Yes = False) -> None:
    """The verb ``ctdhub desk confirm``."""
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
            show_exactly(line)
            if yes:
                code = invitations.confirm(one, None)
                record(VISITOR, "invitation.confirm", one)
                text = _("The code, shown once and valid for 72 hours: {code}")
                say(text, code=code)


def desk_check(folder: Path) -> None:
    """The verb ``ctdhub desk check``."""
    opened(folder)
    from django.core.management import call_command

    from ctdhub.desk.registry import pages
    from ctdhub.desk.walls import refuse_strong_user

    list(pages())
    refuse_strong_user()
    call_command("check", deploy=True)


def desk_verify(folder: Path) -> None:
    """The verb ``ctdhub desk verify``."""
    from ctdhub.desk.trail_file import read_trail

    *_rest, last = None, *read_trail(options.hub(folder).root / "desk" / "trail.jsonl")
    if last is None:
        say(_("The trail has no line yet."))
        return
    text = Text(
        "The trail is whole: {n} lines, the last one {hash}.",
        n=Numeral(last["number"]),
        hash=last["hash"],
    )
    show_exactly(said(text))


def opened(folder: Path) -> None:
    """Let this process work with the desk of a folder.

    Raises:
        HubError: the folder is no hub.
    """
    import django

    from ctdhub.desk.config import FOLDER_VARIABLE, DeskConfig, use

    os.environ[FOLDER_VARIABLE] = str(folder.resolve())
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    use(DeskConfig(folder))
    django.setup()


# --------------------------------------------------------------------------------------------------
# The verb ``kit``: a contributor's own pages, on the contributor's own computer.


def kit(folder: Path | None = None, browser: bool = True) -> None:
    """The verb ``kit``."""
    from ctdhub.kit.server import serve
    from ctdhub.kit.state import default_folder

    def tell(address: str) -> None:
        say(_("The kit is open on this computer only. Press Ctrl-C to end it."))
        if not (browser and _open(address)):
            say(_("Open this address within a minute; it works once:"))
            show_exactly(address)

    with suppress(KeyboardInterrupt):
        serve(folder or default_folder(), tell)
    say(_("The kit has ended. Everything you did is saved."))


def _open(address: str) -> bool:
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False


# --------------------------------------------------------------------------------------------------
# The verb ``adopt``: a ledger that was copied, moved or put back goes on in this place.


def adopt(folder: options.Folder = Path()) -> None:
    """The verb ``adopt``."""
    from ctdhub.dp.ledger import custody as ledgers
    from ctdhub.hub import init as hubs

    if (folder / "hub.yaml").is_file():
        show_adopted(hubs.adopt(options.hub(folder)), folder)
    else:
        show_adopted(ledgers.adopt(folder, folder), folder)


def show_adopted(adoption: Adopted, folder: Path) -> None:
    """Print what counts as spent now, and where the ledger is charged."""
    for entry in adoption.counted:
        text = _("Counts as spent: epsilon {epsilon}, {time}.")
        say(text, epsilon=exact(entry.epsilon), time=stamped(entry.time))
    if not adoption.known:
        say(_("This machine did not know the ledger: what was charged elsewhere is not added."))
    if not adoption.vouched:
        say(_("There is no key: lines are taken as they are, and nothing proves them."))
    text = _("From now on this ledger is charged in {folder} and nowhere else; charges: {n}.")
    say(text, folder=folder.resolve(), n=number(adoption.charges))
