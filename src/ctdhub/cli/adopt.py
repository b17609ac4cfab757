"""The verb ``adopt``: a ledger that was copied, moved or put back goes on in this place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from ctdhub.cli.output import console
from ctdhub.cli.verbs import about
from ctdhub.core.format import exact, number, stamped
from ctdhub.core.i18n import _

if TYPE_CHECKING:
    from ctdhub.dp.ledger.adopt import Adopted


def register(app: typer.Typer) -> None:
    """Add the verb of this module to the command."""

    @app.command(help=about("adopt"))
    def adopt(
        folder: Annotated[
            Path, typer.Argument(help=_("The hub folder, or the ledger folder of a single table."))
        ] = Path(),
    ) -> None:
        from ctdhub.build import adopt as hubs
        from ctdhub.build.hub import Hub
        from ctdhub.dp.ledger import adopt as ledgers

        if (folder / "hub.yaml").is_file():
            show_adopted(hubs.adopt(Hub(folder)), folder)
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
