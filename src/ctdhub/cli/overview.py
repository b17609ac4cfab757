"""The list of verbs by role, and what a verb that is not there was likely meant to be.

It is plain text, so that ``ctdhub --help`` loads neither Typer nor rich nor any room.
"""

from __future__ import annotations

import difflib
import shutil
import textwrap

from ctdhub.cli.verbs import ROLES, helps, line, role_title
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text, _, joined

_WIDEST = 100


def overview(width: int | None = None) -> str:
    """Every verb with its line, by role.

    Args:
        width: columns of the screen; asked of the terminal, and 100 at most, if None.
    """
    width = min(width or shutil.get_terminal_size().columns, _WIDEST)
    margin = max(map(len, helps())) + 4
    lines = [
        _("Usage: ctdhub VERB [OPTIONS]"),
        "",
        *textwrap.wrap(
            _("From contributors' case files to a protected, published dataset."), width
        ),
    ]
    for role, verbs in ROLES.items():
        lines += ["", role_title(role)]
        for verb in verbs:
            head = f"  {verb}".ljust(margin)
            lines += textwrap.wrap(
                line(verb),
                width,
                initial_indent=head,
                subsequent_indent=" " * margin,
                break_on_hyphens=False,
            )
    lines += [
        "",
        _("Example: {command}").format(command="ctdhub demo demo-hub && ctdhub serve demo-hub"),
        _("Arguments, options and examples of a verb: ctdhub VERB --help"),
        _("The version: ctdhub --version"),
    ]
    return "\n".join(lines) + "\n"


def no_such_verb(asked: str) -> HubError:
    """The error of a verb that is not there, with those that are spelt almost like it."""
    near = difflib.get_close_matches(asked, helps(), n=3)
    if near:
        names = joined([f"`ctdhub {name}`" for name in near], Text(", "))
        return error("usage/near-verb", names=names, command="ctdhub")
    return error("usage/no-verb", command="ctdhub")
