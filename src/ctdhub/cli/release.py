"""The verb ``verify``.

Belongs here: how faults of a release are shown.  Does not belong here: finding them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli import console
from ctdhub.i18n import _
from ctdhub.release import digest, verify


def register(app: typer.Typer) -> None:
    """Add the verb of this module to the command."""

    @app.command(
        name="verify",
        help=_(
            "Check a release: recompute the hash of every file, find missing, extra and changed "
            "ones.\n\nExit code 0: whole; 2: faults.\n\n"
            "Example: ctdhub verify my-hub/releases/2026.1"
        ),
    )
    def verify_release(
        release: Annotated[Path, typer.Argument(help=_("The folder of one release."))],
    ) -> None:
        problems = verify(release)
        if not problems:
            console.print(
                _("The release {version} is whole.").format(version=escape(release.resolve().name))
            )
            console.print(
                _("Its digest, to compare with the published one: {digest}").format(
                    digest=digest(release)
                )
            )
            return
        table = Table(title=_("Faults of the release"))
        for heading in (_("kind"), _("file"), _("what is wrong")):
            table.add_column(heading, overflow="fold")
        for problem in problems:
            table.add_row(problem.kind, escape(problem.file), escape(problem.what))
        console.print(table)
        raise typer.Exit(2)
