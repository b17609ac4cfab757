"""The verb ``reissue``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ctdhub.cli.output import console
from ctdhub.cli.verbs import about
from ctdhub.core.format import number
from ctdhub.core.i18n import _


def register(app: typer.Typer) -> None:
    """Add the verb of this module to the command."""

    @app.command(help=about("reissue"))
    def reissue(
        folder: Annotated[Path, typer.Argument(help=_("The hub folder."))],
        version: Annotated[str, typer.Argument(help=_("A published version, such as 2026.1."))],
        out: Annotated[
            Path, typer.Option(help=_("A new or empty folder for the files of the version."))
        ],
    ) -> None:
        from ctdhub.build.hub import Hub
        from ctdhub.build.reissue import reissue as copied

        n = copied(Hub(folder), version, out)
        console.print(
            _(
                "Copied {n} files of release {version} to {folder}, unchanged. Nothing was charged."
            ).format(n=number(n), version=escape(version), folder=escape(str(out)))
        )
