"""The table of verbs, ``verbs.yaml``: where each is defined, for whom it is, what its help says.

A test holds it beside the verbs.  It loads neither Typer nor any room.
"""

from __future__ import annotations

import difflib
import shutil
import textwrap
from functools import cache
from importlib import resources
from typing import Any

from ctdhub.core.errors import HubError, error
from ctdhub.core.i18n import Text, _, joined, read_shipped


@cache
def _roles() -> dict[str, dict[str, Any]]:
    """``verbs.yaml``."""
    found: dict[str, dict[str, Any]] = read_shipped(resources.files("ctdhub.cli") / "verbs.yaml")
    return found


def _verbs() -> dict[str, dict[str, str]]:
    return {name: verb for role in _roles().values() for name, verb in role["verbs"].items()}


def modules() -> dict[str, tuple[str, ...]]:
    """Modules of this package and the verbs that each one adds by functions ``register…(app)``."""
    found: dict[str, tuple[str, ...]] = {}
    for name, verb in _verbs().items():
        module = f"ctdhub.cli.{verb['module']}"
        found[module] = (*found.get(module, ()), name)
    return found


def roles() -> dict[str, tuple[str, ...]]:
    """Whom the list shows a verb to first, in the order in which a newcomer needs them."""
    return {name: tuple(role["verbs"]) for name, role in _roles().items()}


def texts() -> dict[str, str]:
    """The help of every verb in English: one line, then paragraphs, the last ones examples."""
    return {
        name: "\n\n".join(" ".join(part.split()) for part in verb["help"].split("\n\n"))
        for name, verb in _verbs().items()
    }


def titles() -> dict[str, str]:
    """The roles as titles of the list, in English."""
    return {name: role["title"] for name, role in _roles().items()}


def helps() -> dict[str, str]:
    """The help of every verb, in the language in force."""
    return {verb: _(text) for verb, text in texts().items()}


def role_title(role: str) -> str:
    """A role as a title of the list."""
    return _(titles()[role])


def about(verb: str) -> str:
    """What the help of a verb says."""
    return _(texts()[verb])


def line(verb: str) -> str:
    """The first paragraph of a verb's help."""
    return about(verb).partition("\n\n")[0]


# --------------------------------------------------------------------------------------------------
# The list of verbs by role, and what a verb that is not there was likely meant to be.
#
# It is plain text, so that ``ctdhub --help`` loads neither Typer nor rich nor any room.

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
    for role, verbs in roles().items():
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
