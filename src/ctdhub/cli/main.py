"""The command line: one thin module per verb group, no logic."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from typer import rich_utils

import ctdhub
from ctdhub.build.steps import Progress as Report
from ctdhub.cli.output import UsageError, misused, refused
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import _, language

GROUPS: dict[str, tuple[str, ...]] = {
    "hub": ("init", "demo", "build", "check", "release", "ledger", "approve", "linkage"),
    "withdraw": ("withdraw",),
    "key": ("key",),
    "tokens": ("tokens",),
    "link": ("link",),
    "contributor": ("suggest", "harmonise"),
    "schema": ("codebook",),
    "crosswalk": ("crosswalk", "convert"),
    "practice": ("practice",),
    "protect": ("protect", "domains", "rehearse"),
    "count": ("count",),
    "kanon": ("kanon",),
    "verify": ("verify",),
    "site": ("site", "serve"),
    "brief": ("brief",),
    "audit": ("audit",),
    "facts": ("facts",),
    "trends": ("trends",),
    "signals": ("signals",),
    "estimate": ("estimate",),
    "equity": ("equity", "tables"),
}
"""Modules of this package and the verbs that each one's ``register(app)`` adds."""

HELP = ["-h", "--help"]
INTERRUPTED, PIPE_CLOSED = 130, 141

_ONE_ALLOCATOR = ("ARROW_DEFAULT_MEMORY_POOL", "system")
"""Tables then use the memory that arrays gave back: a tenth less at the peak of a release."""

console = Console()
errors = Console(stderr=True)
"""Errors and progress, so that what a command prints can go into a file."""


def command(verb: str | None = None) -> typer.Typer:
    """The command: every verb, or the group of one alone, which starts sooner and takes less.

    Args:
        verb: what the user asks for, if it is known.
    """
    app = typer.Typer(
        name="ctdhub",
        help=_("From contributors' case files to a protected, published dataset."),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": HELP},
        add_completion=False,
    )

    @app.callback()
    def everywhere(
        version: Annotated[
            bool,
            typer.Option(
                "--version",
                callback=_show_version,
                is_eager=True,
                help=_("Show the version and end."),
            ),
        ] = False,
    ) -> None: ...

    for group in [g for g, verbs in GROUPS.items() if verb in verbs] or GROUPS:
        importlib.import_module(f"ctdhub.cli.{group}").register(app)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        console.print(ctdhub.__version__, highlight=False)
        raise typer.Exit


def main() -> None:
    """Run the command; a user's error is one message with a remedy and exit code 2."""
    os.environ.setdefault(*_ONE_ALLOCATOR)
    try:
        code = run(command(sys.argv[1] if len(sys.argv) > 1 else None))
    except HubError as error:
        show_error(error)
        code = error.exit_code
    except BrokenPipeError:  # the reader of a pipe went away, as `head` does: not an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = PIPE_CLOSED
    except OSError as error:
        show_error(refused(error))
        code = HubError.exit_code
    except UsageError as error:
        if type(error).__name__ != "NoArgsIsHelpError":  # the help is the message
            show_error(misused(error))
        code = HubError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:
        errors.print(_("Stopped. What was finished is kept; run the same command to go on."))
    sys.exit(code)


def run(app: typer.Typer) -> int:
    """Run the command with Typer's own words in the user's language; gives the exit code."""
    rich_utils.ARGUMENTS_PANEL_TITLE = _("Arguments")
    rich_utils.OPTIONS_PANEL_TITLE = _("Options")
    rich_utils.COMMANDS_PANEL_TITLE = _("Commands")
    rich_utils.REQUIRED_LONG_STRING = _("[required]")
    rich_utils.DEFAULT_STRING = _("[default: {}]")
    root = typer.main.get_command(app)
    for verb in _and_within(root):
        option = verb.get_help_option(typer.Context(verb, help_option_names=HELP))
        if option is not None:
            option.help = _("Show this help and end.")
    return int(root(standalone_mode=False) or 0)


def _and_within(verb: Any) -> Iterator[Any]:
    """A command and all that it holds, such as ``key new``."""
    yield verb
    for inner in getattr(verb, "commands", {}).values():
        yield from _and_within(inner)


@contextmanager
def bar() -> Iterator[Report]:
    """A progress bar that a library function can feed with (message, fraction)."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=errors, transient=True, disable=not errors.is_terminal
    ) as progress:
        task = progress.add_task("", total=1.0)

        def report(message: str, fraction: float) -> None:
            progress.update(task, description=escape(message), completed=fraction)

        yield report


def show_error(error: HubError) -> None:
    """Print an error with its place and remedy, in its own language, never a traceback."""
    with language(error.spoken):
        label, remedy = _("Error:"), _("What to do:")
        errors.print(f"[bold red]{escape(label)}[/] {escape(error.what)}")
        if place := error.where():
            errors.print(f"  {escape(place)}")
        errors.print(f"  [bold]{escape(remedy)}[/] {escape(error.fix)}")
