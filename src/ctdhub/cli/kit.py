"""The verb ``kit``: a contributor's own pages, on the contributor's own computer."""

from __future__ import annotations

import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ctdhub.cli.output import console
from ctdhub.cli.verbs import about
from ctdhub.core.i18n import _


def register(app: typer.Typer) -> None:
    """Add the verb ``kit``."""

    @app.command(help=about("kit"))
    def kit(
        folder: Annotated[
            Path | None,
            typer.Option(help=_("The kit's own folder; by default where the system keeps such.")),
        ] = None,
        browser: Annotated[
            bool, typer.Option("--browser/--no-browser", help=_("Open the browser."))
        ] = True,
    ) -> None:
        from ctdhub.kit.folder import default_folder
        from ctdhub.kit.server import serve

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
