"""The verb journal: who ran or decided what."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli.output import console
from ctdhub.cli.verbs import about
from ctdhub.core.errors import printable
from ctdhub.core.i18n import _


def register(app: typer.Typer) -> None:
    """Add the verb of this module to the command."""

    @app.command(help=about("journal"))
    def journal(
        folder: Annotated[Path, typer.Argument(help=_("The hub folder."))] = Path(),
        last: Annotated[int, typer.Option(min=1, help=_("Maximum number of lines."))] = 50,
        as_json: Annotated[bool, typer.Option("--json", help=_("Print it as JSON."))] = False,
    ) -> None:
        from ctdhub.build.hub import Hub
        from ctdhub.build.journal import read_journal

        lines = read_journal(Hub(folder))[-last:]
        if as_json:
            text = json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=1)
            console.print(text, soft_wrap=True, markup=False, highlight=False)
            return
        if not lines:
            console.print(_("Nothing has been noted in this hub yet."))
            return
        table = Table(_("when"), _("user"), _("what"), _("outcome"), title=_("Journal"))
        for line in lines:
            asked = " ".join(f"{k}={v}" for k, v in line.details.items() if v not in ("", None))
            outcome = _("done") if line.outcome == "done" else line.outcome
            cells = (line.time.replace("T", " "), line.user, f"{line.what} {asked}", outcome)
            table.add_row(*(escape(printable(cell, 300)) for cell in cells))
        console.print(table)
