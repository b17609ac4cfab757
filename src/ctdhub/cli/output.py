"""What the command puts on the screen: two consoles, progress, errors and their remedies."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import _, language

if TYPE_CHECKING:
    from ctdhub.build.steps import Progress as Report

console = Console()
errors = Console(stderr=True)
"""Errors and progress, so that what a command prints can go into a file."""


@contextmanager
def bar() -> Iterator[Report]:
    """A progress bar that a library function can feed with (message, fraction)."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

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


def refused(error: OSError) -> HubError:
    """The system would not read or write; names the file, never more of its path.

    >>> refused(OSError(errno.ENOSPC, "", "a.csv")).what
    'The disk is full.'
    """
    absent = _("This file or folder does not exist, or a part of its path is no folder.")
    rights = _("There is no right to read or write here.")
    kind = _("There is a file where a folder should be, or a folder where a file should be.")
    full = _("The disk is full.")
    known = {
        errno.ENOENT: absent,
        errno.ENOTDIR: absent,
        errno.EACCES: rights,
        errno.EPERM: rights,
        errno.EROFS: rights,
        errno.EEXIST: kind,
        errno.EISDIR: kind,
        errno.ENOTEMPTY: kind,
        errno.ENOSPC: full,
        errno.EDQUOT: full,
    }
    other = _("The system refuses to read or write here.")
    return HubError(
        known.get(error.errno or 0, other),
        _("Check the path, its rights and the room on the disk; then run the command again."),
        file=error.filename if isinstance(error.filename, str) else None,
        rule=errno.errorcode.get(error.errno or 0, "system").lower(),
    )
