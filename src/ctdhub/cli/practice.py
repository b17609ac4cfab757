"""The verb ``practice``: write fictitious contributors' files with a known truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli import options
from ctdhub.cli.output import bar, console, errors
from ctdhub.cli.verbs import about
from ctdhub.core.error_catalogue import error
from ctdhub.core.format import number
from ctdhub.core.i18n import _
from ctdhub.practice.write import PEOPLE

if TYPE_CHECKING:
    from ctdhub.practice.write import PracticeSummary


def register(app: typer.Typer) -> None:
    """Add the verb ``practice``."""

    @app.command(help=about("practice"))
    def practice(
        folder: Annotated[Path, typer.Argument(help=_("A folder for practice files only."))],
        people: Annotated[
            int, typer.Option(min=PEOPLE[0], max=PEOPLE[1], help=_("Number of fictitious people."))
        ] = 60_000,
        seed: Annotated[
            int, typer.Option(min=0, help=_("Seed of the fictitious data."))
        ] = 20260101,
        names: Annotated[
            bool,
            typer.Option(
                "--names",
                help=_(
                    "Write five lists of fictitious names in four scripts instead, to "
                    "practise `ctdhub tokens` on."
                ),
            ),
        ] = False,
    ) -> None:
        from ctdhub.practice.naming import write_names
        from ctdhub.practice.write import write_practice

        if (folder / "hub.yaml").exists():
            raise error("practice-folder/files", file=folder)
        options.require_own(folder, "truth.csv" if names else "truth.json")
        if names:
            with errors.status(_("Drawing fictitious people")):
                files = write_names(folder, people, seed)
            for path in files.values():
                console.print(escape(str(path)), soft_wrap=True, highlight=False)
            truth = escape(str(folder / "truth.csv"))
            console.print(
                _("Everything is fictitious; the true links are in {file}.").format(file=truth)
            )
            return
        with bar() as progress:
            summary = write_practice(folder, people, seed, progress)
        show(summary)


def show(summary: PracticeSummary) -> None:
    """What each file holds and where the truth lies."""
    table = Table(title=_("Practice files: everything in them is fictitious"))
    table.add_column(_("contributor"), no_wrap=True)
    for heading in (
        _("rows"),
        _("people"),
        _("to be rejected"),
        _("to be excluded"),
    ):
        table.add_column(heading)
    for contributor, sent in summary.sent.items():
        numbers = (sent.rows, sent.people, sent.rejected, sum(sent.excluded.values()))
        table.add_row(contributor, *(number(n) for n in numbers))
    console.print(table)
    console.print(
        _("{people} fictitious people; the truth is in {file}.").format(
            people=number(summary.people), file=escape(str(summary.folder / "truth.json"))
        )
    )
