"""The command line: one thin module per verb group, no logic.

Belongs here: arguments, help, progress, how results and errors are shown, exit codes.
Does not belong here: anything another program would want to call.
"""

from __future__ import annotations

import importlib
import sys

import typer
from rich.console import Console
from rich.markup import escape

from ctdhub.errors import HubError
from ctdhub.i18n import _

GROUPS = ("hub", "contributor", "schema", "crosswalk", "practice", "release", "portal")
"""Modules of this package; each has ``register(app)``, which adds its verbs to the command."""

console = Console()
errors = Console(stderr=True)


def command() -> typer.Typer:
    """The whole command, every verb registered."""
    app = typer.Typer(
        name="ctdhub",
        help=_("From contributors' case files to a protected, published dataset."),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for group in GROUPS:
        importlib.import_module(f"ctdhub.cli.{group}").register(app)
    return app


def main() -> None:
    """Run the command; a user's error is one message with a remedy and exit code 2."""
    try:
        command()()
    except HubError as error:
        show_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        errors.print(_("Stopped. What was finished is kept; run the same command to go on."))
        sys.exit(130)


def show_error(error: HubError) -> None:
    """Print an error with its place and remedy, never a traceback."""
    label, remedy = _("Error"), _("What to do")
    errors.print(f"[bold red]{escape(label)}:[/] {escape(error.what)}")
    if place := error.where():
        errors.print(f"  {escape(place)}")
    errors.print(f"  [bold]{escape(remedy)}:[/] {escape(error.fix)}")
