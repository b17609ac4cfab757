"""Faults from outside the product in its own words: the file system's, the command line's."""

from __future__ import annotations

import errno
from typing import cast

import typer

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import _

UsageError = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""What Typer raises for arguments that it cannot use, wherever it keeps the class."""


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


def misused(error: Exception) -> HubError:
    """A usage error of Typer: a wrong option, argument or verb."""
    context = getattr(error, "ctx", None)
    parameter = getattr(error, "param", None)
    name = parameter.opts[0] if parameter else ""
    command = context.command_path if context else "ctdhub"
    if type(error).__name__ == "MissingParameter":
        what = _("{name} is missing.").format(name=name)
    elif name:
        what = _("{name} cannot have this value.").format(name=name)
    elif option := getattr(error, "option_name", ""):
        what = _("{name} is not an option of this command, or is used wrongly.").format(name=option)
    elif context and hasattr(context.command, "commands"):
        what = _("There is no such command.")
    else:
        what = _("There are more arguments than this command takes.")
    fix = _("`{command} --help` shows what is possible.").format(command=command)
    return HubError(what, fix, rule="usage")
